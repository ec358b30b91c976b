// Entries of one log from its files, a block at a time. What cannot be read because it is damaged is reported, counts as
// lost and is passed; what cannot be read because the disk does not answer may be tried again.
import { EventingError } from '../../../core/errors.ts'
import type { Batch, Entry, Position } from '../../log.ts'
import type { BacklogSegment, Point } from './backlog.ts'
import { pointAt } from './backlog.ts'
import { LOST } from './entry-index.ts'
import { type Journal, LOCATION_SCALE } from './journal.ts'
import type { LogState } from './log-state.ts'
import { FRAME_BYTES, type Frame, frameAt, isRecord, MAX_BODY_BYTES, readRecord } from './record.ts'
import { type Scanned, type Segment, scanSegment } from './segment.ts'

export const BLOCK_BYTES = 262_144
/** What a record may take beyond what its event counts as: nothing, but for text of several bytes a character. */
export const SPARE_BYTES = 64

export interface Source {
  readonly state: LogState
  readonly journal: Journal
  readonly fault: (what: string, error: unknown) => void
}

/**
 * Entries that stand together, from `from` on, at most `most`; possibly none, where some were lost. The log holds `from`.
 * Rejects with LOG_UNAVAILABLE (retryable).
 */
export async function readFiles(source: Source, from: Position, most: number): Promise<Batch> {
  for (let attempt = 1; ; attempt++) {
    const backlog = source.state.backlogAt(from)
    try {
      return backlog ? await readBacklog(source, backlog, from, most) : await readJournal(source, from, most)
    } catch (error) {
      // It was being read while it moved into the backlog, or was freed: it stands elsewhere now.
      if (attempt === 1 && (source.state.backlogAt(from) !== backlog || from < source.state.start)) continue
      if (error instanceof EventingError) throw error
      const text = error instanceof Error ? error.message : String(error)
      throw new EventingError('LOG_UNAVAILABLE', `${source.state.name}: read at ${from}: ${text}`, {
        retryable: true,
        cause: error,
      })
    }
  }
}

async function readJournal(source: Source, from: Position, most: number): Promise<Batch> {
  const { index, end } = source.state
  const first = index.next(from)
  if (first >= index.end) return { entries: [], next: Math.max(end, from) }
  const location = index.location(first)
  const number = Math.floor(location / LOCATION_SCALE)
  const segment = source.journal.segment(number)
  const blockAt = location % LOCATION_SCALE
  /** Those of the block, by position and place in it. */
  const wanted: { readonly position: Position; readonly at: number }[] = []
  let length = 0
  for (let position = first; position < index.end && wanted.length < most; position++) {
    const at = index.location(position)
    if (at === LOST) continue
    const inBlock = at - location
    if (at >= (number + 1) * LOCATION_SCALE || inBlock >= BLOCK_BYTES) break
    wanted.push({ position, at: inBlock })
    length = inBlock + Math.min(index.bytes(position) + SPARE_BYTES, BLOCK_BYTES)
  }
  const next = (wanted.at(-1)?.position ?? first) + 1
  if (!segment) {
    lose(source, wanted, `journal segment ${number} is gone`)
    return { entries: [], next }
  }
  const block = await readBlock(segment, blockAt, length)
  const entries: Entry[] = []
  for (const { position, at } of wanted) {
    const { frame, bytes } = await frameIn(segment, block, blockAt, at)
    const entry = entryIn(bytes, frame, source.state.number, position)
    if (entry) entries.push(entry)
    else lose(source, [{ position }], `${segment.path}: no entry at ${blockAt + at}`)
  }
  return { entries, next }
}

async function readBacklog(source: Source, backlog: BacklogSegment, from: Position, most: number): Promise<Batch> {
  const { segment, points } = backlog
  const point = points[pointAt(backlog, from)] as Point
  const block = await readBlock(segment, point.offset, Math.min(BLOCK_BYTES, backlog.recordsEnd - point.offset))
  const entries: Entry[] = []
  let next = from
  for (let at = 0; point.offset + at < backlog.recordsEnd && entries.length < most; ) {
    // A record that the block has only the beginning of is read by itself, unless there is something to hand out already.
    const isCut = frameAt(block, at, segment.header.seed).kind === 'short'
    if (isCut && entries.length > 0) return { entries, next }
    const { frame, bytes } = await frameIn(segment, block, point.offset, at)
    if (!isRecord(frame)) {
      return entries.length > 0 ? { entries, next } : readAround(source, backlog, point.offset + at, from, most)
    }
    const record = readRecord(bytes, frame)
    at += FRAME_BYTES + frame.end - frame.bodyAt
    if (record.kind !== 'entry' || record.position < from) continue
    entries.push({ position: record.position, event: record.event, bytes: record.bytes })
    next = record.position + 1
  }
  const isAtEnd = entries.length < most
  return { entries, next: isAtEnd ? backlog.end : next }
}

/** From a damaged place to the next point: what is between them is searched for records, and all that there are is read. */
async function readAround(
  source: Source,
  { segment, points, recordsEnd, end }: BacklogSegment,
  offset: number,
  from: Position,
  most: number,
): Promise<Batch> {
  const resumed = points.find((point) => point.offset > offset)
  const to = resumed?.offset ?? recordsEnd
  const entries: Entry[] = []
  const found = ({ buffer, frame }: Scanned): void => {
    const record = readRecord(buffer, frame)
    if (record.kind !== 'entry' || record.position < from || entries.length === most) return
    entries.push({ position: record.position, event: record.event, bytes: record.bytes })
  }
  const tell = (start: number, stop: number): void =>
    source.fault(
      'read the backlog',
      new EventingError('LOG_CORRUPT', `${segment.path}: damaged from ${start} to ${stop}`),
    )
  const goodEnd = await scanSegment(segment, offset, to, found, (damage) => tell(damage.from, damage.to))
  if (goodEnd < to) tell(goodEnd, to)
  const last = entries.length === most ? entries.at(-1) : undefined
  return { entries, next: last ? last.position + 1 : (resumed?.position ?? end) }
}

export async function readBlock(segment: Segment, at: number, bytes: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(bytes)
  return block.subarray(0, await segment.file.read(block, at))
}

/** The record at a place of the block, read by itself where the block has only its beginning. */
export async function frameIn(
  segment: Segment,
  block: Buffer,
  blockAt: number,
  at: number,
): Promise<{ readonly frame: Frame; readonly bytes: Buffer }> {
  const { seed } = segment.header
  let bytes = block
  let frame = frameAt(bytes, at, seed)
  // Once for the length of its head, once for its body.
  for (let round = 0; round < 2 && frame.kind === 'short'; round++) {
    const length = frame.end - (bytes === block ? at : 0)
    if (length > MAX_BODY_BYTES + FRAME_BYTES) break
    bytes = await readBlock(segment, blockAt + at, length)
    frame = frameAt(bytes, 0, seed)
  }
  return { frame, bytes }
}

function entryIn(bytes: Buffer, frame: Frame, log: number, position: Position): Entry | undefined {
  if (frame.kind !== 'entry') return undefined
  const record = readRecord(bytes, frame)
  if (record.kind !== 'entry' || record.log !== log || record.position !== position) return undefined
  return { position, event: record.event, bytes: record.bytes }
}

function lose(source: Source, lost: readonly { readonly position: Position }[], what: string): void {
  const { name } = source.state
  const positions = lost.map(({ position }) => position)
  source.fault('read the journal', new EventingError('LOG_CORRUPT', `${name}: ${what}, lost: ${positions.join(', ')}`))
  for (const position of positions) source.state.lose(position)
}
