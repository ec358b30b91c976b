// What of a status needs somebody's attention, in words.
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLogStatus } from '../broker/dead-letter-log.ts'
import { conditionOf } from '../resource/conditions.ts'
import { DEFAULT_NAMESPACE, namespaceOf } from '../resource/metadata.ts'
import { formatProblem, type Problem } from '../resource/problems.ts'
import { type Entry, kindOf, nameOf } from '../store/resource-store.ts'
import type { KeptCursor } from './cursors.ts'
import type { DiskStatus, LogStatus, SourceStatus, SubscriberStatus } from './status.ts'

/** The logs of a deleted resource, and when they are given up (epoch ms). */
export interface KeptHub {
  readonly hub: OpenBroker
  readonly untilMs: number
}

/** A log fuller than this is a condition: publishers are refused at 90 %. */
const NEARLY_FULL = 0.8

export function manifestProblem(problem: Problem): string {
  return `manifest ${formatProblem(problem)}`
}

export function diskProblems({ dir, freeBytes, lowSpaceBytes, isLow }: DiskStatus): readonly string[] {
  if (!isLow || freeBytes === null) return []
  const [free, low] = [freeBytes, lowSpaceBytes].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`)
  return [
    `data directory ${dir}: its disk has ${free} left, less than ${low} (DiskLow): once it is full, events are refused`,
  ]
}

/** Of a Broker or channel that is not ready; the channel behind a Channel is told of through that. */
export function hubProblems({ resource, status }: Entry): readonly string[] {
  const { kind, metadata } = resource
  const isChannel = kind === 'Channel' || kind === 'InMemoryChannel' || kind === 'KafkaChannel'
  const isHub = kind === 'Broker' || isChannel
  const isBehind = isChannel && metadata.ownerReferences !== undefined
  const ready = conditionOf(status?.conditions ?? [], 'Ready')
  if (!isHub || isBehind || !ready || ready.status === 'True') return []
  return [`${kind} ${namespaceOf(resource)}/${metadata.name}: not ready (${ready.reason}): ${ready.message}`]
}

export function logProblems(kind: 'broker' | 'channel', status: LogStatus): readonly string[] {
  const { namespace, name, expired, repliesWaiting, log, deadLetters } = status
  const title = `${kind} ${namespace}/${name}`
  const reader = kind === 'broker' ? 'trigger' : 'subscription'
  const problems: string[] = []
  if (expired > 0) {
    const [what, them] = expired === 1 ? ['event was', 'it'] : ['events were', 'them']
    problems.push(`${title}: ${expired} ${what} given up by its log before all ${reader}s had settled ${them}`)
  }
  if (repliesWaiting > 0) {
    const what = repliesWaiting === 1 ? 'reply waits' : 'replies wait'
    problems.push(`${title}: ${repliesWaiting} ${what} for room in its log (LOG_FULL)`)
  }
  const held = { ...log, bytes: log.bytes - log.retainedBytes }
  if (held.bytes > NEARLY_FULL * log.capBytes) {
    const holder = log.floorHolder ? `${reader} ${log.floorHolder} holds it` : 'events wait to be read'
    problems.push(`${title}: its log is ${percent(held)} full (LogNearlyFull): ${holder}`)
  }
  if (log.retentionBytes > log.capBytes) {
    const asked = `it is to keep ${log.retentionBytes} bytes of settled events`
    problems.push(`${title}: ${asked} and its log may hold ${log.capBytes} (RetentionAboveCap): it keeps what fits`)
  }
  return [...problems, ...deadLetterProblems({ title, flag: kind, namespace, name }, `${reader}s wait`, deadLetters)]
}

export function subscriberProblems(kind: string, status: SubscriberStatus): readonly string[] {
  const { namespace, name, ready, reason, message, failingSince, lastFailure, expired } = status
  const title = `${kind} ${namespace}/${name}`
  const problems: string[] = []
  if (expired > 0) {
    const [what, them] = expired === 1 ? ['event was', 'it'] : ['events were', 'them']
    problems.push(`${title}: ${expired} ${what} given up by the log before it had settled ${them}`)
  }
  if (ready !== 'True') problems.push(`${title}: not ready (${reason}): ${message}`)
  else if (failingSince !== null) problems.push(`${title}: failing since ${failingSince}: ${lastFailure}`)
  return problems
}

export function sourceProblems(status: SourceStatus): readonly string[] {
  const { namespace, name, kind, deadLetters } = status
  const title = `${kind} ${namespace}/${name}`
  const owner = { title, flag: 'source', namespace, name } as const
  return [...subscriberProblems(kind, status), ...deadLetterProblems(owner, 'its events wait', deadLetters)]
}

export function keptCursorProblem({ key, unsettled, untilMs }: KeptCursor): string {
  const what = unsettled === 1 ? 'event' : 'events'
  const until = new Date(untilMs).toISOString()
  return `${kindOf(key)} ${nameOf(key)} was deleted with ${unsettled} ${what} left: add it again before ${until} to go on, after that they are given up`
}

export function keptProblem({ hub: { namespace, name, left }, untilMs }: KeptHub): string {
  const waiting = left()
  const what = waiting === 1 ? 'event waits' : 'events wait'
  const until = new Date(untilMs).toISOString()
  return `${namespace}/${name} was deleted while ${waiting} ${what} in it: add it again before ${until} to go on, after that nothing is left`
}

/** Whose dead-letter log it is, and how commands name that. */
interface LogOwner {
  readonly title: string
  readonly flag: 'broker' | 'channel' | 'source'
  readonly namespace: string
  readonly name: string
}

function deadLetterProblems(owner: LogOwner, whoWaits: string, deadLetters: DeadLetterLogStatus): readonly string[] {
  const { title, flag, namespace, name } = owner
  const flags = `--${flag} ${name}${namespace === DEFAULT_NAMESPACE ? '' : ` -n ${namespace}`}`
  const problems: string[] = []
  if (deadLetters.waiting > 0) {
    const { waiting } = deadLetters
    const what = waiting === 1 ? 'event that nobody took waits' : 'events that nobody took wait'
    const [list, redrive] = ['list', 'redrive'].map((verb) => `tidings deadletter ${verb} ${flags}`)
    problems.push(`${title}: ${waiting} ${what} in its dead-letter log; why: ${list}; deliver again: ${redrive}`)
  }
  if (deadLetters.expired > 0) {
    const { expired } = deadLetters
    const [what, they] = expired === 1 ? ['event', 'it'] : ['events', 'they']
    problems.push(`${title}: ${expired} ${what} that nobody took waited for so long that ${they} were given up`)
  }
  if (deadLetters.isFull) {
    problems.push(`${title}: its dead-letter log is full (DeadLetterLogFull): ${whoWaits} for room in it`)
  } else if (deadLetters.bytes > NEARLY_FULL * deadLetters.capBytes) {
    problems.push(`${title}: its dead-letter log is ${percent(deadLetters)} full: once it is, ${whoWaits}`)
  }
  return problems
}

function percent({ bytes, capBytes }: { readonly bytes: number; readonly capBytes: number }): string {
  return `${Math.round((100 * bytes) / capBytes)} %`
}
