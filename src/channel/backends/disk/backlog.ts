// What one log still needs of journal segments that had to go: a file with its entries alone, written once, whole, and
// with an index at its end. So a log whose cursor lags keeps its own bytes on the disk, and no other log's.
import path from 'node:path'
import { crc32 } from 'node:zlib'
import type { Position } from '../../log.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Disk } from './disk.ts'
import { copyRecord, type EntryHead, type LogNumber, readEntryHead } from './record.ts'
import { createSegment, HEADER_BYTES, openSegment, type Scanned, type Segment, scanSegment } from './segment.ts'

/** A place in a backlog segment from which it can be read on. Between two points stands a stretch. */
export interface Point {
  readonly position: Position
  /** In the file. */
  readonly offset: number
  /** Of all entries before it. */
  readonly bytesBefore: number
}

/** What is known of a backlog segment without its file. Positions from `first` to before `end`. */
export interface BacklogRange {
  readonly log: LogNumber
  readonly first: Position
  readonly end: Position
  readonly bytes: number
}

export interface BacklogSegment extends BacklogRange {
  readonly segment: Segment
  readonly points: readonly Point[]
  /** Where the last record ends. */
  readonly recordsEnd: number
}

/** A stretch ends after so many entries, or so many bytes of the file. */
const STRETCH_ENTRIES = 64
const STRETCH_BYTES = 65_536
const WRITE_BYTES = 262_144
/** crc32 u32 and length u32 of the index, at the end of the file. */
const TRAILER_BYTES = 8

type BacklogName = Pick<BacklogRange, 'log' | 'first' | 'end'>

export function backlogFile(folder: string, { log, first, end }: BacklogName): string {
  return path.join(folder, `${log}-${first}-${end}.backlog`)
}

/** Where the file is, if it is there: by the name that files had before two could have the same first entry, too. */
export async function findBacklog(disk: Pick<Disk, 'sizeOf'>, folder: string, range: BacklogName): Promise<string> {
  const file = backlogFile(folder, range)
  if ((await disk.sizeOf(file)) !== undefined) return file
  const old = path.join(folder, `${range.log}-${range.first}.backlog`)
  return (await disk.sizeOf(old)) === undefined ? file : old
}

export interface BacklogWriter {
  /** In the order of positions. Only now and then there is something to wait for. */
  add(record: Pick<Scanned, 'buffer' | 'frame'>, head: EntryHead): void | Promise<void>
  /** Syncs the file; its name lasts once its folder is synced too. */
  finish(): Promise<BacklogSegment>
  /** Removes what was written. */
  discard(): Promise<void>
}

/** `about` is what the file may have; some of it may be missing. */
export async function writeBacklog(disk: Disk, folder: string, about: BacklogName): Promise<BacklogWriter> {
  const file = backlogFile(folder, about)
  // What an earlier attempt left behind is in no checkpoint.
  await disk.remove(file)
  const segment = await createSegment(disk, file, {
    kind: 'backlog',
    number: about.log,
    previousEnd: 0,
    isPreviousTorn: false,
  })
  const index = new IndexBuilder()
  const writer = new ByteWriter(WRITE_BYTES + 65_536)
  let written = HEADER_BYTES

  async function flush(): Promise<void> {
    await segment.file.write(writer.written(), written)
    written += writer.at
    writer.at = 0
  }

  return {
    add({ buffer, frame }, head) {
      index.add(head, written + writer.at)
      copyRecord(writer, buffer, frame, segment.header.seed)
      return writer.at >= WRITE_BYTES ? flush() : undefined
    },
    async finish() {
      await flush()
      const recordsEnd = written
      const range = { ...about, bytes: index.range().bytes }
      encodeIndex(writer, { ...range, points: index.points, recordsEnd }, segment.header.seed)
      await flush()
      await segment.file.sync()
      return { segment, points: index.points, recordsEnd, ...range }
    },
    async discard() {
      await segment.file.close().catch(() => undefined)
      await disk.remove(file)
    },
  }
}

