// Events in memory: bounded by bytes, gone with the process. One lane per log; positions are dense.
import { EventingError } from '../../core/errors.ts'
import { type Event, eventBytes } from '../../core/event.ts'
import { cursorAt } from '../cursor.ts'
import {
  type Batch,
  type Cursor,
  type CursorId,
  type Entry,
  type EventLog,
  type LaneId,
  type LogConfig,
  type LogRef,
  type LogStore,
  type LogTraits,
  limitOf,
  type OwnedLane,
  type Position,
  type Room,
} from '../log.ts'
import { type FloorHolder, LowestFloor } from '../lowest-floor.ts'

const LANE: LaneId = '0'
/** Entries handed to a reader at once: about a millisecond of matching, then the event loop turns. */
const BATCH_ENTRIES = 256
/** Freed slots at the front of the array before it is cut. */
const CUT_ENTRIES = 1_024

export interface MemoryOptions {
  readonly maxEventBytes?: number
  /** Settled events kept for replay and questions, as part of the cap; given up first when room is short. */
  readonly tailBytes?: number
}

export function memoryTraits(options: MemoryOptions = {}): LogTraits {
  return {
    backend: 'memory',
    survives: 'nothing',
    shared: false,
    readsCostIo: false,
    maxEventBytes: options.maxEventBytes ?? 2 ** 20,
  }
}

export function openMemoryStore(options: MemoryOptions = {}): LogStore {
  const traits = memoryTraits(options)
  const logs = new Map<string, MemoryLog>()
  const owners = new Map<string, string>()
  return {
    traits,
    async open(ref, config) {
      const owner = owners.get(ref.name)
      if (owner !== undefined && owner !== ref.uid) {
        throw new EventingError('LOG_CONFLICT', `${ref.name}: the log belongs to another uid (${owner})`)
      }
      const known = logs.get(ref.uid)
      if (known) return known
      const log = openMemoryLog(ref, config, traits, options.tailBytes ?? config.capBytes / 64)
      logs.set(ref.uid, log)
      owners.set(ref.name, ref.uid)
      return log
    },
    async remove(ref) {
      const log = logs.get(ref.uid)
      if (!log) return
      log.discard()
      logs.delete(ref.uid)
      owners.delete(ref.name)
    },
    async close() {
      for (const log of logs.values()) log.discard()
      logs.clear()
      owners.clear()
    },
  }
}

interface MemoryLog extends EventLog {
  /** Frees everything; whoever still holds the log gets LOG_GONE. */
  discard(): void
}

interface StoredCursor extends FloorHolder {
  /** Absent while the cursor is covered by `base`. */
  record: Cursor | undefined
}

function openMemoryLog(ref: LogRef, config: LogConfig, traits: LogTraits, tailBytes: number): MemoryLog {
  let entries: (Entry | undefined)[] = []
  /** Position of `entries[0]`; slots before `start` are already freed. */
  let offset: Position = 0
  let start: Position = 0
  let end: Position = 0
  let bytes = 0
  /** All before it may be freed as soon as the room is needed. */
  let settledBefore: Position = 0
  let settledBytes = 0
  let base: Position = 0
  let gone = false
  let waiting: (() => void)[] = []
  let wakeScheduled = false
  const cursors = new Map<CursorId, StoredCursor>()
  const floors = new LowestFloor<StoredCursor>()

  const entryAt = (position: Position): Entry => entries[position - offset] as Entry

  function append(event: Event, room: Room = 'publish'): Promise<{ lane: LaneId; position: Position }> {
    if (gone) return Promise.reject(goneError())
    if (event.data && event.data.length > traits.maxEventBytes) return Promise.reject(tooLarge(event.data.length))
    const size = eventBytes(event)
    const limit = limitOf(config, room)
    // No waiting makes room for it, so it is not told to come back.
    if (size > limit) return Promise.reject(largerThanLog(size, limit, room))
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
    let freed = 0
    while (freed < needed && start < settledBefore) {
      const entry = entryAt(start)
      freed += entry.bytes
      entries[start - offset] = undefined
      start++
    }
    bytes -= freed
    settledBytes -= freed
    if (start - offset < CUT_ENTRIES || start - offset < entries.length / 2) return
    entries = entries.slice(start - offset)
    offset = start
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
      if (entryAt(middle).event.arrivedAt < from.timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  async function createCursor(id: CursorId, from: 'now' | 'earliest' | { timeMs: number }): Promise<void> {
    if (gone) throw goneError()
    if (!cursors.has(id)) putCursor(id, cursorAt(startPosition(from)))
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
      async cursors() {
        const own = new Map<CursorId, Cursor>()
        const covered: CursorId[] = []
        for (const [id, { record }] of cursors) {
          if (record) own.set(id, record)
          else covered.push(id)
        }
        return { base, own, covered }
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
        const floor = Math.min(before, base, floors.lowest()?.floor() ?? Infinity)
        for (; settledBefore < floor; settledBefore++) {
          if (settledBefore >= start) settledBytes += entryAt(settledBefore).bytes
        }
        if (settledBytes > tailBytes) freeSettled(settledBytes - tailBytes)
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
    size: () => ({ entries: end - start, bytes, capBytes: config.capBytes }),
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
