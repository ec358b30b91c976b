// What an on-call person asks first: per broker and channel and per trigger, subscription and source, what came, what went,
// what waits and what fails. What of it needs attention is told in words by problems.ts.
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLogStatus } from '../broker/dead-letter-log.ts'
import { behindOf, type SubscriptionStatus } from '../channel/subscription.ts'
import type { Target } from '../core/destination.ts'
import { printableUrl } from '../http/address.ts'
import { type Condition, conditionOf } from '../resource/conditions.ts'
import type { Problem } from '../resource/problems.ts'
import { type Entry, nameOf, type ResourceKey } from '../store/resource-store.ts'
import type { KeptCursor } from './cursors.ts'
import type { DataDirectory } from './logs.ts'
import {
  diskProblems,
  hubProblems,
  type KeptHub,
  keptCursorProblem,
  keptProblem,
  logProblems,
  manifestProblem,
  sourceProblems,
  subscriberProblems,
} from './problems.ts'
import type { RerunStatus } from './rerun-job.ts'

/** All counts are events since the process started; times are RFC 3339. */
export interface RuntimeStatus {
  readonly ready: boolean
  readonly dataUrl: string
  readonly backend: string
  /** Of the data directory; absent where nothing is kept. */
  readonly disk?: DiskStatus
  readonly brokers: readonly LogStatus[]
  readonly triggers: readonly TriggerStatus[]
  /** Those that have logs: a Channel's stands behind it, by the same name. */
  readonly channels: readonly LogStatus[]
  readonly subscriptions: readonly ChannelSubscriptionStatus[]
  readonly sources: readonly SourceStatus[]
  /** Replays and redrives that go on, and those that ended last. */
  readonly reruns: readonly RerunStatus[]
  /** What needs somebody's attention, in words; empty when nothing fails. */
  readonly problems: readonly string[]
}

export interface DiskStatus {
  readonly dir: string
  readonly usedBytes: number
  /** On the file system; null when it does not say. */
  readonly freeBytes: number | null
  readonly lowSpaceBytes: number
  readonly isLow: boolean
}

/** Of a Broker or a channel. */
export interface LogStatus {
  readonly namespace: string
  readonly name: string
  readonly url: string
  /** accepted = unmatched + settled + waiting + expired */
  readonly accepted: number
  readonly unmatched: number
  readonly settled: number
  readonly waiting: number
  /** Given up by the log before all had settled them, or gone from it before they were read. */
  readonly expired: number
  /** Replies that wait for room in the log, each holding an attempt's slot. */
  readonly repliesWaiting: number
  readonly log: {
    /** Where it is: `memory`, `disk` or `kafka`. */
    readonly backend: string
    readonly bytes: number
    /** Of these, settled events, which go when the room is needed. */
    readonly retainedBytes: number
    readonly capBytes: number
    /** How much of them may be kept, as it was asked for; more than `capBytes` never is. */
    readonly retentionBytes: number
    readonly floorHolder: string | null
  }
  readonly deadLetters: DeadLetterLogStatus
}

export interface TriggerStatus extends SubscriberStatus {
  readonly broker: string
}

export interface ChannelSubscriptionStatus extends SubscriberStatus {
  readonly channel: string
}

export interface SourceStatus extends SubscriberStatus {
  readonly kind: string
  /** Times that passed without an event, because nothing could be emitted then. */
  readonly missed: number
  readonly lastAt: string | null
  /** Absent when there is none, or its sink is not resolved. */
  readonly nextAt: string | null
  readonly deadLetters: DeadLetterLogStatus
}

