// Durations of attempts: a histogram for each trigger, or for each broker where there are too many triggers for that. The
// same for subscriptions of channels and for sources.
import { Histogram } from '../observe/histogram.ts'
import type { HistogramSample, Labels } from '../observe/metrics.ts'

/** Above it, durations are counted per broker. */
const MOST_HISTOGRAMS = 500

/** Whose attempts are timed. */
export interface Timed {
  readonly durations: Histogram
  readonly labels: Labels
  /** Of those that share a histogram with it. */
  readonly shared: Labels
}

/** Hands out the histogram of each new trigger, by the key of its broker; `triggers` is how many there are. */
export function createDurations(triggers: () => number): (brokerKey: string) => Histogram {
  const shared = new Map<string, Histogram>()
  return (brokerKey) => {
    if (triggers() < MOST_HISTOGRAMS) return new Histogram()
    const histogram = shared.get(brokerKey) ?? new Histogram()
    shared.set(brokerKey, histogram)
    return histogram
  }
}

/** Those that have counted something; what several share has the labels that they share. */
export function* durationSamples(timed: Iterable<Timed>): Generator<HistogramSample> {
  const all = [...timed]
  const users = new Map<Histogram, number>()
  for (const { durations } of all) users.set(durations, (users.get(durations) ?? 0) + 1)
  for (const { durations, labels, shared } of all) {
    const sharedBy = users.get(durations)
    users.delete(durations)
    if (sharedBy === undefined || durations.counts.every((count) => count === 0)) continue
    yield { labels: sharedBy === 1 ? labels : shared, histogram: durations }
  }
}
