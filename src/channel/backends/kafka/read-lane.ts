// Reads of one lane from any position on: what is there by requests of its own, and at the head by the one that waits for
// all lanes.
import { EventingError } from '../../../core/errors.ts'
import { eventBytes } from '../../../core/event.ts'
import type { Batch, Entry, Position } from '../../log.ts'
import type { Feeds } from './feeds.ts'
import type { KafkaLane } from './kafka-lane.ts'
import type { Leftovers } from './leftovers.ts'
import { problemOf, typeOf } from './problem.ts'
import { decodeRecord } from './record.ts'
import type { FetchedMessage } from './records.ts'
import type { Fetched, Wire } from './wire.ts'

export interface Reading {
  readonly name: string
  readonly topic: string
  readonly lane: KafkaLane
  readonly wire: Wire
  readonly feeds: Feeds
  readonly leftovers: Leftovers
  /** Aborts once the log is gone. */
  readonly closed: AbortSignal
  goneOr(error: unknown): Promise<unknown>
  /** The log is not what it was, for good. */
  lose(text: string): EventingError
}

/** Of one request behind the head: so little that it is used before it is old. */
const FETCH_BYTES = 2 ** 16
/** Entries handed to a reader at once. A sweep lets the event loop turn between them. */
const BATCH_ENTRIES = 32

export async function* readLane(reading: Reading, from: Position, signal: AbortSignal): AsyncGenerator<Batch> {
  let next = from
  const { lane, leftovers, closed } = reading
  const isEnded = (): boolean => signal.aborted || closed.aborted
  // Known ends may be old: whoever reads asks once, and is then told with each answer.
  for (let isFirst = true; !isEnded() && (isFirst || next < lane.ledger.end); isFirst = false) {
    checkStart(reading, next)
    const fetched = leftovers.take(lane, next) ?? (await fetchBehind(reading, next))
    if (isEnded() || fetched.records.next <= next) break
    let isUsed = false
    try {
      for (const batch of batchesOf(reading, fetched, next)) {
        next = batch.next
        yield batch
        if (isEnded()) break
      }
      isUsed = !isEnded()
    } catch (error) {
      isUsed = true // it cannot be read: it is asked for again
      throw error
    } finally {
      if (!isUsed && !closed.aborted && next < fetched.records.next) leftovers.keep(lane, fetched)
    }
  }
  if (!isEnded()) yield* readHead(reading, next, AbortSignal.any([signal, closed]))
  if (closed.aborted && !signal.aborted) {
    throw new EventingError('LOG_GONE', `${reading.name}: the log was removed, or is closed`)
  }
}

async function* readHead(reading: Reading, from: Position, ended: AbortSignal): AsyncGenerator<Batch> {
  const { feeds, topic, lane } = reading
  let next = from
  const feed = feeds.open(topic, lane.partition, from)
  try {
    while (!ended.aborted) {
      const fetched = await take(reading, next, () => feed.take(ended))
      if (!fetched) return
      for (const batch of batchesOf(reading, fetched, next)) {
        checkStart(reading, next)
        next = batch.next
        yield batch
        if (ended.aborted) return
      }
    }
  } finally {
    feed.close()
  }
}

function fetchBehind(reading: Reading, from: Position): Promise<Fetched> {
  const { wire, topic, lane } = reading
  return take(reading, from, () => wire.fetch(topic, lane.partition, from, FETCH_BYTES))
}

async function take<F extends Fetched | undefined>(
  reading: Reading,
  from: Position,
  ask: () => Promise<F>,
): Promise<F> {
  try {
    const fetched = await ask()
    if (fetched) reading.lane.seen(fetched.start, fetched.end)
    return fetched
  } catch (error) {
    if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') throw await outOfRange(reading, from)
    throw await reading.goneOr(problemOf(error, `read ${reading.topic}`))
  }
}

/** Never a silent jump: whoever reads is told where the lane starts, or that it does not reach so far any more. */
async function outOfRange({ wire, topic, lane, name, lose }: Reading, from: Position): Promise<EventingError> {
  const end = (await wire.offsets(topic, 'end'))[lane.partition] ?? 0
  if (end < from) return lose(`lane ${lane.partition} ends at ${end}, and all before ${from} was read`)
  const start = (await wire.offsets(topic, 'start'))[lane.partition] ?? 0
  lane.seen(start, 0)
  return new EventingError('POSITION_GONE', `${name}: entries of lane ${lane.partition} start at ${start}`)
}

function checkStart({ name, lane }: Reading, from: Position): void {
  if (from >= lane.ledger.start) return
  const text = `${name}: ${from} is gone, entries of lane ${lane.partition} start at ${lane.ledger.start}`
  throw new EventingError('POSITION_GONE', text)
}

/** What is no event, and what marks transactions, is passed by `next`. */
function* batchesOf({ lane }: Reading, { records }: Fetched, from: Position): Generator<Batch> {
  let entries: Entry[] = []
  for (const message of records.from(from)) {
    const entry = entryOf(message)
    if (!entry) continue
    lane.ledger.learn(entry.position, entry.bytes)
    entries.push(entry)
    if (entries.length < BATCH_ENTRIES) continue
    yield { entries, next: entry.position + 1 }
    entries = []
  }
  if (records.next > from) yield { entries, next: records.next }
}

function entryOf(message: FetchedMessage): Entry | undefined {
  if (message.isControlRecord) return undefined
  const event = decodeRecord(message)
  return event && { position: message.offset, event, bytes: eventBytes(event) }
}
