// What goes on at a Broker, as it happens: each event with the Triggers that it matches, and each attempt with what came of it.
import type { Attributes } from '../core/event.ts'
import type { ResourceReader } from '../store/resource-store.ts'
import type { Attempts, Tried } from './attempts.ts'
import { brokerKey } from './brokers.ts'
import type { Hubs } from './hubs.ts'
import type { Triggers } from './triggers.ts'

export const TAIL_OUTCOMES = ['matched', 'unmatched', 'delivered', 'failed', 'dead-lettered', 'kept'] as const
export type TailOutcome = (typeof TAIL_OUTCOMES)[number]

/** What of it is wanted; what is absent asks for nothing. Both may have `*` for any text. */
export interface TailFilter {
  readonly type?: string
  readonly source?: string
  /** Events that it matches, and attempts for it. */
  readonly trigger?: string
  readonly outcome?: TailOutcome
}

export interface TailLine {
  /** RFC 3339. */
  readonly at: string
  readonly id: string
  readonly source: string
  readonly type: string
  readonly outcome: TailOutcome
  /** Names of those that it matches; of an attempt the one that it was for. */
  readonly triggers: readonly string[]
  /** Of an attempt, as in `why`. */
  readonly to?: Tried['to']
  readonly status?: number
  readonly ms?: number
  readonly reason?: string
  readonly retryInMs?: number
}

export interface TailParts {
  readonly hubs: Hubs
  readonly triggers: Triggers
  readonly resources: ResourceReader
  readonly attempts: Attempts
}

export interface Watch {
  /** The Broker was deleted, or its log opened anew: nothing more is told. */
  isOver(): boolean
  stop(): void
}

/** Tells of what is wanted until it is stopped; undefined when there is no such Broker. */
export function watchBroker(
  { hubs, triggers, resources, attempts }: TailParts,
  namespace: string,
  broker: string,
  filter: TailFilter,
  told: (line: TailLine) => void,
): Watch | undefined {
  const key = brokerKey(namespace, broker)
  const hub = hubs.get(key)
  if (!hub) return undefined
  const isWanted = compileFilter(filter)
  /** By uid. Looked up anew when one is met that is not among them. */
  let names = new Map<string, string>()

  function nameOf(uid: string): string {
    const known = names.get(uid)
    if (known !== undefined) return known
    names = new Map(
      [...triggers.states()].map(({ key, name }) => [resources.get(key)?.resource.metadata.uid ?? '', name]),
    )
    // A replay or redrive reads beside its Trigger: it is looked up once.
    if (!names.has(uid)) names.set(uid, '')
    return names.get(uid) ?? ''
  }

  function tell(attributes: Attributes, line: Omit<TailLine, 'id' | 'source' | 'type'>): void {
    const { id = '', source = '', type = '' } = attributes
    const whole = { id, source, type, ...line }
    if (isWanted(whole)) told(whole)
  }

  const unwatch = [
    hub.channel.watch(({ event }, matching) => {
      const found = matching.map(({ id }) => nameOf(id)).filter((name) => name !== '')
      const outcome = found.length > 0 ? 'matched' : 'unmatched'
      tell(event.attributes, { at: timeOf(event.arrivedAt), outcome, triggers: found })
    }),
    attempts.watch((tried, attributes) => {
      const { reader, at, outcome } = tried
      if (reader.hub !== hub.uid || outcome === 'skipped') return
      tell(attributes, { at: timeOf(at), outcome, triggers: [reader.name], ...detailsOf(tried) })
    }),
  ]
  return {
    isOver: () => hubs.get(key) !== hub,
    stop() {
      for (const end of unwatch) end()
    },
  }
}

function detailsOf({ to, status, ms, reason, retryInMs }: Tried): Partial<TailLine> {
  return {
    to,
    ...(status !== undefined && { status }),
    ...(ms !== undefined && { ms: Math.round(1_000 * ms) / 1_000 }),
    ...(reason !== undefined && { reason }),
    ...(retryInMs !== undefined && { retryInMs: Math.round(retryInMs) }),
  }
}

function compileFilter({ type, source, trigger, outcome }: TailFilter): (line: TailLine) => boolean {
  const isType = compileWildcard(type)
  const isSource = compileWildcard(source)
  return (line) =>
    (outcome === undefined || line.outcome === outcome) &&
    (trigger === undefined || line.triggers.includes(trigger)) &&
    isType(line.type) &&
    isSource(line.source)
}

/** Pieces between `*` are looked for once, one after another. */
function compileWildcard(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true
  const [first = '', ...others] = pattern.split('*')
  const last = others.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const piece of others) {
      at = text.indexOf(piece, at)
      if (at < 0 || at + piece.length > end) return false
      at += piece.length
    }
    return true
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
