// The metrics of a runtime, read from the plain numbers that the data path counts (docs/metrics.md). A log is a Broker's, a
// channel's or a source's; who reads one is a Trigger, a Subscription or a source: each family is written once for all.
import type { OpenBroker } from '../broker/broker.ts'
import type { SubscriptionStatus } from '../channel/subscription.ts'
import type { Labels, MetricFamily, Metrics, Sample } from '../observe/metrics.ts'
import { conditionOf } from '../resource/conditions.ts'
import { type Entry, kindOf, type ResourceKey } from '../store/resource-store.ts'
import { durationSamples, type Timed } from './durations.ts'
import type { DataDirectory } from './logs.ts'
import { registerDisk, registerProcess } from './machine-metrics.ts'
import type { SourceState } from './sources.ts'
import type { SubscriptionState } from './subscriptions.ts'
import type { TriggerState } from './triggers.ts'

export interface MetricSources {
  brokers(): Iterable<OpenBroker>
  channels(): Iterable<OpenBroker>
  triggers(): Iterable<TriggerState>
  subscriptions(): Iterable<SubscriptionState>
  sources(): Iterable<SourceState>
  cursor(key: ResourceKey): SubscriptionStatus | undefined
  resources(): Iterable<Entry>
  /** How many there are now, in the files that are followed. */
  manifestProblems(): number
  readonly directory: DataDirectory | undefined
}

/** One number that is read off a `T`. */
interface Family<T> extends MetricFamily {
  readonly type: 'counter' | 'gauge'
  readonly value: (of: T) => number
}

/** Whatever has series of its own. */
interface Labelled<T> {
  readonly labels: Labels
  readonly of: T
}

export function registerMetrics(metrics: Metrics, sources: MetricSources): void {
  const all = seriesOf(sources)
  register(metrics, hubFamilies('broker', 'trigger'), all.brokers)
  register(metrics, hubFamilies('channel', 'subscription'), all.channels)
  register(metrics, LOG_FAMILIES, all.logs)
  register(metrics, readerFamilies('trigger', 'filter'), all.triggers)
  register(metrics, readerFamilies('subscription', 'channel'), all.subscriptions)
  register(metrics, SOURCE_FAMILIES, all.sources)
  metrics.counter({ name: 'tidings_ingress_refused_total', help: 'Requests and events refused, by HTTP status.' }, () =>
    refusedSamples(all.doors()),
  )
  metrics.histogram({ name: 'kn_eventing_dispatch_duration_seconds', help: 'Duration of attempts to deliver.' }, () =>
    durationSamples(timed(sources)),
  )
  metrics.gauge({ name: 'tidings_resources_not_ready', help: 'Resources whose Ready is not True, by kind.' }, () =>
    notReadySamples(sources.resources()),
  )
  metrics.gauge({ name: 'tidings_manifest_problems', help: 'Problems of the manifests that are followed.' }, () => [
    { labels: {}, value: sources.manifestProblems() },
  ])
  if (sources.directory) registerDisk(metrics, sources.directory)
  registerProcess(metrics)
}

/** What Brokers and channels count alike. */
function hubFamilies(hub: string, reader: string): readonly Family<OpenBroker>[] {
  return [
    {
      type: 'counter',
      name: `tidings_${hub}_events_accepted_total`,
      help: 'Events stored, replies included.',
      value: ({ target }) => target.stats.accepted,
    },
    {
      type: 'counter',
      name: `tidings_${hub}_events_unmatched_total`,
      help: `Events that no ${reader} wanted.`,
      value: ({ channel }) => channel.status().unmatched,
    },
    {
      type: 'gauge',
      name: `tidings_${hub}_events_waiting`,
      help: `Events that at least one ${reader} has not settled.`,
      value: ({ channel }) => channel.status().waiting,
    },
    {
      type: 'counter',
      name: `tidings_${hub}_events_expired_total`,
      help: `Events given up before all ${reader}s had settled them.`,
      value: ({ channel }) => channel.status().expired,
    },
  ]
}

