// All that the journal said up to a place in it, in one file: a recovery reads this and the journal after it. It is
// replaced as a whole, and only then do journal segments go whose records it stands for.
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { EventingError } from '../../../core/errors.ts'
import type { CursorId, Position } from '../../log.ts'
import type { BacklogRange } from './backlog.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Disk, ReadableDisk } from './disk.ts'
import { LOST } from './entry-index.ts'
import type { Location } from './journal.ts'
import type { LogState, PositionRange } from './log-state.ts'
import type { LogNumber } from './record.ts'

export interface CheckpointLog {
  readonly number: LogNumber
  readonly uid: string
  readonly name: string
  readonly isLost: boolean
  readonly base: Position
  readonly start: Position
  readonly end: Position
  readonly cursors: readonly {
    readonly id: CursorId
    readonly floor: Position
    readonly state: Uint8Array | undefined
  }[]
  readonly backlog: readonly BacklogRange[]
  /** Of the journal. */
  readonly first: Position
  readonly afterLast: Position
  readonly lost: number
  readonly voids: readonly PositionRange[]
  /** Those that are not lost, in order; decoded anew each time, as there may be millions. */
  readonly entries: Iterable<CheckpointEntry>
}

export interface CheckpointEntry {
  readonly position: Position
  readonly location: Location
  readonly bytes: number
}

export interface Checkpoint {
  /** Of its format. */
  readonly version: number
  /** All records before it are in the checkpoint. */
  readonly replayFrom: Location
  /** The oldest journal segment in which anything stands that is still needed. */
  readonly firstSegment: number
  readonly nextLog: LogNumber
  readonly logs: readonly CheckpointLog[]
  readonly values: readonly (readonly [key: string, value: string])[]
}

const MAGIC = 'TIDC'
/** Version 1 had no values; neither 1 nor 2 had voids, and none of the journal's records told where groups begin. */
const VERSION = 3
/** Version 1, which no release wrote, had no values, and so no uids. */
const OLDEST_VERSION = 2
/** magic 4, version u8, crc32 of what follows u32. */
const HEADER_BYTES = 9

export function checkpointFile(folder: string): string {
  return path.join(folder, 'checkpoint')
}

