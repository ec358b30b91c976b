// One log in memory. It has one lane; positions are dense.
import { EventingError } from '../../core/errors.ts'
import { type Event, eventBytes } from '../../core/event.ts'
import { cursorAt } from '../cursor.ts'
import {
  type Batch,
  type Bounds,
  type Cursor,
  type CursorId,
  type Entry,
  type EventLog,
  type LaneId,
  type LogConfig,
  type LogRef,
  type LogTraits,
  limitOf,
  type OwnedLane,
  type Position,
  type Room,
} from '../log.ts'
import { type FloorHolder, LowestFloor } from '../lowest-floor.ts'
import { expireAtOnce, retainableBytes } from './retention.ts'

const LANE: LaneId = '0'
/** Entries handed to a reader at once: about a millisecond of matching, then the event loop turns. */
const BATCH_ENTRIES = 256
/** Freed slots at the front of the array before it is cut. */
const CUT_ENTRIES = 1_024

export interface MemoryLog extends EventLog {
  configure(config: LogConfig): void
  /** Gives up what is older than the config has it, at a time in epoch milliseconds. */
  dropOld(nowMs: number): void
  /** Frees everything; whoever still holds the log gets LOG_GONE. */
  discard(): void
}

interface StoredCursor extends FloorHolder {
  /** Absent while the cursor is covered by `base`. */
  record: Cursor | undefined
}

