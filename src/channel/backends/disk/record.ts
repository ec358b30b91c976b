// One record of a segment file: a frame that tells whether the bytes are as they were written, and what it says. The
// layout is in docs/disk-format.md. What a record means to a log is decided in disk-log.ts.
import { crc32 } from 'node:zlib'
import { EventingError } from '../../../core/errors.ts'
import type { Event } from '../../../core/event.ts'
import type { Cursor, CursorId, Position } from '../../log.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'

/** A log's number within its data directory; never given to another log. */
export type LogNumber = number

/** A change of the directory's values, which are no log's. */
export type ValueRecord =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }

export type LogRecord =
  | {
      readonly kind: 'entry'
      readonly log: LogNumber
      readonly position: Position
      /** `eventBytes(event)`. */
      readonly bytes: number
      readonly event: Event
    }
  | { readonly kind: 'open'; readonly log: LogNumber; readonly uid: string; readonly name: string }
  | { readonly kind: 'remove'; readonly log: LogNumber }
  | { readonly kind: 'create'; readonly log: LogNumber; readonly id: CursorId; readonly floor: Position }
  | { readonly kind: 'drop'; readonly log: LogNumber; readonly id: CursorId }
  | {
      readonly kind: 'save'
      readonly log: LogNumber
      readonly base: Position
      readonly put: ReadonlyMap<CursorId, Cursor>
      readonly covered: readonly CursorId[]
    }
  /** All before the position was given up, settled or not. */
  | { readonly kind: 'expire'; readonly log: LogNumber; readonly before: Position }

export type DiskRecord = LogRecord | ValueRecord

/** What is said of an entry before its event. */
export interface EntryHead {
  readonly log: LogNumber
  readonly position: Position
  readonly bytes: number
}

/** crc u32, length of the body u32, check of the length u16, kind and version u8. */
export const FRAME_BYTES = 11
/** No record's body is longer: a length beyond it is not a length. */
export const MAX_BODY_BYTES = 2 ** 25
export const RECORD_VERSION = 1
/** Beside version and kind: the first record of its group. What stands before it had been synced when it was written. */
const BEGINS_GROUP = 0x80

const KINDS = ['entry', 'open', 'remove', 'create', 'drop', 'save', 'put', 'delete', 'expire'] as const
type Kind = (typeof KINDS)[number]

/** A record that is whole, and of a kind that this program knows. */
export interface RecordFrame {
  readonly kind: Kind
  readonly beginsGroup: boolean
  readonly bodyAt: number
  readonly end: number
}

/**
 * `short`: the record is said to end at `end`, beyond the bytes at hand. `bad`: these bytes are no record. `newer`: they
 * are one, whose version or kind only a newer program knows.
 */
export type Frame =
  | RecordFrame
  | { readonly kind: 'short'; readonly end: number }
  | { readonly kind: 'bad' }
  | { readonly kind: 'newer'; readonly said: string }

const BAD: Frame = { kind: 'bad' }

/**
 * Appends a record whose checksum is seeded with `seed`, the file's own. What is written first into a writer begins a group.
 * Throws EVENT_TOO_LARGE beyond MAX_BODY_BYTES.
 */
export function writeRecord(writer: ByteWriter, record: DiskRecord, seed: number): void {
  const bodyAt = startFrame(writer)
  writeBody(writer, record)
  const mark = bodyAt === FRAME_BYTES ? BEGINS_GROUP : 0
  endFrame(writer, bodyAt, mark | KINDS.indexOf(record.kind), seed)
}

/** Appends the record that stands at `frame` in another file, framed anew for this one. */
export function copyRecord(writer: ByteWriter, from: Buffer, frame: RecordFrame, seed: number): void {
  const bodyAt = startFrame(writer)
  writer.reserve(frame.end - frame.bodyAt)
  writer.at += from.copy(writer.buffer, writer.at, frame.bodyAt, frame.end)
  endFrame(writer, bodyAt, KINDS.indexOf(frame.kind), seed)
}

/** What stands at `at`, checked. */
export function frameAt(buffer: Buffer, at: number, seed: number): Frame {
  if (at + FRAME_BYTES > buffer.length) return { kind: 'short', end: at + FRAME_BYTES }
  const length = buffer.readUInt32LE(at + 4)
  if (length > MAX_BODY_BYTES || buffer.readUInt16LE(at + 8) !== lengthCheck(length, seed)) return BAD
  const end = at + FRAME_BYTES + length
  if (end > buffer.length) return { kind: 'short', end }
  if (crc32(buffer.subarray(at + 4, end), seed) !== buffer.readUInt32LE(at)) return BAD
  const what = buffer[at + 10] as number
  const version = (what & ~BEGINS_GROUP) >> 4
  const kind = KINDS[what & 0x0f]
  if (version !== RECORD_VERSION || kind === undefined) {
    return { kind: 'newer', said: `a record of version ${version} and kind ${what & 0x0f}` }
  }
  return { kind, beginsGroup: (what & BEGINS_GROUP) !== 0, bodyAt: at + FRAME_BYTES, end }
}

export function isRecord(frame: Frame): frame is RecordFrame {
  return frame.kind !== 'bad' && frame.kind !== 'short' && frame.kind !== 'newer'
}

