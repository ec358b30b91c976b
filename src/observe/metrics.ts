// What Prometheus reads. The hot path counts in plain numbers of its own; here they are folded into prom-client's
// registry when somebody scrapes, in slices, so that a scrape of ten thousand triggers does not hold up events.
import { type Metric, Registry } from 'prom-client'
import { DURATION_BUCKETS_S, type Histogram } from './histogram.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Labels
  readonly histogram: Histogram
}

export interface MetricFamily {
  /** In full, prefix and unit included. */
  readonly name: string
  readonly help: string
}

export interface Metrics {
  /** `samples` is asked at every scrape; it may be long. */
  counter(family: MetricFamily, samples: () => Iterable<Sample>): void
  gauge(family: MetricFamily, samples: () => Iterable<Sample>): void
  histogram(family: MetricFamily, samples: () => Iterable<HistogramSample>): void
  /** The text exposition format, and its content type. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** Samples taken before the event loop turns. */
const SLICE = 500

interface Value {
  readonly labels: Record<string, string | number>
  readonly value: number
  readonly metricName?: string
}

export function createMetrics(): Metrics {
  const registry = new Registry()

  function register({ name, help }: MetricFamily, type: string, values: () => Promise<Value[]>): void {
    const get = async () => ({ name, help, type, aggregator: 'sum', values: await values() })
    // prom-client's registry asks a metric for no more than its name and `get`; its classes cost a hash per update.
    registry.registerMetric({ name, get } as unknown as Metric)
  }

  const flat = (samples: () => Iterable<Sample>) => () =>
    inSlices(samples(), ({ labels, value }, values: Value[]) => values.push({ labels: { ...labels }, value }))

  return {
    counter: (family, samples) => register(family, 'counter', flat(samples)),
    gauge: (family, samples) => register(family, 'gauge', flat(samples)),
    histogram: (family, samples) =>
      register(family, 'histogram', () =>
        inSlices(samples(), ({ labels, histogram }, values: Value[]) =>
          addHistogram(family.name, labels, histogram, values),
        ),
      ),
    async scrape() {
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

async function inSlices<T>(samples: Iterable<T>, add: (sample: T, values: Value[]) => void): Promise<Value[]> {
  const values: Value[] = []
  let taken = 0
  for (const sample of samples) {
    add(sample, values)
    if (++taken % SLICE === 0) await new Promise(setImmediate)
  }
  return values
}

function addHistogram(name: string, labels: Labels, { counts, sumS }: Histogram, values: Value[]): void {
  let total = 0
  counts.forEach((count, i) => {
    total += count
    values.push({
      labels: { ...labels, le: DURATION_BUCKETS_S[i] ?? '+Inf' },
      value: total,
      metricName: `${name}_bucket`,
    })
  })
  values.push({ labels: { ...labels }, value: sumS, metricName: `${name}_sum` })
  values.push({ labels: { ...labels }, value: total, metricName: `${name}_count` })
}