export function openMemoryLog(ref: LogRef, firstConfig: LogConfig, traits: LogTraits): MemoryLog {
  let config = firstConfig
  let entries: (Entry | undefined)[] = []
  /** Position of `entries[0]`; slots before `start` are already freed. */
  let offset: Position = 0
  let start: Position = 0
  let end: Position = 0
  let bytes = 0
  /** All before it may be freed as soon as the room is needed. Never before `start`. */
  let settledBefore: Position = 0
  let settledBytes = 0
  let base: Position = 0
  let gone = false
  let waiting: (() => void)[] = []
  let wakeScheduled = false
  /** Of those who own the lane. */
  const tellExpired = new Set<(start: Position) => void>()
  let tellScheduled = false
  const cursors = new Map<CursorId, StoredCursor>()
  const floors = new LowestFloor<StoredCursor>()

  const entryAt = (position: Position): Entry => entries[position - offset] as Entry
  const arrivedAt = (position: Position): number => entryAt(position).event.arrivedAt

  function append(event: Event, room: Room = 'publish'): Promise<{ lane: LaneId; position: Position }> {
    if (gone) return Promise.reject(goneError())
    if (event.data && event.data.length > traits.maxEventBytes) return Promise.reject(tooLarge(event.data.length))
    const size = eventBytes(event)
    const limit = limitOf(config, room)
    // No waiting makes room for it, so it is not told to come back.
    if (size > limit) return Promise.reject(largerThanLog(size, limit, room))
    const { expiry } = config
    if (expiry && bytes + size > expiry.bytes) expireBytes(bytes + size - expiry.bytes, expiry)
    if (bytes + size > limit) freeSettled(bytes + size - limit)
    if (bytes + size > limit) return Promise.reject(full(limit, room))
    const position = end++
    entries.push({ position, event, bytes: size })
    bytes += size
    if (waiting.length > 0) wakeReaders()
    return Promise.resolve({ lane: LANE, position })
  }

  /** One turn of the event loop later, so that what arrives together is read together. */
  function wakeReaders(): void {
    if (wakeScheduled) return
    wakeScheduled = true
    setImmediate(() => {
      wakeScheduled = false
      const readers = waiting
      waiting = []
      for (const wake of readers) wake()
    })
  }

  /** Frees settled entries, oldest first, until at least `needed` bytes are free or none is left. */
  function freeSettled(needed: number): void {
    for (let freed = 0; freed < needed && start < settledBefore; ) freed += freeFirst()
    cutFreed()
  }

  function expireBytes(needed: number, bounds: Bounds): void {
    const wanted = expireAtOnce(needed, bounds)
    for (let freed = 0; freed < wanted && start < end; ) freed += freeFirst()
    cutFreed()
  }

  function dropOld(nowMs: number): void {
    const { retention, expiry } = config
    settle(Infinity)
    if (retention) while (start < settledBefore && arrivedAt(start) < nowMs - retention.ms) freeFirst()
    if (expiry) while (start < end && arrivedAt(start) < nowMs - expiry.ms) freeFirst()
    cutFreed()
  }

  /** Returns the bytes of the oldest entry, which is gone, settled or not. */
  function freeFirst(): number {
    const { bytes: freed } = entryAt(start)
    entries[start - offset] = undefined
    bytes -= freed
    if (start < settledBefore) settledBytes -= freed
    else expired()
    start++
    return freed
  }

  function cutFreed(): void {
    if (start - offset < CUT_ENTRIES || start - offset < entries.length / 2) return
    entries = entries.slice(start - offset)
    offset = start
  }

  /** Owners are told once for all that goes in one turn of the event loop. */
  function expired(): void {
    settledBefore = start + 1
    if (tellScheduled || tellExpired.size === 0) return
    tellScheduled = true
    setImmediate(() => {
      tellScheduled = false
      for (const told of tellExpired) told(start)
    })
  }

  /** All that no stored cursor may want any more, up to `before`, may be freed from now on. */
  function settle(before: Position): void {
    const floor = Math.min(before, base, end, floors.lowest()?.floor() ?? Infinity)
    for (; settledBefore < floor; settledBefore++) settledBytes += entryAt(settledBefore).bytes
  }

  function retain(): void {
    const keptBytes = retainableBytes(config)
    if (settledBytes > keptBytes) freeSettled(settledBytes - keptBytes)
  }

  async function* read(lane: LaneId, from: Position, signal: AbortSignal): AsyncGenerator<Batch> {
    if (lane !== LANE) throw new EventingError('LANE_LOST', `${ref.name}: no lane ${lane}`)
    let next = from
    while (!signal.aborted) {
      if (gone) throw goneError()
      if (next < start)
        throw new EventingError('POSITION_GONE', `${ref.name}: ${next} is gone, entries start at ${start}`)
      if (next >= end) {
        await newEntries(signal)
        continue
      }
      const batch = entries.slice(next - offset, Math.min(next + BATCH_ENTRIES, end) - offset) as Entry[]
      next += batch.length
      yield { entries: batch, next }
      if (next < end) await new Promise(setImmediate)
    }
  }

  function newEntries(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        waiting = waiting.filter((other) => other !== wake)
        resolve()
      }
      waiting.push(wake)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  function startPosition(from: 'now' | 'earliest' | { timeMs: number }): Position {
    if (from === 'now') return end
    if (from === 'earliest') return start
    let low = start
    let high = end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (arrivedAt(middle) < from.timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  async function createCursor(id: CursorId, from: 'now' | 'earliest' | { timeMs: number }): Promise<void> {
    if (gone) throw goneError()
    if (cursors.has(id)) return
    const floor = startPosition(from)
    putCursor(id, cursorAt(floor))
    // What all had passed is wanted again.
    while (settledBefore > floor) settledBytes -= entryAt(--settledBefore).bytes
  }

  function putCursor(id: CursorId, record: Cursor): void {
    let cursor = cursors.get(id)
    if (cursor) {
      cursor.record = record
    } else {
      const created: StoredCursor = { record, inFloors: false, floor: () => created.record?.floor ?? Infinity }
      cursor = created
      cursors.set(id, cursor)
    }
    floors.add(cursor)
  }

  function ownedLane(signal: AbortSignal): OwnedLane {
    return {
      id: LANE,
      signal,
      lost: signal,
      async cursors() {
        const own = new Map<CursorId, Cursor>()
        const covered: CursorId[] = []
        for (const [id, { record }] of cursors) {
          if (record) own.set(id, record)
          else covered.push(id)
        }
        return { base, start, own, covered }
      },
      async save(change) {
        if (gone) throw goneError()
        base = Math.max(base, change.base)
        for (const [id, record] of change.put) if (cursors.has(id)) putCursor(id, record)
        for (const id of change.covered) {
          const cursor = cursors.get(id)
          if (cursor) cursor.record = undefined
        }
      },
      async trim(before) {
        settle(before)
        retain()
      },
      onExpired(told) {
        tellExpired.add(told)
        signal.addEventListener('abort', () => tellExpired.delete(told), { once: true })
      },
    }
  }

  const goneError = (): EventingError => new EventingError('LOG_GONE', `${ref.name}: the log was removed`)
  const tooLarge = (length: number): EventingError =>
    new EventingError(
      'EVENT_TOO_LARGE',
      `${ref.name}: ${length} bytes of data, at most ${traits.maxEventBytes} are stored`,
    )
  const largerThanLog = (size: number, limit: number, room: Room): EventingError =>
    new EventingError(
      'EVENT_TOO_LARGE',
      `${ref.name}: ${size} bytes, in a log where ${room} may fill ${Math.floor(limit)} at most`,
    )
  const full = (limit: number, room: Room): EventingError =>
    new EventingError('LOG_FULL', `${ref.name}: ${bytes} bytes are waiting, ${room} may fill ${Math.floor(limit)}`, {
      retryable: true,
    })

  return {
    append,
    read,
    createCursor,
    async dropCursor(id) {
      const cursor = cursors.get(id)
      if (cursor) cursor.record = undefined
      cursors.delete(id)
    },
    async lanes() {
      return [{ id: LANE, start, end }]
    },
    positionAt: async (_lane, from) => startPosition(from),
    async own(serve, signal) {
      await serve(ownedLane(signal))
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    },
    end: () => end,
    size: () => ({ entries: end - start, bytes, retainedBytes: settledBytes, capBytes: config.capBytes }),
    configure(next) {
      config = next
      const { expiry } = config
      if (expiry && bytes > expiry.bytes) expireBytes(bytes - expiry.bytes, expiry)
      retain()
    },
    dropOld,
    discard() {
      gone = true
      entries = []
      offset = start = end
      bytes = settledBytes = 0
      settledBefore = end
      wakeReaders()
    },
  }
}
