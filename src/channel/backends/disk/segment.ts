// A segment file: a header with an id of its own, then records. Journal segments have the records of all logs in order
// of time; backlog segments those of one log.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { EventingError } from '../../../core/errors.ts'
import type { Disk, DiskFile, ReadableDisk } from './disk.ts'
import { FRAME_BYTES, frameAt, isRecord, type RecordFrame } from './record.ts'

export interface SegmentHeader {
  readonly kind: 'journal' | 'backlog'
  /** Of a journal segment its number, of a backlog segment its log's. */
  readonly number: number
  /** Where the journal segment before this one ends: what stands in it after that was never acknowledged. */
  readonly previousEnd: number
  /** A start found the last group before that end torn: parts of it were never on the disk, and it was not acknowledged. */
  readonly isPreviousTorn: boolean
  /** Whether its records tell where groups begin: not in a backlog segment, nor in what earlier programs wrote. */
  readonly marksGroups: boolean
  /** Where checksums of this file's records begin, so that bytes of another file are never taken for its records. */
  readonly seed: number
}

export interface Segment {
  readonly path: string
  readonly header: SegmentHeader
  readonly file: DiskFile
}

/** magic 4, version u8, kind u8, previous is torn u8, 1 unused, random id 8, number u64, previous end u32, crc32 of all before u32. */
export const HEADER_BYTES = 32
const MAGIC = 'TIDG'
/** In version 1 no record tells that it begins a group. */
const VERSION = 2
const OLDEST_VERSION = 1
const KINDS = ['journal', 'backlog'] as const
const SCAN_BYTES = 2 ** 20

/** The file and its name are on the disk when it resolves. When it rejects, the file is gone again if that was possible. */
export async function createSegment(
  disk: Disk,
  file: string,
  about: Omit<SegmentHeader, 'seed' | 'marksGroups'>,
): Promise<Segment> {
  const bytes = encodeHeader(about)
  const handle = await disk.create(file)
  try {
    await handle.write(bytes, 0)
    await handle.sync()
    await disk.syncFolder(path.dirname(file))
  } catch (error) {
    await handle.close().catch(() => undefined)
    await disk.remove(file).catch(() => undefined)
    throw error
  }
  return { path: file, header: headerIn(bytes, about.kind), file: handle }
}

/** undefined when it does not begin with a header. Throws LOG_CORRUPT when the header is of another version. */
export async function openSegment(disk: ReadableDisk, file: string): Promise<Segment | undefined> {
  const handle = await disk.openForReading(file)
  try {
    const bytes = Buffer.alloc(HEADER_BYTES)
    await handle.read(bytes, 0)
    const header = decodeHeader(bytes, file)
    if (header) return { path: file, header, file: handle }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return undefined
}

export interface Scanned {
  readonly buffer: Buffer
  readonly frame: RecordFrame
  /** Where the record stands in the file. */
  readonly at: number
}

/** Bytes from `from` to before `to`. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** They are no records, and records follow. */
export interface Damage extends ByteRange {
  /** All that follows is of the same group as what stood there: it may be that this was never on the disk. */
  readonly isInLastGroup: boolean
}

/**
 * Hands over every record from `from` to before `end`, in order, and the damage between them, once it is known what
 * follows. Resolves with the end of
 * the last record: what follows it up to `end` is no record and has none after it. Rejects with LOG_CORRUPT where a newer
 * program's record stands: passing it would lose it.
 */
export async function scanSegment(
  { path: name, file, header }: Segment,
  from: number,
  end: number,
  found: (record: Scanned) => void | Promise<void>,
  damaged: (damage: Damage) => void,
): Promise<number> {
  let buffer: Buffer = Buffer.alloc(0)
  /** Where `buffer` stands in the file. */
  let bufferAt = from
  let at = from
  let goodEnd = from
  /** Not known yet whether another group follows. */
  let unsure: ByteRange[] = []

  function tell(isInLastGroup: boolean): void {
    for (const one of unsure) damaged({ ...one, isInLastGroup })
    unsure = []
  }

  async function load(bytes: number): Promise<void> {
    buffer = Buffer.allocUnsafe(Math.min(Math.max(bytes, SCAN_BYTES), end - at))
    bufferAt = at
    buffer = buffer.subarray(0, await file.read(buffer, at))
  }

  while (at + FRAME_BYTES <= end) {
    let frame = frameAt(buffer, at - bufferAt, header.seed)
    if (frame.kind === 'short' && bufferAt + buffer.length < end && bufferAt + frame.end <= end) {
      const needed = bufferAt + frame.end - at
      await load(needed)
      if (buffer.length < needed) return goodEnd
      frame = frameAt(buffer, 0, header.seed)
    }
    if (frame.kind === 'newer') throw newer(`${name}:${at}: ${frame.said}`)
    if (!isRecord(frame)) {
      at = bufferAt + nextPlace(buffer, at - bufferAt)
      continue
    }
    if (at > goodEnd) unsure.push({ from: goodEnd, to: at })
    if (frame.beginsGroup || !header.marksGroups) tell(false)
    await found({ buffer, frame, at })
    at = bufferAt + frame.end
    goodEnd = at
  }
  tell(true)
  return goodEnd
}

/** Where a record may begin next, after a place where none does: what was written ahead is a megabyte of zeros. */
function nextPlace(buffer: Buffer, at: number): number {
  let place = at + 1
  // The length of a record is in the second four bytes, and is not 0.
  const isInZeros = (): boolean => buffer.readUInt32LE(place + 4) === 0 && buffer.readUInt32LE(place + 8) === 0
  while (place + FRAME_BYTES < buffer.length && isInZeros()) place += 4
  return place
}

function encodeHeader(about: Omit<SegmentHeader, 'seed' | 'marksGroups'>): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write(MAGIC, 0, 'latin1')
  bytes[4] = VERSION
  bytes[5] = KINDS.indexOf(about.kind)
  bytes[6] = about.isPreviousTorn ? 1 : 0
  randomBytes(8).copy(bytes, 8)
  bytes.writeBigUInt64LE(BigInt(about.number), 16)
  bytes.writeUInt32LE(about.previousEnd, 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

function decodeHeader(bytes: Buffer, file: string): SegmentHeader | undefined {
  const kind = KINDS[bytes[5] as number]
  if (bytes.toString('latin1', 0, 4) !== MAGIC || bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28)))
    return undefined
  const version = bytes[4] as number
  if (version < OLDEST_VERSION || version > VERSION || !kind) {
    const reads = `${OLDEST_VERSION} to ${VERSION}`
    throw newer(`${file}: format version ${version}, kind ${bytes[5]}, where this program reads versions ${reads}`)
  }
  return headerIn(bytes, kind)
}

function headerIn(bytes: Buffer, kind: SegmentHeader['kind']): SegmentHeader {
  return {
    kind,
    number: Number(bytes.readBigUInt64LE(16)),
    previousEnd: bytes.readUInt32LE(24),
    isPreviousTorn: bytes[6] === 1,
    marksGroups: kind === 'journal' && (bytes[4] as number) >= 2,
    seed: crc32(bytes.subarray(8, 16)),
  }
}

function newer(what: string): EventingError {
  return new EventingError('LOG_CORRUPT', `${what}: start the program that wrote it, or a newer one`)
}
