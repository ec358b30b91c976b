// One log of a data directory, as the fan-out sees it. What it holds is in LogState, what makes it last is the journal.
import { EventingError } from '../../../core/errors.ts'
import { type Event, eventBytes } from '../../../core/event.ts'
import type {
  Batch,
  Cursor,
  CursorId,
  EventLog,
  LaneId,
  LogConfig,
  LogTraits,
  OwnedLane,
  Position,
  Room,
} from '../../log.ts'
import { limitOf } from '../../log.ts'
import { retainableBytes } from '../retention.ts'
import { openDiskCursors } from './disk-cursors.ts'
import { openDiskExpiry } from './disk-expiry.ts'
import type { Journal } from './journal.ts'
import type { LogState } from './log-state.ts'
import { readFiles } from './reader.ts'
import { type Recent, RecentOfLog } from './recent.ts'
import { type LogRecord, writeRecord } from './record.ts'

export const LANE: LaneId = '0'
/** Entries handed to a reader at once: about a millisecond of matching, then the event loop turns. */
const BATCH_ENTRIES = 256

export interface DiskLog extends EventLog {
  readonly state: LogState
  configure(config: LogConfig): void
  /** Gives up what is older than the config has it, at a time in epoch milliseconds. Never rejects. */
  dropOld(nowMs: number): Promise<void>
  /** From now on appends are refused; those before it are stored. */
  isEnding: boolean
  /** Readers end; whoever still holds the log gets LOG_GONE. */
  discard(): void
}

export interface DiskLogOptions {
  readonly state: LogState
  readonly traits: LogTraits
  readonly journal: Journal
  readonly recent: Recent
  /** Bytes that wait to be written, of all logs. */
  readonly waiting: { bytes: number; readonly limit: number }
  readonly fault: (what: string, error: unknown) => void
}

