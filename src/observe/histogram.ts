/** Upper bounds in seconds: upstream's for `kn.eventing.dispatch.duration`. */
export const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const

/** Counts durations in plain numbers: some twenty nanoseconds an observation, read only when somebody scrapes. */
export class Histogram {
  /** One more than the bounds: the last counts what is above them all. */
  readonly counts = new Float64Array(DURATION_BUCKETS_S.length + 1)
  sumS = 0

  observe(ms: number): void {
    const seconds = ms / 1_000
    let bucket = 0
    while (bucket < DURATION_BUCKETS_S.length && seconds > (DURATION_BUCKETS_S[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sumS += seconds
  }
}