const LOG_FAMILIES: readonly Family<OpenBroker>[] = [
  {
    type: 'gauge',
    name: 'tidings_log_bytes',
    help: 'Bytes in the log.',
    value: ({ channel }) => channel.status().size.bytes,
  },
  {
    type: 'gauge',
    name: 'tidings_log_retained_bytes',
    help: 'Of these, settled events, which go when the room is needed.',
    value: ({ channel }) => channel.status().size.retainedBytes,
  },
  {
    type: 'gauge',
    name: 'tidings_log_cap_bytes',
    help: 'Bytes the log may hold; publishers are refused at 90 %.',
    value: ({ channel }) => channel.status().size.capBytes,
  },
  {
    type: 'gauge',
    name: 'tidings_dead_letters_waiting',
    help: 'Events in the dead-letter log.',
    value: ({ deadLetters }) => deadLetters.status().waiting,
  },
  {
    type: 'counter',
    name: 'tidings_dead_letters_expired_total',
    help: 'Events of the dead-letter log that were given up after deadLetter.retention.',
    value: ({ deadLetters }) => deadLetters.status().expired,
  },
]

/** What all that read a log count alike. */
function settledFamilies(reader: string): readonly Family<SubscriptionStatus>[] {
  return [
    {
      type: 'counter',
      name: `tidings_${reader}_delivered_total`,
      help: 'Events the subscriber took.',
      value: ({ stats }) => stats.delivered,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_dead_lettered_total`,
      help: 'Events the dead letter sink took.',
      value: ({ stats }) => stats.deadLettered,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_kept_total`,
      help: 'Events put into the dead-letter log.',
      value: ({ stats }) => stats.kept,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_skipped_total`,
      help: 'Events that were not delivered because somebody said so.',
      value: ({ stats }) => stats.skipped,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_expired_total`,
      help: 'Events given up before it had settled them.',
      value: ({ stats }) => stats.expired,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_attempts_total`,
      help: 'Attempts begun.',
      value: ({ stats }) => stats.attempts,
    },
    {
      type: 'counter',
      name: `tidings_${reader}_failed_attempts_total`,
      help: 'Attempts that delivered nothing.',
      value: ({ stats }) => stats.failedAttempts,
    },
    {
      type: 'gauge',
      name: `tidings_${reader}_waiting`,
      help: 'Events for it that are not settled, or not read for it yet.',
      value: ({ unsettled, behind }) => unsettled + behind,
    },
    {
      type: 'gauge',
      name: `tidings_${reader}_in_flight`,
      help: 'Attempts running.',
      value: ({ inFlight }) => inFlight,
    },
  ]
}

function readerFamilies(reader: string, passed: string): readonly Family<SubscriptionStatus>[] {
  const matched: Family<SubscriptionStatus> = {
    type: 'counter',
    name: `tidings_${reader}_matched_total`,
    help: `Events that passed the ${passed}.`,
    value: ({ stats }) => publishedFor(stats),
  }
  return [matched, ...settledFamilies(reader)]
}

/** Grows only: what is skipped, or gone, is taken out of `matched` and counted there. */
function publishedFor({ matched, skipped, expired }: SubscriptionStatus['stats']): number {
  return matched + skipped + expired
}

interface SourceReading {
  readonly state: SourceState
  readonly cursor: SubscriptionStatus
}

const SOURCE_FAMILIES: readonly Family<SourceReading>[] = [
  {
    type: 'counter',
    name: 'tidings_source_events_emitted_total',
    help: 'Events emitted: stored on their way to the sink.',
    value: ({ state }) => state.emitted,
  },
  {
    type: 'counter',
    name: 'tidings_source_missed_total',
    help: 'Times of the schedule that will never fire.',
    value: ({ state }) => state.missed,
  },
  ...settledFamilies('source').map((family) => ({
    ...family,
    value: ({ cursor }: SourceReading) => family.value(cursor),
  })),
]

export function brokerLabels({ namespace, name }: { readonly namespace: string; readonly name: string }): Labels {
  return { namespace, broker: name }
}

function channelLabels({ namespace, name }: { readonly namespace: string; readonly name: string }): Labels {
  return { namespace, channel: name }
}

function triggerLabels({ namespace, brokerName, name }: TriggerState): Labels {
  return { ...brokerLabels({ namespace, name: brokerName }), trigger: name }
}

function subscriptionLabels({ namespace, channelName, name }: SubscriptionState): Labels {
  return { ...channelLabels({ namespace, name: channelName }), subscription: name }
}

function sourceLabels({ namespace, kind, name }: SourceState): Labels {
  return { namespace, kind, source: name }
}

/** Who has series now. Triggers, Subscriptions and sources only after their first event: idle ones cost nothing here. */
function seriesOf(sources: MetricSources) {
  function* brokers(): Generator<Labelled<OpenBroker>> {
    for (const of of sources.brokers()) yield { labels: brokerLabels(of), of }
  }
  function* channels(): Generator<Labelled<OpenBroker>> {
    for (const of of sources.channels()) yield { labels: channelLabels(of), of }
  }
  function* doors(): Generator<Labelled<OpenBroker>> {
    yield* brokers()
    yield* channels()
  }
  function* readers<S extends { readonly key: ResourceKey }>(
    states: Iterable<S>,
    labelsOf: (state: S) => Labels,
  ): Generator<Labelled<SubscriptionStatus>> {
    for (const state of states) {
      const of = sources.cursor(state.key)
      if (of && publishedFor(of.stats) + of.behind > 0) yield { labels: labelsOf(state), of }
    }
  }
  function* emitting(): Generator<Labelled<SourceReading>> {
    for (const state of sources.sources()) {
      const cursor = sources.cursor(state.key)
      if (cursor && state.emitted + state.missed > 0) yield { labels: sourceLabels(state), of: { state, cursor } }
    }
  }
  function* logs(): Generator<Labelled<OpenBroker>> {
    yield* doors()
    for (const { labels, of } of emitting()) if (of.state.open) yield { labels, of: of.state.open }
  }
  return {
    brokers,
    channels,
    doors,
    logs,
    triggers: () => readers(sources.triggers(), triggerLabels),
    subscriptions: () => readers(sources.subscriptions(), subscriptionLabels),
    sources: emitting,
  }
}

function register<T>(metrics: Metrics, families: readonly Family<T>[], series: () => Iterable<Labelled<T>>): void {
  for (const { type, value, ...family } of families) metrics[type](family, () => samples(series(), value))
}

function* samples<T>(series: Iterable<Labelled<T>>, value: (of: T) => number): Generator<Sample> {
  for (const { labels, of } of series) yield { labels, value: value(of) }
}

function* refusedSamples(doors: Iterable<Labelled<OpenBroker>>): Generator<Sample> {
  for (const { labels, of } of doors) {
    for (const [status, value] of of.target.stats.refused) yield { labels: { ...labels, code: String(status) }, value }
  }
}

function* timed({ triggers, subscriptions, sources }: MetricSources): Generator<Timed> {
  for (const state of triggers()) {
    const shared = brokerLabels({ namespace: state.namespace, name: state.brokerName })
    yield { durations: state.durations, labels: triggerLabels(state), shared }
  }
  for (const state of subscriptions()) {
    const shared = channelLabels({ namespace: state.namespace, name: state.channelName })
    yield { durations: state.durations, labels: subscriptionLabels(state), shared }
  }
  for (const state of sources()) {
    const shared = { namespace: state.namespace, kind: state.kind }
    yield { durations: state.durations, labels: sourceLabels(state), shared }
  }
}

/** Of every kind that has a resource with conditions: 0 says that all are ready. */
function* notReadySamples(resources: Iterable<Entry>): Generator<Sample> {
  const counts = new Map<string, number>()
  for (const { key, status } of resources) {
    if (!status) continue
    const isReady = conditionOf(status.conditions, 'Ready')?.status === 'True'
    const kind = kindOf(key)
    counts.set(kind, (counts.get(kind) ?? 0) + (isReady ? 0 : 1))
  }
  for (const [kind, value] of counts) yield { labels: { kind }, value }
}
