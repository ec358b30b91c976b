// A broker's door as a list of steps: decode, find the broker, authorize, count down the TTL, stamp the arrival, store.
// Requests come in from http/server.ts; replies of subscribers come straight to `accept`, not over HTTP. Who gets the
// event then is the channel's business.
import type { Room } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf, type ErrorCode, EventingError } from '../core/errors.ts'
import { type Attributes, attributeOf, type Event, TTL_ATTRIBUTE } from '../core/event.ts'
import { shown } from '../http/attributes.ts'
import { decodeRequest } from '../http/decode.ts'
import type { Answer, DataRequest } from '../http/server.ts'
import { nextTtl } from './ttl.ts'

export const ARRIVAL_ATTRIBUTE = 'knativearrivaltime'

/** What a sender who was refused for now is told to wait. */
const RETRY_AFTER_S = 1

/** A broker or a channel, as far as its door knows it. */
export interface IngressTarget {
  /** False until its log is open. */
  readonly ready: boolean
  readonly stats: IngressStats
  /** Told of the type of each event that is stored. */
  readonly types?: { see(type: string): void }
  /** Resolves once the event is as durable as the log promises; rejects as `EventLog.append` does. */
  append(event: Event, room: Room): Promise<unknown>
}

/** Plain numbers, counted on the hot path and folded into metrics when somebody asks. */
export interface IngressStats {
  /** Events stored, replies included. */
  accepted: number
  /** What senders were refused, by HTTP status: events, and requests that held none. A reply that waits is no refusal. */
  readonly refused: Map<number, number>
}

export function newIngressStats(): IngressStats {
  return { accepted: 0, refused: new Map() }
}

export type Verdict =
  /** Stored, as durably as the log promises. */
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly status: number
      readonly reason: string
      /** Whether the same event may be stored later without anyone changing it. */
      readonly retryable: boolean
    }

type Refused = Extract<Verdict, { kind: 'refused' }>

export interface IngressOptions {
  readonly find: (namespace: string, name: string) => IngressTarget | undefined
  readonly clock: Clock
  /** TTL of an event that comes without one. Upstream's default is 255. */
  readonly maxTtl: number
  /** Bound of one event's data. */
  readonly maxEventBytes: number
  /** Told of what should not happen: answered with 500, or with 503 what somebody can set right meanwhile. */
  readonly onError: (error: unknown, target: IngressTarget) => void
}

export interface Ingress {
  /**
   * Answers a request to `/{namespace}/{broker}`; 202 only after its events are stored. `room` is `publish` unless the
   * event comes from another broker of this process.
   */
  handle(request: DataRequest, room?: Room): Promise<Answer>
  /**
   * Stores one event in the broker, unless its TTL is spent. A reply's TTL is that of the event it answers: the caller
   * puts it back, this counts it down.
   */
  accept(target: IngressTarget, event: Event, room: Room): Promise<Verdict>
}

const ACCEPTED: Verdict = { kind: 'accepted' }
const STORED: Answer = { status: 202 }
const NO_ADDRESS: Answer = { status: 404, text: 'nothing is served at /: send events to /{namespace}/{broker}' }
const WRONG_PATH: Answer = { status: 400, text: 'expected a path of the form /{namespace}/{broker}' }
const TTL_SPENT: Refused = {
  kind: 'refused',
  code: 'EVENT_INVALID',
  status: 400,
  reason: `attribute '${TTL_ATTRIBUTE}' is spent: the event went through too many brokers, look for a loop`,
  retryable: false,
}

export function createIngress({ find, clock, maxTtl, maxEventBytes, onError }: IngressOptions): Ingress {
  const arrivalTextOf = createTimeText()
  const store = createHandOff('broker', onError)

  async function handle(request: DataRequest, room: Room = 'publish'): Promise<Answer> {
    const address = parseBrokerPath(request.path)
    if (!address) return request.path === '/' ? NO_ADDRESS : WRONG_PATH
    const target = find(address.namespace, address.name)
    let events: readonly Event[]
    try {
      events = decode(request)
    } catch (error) {
      const refused = refusedByDecoder(error)
      return answerOf(target ? counted(target, refused) : refused)
    }
    // Only now: an invalid event is 400 whether its broker exists or not.
    if (!target) {
      const { namespace, name } = address
      return { status: 404, text: `no broker ${shown(name)} in namespace ${shown(namespace)}: create it first` }
    }
    // Authorization goes here, when there are policies to ask.
    const [event] = events
    return answerOf(
      event && events.length === 1
        ? counted(target, await accept(target, event, room))
        : await acceptAll(target, events, room),
    )
  }

  function decode({ rawHeaders, body }: DataRequest): readonly Event[] {
    return decodeRequest(rawHeaders, body, { allowBatch: true, arrivedAt: clock.wall(), maxEventBytes })
  }

  function accept(target: IngressTarget, event: Event, room: Room): Promise<Verdict> {
    const stamped = stamp(event)
    return stamped ? store(target, stamped, room) : Promise.resolve(TTL_SPENT)
  }

  /** A batch is refused whole when one event's TTL is spent; its events are stored, and counted, one by one. */
  async function acceptAll(target: IngressTarget, events: readonly Event[], room: Room): Promise<Verdict> {
    const stamped: Event[] = []
    for (const event of events) {
      const one = stamp(event)
      if (!one) return counted(target, TTL_SPENT)
      stamped.push(one)
    }
    // Begun in order, so stored in order; not awaited in between, so that the log can group them.
    const verdicts = await Promise.all(stamped.map((event) => store(target, event, room)))
    for (const verdict of verdicts) counted(target, verdict)
    const failures = verdicts.filter((verdict) => verdict.kind === 'refused')
    // What may pass decides, so that no event is given up that could still be stored.
    const worst = failures.find((failure) => failure.retryable) ?? failures[0]
    if (!worst) return ACCEPTED
    return { ...worst, reason: `${failures.length} of ${events.length} events were not stored: ${worst.reason}` }
  }

  /** The event as it is stored; undefined when its TTL is spent. */
  function stamp({ attributes, data, headers }: Event): Event | undefined {
    const ttl = nextTtl(attributeOf(attributes, TTL_ATTRIBUTE), maxTtl)
    if (ttl === 0) return undefined
    const arrivedAt = clock.wall()
    return { attributes: withStamps(attributes, arrivalTextOf(arrivedAt), String(ttl)), data, headers, arrivedAt }
  }

  return { handle, accept }
}

