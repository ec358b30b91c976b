// The one thing that makes what all logs of a directory do last: records are queued, written in groups, and each group is
// synced once. The next group starts when the last sync has returned, so the disk's own speed decides how large groups
// are. Zeros are written ahead of the groups: a write that makes no file longer is synced in half the time, at half the
// cost. What a record says is the logs' affair.
import path from 'node:path'
import { EventingError } from '../../../core/errors.ts'
import { Fifo } from '../../../core/fifo.ts'
import { ByteWriter } from './bytes.ts'
import { type Disk, isDiskFull } from './disk.ts'
import { type DiskRecord, writeRecord } from './record.ts'
import type { Reserve } from './reserve.ts'
import { createSegment, HEADER_BYTES, type Segment } from './segment.ts'

/** Where a record stands in the journal, as one number: `segment number * LOCATION_SCALE + offset`. Grows with time. */
export type Location = number
export const LOCATION_SCALE = 2 ** 30

const GROUP_BYTES = 2 ** 20
const GROUP_RECORDS = 256
const AHEAD_BYTES = 2 ** 20
/** A group beyond it costs more by its bytes than by making the file longer, and zeros would be as many bytes again. */
const LARGEST_WITH_ZEROS = AHEAD_BYTES / 8

export interface JournalItem {
  /** It helps to make room: on a full disk it is stored in the room that is reserved for such. */
  readonly isEssential: boolean
  /**
   * When a group is put together, in the order of queueing; again when that group met a full disk and the item is
   * essential. What it throws fails this item alone.
   */
  write(writer: ByteWriter, seed: number): void
  /** Once it is on the disk, in the order of queueing. */
  done(location: Location): void
  /** LOG_FULL or LOG_UNAVAILABLE (retryable), LOG_GONE after `end`, or what `write` threw. It is not in the journal. */
  failed(error: EventingError): void
}

export interface JournalSegment extends Segment {
  /** Whether its last group may never have been on the disk as a whole: it is the last one of a start, or was then. */
  mayEndTorn?: boolean
  /** Where the next record would stand, for the last segment; else its end. */
  end: number
}

export interface Journal {
  queue(item: JournalItem): void
  /** The oldest first, the one that is written last. */
  readonly segments: readonly JournalSegment[]
  /** All before it is on the disk and was handed to `done`; nothing after it was. */
  position(): Location
  segment(number: number): JournalSegment | undefined
  /** Closes and deletes the oldest one. Whoever reads it must be done with it or ask again. */
  dropOldest(): Promise<void>
  /** Takes nothing more; resolves when all that was queued is stored or has failed. */
  end(): Promise<void>
  /** Closes the files. Call it after `end`, once nobody reads them. */
  close(): Promise<void>
}

export interface JournalOptions {
  readonly disk: Disk
  readonly folder: string
  readonly segmentBytes: number
  /** Oldest first; all are only read. */
  readonly older: readonly JournalSegment[]
  /** The last of them ends in a group that was never on the disk as a whole. */
  readonly isOlderTorn: boolean
  /** Of the first segment that is begun: beyond every number that was ever used. */
  readonly firstNumber: number
  readonly fault: (what: string, error: unknown) => void
  /** A segment was begun. The next group waits for what it returns. */
  readonly onRoll: () => Promise<void>
  readonly reserve: Reserve
  /** The disk is full: whatever can go should. */
  readonly onFull: () => void
}

export function segmentFile(folder: string, number: number): string {
  return path.join(folder, `${String(number).padStart(10, '0')}.journal`)
}

