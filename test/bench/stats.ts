// Medians and how sure they are. Random numbers come from a fixed seed: the same samples always give the same interval.

export interface Interval {
  readonly low: number
  readonly high: number
}

const RESAMPLES = 10_000
const SEED = 0x7191_0000

/** The value below which this share (0 to 1) of the samples lies, by linear interpolation. Throws without samples. */
export function quantile(samples: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(samples).sort()
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) throw new RangeError('no samples')
  return below + (above - below) * (place - Math.floor(place))
}

export function median(samples: ArrayLike<number>): number {
  return quantile(samples, 0.5)
}

/** The percentile bootstrap interval of the median: where it would lie in `level` of the repetitions of all rounds. */
export function medianInterval(samples: readonly number[], level = 0.9): Interval {
  const random = createRandom(SEED)
  const medians = new Float64Array(RESAMPLES)
  const resample = new Float64Array(samples.length)
  for (let i = 0; i < RESAMPLES; i++) {
    for (let j = 0; j < resample.length; j++) resample[j] = samples[Math.floor(random() * samples.length)] ?? 0
    medians[i] = median(resample)
  }
  return { low: quantile(medians, (1 - level) / 2), high: quantile(medians, (1 + level) / 2) }
}

/** Numbers from 0 to below 1, by Mulberry32: small, and good enough to draw rounds with. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
