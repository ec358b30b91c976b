// The last attempts at deliveries that this process made, so that it can be told what became of an event after it is
// settled. A ring of plain columns: an attempt costs a few stores and no object.
import { createHash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Outcome, Step } from '../core/delivery-spec.ts'
import type { Attributes } from '../core/event.ts'
import type { Attempt } from '../delivery/deliver.ts'

/** Whose deliveries these are. */
export interface Reader {
  /** `Trigger`, `Subscription` or a source's kind. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Uid of the Broker, channel or source whose events it gets. */
  readonly hub: string
}

export interface Tried {
  readonly reader: Reader
  /** Both as `remembered`. */
  readonly eventId: string
  readonly source: string
  /** When the event arrived, epoch ms: one that is sent twice may be told apart by it. */
  readonly arrivedAt: number
  /** When it began: epoch ms. */
  readonly at: number
  /** How long the request took, its answer included; undefined where none was made. */
  readonly ms: number | undefined
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined
  readonly to: 'subscriber' | 'dead-letter'
  /** `failed`: it is tried again, or goes to the dead letter sink next. */
  readonly outcome: Outcome | 'failed'
  readonly reason: string | undefined
  /** Until it is tried again. */
  readonly retryInMs: number | undefined
}

export type Record = (attempt: Attempt, step: Step, ms: number | undefined, status: number | undefined) => void

export type AttemptListener = (tried: Tried, attributes: Attributes) => void

export interface Attempts {
  recorder(reader: Reader): Record
  /** Of the hub's event with this id, oldest first. */
  of(hub: string, eventId: string): readonly Tried[]
  /** All attempts since then are remembered: epoch ms. */
  since(): number
  /** Told of every attempt from now on, until the result is called. */
  watch(listener: AttemptListener): () => void
}

/** `most`: attempts that are remembered. 0: none; whoever watches is told all the same. */
export function createAttempts(most: number, clock: Clock): Attempts {
  const readers: Reader[] = []
  const ids: string[] = []
  const sources: string[] = []
  const arrivals: number[] = []
  const steps: (Outcome | 'failed')[] = []
  const reasons: (string | undefined)[] = []
  const at: number[] = []
  const times: (number | undefined)[] = []
  const statuses: (number | undefined)[] = []
  const waits: (number | undefined)[] = []
  const isLetter: boolean[] = []
  const listeners = new Set<AttemptListener>()
  const startedAt = clock.wall()
  let next = 0
  let isFull = false

  function tried(i: number): Tried {
    return {
      reader: readers[i] as Reader,
      eventId: ids[i] as string,
      source: sources[i] as string,
      arrivedAt: arrivals[i] as number,
      at: at[i] as number,
      ms: times[i],
      status: statuses[i],
      to: isLetter[i] ? 'dead-letter' : 'subscriber',
      outcome: steps[i] as Outcome | 'failed',
      reason: reasons[i],
      retryInMs: waits[i],
    }
  }

  function record(reader: Reader, { event, progress }: Attempt, step: Step, ms?: number, status?: number): void {
    const i = next
    const { attributes } = event
    readers[i] = reader
    ids[i] = remembered(attributes['id'] ?? '')
    sources[i] = remembered(attributes['source'] ?? '')
    arrivals[i] = event.arrivedAt
    at[i] = clock.wall() - (ms ?? 0)
    times[i] = ms
    statuses[i] = status
    isLetter[i] = progress.failure !== undefined
    if (step.kind === 'settled') {
      steps[i] = step.outcome
      reasons[i] = step.failure && bounded(step.failure.reason)
      waits[i] = undefined
    } else {
      steps[i] = 'failed'
      reasons[i] = bounded(step.reason)
      waits[i] = step.progress.failure === undefined || progress.failure !== undefined ? step.delayMs : undefined
    }
    if (++next >= most) {
      next = 0
      isFull = most > 0
    }
    if (listeners.size > 0) for (const listener of listeners) listener(tried(i), attributes)
  }

  return {
    recorder: (reader) =>
      most === 0
        ? (attempt, step, ms, status) => void (listeners.size > 0 && record(reader, attempt, step, ms, status))
        : (attempt, step, ms, status) => record(reader, attempt, step, ms, status),
    of(hub, eventId) {
      const found: Tried[] = []
      const wanted = remembered(eventId)
      const count = isFull ? most : next
      for (let n = 0, i = isFull ? next : 0; n < count; n++, i = i + 1 === most ? 0 : i + 1) {
        if (ids[i] === wanted && readers[i]?.hub === hub) found.push(tried(i))
      }
      return found
    },
    since: () => (most === 0 ? clock.wall() : isFull ? (at[next] as number) : startedAt),
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const MOST_CHARACTERS = 256
const START = 128

/** An id or source, or of a long one its start, and a hash that tells it apart from others with that start. */
export function remembered(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text
  return `${bounded(text.slice(0, START))}...${createHash('sha256').update(text).digest('hex')}`
}

/** A copy of what is cut: a piece of a text keeps all of it. */
function bounded(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : Buffer.from(text.slice(0, MOST_CHARACTERS)).toString()
}
