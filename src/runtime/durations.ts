// Durations of attempts: a histogram for each trigger, or for each broker where there are too many triggers for that.
import { Histogram } from '../observe/histogram.ts'
import type { HistogramSample } from '../observe/metrics.ts'
import { brokerLabels } from './metrics.ts'
import type { TriggerState } from './triggers.ts'

/** Above it, durations are counted per broker. */
const MOST_HISTOGRAMS = 500

type Timed = Pick<TriggerState, 'namespace' | 'brokerName' | 'name' | 'durations'>

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

/** Those that have counted something; what several triggers share is labelled with their broker alone. */
export function* durationSamples(triggers: Iterable<Timed>): Generator<HistogramSample> {
  const states = [...triggers]
  const left = new Map<Histogram, number>()
  for (const { durations } of states) left.set(durations, (left.get(durations) ?? 0) + 1)
  for (const { durations, namespace, name, brokerName } of states) {
    const sharedBy = left.get(durations)
    left.delete(durations)
    if (sharedBy === undefined || durations.counts.every((count) => count === 0)) continue
    const broker = brokerLabels({ namespace, name: brokerName })
    yield { labels: sharedBy === 1 ? { ...broker, trigger: name } : broker, histogram: durations }
  }
}