/** Stores an event as it is, counts it, and tells what became of it. */
export type HandOff = (target: IngressTarget, event: Event, room: Room) => Promise<Verdict>

/** `owner` is what senders call that which has the log. `onError` is told of what should not happen. */
export function createHandOff(owner: 'broker' | 'channel', onError: IngressOptions['onError']): HandOff {
  async function handOff(target: IngressTarget, event: Event, room: Room): Promise<Verdict> {
    if (!target.ready) return refusedForNow('LOG_UNAVAILABLE', `the ${owner} is not ready yet`)
    try {
      await target.append(event, room)
    } catch (error) {
      return refusedByLog(error, target)
    }
    target.stats.accepted++
    target.types?.see(event.attributes['type'] ?? '')
    return ACCEPTED
  }

  function refusedByLog(error: unknown, target: IngressTarget): Refused {
    const code = codeOf(error)
    switch (code) {
      case 'LOG_FULL':
        return refusedForNow(code, `the ${owner}'s log is full`)
      case 'LOG_UNAVAILABLE':
        return refusedForNow(code, `the ${owner}'s log cannot be written now`)
      case 'AUTH_FAILED':
        onError(error, target)
        return refusedForNow(code, `the ${owner}'s log refuses our login`)
      case 'LOG_GONE':
        return refusedForGood(code, 404, `the ${owner} was deleted`)
      case 'EVENT_TOO_LARGE':
        return refusedForGood(
          code,
          413,
          `the event is larger than the ${owner}'s log takes: send a reference to its data`,
        )
      default:
        onError(error, target)
        return unexpected(error)
    }
  }

  return handOff
}

/** Copied name by name: adding properties to a spread object costs ten times this, once for every event. */
function withStamps(attributes: Attributes, arrivalText: string, ttl: string): Attributes {
  const stamped: Record<string, string> = {}
  for (const name in attributes) stamped[name] = attributes[name] ?? ''
  stamped[ARRIVAL_ATTRIBUTE] = arrivalText
  stamped[TTL_ATTRIBUTE] = ttl
  return stamped
}

/** `/{namespace}/{name}`, with or without one slash at the end; undefined for anything else. */
function parseBrokerPath(path: string): { readonly namespace: string; readonly name: string } | undefined {
  const middle = path.indexOf('/', 1)
  if (middle < 0 || path.charCodeAt(0) !== 0x2f) return undefined
  const end = path.endsWith('/') ? path.length - 1 : path.length
  if (end <= middle || path.slice(middle + 1, end).includes('/')) return undefined
  return { namespace: path.slice(1, middle), name: path.slice(middle + 1, end) }
}

/** Of what `decodeRequest` threw. */
export function refusedByDecoder(error: unknown): Refused {
  if (!(error instanceof EventingError)) throw error
  return refusedForGood(error.code, error.code === 'EVENT_TOO_LARGE' ? 413 : 400, error.message)
}

function refusedForGood(code: ErrorCode, status: number, reason: string): Refused {
  return { kind: 'refused', code, status, reason, retryable: false }
}

function refusedForNow(code: ErrorCode, what: string): Refused {
  return { kind: 'refused', code, status: 503, reason: `${what}: send the event again later`, retryable: true }
}

/** A fault of ours is no property of the event, so it is worth another try unless the error says otherwise. */
function unexpected(error: unknown): Refused {
  const { code, retryable } = error instanceof EventingError ? error : OUR_FAULT
  return { kind: 'refused', code, status: 500, reason: 'the event could not be stored: the log says why', retryable }
}

const OUR_FAULT = { code: 'LOG_UNAVAILABLE', retryable: true } as const

export function answerOf(verdict: Verdict): Answer {
  if (verdict.kind === 'accepted') return STORED
  const { status, reason: text } = verdict
  return status === 503 ? { status, text, retryAfterS: RETRY_AFTER_S } : { status, text }
}

/** The same verdict, counted if a sender was refused. */
export function counted({ stats }: IngressTarget, verdict: Verdict): Verdict {
  if (verdict.kind === 'refused') stats.refused.set(verdict.status, (stats.refused.get(verdict.status) ?? 0) + 1)
  return verdict
}

/** RFC 3339 text of epoch milliseconds; events of one millisecond share it. */
function createTimeText(): (ms: number) => string {
  let lastMs = Number.NaN
  let text = ''
  return (ms) => {
    if (ms !== lastMs) {
      lastMs = ms
      text = new Date(ms).toISOString()
    }
    return text
  }
}