/** Begins a segment after the older ones. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { disk, folder, segmentBytes, fault, reserve } = options
  const segments: JournalSegment[] = [...options.older]
  const queued = new Fifo<JournalItem>()
  const writer = new ByteWriter(GROUP_BYTES + 2 ** 16)
  /** False when what the last segment would say after its `end` is unknown: nothing more is written there. */
  let isUsable = true
  /** The last segment's file ends here, after records or after zeros. */
  let writtenTo = HEADER_BYTES
  /** False once the disk had no room for zeros, until another segment is begun. */
  let writesAhead = true
  let isEnded = false
  let running: Promise<void> | undefined
  let current = await begin()

  async function begin(): Promise<JournalSegment> {
    const last = segments.at(-1)
    const number = Math.max(options.firstNumber, (last?.header.number ?? 0) + 1)
    const file = segmentFile(folder, number)
    // What a failed attempt left behind was never used.
    await disk.remove(file)
    const isPreviousTorn = options.isOlderTorn && segments.length === options.older.length
    const about = { kind: 'journal', number, previousEnd: last?.end ?? 0, isPreviousTorn } as const
    const create = (): Promise<Segment> => createSegment(disk, file, about)
    const begun = await create().catch(async (error: unknown) => {
      if (isDiskFull(error) && (await reserve.release())) return create()
      throw error
    })
    segments.push({ ...begun, end: HEADER_BYTES })
    writtenTo = HEADER_BYTES
    writesAhead = true
    return segments.at(-1) as JournalSegment
  }

  async function run(): Promise<void> {
    await Promise.resolve() // what is queued in one go is one group
    while (queued.size > 0) {
      await restoreReserve()
      const failed = await makeUsable().catch((error: unknown) => ({ error }))
      if (failed) failAll(takeGroup(), failed.error)
      else await writeGroup(() => queued.shift())
      // Whoever was answered may have more to say: it joins the next group instead of waiting for the one after.
      await new Promise(setImmediate)
    }
    running = undefined
  }

  async function makeUsable(): Promise<void> {
    if (isUsable && current.end < segmentBytes) return
    current = await begin()
    isUsable = true
    await options.onRoll()
  }

  async function restoreReserve(): Promise<void> {
    if (reserve.isHeld) return
    options.onFull()
    await reserve.restore().catch((error: unknown) => fault('reserve room on the disk', error))
  }

  function takeGroup(): JournalItem[] {
    const group: JournalItem[] = []
    while (group.length < GROUP_RECORDS) {
      const item = queued.shift()
      if (!item) break
      group.push(item)
    }
    return group
  }

  async function writeGroup(next: () => JournalItem | undefined): Promise<void> {
    const group: { readonly item: JournalItem; readonly location: Location }[] = []
    const start = current.end
    writer.at = 0
    while (group.length < GROUP_RECORDS && writer.at < GROUP_BYTES) {
      const item = next()
      if (!item) break
      if (!reserve.isHeld && !item.isEssential) {
        item.failed(full(folder))
        continue
      }
      const at = writer.at
      try {
        item.write(writer, current.header.seed)
        group.push({ item, location: current.header.number * LOCATION_SCALE + start + at })
      } catch (error) {
        writer.at = at
        item.failed(error instanceof EventingError ? error : unavailable(current.path, error))
      }
    }
    if (group.length === 0) return
    const length = writer.at
    const failed = await store(length, start)
    if (failed) {
      await refuse(
        group.map(({ item }) => item),
        failed.error,
      )
      return
    }
    current.end = start + length
    for (const { item, location } of group) item.done(location)
    if (writer.buffer.length > 4 * GROUP_BYTES) writer.buffer = Buffer.allocUnsafe(GROUP_BYTES + 2 ** 16)
  }

  /** Of a group that could not be stored; what is essential is tried once more where a full disk was the reason. */
  async function refuse(group: readonly JournalItem[], error: unknown): Promise<void> {
    if (!isDiskFull(error) || !(await reserve.release())) return failAll(group, error)
    failAll(
      group.filter(({ isEssential }) => !isEssential),
      error,
    )
    const essential = new Fifo<JournalItem>()
    for (const item of group) if (item.isEssential) essential.push(item)
    const failed = await makeUsable().catch((failure: unknown) => ({ error: failure }))
    if (failed) failAll([...essential], failed.error)
    else await writeGroup(() => essential.shift())
  }

  /** The one write of a group, with what stands in the writer, and its one sync. */
  async function store(length: number, at: number): Promise<{ readonly error: unknown } | undefined> {
    const zeros = zerosAfter(length, at + length)
    if (zeros === 0) return writeThrough(writer.written(), at)
    writer.zeros(zeros)
    const failed = await writeThrough(writer.written(), at)
    if (!failed || !isUsable) return failed
    writesAhead = false
    return writeThrough(writer.buffer.subarray(0, length), at)
  }

  function zerosAfter(length: number, end: number): number {
    if (end <= writtenTo || length > LARGEST_WITH_ZEROS || !writesAhead || !reserve.isHeld) return 0
    return Math.max(0, Math.min(AHEAD_BYTES, segmentBytes - end))
  }

  async function writeThrough(bytes: Buffer, at: number): Promise<{ readonly error: unknown } | undefined> {
    try {
      await current.file.writeThrough(bytes, at)
      writtenTo = Math.max(writtenTo, at + bytes.length)
      return undefined
    } catch (error) {
      // Never tried again on this file: the kernel may have dropped the pages that it could not write. Where there was no
      // room for them it has not, but the part that was written must not be found by a recovery among later records.
      isUsable = isDiskFull(error) && (await cutBack(at))
      return { error }
    }
  }

  async function cutBack(to: number): Promise<boolean> {
    try {
      await current.file.truncate(to)
      writtenTo = to
      return true
    } catch {
      return false
    }
  }

  function failAll(group: readonly JournalItem[], error: unknown): void {
    if (group.length === 0) return
    const told = isDiskFull(error) ? full(folder, error) : unavailable(current.path, error)
    fault('write the journal', told)
    for (const item of group) item.failed(told)
  }

  return {
    segments,
    queue(item) {
      if (isEnded) return item.failed(new EventingError('LOG_GONE', `${folder}: closed`))
      queued.push(item)
      running ??= run()
    },
    position: () => current.header.number * LOCATION_SCALE + current.end,
    segment: (number) => segments.find(({ header }) => header.number === number),
    async dropOldest() {
      const oldest = segments[0]
      if (!oldest || oldest === current) return
      segments.shift()
      await oldest.file.close()
      await disk.remove(oldest.path)
    },
    async end() {
      isEnded = true
      await running
    },
    async close() {
      for (const { file } of segments) await file.close().catch(() => undefined)
    },
  }
}

/** Resolves once the record is on the disk and applied. */
export function storeRecord(
  journal: Journal,
  record: DiskRecord,
  options: { readonly isEssential: boolean; readonly apply: () => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.queue({
      isEssential: options.isEssential,
      write: (writer, seed) => writeRecord(writer, record, seed),
      done() {
        options.apply()
        resolve()
      },
      failed: reject,
    })
  })
}

function full(folder: string, cause?: unknown): EventingError {
  return new EventingError('LOG_FULL', `${folder}: no room left on the disk`, { retryable: true, cause })
}

function unavailable(file: string, cause: unknown): EventingError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new EventingError('LOG_UNAVAILABLE', `${file}: ${text}`, { retryable: true, cause })
}