/** It is to be configured before anything else is asked of it. */
export function openDiskLog(options: DiskLogOptions): DiskLog {
  const { state, traits, journal, recent, waiting, fault } = options
  const { name } = state
  const recentOfLog = new RecentOfLog()
  /** Bytes of appends that are not on the disk yet: they have their room already. */
  let appendingBytes = 0
  /** Positions given to entries of the group that is being put together. */
  let assigned = 0
  let isGone = false
  let readers: (() => void)[] = []
  let wakeScheduled = false
  let config: LogConfig = { capBytes: 0 }
  const entryAt = async (position: Position): Promise<Batch> => {
    const entries = recentOfLog.from(position, 1)
    return entries?.length ? { entries, next: position + 1 } : readFiles({ state, journal, fault }, position, 1)
  }
  const parts = { state, store, entryAt, isEnding: () => log.isEnding, fault }
  const cursors = openDiskCursors(parts)
  const expiry = openDiskExpiry(parts)

  function append(event: Event, room: Room = 'publish'): Promise<{ lane: LaneId; position: Position }> {
    if (log.isEnding) return Promise.reject(goneError())
    if (event.data && event.data.length > traits.maxEventBytes) return Promise.reject(tooLarge(event.data.length))
    const bytes = eventBytes(event)
    const limit = limitOf(config, room)
    // No waiting makes room for it, so it is not told to come back.
    if (bytes > limit) return Promise.reject(largerThanLog(bytes, limit, room))
    if (config.expiry) expiry.keepWithin(config.expiry, appendingBytes + bytes)
    const missing = bytesHeld() + bytes - limit
    if (missing > 0) state.freeSettled(missing)
    if (bytesHeld() + bytes > limit) return Promise.reject(full(limit, room))
    if (waiting.bytes + bytes > waiting.limit) return Promise.reject(behind())
    return queueEntry(event, bytes)
  }

  /** Once all that is on its way is on the disk. */
  function bytesHeld(): number {
    return state.bytes + appendingBytes - expiry.expiringBytes()
  }

  function queueEntry(event: Event, bytes: number): Promise<{ lane: LaneId; position: Position }> {
    appendingBytes += bytes
    waiting.bytes += bytes
    return new Promise((resolve, reject) => {
      let position: Position | undefined
      const leave = (): void => {
        appendingBytes -= bytes
        waiting.bytes -= bytes
        if (position !== undefined) assigned--
      }
      journal.queue({
        isEssential: false,
        write(writer, seed) {
          const next = state.end + assigned
          writeRecord(writer, { kind: 'entry', log: state.number, position: next, bytes, event }, seed)
          position = next
          assigned++
        },
        done(location) {
          const stored = position as Position
          leave()
          if (isGone) return reject(goneError())
          if (state.start === state.end) expiry.isOldest(event.arrivedAt)
          state.addEntry(stored, location, bytes)
          recent.add(recentOfLog, { position: stored, event, bytes })
          wakeReaders()
          resolve({ lane: LANE, position: stored })
        },
        failed(error) {
          leave()
          reject(error)
        },
      })
    })
  }

  /** One turn of the event loop later, so that what arrives together is read together. */
  function wakeReaders(): void {
    if (wakeScheduled || readers.length === 0) return
    wakeScheduled = true
    setImmediate(() => {
      wakeScheduled = false
      const woken = readers
      readers = []
      for (const wake of woken) wake()
    })
  }

  async function* read(lane: LaneId, from: Position, signal: AbortSignal): AsyncGenerator<Batch> {
    if (lane !== LANE) throw new EventingError('LANE_LOST', `${name}: no lane ${lane}`)
    let next = from
    while (!signal.aborted) {
      if (isGone) throw goneError()
      if (next < state.start) {
        throw new EventingError('POSITION_GONE', `${name}: ${next} is gone, entries start at ${state.start}`)
      }
      if (next >= state.end) {
        await newEntries(signal)
        continue
      }
      const batch = await batchFrom(next)
      if (signal.aborted) return
      // What was asked for was freed while it was being read.
      if (next < state.start && (batch.entries[0]?.position ?? batch.next) >= state.start) continue
      next = batch.next
      yield batch
      if (next < state.end) await new Promise(setImmediate)
    }
  }

  function batchFrom(next: Position): Batch | Promise<Batch> {
    const entries = recentOfLog.from(next, BATCH_ENTRIES)
    if (entries) return { entries, next: next + entries.length }
    return readFiles({ state, journal, fault }, next, BATCH_ENTRIES)
  }

  function newEntries(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        readers = readers.filter((other) => other !== wake)
        resolve()
      }
      readers.push(wake)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Resolves once the record is on the disk and applied. */
  function store(record: LogRecord): Promise<void> {
    if (log.isEnding) return Promise.reject(goneError())
    return new Promise((resolve, reject) => {
      journal.queue({
        isEssential: true,
        write: (writer, seed) => writeRecord(writer, record, seed),
        done(location) {
          if (isGone) return reject(goneError())
          state.apply(record, location)
          resolve()
        },
        failed: reject,
      })
    })
  }

  function retain(): void {
    const excess = state.settledBytes - retainableBytes(config)
    if (excess > 0) state.freeSettled(excess)
  }

  function ownedLane(signal: AbortSignal): OwnedLane {
    return {
      id: LANE,
      signal,
      lost: signal,
      async cursors() {
        const own = new Map<CursorId, Cursor>()
        const covered: CursorId[] = []
        for (const [id, { record }] of state.cursors) {
          if (record) own.set(id, record)
          else covered.push(id)
        }
        return { base: state.base, start: state.start, own, covered }
      },
      save: cursors.save,
      async trim(before) {
        if (isGone) return
        state.settle(before)
        recent.dropBefore(recentOfLog, state.settledBefore)
        retain()
      },
      onExpired: (told) => expiry.onExpired(told, signal),
    }
  }

  const goneError = (): EventingError => new EventingError('LOG_GONE', `${name}: the log was removed or closed`)
  const tooLarge = (length: number): EventingError =>
    new EventingError('EVENT_TOO_LARGE', `${name}: ${length} bytes of data, at most ${traits.maxEventBytes} are stored`)
  const largerThanLog = (bytes: number, limit: number, room: Room): EventingError =>
    new EventingError(
      'EVENT_TOO_LARGE',
      `${name}: ${bytes} bytes, in a log where ${room} may fill ${Math.floor(limit)} at most`,
    )
  const full = (limit: number, room: Room): EventingError =>
    new EventingError('LOG_FULL', `${name}: ${state.bytes} bytes are waiting, ${room} may fill ${Math.floor(limit)}`, {
      retryable: true,
    })
  const behind = (): EventingError =>
    new EventingError('LOG_UNAVAILABLE', `${name}: ${waiting.bytes} bytes wait for the disk`, { retryable: true })

  const log: DiskLog = {
    state,
    configure(next) {
      config = next
      if (config.expiry) expiry.keepWithin(config.expiry, appendingBytes)
      retain()
    },
    dropOld: (nowMs) => (log.isEnding ? Promise.resolve() : expiry.dropOld(config, nowMs)),
    isEnding: false,
    append,
    read,
    createCursor: cursors.create,
    dropCursor: cursors.drop,
    positionAt: (_lane, start) => cursors.positionAt(start),
    async lanes() {
      return [{ id: LANE, start: state.start, end: state.end }]
    },
    async own(serve, signal) {
      await serve(ownedLane(signal))
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    },
    end: () => state.end,
    size() {
      const { capBytes } = config
      if (isGone) return { entries: 0, bytes: 0, retainedBytes: 0, capBytes }
      return { entries: state.end - state.start, bytes: state.bytes, retainedBytes: state.settledBytes, capBytes }
    },
    discard() {
      log.isEnding = true
      isGone = true
      recent.dropBefore(recentOfLog, Infinity)
      wakeReaders()
    },
  }
  return log
}