/** Resolves when the file is the directory's checkpoint whatever happens next. */
export async function storeCheckpoint(disk: Disk, folder: string, bytes: Buffer): Promise<void> {
  const file = checkpointFile(folder)
  const draft = `${file}.new`
  await disk.remove(draft)
  const handle = await disk.create(draft)
  try {
    await handle.write(bytes, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await disk.rename(draft, file)
  await disk.syncFolder(folder)
}

/** undefined when there is none. Throws LOG_CORRUPT when it is not one. */
export async function loadCheckpoint(disk: ReadableDisk, folder: string): Promise<Checkpoint | undefined> {
  const file = checkpointFile(folder)
  const bytes = await disk.readAll(file)
  return bytes && readCheckpoint(file, bytes)
}

/** Throws LOG_CORRUPT when the file's bytes are not a checkpoint. */
export function readCheckpoint(file: string, bytes: Buffer): Checkpoint {
  try {
    return decodeCheckpoint(bytes)
  } catch (error) {
    throw new EventingError('LOG_CORRUPT', `${file}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

/** Takes what is true at one moment: nothing may change the logs meanwhile, and nothing can, as it does not wait. */
export function encodeCheckpoint(
  about: Pick<Checkpoint, 'replayFrom' | 'firstSegment' | 'nextLog'>,
  logs: Iterable<LogState>,
  values: ReadonlyMap<string, string>,
): Buffer {
  const writer = new ByteWriter(65_536)
  writer.at = HEADER_BYTES
  for (const value of [about.replayFrom, about.firstSegment, about.nextLog]) writer.number(value)
  const all = [...logs]
  writer.number(all.length)
  for (const log of all) writeLog(writer, log)
  writer.number(values.size)
  for (const [key, value] of values) {
    writer.text(key)
    writer.text(value)
  }
  writer.buffer.write(MAGIC, 0, 'latin1')
  writer.buffer[4] = VERSION
  writer.buffer.writeUInt32LE(crc32(writer.buffer.subarray(HEADER_BYTES, writer.at)), 5)
  return writer.written()
}

function writeLog(writer: ByteWriter, log: LogState): void {
  writer.number(log.number)
  writer.text(log.uid)
  writer.text(log.name)
  writer.byte(log.isLost ? 1 : 0)
  for (const position of [log.base, log.start, log.end]) writer.number(position)
  writer.number(log.cursors.size)
  for (const [id, { record }] of log.cursors) {
    writer.text(id)
    writer.number(record?.floor ?? 0)
    writer.byte(record ? 1 : 0)
    if (record) writer.bytes(record.state)
  }
  const ranges = log.ranges()
  writer.number(ranges.length)
  for (const { first, end, bytes } of ranges) for (const value of [first, end, bytes]) writer.number(value)
  writeEntries(writer, log)
  const voids = log.voids.filter(({ to }) => to > log.start)
  writer.number(voids.length)
  for (const { from, to } of voids) for (const value of [from, to]) writer.number(value)
}

/** Locations grow with positions, so each is told by its distance from the one before; 0 for one that is lost. */
function writeEntries(writer: ByteWriter, { index }: LogState): void {
  writer.number(index.first)
  writer.number(index.end - index.first)
  let last = 0
  for (let position = index.first; position < index.end; position++) {
    const location = index.location(position)
    if (location === LOST) {
      writer.number(0)
      continue
    }
    writer.number(location - last)
    writer.number(index.bytes(position))
    last = location
  }
}

function decodeCheckpoint(bytes: Buffer): Checkpoint {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC) throw new RangeError('not a checkpoint')
  const version = bytes[4] as number
  if (version < OLDEST_VERSION || version > VERSION) {
    const said = `format version ${version}, where this program reads ${OLDEST_VERSION} to ${VERSION}`
    throw new RangeError(`${said}: start the program that wrote it, or a newer one`)
  }
  if (crc32(bytes.subarray(HEADER_BYTES)) !== bytes.readUInt32LE(5)) throw new RangeError('its checksum is another')
  const reader = new ByteReader(bytes, HEADER_BYTES)
  return {
    version,
    replayFrom: reader.number(),
    firstSegment: reader.number(),
    nextLog: reader.number(),
    logs: Array.from({ length: reader.number() }, () => readLog(reader, version)),
    values: Array.from({ length: reader.number() }, () => [reader.text(), reader.text()] as const),
  }
}

function readLog(reader: ByteReader, version: number): CheckpointLog {
  const number = reader.number()
  return {
    number,
    uid: reader.text(),
    name: reader.text(),
    isLost: reader.byte() === 1,
    base: reader.number(),
    start: reader.number(),
    end: reader.number(),
    cursors: Array.from({ length: reader.number() }, () => ({
      id: reader.text(),
      floor: reader.number(),
      state: reader.byte() === 1 ? reader.bytes() : undefined,
    })),
    backlog: Array.from({ length: reader.number() }, () => ({
      log: number,
      first: reader.number(),
      end: reader.number(),
      bytes: reader.number(),
    })),
    ...readEntries(reader),
    voids:
      version < 3
        ? []
        : Array.from({ length: reader.number() }, () => ({ from: reader.number(), to: reader.number() })),
  }
}

function readEntries(reader: ByteReader): Pick<CheckpointLog, 'first' | 'afterLast' | 'lost' | 'entries'> {
  const first = reader.number()
  const afterLast = first + reader.number()
  const again = reader.copy()
  let stored = 0
  for (const _entry of entriesFrom(reader, first, afterLast)) stored++
  return {
    first,
    afterLast,
    lost: afterLast - first - stored,
    entries: { [Symbol.iterator]: () => entriesFrom(again.copy(), first, afterLast) },
  }
}

function* entriesFrom(reader: ByteReader, first: Position, afterLast: Position): Generator<CheckpointEntry, void> {
  let location = 0
  for (let position = first; position < afterLast; position++) {
    const distance = reader.number()
    if (distance === 0) continue
    location += distance
    yield { position, location, bytes: reader.number() }
  }
}
