// What an on-call person asks first: per broker and per trigger, what came, what went, what waits and what fails.
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLogStatus } from '../broker/dead-letter-log.ts'
import type { SubscriptionStatus } from '../channel/subscription.ts'
import { printableUrl } from '../http/address.ts'
import { conditionOf } from '../resource/conditions.ts'
import type { TriggerState } from './trigger-state.ts'

/** All counts are events since the process started; times are RFC 3339. */
export interface RuntimeStatus {
  readonly ready: boolean
  readonly dataUrl: string
  readonly backend: string
  readonly brokers: readonly BrokerStatus[]
  readonly triggers: readonly TriggerStatus[]
  /** What needs somebody's attention, in words; empty when nothing fails. */
  readonly problems: readonly string[]
}

export interface BrokerStatus {
  readonly namespace: string
  readonly name: string
  readonly url: string
  /** accepted = unmatched + settled + waiting */
  readonly accepted: number
  readonly unmatched: number
  readonly settled: number
  readonly waiting: number
  /** Gone from the log before they were read, never part of `accepted`. */
  readonly expired: number
  /** Replies that wait for room in the log, each holding an attempt's slot. */
  readonly repliesWaiting: number
  readonly log: { readonly bytes: number; readonly capBytes: number; readonly floorHolder: string | null }
  readonly deadLetters: DeadLetterLogStatus
}

export interface TriggerStatus {
  readonly namespace: string
  readonly name: string
  readonly broker: string
  readonly ready: 'True' | 'False' | 'Unknown'
  readonly reason: string | null
  readonly message: string | null
  /** Without user, password, query and fragment, which may be secrets. */
  readonly subscriber: string | null
  /** matched = delivered + deadLettered (to a sink) + kept (in the dead-letter log) + waiting */
  readonly matched: number
  readonly delivered: number
  readonly deadLettered: number
  readonly kept: number
  readonly waiting: number
  /** Published for it and not yet read for it: it has no room, or nothing may be attempted. */
  readonly behind: number
  readonly expired: number
  readonly inFlight: number
  readonly attempts: number
  readonly failedAttempts: number
  readonly failingSince: string | null
  readonly lastFailure: string | null
  /** When the oldest event that still waits arrived. */
  readonly oldestWaiting: string | null
}

/** A log fuller than this is a condition: publishers are refused at 90 %. */
const NEARLY_FULL = 0.8
const SLICE = 500

export interface StatusSources {
  readonly ready: boolean
  readonly dataUrl: string
  readonly backend: string
  readonly brokers: Iterable<OpenBroker & { readonly url: string }>
  readonly triggers: Iterable<TriggerState>
}

/** Walks all triggers in slices: the event loop turns in between. */
export async function describeStatus(sources: StatusSources): Promise<RuntimeStatus> {
  const { ready, dataUrl, backend } = sources
  const triggers: TriggerStatus[] = []
  const names = new Map<string, string>()
  for (const state of sources.triggers) {
    names.set(state.uid, `${state.namespace}/${state.name}`)
    triggers.push(triggerStatus(state))
    if (triggers.length % SLICE === 0) await new Promise(setImmediate)
  }
  const brokers = [...sources.brokers].map((broker) => brokerStatus(broker, names))
  return {
    ready,
    dataUrl,
    backend,
    brokers,
    triggers,
    problems: [...brokers.flatMap(brokerProblems), ...triggers.flatMap(triggerProblems)],
  }
}

function brokerStatus(broker: OpenBroker & { url: string }, names: ReadonlyMap<string, string>): BrokerStatus {
  const { accepted, unmatched, settled, waiting, expired, size, floorHolder } = broker.channel.status()
  const deadLetters = broker.deadLetters.status()
  return {
    namespace: broker.namespace,
    name: broker.name,
    url: broker.url,
    accepted,
    unmatched,
    settled,
    waiting,
    expired,
    repliesWaiting: broker.room.waiting,
    log: {
      bytes: size.bytes,
      capBytes: size.capBytes,
      floorHolder: floorHolder === undefined ? null : (names.get(floorHolder) ?? floorHolder),
    },
    deadLetters,
  }
}

function triggerStatus(state: TriggerState): TriggerStatus {
  const subscription = state.broker?.channel.subscription(state.uid)
  const ready = conditionOf(state.conditions, 'Ready')
  return {
    namespace: state.namespace,
    name: state.name,
    broker: state.brokerName,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? null,
    message: ready?.message ?? null,
    subscriber: state.route ? printableUrl(state.route.subscriber.url) : null,
    ...counts(subscription),
  }
}

function counts(subscription: SubscriptionStatus | undefined) {
  const stats = subscription?.stats
  return {
    matched: stats?.matched ?? 0,
    delivered: stats?.delivered ?? 0,
    deadLettered: stats?.deadLettered ?? 0,
    kept: stats?.kept ?? 0,
    waiting: subscription?.unsettled ?? 0,
    behind: subscription?.behind ?? 0,
    expired: stats?.expired ?? 0,
    inFlight: subscription?.inFlight ?? 0,
    attempts: stats?.attempts ?? 0,
    failedAttempts: stats?.failedAttempts ?? 0,
    failingSince: time(stats?.failingSince),
    lastFailure: stats?.lastFailure?.reason ?? null,
    oldestWaiting: time(subscription?.oldestArrivedAt),
  }
}

function time(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString()
}

function brokerProblems({ namespace, name, expired, repliesWaiting, log, deadLetters }: BrokerStatus): string[] {
  const title = `broker ${namespace}/${name}`
  const problems: string[] = []
  if (expired > 0) {
    const [what, they] = expired === 1 ? ['event was', 'it'] : ['events were', 'they']
    problems.push(`${title}: ${expired} ${what} gone from its log before ${they} could be read`)
  }
  if (repliesWaiting > 0) {
    const what = repliesWaiting === 1 ? 'reply waits' : 'replies wait'
    problems.push(`${title}: ${repliesWaiting} ${what} for room in its log (LOG_FULL)`)
  }
  if (log.bytes > NEARLY_FULL * log.capBytes) {
    const holder = log.floorHolder ? `trigger ${log.floorHolder} holds it` : 'events wait to be read'
    problems.push(`${title}: its log is ${percent(log)} full (LogNearlyFull): ${holder}`)
  }
  if (deadLetters.waiting > 0) {
    const { waiting } = deadLetters
    const what = waiting === 1 ? 'event that nobody took waits' : 'events that nobody took wait'
    problems.push(`${title}: ${waiting} ${what} in its dead-letter log`)
  }
  if (deadLetters.isFull) {
    problems.push(`${title}: its dead-letter log is full (DeadLetterLogFull): triggers wait for room in it`)
  } else if (deadLetters.bytes > NEARLY_FULL * deadLetters.capBytes) {
    problems.push(`${title}: its dead-letter log is ${percent(deadLetters)} full: once it is, triggers wait`)
  }
  return problems
}

function percent({ bytes, capBytes }: { bytes: number; capBytes: number }): string {
  return `${Math.round((100 * bytes) / capBytes)} %`
}

function triggerProblems(trigger: TriggerStatus): string[] {
  const title = `trigger ${trigger.namespace}/${trigger.name}`
  if (trigger.ready !== 'True') return [`${title}: not ready (${trigger.reason}): ${trigger.message}`]
  if (trigger.failingSince === null) return []
  return [`${title}: failing since ${trigger.failingSince}: ${trigger.lastFailure}`]
}