/** undefined when it is none. `isRebuilt`: its index was not what had been written, so the records were read instead. */
export async function openBacklog(
  disk: Disk,
  file: string,
): Promise<{ readonly backlog: BacklogSegment; readonly isRebuilt: boolean } | undefined> {
  const segment = await openSegment(disk, file)
  if (!segment) return undefined
  const indexed = await readIndex(segment).catch(() => undefined)
  if (indexed) return { backlog: { segment, ...indexed }, isRebuilt: false }
  const index = new IndexBuilder()
  const found = ({ buffer, frame, at }: Scanned): void => index.add(readEntryHead(buffer, frame), at)
  const recordsEnd = await scanSegment(segment, HEADER_BYTES, await segment.file.size(), found, () => undefined)
  const log = segment.header.number
  return { backlog: { segment, points: index.points, recordsEnd, log, ...index.range() }, isRebuilt: true }
}

/** Closes and deletes it. */
export async function removeSegment(disk: Disk, { segment }: BacklogSegment): Promise<void> {
  await segment.file.close()
  await disk.remove(segment.path)
}

/** The last point at or before a position; the first one when there is none. */
export function pointAt({ points }: BacklogSegment, position: Position): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle] as Point).position <= position) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

class IndexBuilder {
  readonly points: Point[] = []
  #end: Position = 0
  #bytes = 0
  #entries = 0

  add({ position, bytes }: EntryHead, offset: number): void {
    const last = this.points.at(-1)
    if (!last || this.#entries === STRETCH_ENTRIES || offset - last.offset >= STRETCH_BYTES) {
      this.points.push({ position, offset, bytesBefore: this.#bytes })
      this.#entries = 0
    }
    this.#entries++
    this.#bytes += bytes
    this.#end = position + 1
  }

  range(): { readonly first: Position; readonly end: Position; readonly bytes: number } {
    return { first: this.points[0]?.position ?? 0, end: this.#end, bytes: this.#bytes }
  }
}

type Indexed = Omit<BacklogSegment, 'segment'>

function encodeIndex(writer: ByteWriter, indexed: Indexed, seed: number): void {
  const from = writer.at
  for (const value of [indexed.end, indexed.bytes, indexed.recordsEnd, indexed.points.length]) writer.number(value)
  let last: Point = { position: 0, offset: 0, bytesBefore: 0 }
  for (const point of indexed.points) {
    writer.number(point.position - last.position)
    writer.number(point.offset - last.offset)
    writer.number(point.bytesBefore - last.bytesBefore)
    last = point
  }
  const length = writer.at - from
  writer.reserve(TRAILER_BYTES)
  writer.buffer.writeUInt32LE(crc32(writer.buffer.subarray(from, writer.at), seed), writer.at)
  writer.buffer.writeUInt32LE(length, writer.at + 4)
  writer.at += TRAILER_BYTES
}

/** Throws when the file's end is not an index. */
export async function readIndex({ file, header }: Segment): Promise<Indexed> {
  const size = await file.size()
  const trailer = Buffer.alloc(TRAILER_BYTES)
  await file.read(trailer, size - TRAILER_BYTES)
  const length = trailer.readUInt32LE(4)
  if (length > size - TRAILER_BYTES - HEADER_BYTES) throw new RangeError('cut short')
  const bytes = Buffer.alloc(length)
  await file.read(bytes, size - TRAILER_BYTES - length)
  if (crc32(bytes, header.seed) !== trailer.readUInt32LE(0)) throw new RangeError('checksum')
  const reader = new ByteReader(bytes)
  const [end, total, recordsEnd] = [reader.number(), reader.number(), reader.number()]
  let last: Point = { position: 0, offset: 0, bytesBefore: 0 }
  const points = Array.from({ length: reader.number() }, () => {
    last = {
      position: last.position + reader.number(),
      offset: last.offset + reader.number(),
      bytesBefore: last.bytesBefore + reader.number(),
    }
    return last
  })
  return { log: header.number, first: points[0]?.position ?? 0, end, bytes: total, recordsEnd, points }
}