/** What Triggers, Subscriptions and sources have in common: each is a cursor in a log. */
export interface SubscriberStatus {
  readonly namespace: string
  readonly name: string
  readonly ready: 'True' | 'False' | 'Unknown'
  readonly reason: string | null
  readonly message: string | null
  /** Without user, password, query and fragment, which may be secrets. */
  readonly subscriber: string | null
  /** Nothing is handed out until it is resumed. */
  readonly paused: boolean
  /** matched = delivered + deadLettered (to a sink) + kept (in the dead-letter log) + waiting */
  readonly matched: number
  readonly delivered: number
  readonly deadLettered: number
  readonly kept: number
  readonly waiting: number
  /** Published for it and not yet read for it: it has no room, or nothing may be attempted. */
  readonly behind: number
  /** False when `behind` is the most it can be: after a restart, what was published before is not known by its filter. */
  readonly behindIsExact: boolean
  /** Gone from the log before they were delivered; no part of `matched`. */
  readonly expired: number
  /** Not delivered because somebody said so; no part of `matched`. */
  readonly skipped: number
  readonly inFlight: number
  readonly attempts: number
  readonly failedAttempts: number
  readonly failingSince: string | null
  readonly lastFailure: string | null
  /** When the oldest event that still waits arrived. */
  readonly oldestWaiting: string | null
}

const SLICE = 500

/** Who reads a log, with what is known of it. */
export interface Subscriber {
  readonly key: ResourceKey
  readonly namespace: string
  readonly name: string
  readonly route: { readonly subscriber: Target } | undefined
}

export interface StatusSources {
  readonly ready: boolean
  readonly dataUrl: string
  readonly backend: string
  readonly directory: DataDirectory | undefined
  readonly brokers: Iterable<LogSource>
  readonly channels: Iterable<LogSource>
  /** Of deleted resources. */
  readonly kept: Iterable<KeptHub>
  readonly keptCursors: Iterable<KeptCursor>
  readonly triggers: Iterable<Subscriber & { readonly brokerName: string }>
  readonly subscriptions: Iterable<Subscriber & { readonly channelName: string }>
  readonly sources: Iterable<Subscriber & SourceFacts>
  cursor(key: ResourceKey): SubscriptionStatus | undefined
  conditions(key: ResourceKey): readonly Condition[]
  readonly reruns: readonly RerunStatus[]
  readonly resources: Iterable<Entry>
  readonly manifestProblems: readonly Problem[]
}

export interface LogSource {
  readonly open: OpenBroker
  readonly url: string
}

export interface SourceFacts {
  readonly kind: string
  readonly open: OpenBroker | undefined
  readonly missed: number
  /** Epoch ms. */
  times(): { readonly lastAt: number | undefined; readonly nextAt: number | undefined }
}

/** Walks everything in slices: the event loop turns in between. */
export async function describeStatus(sources: StatusSources): Promise<RuntimeStatus> {
  const { ready, dataUrl, backend } = sources
  const disk = sources.directory && diskStatus(sources.directory)
  const names = new Map<string, string>()
  const subscriberStatus = (state: Subscriber): SubscriberStatus => {
    const cursor = sources.cursor(state.key)
    if (cursor) names.set(cursor.id, `${state.namespace}/${state.name}`)
    return statusOf(state, cursor, sources.conditions(state.key))
  }
  const triggers = await inSlices(sources.triggers, (state) => ({
    ...subscriberStatus(state),
    broker: state.brokerName,
  }))
  const subscriptions = await inSlices(sources.subscriptions, (state) => ({
    ...subscriberStatus(state),
    channel: state.channelName,
  }))
  const schedules = await inSlices(sources.sources, (state) => ({ ...subscriberStatus(state), ...sourceFacts(state) }))
  const notReady = await inSlices(sources.resources, hubProblems)
  const keptCursors = [...sources.keptCursors]
  for (const { key, id } of keptCursors) names.set(id, `${nameOf(key)} (deleted)`)
  const brokers = [...sources.brokers].map((source) => logStatus(source, names))
  const channels = [...sources.channels].map((source) => logStatus(source, names))
  return {
    ready,
    dataUrl,
    backend,
    ...(disk && { disk }),
    brokers,
    triggers,
    channels,
    subscriptions,
    sources: schedules,
    reruns: sources.reruns,
    problems: [
      ...sources.manifestProblems.map(manifestProblem),
      ...(disk ? diskProblems(disk) : []),
      ...notReady.flat(),
      ...brokers.flatMap((each) => logProblems('broker', each)),
      ...channels.flatMap((each) => logProblems('channel', each)),
      ...[...sources.kept].map(keptProblem),
      ...keptCursors.map(keptCursorProblem),
      ...triggers.flatMap((each) => subscriberProblems('trigger', each)),
      ...subscriptions.flatMap((each) => subscriberProblems('subscription', each)),
      ...schedules.flatMap(sourceProblems),
    ],
  }
}