/** Throws LOG_CORRUPT when a body whose checksum held says something else than records of this version do. */
export function readRecord(buffer: Buffer, frame: Frame): DiskRecord {
  if (!isRecord(frame)) throw corrupt(frame.kind)
  try {
    return readBody(frame.kind, new ByteReader(buffer, frame.bodyAt, frame.end))
  } catch (error) {
    throw corrupt(`${frame.kind}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Of a record of kind `entry`, without its event. */
export function readEntryHead(buffer: Buffer, frame: { readonly bodyAt: number; readonly end: number }): EntryHead {
  const reader = new ByteReader(buffer, frame.bodyAt, frame.end)
  return { log: reader.number(), position: reader.number(), bytes: reader.number() }
}

/** Of a record of kind `entry`, epoch milliseconds. */
export function readArrivedAt(buffer: Buffer, frame: { readonly bodyAt: number; readonly end: number }): number {
  const reader = new ByteReader(buffer, frame.bodyAt, frame.end)
  for (let skipped = 0; skipped < 3; skipped++) reader.number()
  return reader.number()
}

function startFrame(writer: ByteWriter): number {
  writer.reserve(FRAME_BYTES)
  writer.at += FRAME_BYTES
  return writer.at
}

function endFrame(writer: ByteWriter, bodyAt: number, markAndKind: number, seed: number): void {
  const { buffer, at } = writer
  const length = at - bodyAt
  const frameAt = bodyAt - FRAME_BYTES
  if (length > MAX_BODY_BYTES) {
    writer.at = frameAt
    throw new EventingError('EVENT_TOO_LARGE', `a record of ${length} bytes, at most ${MAX_BODY_BYTES} are stored`)
  }
  buffer.writeUInt32LE(length, frameAt + 4)
  buffer.writeUInt16LE(lengthCheck(length, seed), frameAt + 8)
  buffer[frameAt + 10] = (RECORD_VERSION << 4) | markAndKind
  buffer.writeUInt32LE(crc32(buffer.subarray(frameAt + 4, at), seed), frameAt)
}

/** So that a search for records tells at most bytes that none begins there, without a checksum over what follows. */
function lengthCheck(length: number, seed: number): number {
  return Math.imul(length ^ seed, 0x9e3779b1) >>> 16
}

function writeBody(writer: ByteWriter, record: DiskRecord): void {
  if (record.kind !== 'put' && record.kind !== 'delete') return writeLogBody(writer, record)
  writer.text(record.key)
  if (record.kind === 'put') writer.text(record.value)
}

function writeLogBody(writer: ByteWriter, record: LogRecord): void {
  writer.number(record.log)
  switch (record.kind) {
    case 'entry':
      writer.number(record.position)
      writer.number(record.bytes)
      return writeEvent(writer, record.event)
    case 'open':
      writer.text(record.uid)
      return writer.text(record.name)
    case 'remove':
      return
    case 'create':
      writer.text(record.id)
      return writer.number(record.floor)
    case 'drop':
      return writer.text(record.id)
    case 'expire':
      return writer.number(record.before)
    case 'save':
      writer.number(record.base)
      writer.number(record.put.size)
      for (const [id, { floor, state }] of record.put) {
        writer.text(id)
        writer.number(floor)
        writer.bytes(state)
      }
      writer.number(record.covered.length)
      for (const id of record.covered) writer.text(id)
  }
}

function readBody(kind: Kind, reader: ByteReader): DiskRecord {
  if (kind === 'put') return { kind, key: reader.text(), value: reader.text() }
  if (kind === 'delete') return { kind, key: reader.text() }
  const log = reader.number()
  switch (kind) {
    case 'entry':
      return { kind, log, position: reader.number(), bytes: reader.number(), event: readEvent(reader) }
    case 'open':
      return { kind, log, uid: reader.text(), name: reader.text() }
    case 'remove':
      return { kind, log }
    case 'create':
      return { kind, log, id: reader.text(), floor: reader.number() }
    case 'drop':
      return { kind, log, id: reader.text() }
    case 'expire':
      return { kind, log, before: reader.number() }
    case 'save': {
      const base = reader.number()
      const put = new Map<CursorId, Cursor>()
      for (let left = reader.number(); left > 0; left--) {
        put.set(reader.text(), { floor: reader.number(), state: reader.bytes() })
      }
      const covered = Array.from({ length: reader.number() }, () => reader.text())
      return { kind, log, base, put, covered }
    }
  }
}

function writeEvent(writer: ByteWriter, { attributes, headers, data, arrivedAt }: Event): void {
  writer.number(arrivedAt)
  const names = Object.keys(attributes)
  writer.number(names.length)
  for (const name of names) {
    writer.text(name)
    writer.text(attributes[name] as string)
  }
  writer.number(headers.length)
  for (const text of headers) writer.text(text)
  writer.byte(data ? 1 : 0)
  if (data) writer.bytes(data)
}

function readEvent(reader: ByteReader): Event {
  const arrivedAt = reader.number()
  const attributes: Record<string, string> = {}
  for (let left = reader.number(); left > 0; left--) attributes[reader.text()] = reader.text()
  const headers: string[] = []
  for (let left = reader.number(); left > 0; left--) headers.push(reader.text())
  const data = reader.byte() === 1 ? reader.bytes() : undefined
  return { attributes, headers, data, arrivedAt }
}

function corrupt(what: string): EventingError {
  return new EventingError('LOG_CORRUPT', `record: ${what}`)
}
