// The metrics of a runtime, read from the plain numbers that the data path counts (docs/metrics.md).
import type { OpenBroker } from '../broker/broker.ts'
import type { SubscriptionStatus } from '../channel/subscription.ts'
import type { Histogram } from '../observe/histogram.ts'
import type { Labels, MetricFamily, Metrics, Sample } from '../observe/metrics.ts'
import type { TriggerState } from './triggers.ts'

export interface MetricSources {
  brokers(): Iterable<OpenBroker>
  triggers(): Iterable<TriggerState>
  subscription(state: TriggerState): SubscriptionStatus | undefined
  durations(): Iterable<{ readonly labels: Labels; readonly histogram: Histogram }>
}

type BrokerValue = (broker: OpenBroker) => number

const BROKER_COUNTERS: readonly (readonly [MetricFamily, BrokerValue])[] = [
  [
    { name: 'tidings_broker_events_accepted_total', help: 'Events stored, replies included.' },
    ({ target }) => target.stats.accepted,
  ],
  [
    { name: 'tidings_broker_events_unmatched_total', help: 'Events that passed no trigger.' },
    ({ channel }) => channel.status().unmatched,
  ],
]

const BROKER_GAUGES: readonly (readonly [MetricFamily, BrokerValue])[] = [
  [
    { name: 'tidings_broker_events_waiting', help: 'Events that at least one trigger has not settled.' },
    ({ channel }) => channel.status().waiting,
  ],
  [{ name: 'tidings_log_bytes', help: "Bytes in the broker's log." }, ({ channel }) => channel.status().size.bytes],
  [
    { name: 'tidings_log_cap_bytes', help: "Bytes the broker's log may hold; publishers are refused at 90 %." },
    ({ channel }) => channel.status().size.capBytes,
  ],
  [
    { name: 'tidings_dead_letters_waiting', help: 'Events in the dead-letter log.' },
    ({ deadLetters }) => deadLetters.status().waiting,
  ],
]

type TriggerValue = (subscription: SubscriptionStatus) => number

const TRIGGER_COUNTERS: readonly (readonly [MetricFamily, TriggerValue])[] = [
  [{ name: 'tidings_trigger_matched_total', help: 'Events that passed the filter.' }, ({ stats }) => stats.matched],
  [{ name: 'tidings_trigger_delivered_total', help: 'Events the subscriber took.' }, ({ stats }) => stats.delivered],
  [
    { name: 'tidings_trigger_dead_lettered_total', help: 'Events the dead letter sink took.' },
    ({ stats }) => stats.deadLettered,
  ],
  [{ name: 'tidings_trigger_kept_total', help: 'Events put into the dead-letter log.' }, ({ stats }) => stats.kept],
  [{ name: 'tidings_trigger_attempts_total', help: 'Attempts begun.' }, ({ stats }) => stats.attempts],
  [
    { name: 'tidings_trigger_failed_attempts_total', help: 'Attempts that delivered nothing.' },
    ({ stats }) => stats.failedAttempts,
  ],
]

const TRIGGER_GAUGES: readonly (readonly [MetricFamily, TriggerValue])[] = [
  [
    { name: 'tidings_trigger_waiting', help: 'Events matched and not settled, or not read for it yet.' },
    ({ unsettled, behind }) => unsettled + behind,
  ],
  [{ name: 'tidings_trigger_in_flight', help: 'Attempts running.' }, ({ inFlight }) => inFlight],
]

export function registerMetrics(metrics: Metrics, sources: MetricSources): void {
  for (const [family, value] of BROKER_COUNTERS) metrics.counter(family, () => brokerSamples(sources, value))
  for (const [family, value] of BROKER_GAUGES) metrics.gauge(family, () => brokerSamples(sources, value))
  for (const [family, value] of TRIGGER_COUNTERS) metrics.counter(family, () => triggerSamples(sources, value))
  for (const [family, value] of TRIGGER_GAUGES) metrics.gauge(family, () => triggerSamples(sources, value))
  metrics.counter({ name: 'tidings_ingress_refused_total', help: 'Requests and events refused, by HTTP status.' }, () =>
    refusedSamples(sources),
  )
  metrics.histogram({ name: 'kn_eventing_dispatch_duration_seconds', help: 'Duration of attempts to deliver.' }, () =>
    sources.durations(),
  )
  metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () => [
    { labels: {}, value: process.memoryUsage.rss() },
  ])
  metrics.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.' }, () => [
    { labels: {}, value: process.memoryUsage().heapUsed },
  ])
  metrics.counter({ name: 'process_cpu_seconds_total', help: 'User and system CPU time.' }, () => {
    const { user, system } = process.cpuUsage()
    return [{ labels: {}, value: (user + system) / 1e6 }]
  })
}

export function brokerLabels({ namespace, name }: { readonly namespace: string; readonly name: string }): Labels {
  return { namespace, broker: name }
}

function* brokerSamples(sources: MetricSources, value: BrokerValue): Generator<Sample> {
  for (const broker of sources.brokers()) yield { labels: brokerLabels(broker), value: value(broker) }
}

function* refusedSamples(sources: MetricSources): Generator<Sample> {
  for (const broker of sources.brokers()) {
    for (const [status, value] of broker.target.stats.refused) {
      yield { labels: { ...brokerLabels(broker), code: String(status) }, value }
    }
  }
}

/** A trigger has series only after its first event: idle ones cost nothing here. */
function* triggerSamples(sources: MetricSources, value: TriggerValue): Generator<Sample> {
  for (const state of sources.triggers()) {
    const { namespace, name, brokerName } = state
    const subscription = sources.subscription(state)
    if (!subscription || subscription.stats.matched + subscription.behind === 0) continue
    yield { labels: { namespace, broker: brokerName, trigger: name }, value: value(subscription) }
  }
}