function diskStatus({ dir, usedBytes, freeBytes, lowSpaceBytes, isLow }: DataDirectory): DiskStatus {
  return { dir, usedBytes: usedBytes(), freeBytes: freeBytes() ?? null, lowSpaceBytes, isLow: isLow() }
}

async function inSlices<T, R>(all: Iterable<T>, describe: (each: T) => R): Promise<R[]> {
  const described: R[] = []
  for (const each of all) {
    described.push(describe(each))
    if (described.length % SLICE === 0) await new Promise(setImmediate)
  }
  return described
}

function logStatus({ open, url }: LogSource, names: ReadonlyMap<string, string>): LogStatus {
  const { accepted, unmatched, settled, waiting, expired, size, floorHolder } = open.channel.status()
  return {
    namespace: open.namespace,
    name: open.name,
    url,
    accepted,
    unmatched,
    settled,
    waiting,
    expired,
    repliesWaiting: open.room.waiting,
    log: {
      bytes: size.bytes,
      retainedBytes: size.retainedBytes,
      capBytes: size.capBytes,
      backend: open.traits.backend,
      retentionBytes: open.config().retention?.bytes ?? 0,
      floorHolder: floorHolder === undefined ? null : (names.get(floorHolder) ?? floorHolder),
    },
    deadLetters: open.deadLetters.status(),
  }
}

const NO_DEAD_LETTERS: DeadLetterLogStatus = { waiting: 0, expired: 0, bytes: 0, capBytes: 0, isFull: false }

function sourceFacts({ kind, open, missed, times }: SourceFacts) {
  const { lastAt, nextAt } = times()
  const deadLetters = open?.deadLetters.status() ?? NO_DEAD_LETTERS
  return { kind, missed, lastAt: time(lastAt), nextAt: time(nextAt), deadLetters }
}

function statusOf(
  { namespace, name, route }: Subscriber,
  cursor: SubscriptionStatus | undefined,
  conditions: readonly Condition[],
): SubscriberStatus {
  const ready = conditionOf(conditions, 'Ready')
  return {
    namespace,
    name,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? null,
    message: ready?.message ?? null,
    subscriber: route ? printableUrl(route.subscriber.url) : null,
    paused: cursor?.paused ?? false,
    ...counts(cursor),
  }
}

function counts(cursor: SubscriptionStatus | undefined) {
  const stats = cursor?.stats
  return {
    matched: stats?.matched ?? 0,
    delivered: stats?.delivered ?? 0,
    deadLettered: stats?.deadLettered ?? 0,
    kept: stats?.kept ?? 0,
    waiting: cursor?.unsettled ?? 0,
    behind: cursor ? behindOf(cursor) : 0,
    behindIsExact: cursor?.exact ?? true,
    expired: stats?.expired ?? 0,
    skipped: stats?.skipped ?? 0,
    inFlight: cursor?.inFlight ?? 0,
    attempts: stats?.attempts ?? 0,
    failedAttempts: stats?.failedAttempts ?? 0,
    failingSince: time(stats?.failingSince),
    lastFailure: stats?.lastFailure?.reason ?? null,
    oldestWaiting: time(cursor?.oldestArrivedAt),
  }
}

function time(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString()
}
