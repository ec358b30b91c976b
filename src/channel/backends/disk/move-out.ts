// Copies what logs still need of a journal segment that has to go to files of their own. Only what is needed is read. A
// log that gets little at a time does not get a file for each: small files are joined to the next larger one, so that a log
// has few files and an entry is copied few times.
import { EventingError } from '../../../core/errors.ts'
import { Heap } from '../../../core/heap.ts'
import type { Position } from '../../log.ts'
import { type BacklogSegment, type BacklogWriter, pointAt, removeSegment, writeBacklog } from './backlog.ts'
import { type JournalSegment, LOCATION_SCALE, type Location } from './journal.ts'
import type { LogState } from './log-state.ts'
import type { MaintenanceOptions } from './maintenance.ts'
import { BLOCK_BYTES, frameIn, readBlock, SPARE_BYTES } from './reader.ts'
import { type EntryHead, frameAt, readEntryHead } from './record.ts'
import { type Scanned, scanSegment } from './segment.ts'

type Options = Pick<MaintenanceOptions, 'disk' | 'folders' | 'states' | 'stateOf' | 'reserve' | 'joinBytes' | 'fault'>

/** What is needed so close behind is read in one go. */
const NEAR_BYTES = 16_384

/** What one log needs of the segment, and where it comes to stand. */
interface Move {
  readonly state: LogState
  /** The position after the last of the log's entries in the segment. */
  readonly end: Position
  /** Next to be copied, and where it stands. */
  position: Position
  location: Location
  /** Backlog segments, the log's last, that the new one will stand for. */
  readonly joined: readonly BacklogSegment[]
  /** Once there is something to write. */
  writer: BacklogWriter | undefined
}

/**
 * The logs read it from there once it resolves. Returns the backlog segments that nothing is read from any more: they may
 * go as soon as no checkpoint names them.
 */
export async function moveOut(options: Options, from: JournalSegment): Promise<readonly BacklogSegment[]> {
  const moves = [...options.states()].flatMap((state) => moveOf(options, state, from) ?? [])
  const finished: { readonly state: LogState; readonly segment: BacklogSegment; readonly move: Move }[] = []
  try {
    for (const move of moves) for (const segment of move.joined) await copyBacklog(options, move, segment)
    await copyEntries(options, moves, from)
    for (const move of moves) {
      if (move.writer) finished.push({ state: move.state, segment: await move.writer.finish(), move })
    }
    if (finished.length > 0) await options.disk.syncFolder(options.folders.backlog)
  } catch (error) {
    for (const { writer } of moves) await writer?.discard().catch(() => undefined)
    throw error
  }
  const replaced: BacklogSegment[] = []
  for (const { state, segment, move } of finished) {
    if (options.stateOf(state.number) !== state) {
      await removeSegment(options.disk, segment)
      continue
    }
    replaced.push(...move.joined.filter((old) => state.backlog.includes(old)))
    state.moveToBacklog(segment, move.joined)
  }
  return replaced
}

function moveOf({ reserve, joinBytes }: Options, state: LogState, from: JournalSegment): Move | undefined {
  const { number } = from.header
  // What is settled is worth no room on a full disk.
  if (!reserve.isHeld) state.freeSettledIn(number)
  if (!state.needs(number)) return undefined
  const { index } = state
  const position = index.next(state.start)
  let end = position
  let bytes = 0
  while (end < index.end && index.location(end) < (number + 1) * LOCATION_SCALE) bytes += index.bytes(end++)
  const joined = reserve.isHeld ? joinable(state, bytes, joinBytes) : []
  return { state, end, position, location: index.location(position), joined, writer: undefined }
}

/** The last backlog segments, as far as they are not much larger than what comes after them. */
function joinable({ backlog }: LogState, bytes: number, joinBytes: number): readonly BacklogSegment[] {
  let at = backlog.length
  for (let total = bytes; at > 0; at--) {
    const { bytes: more } = backlog[at - 1] as BacklogSegment
    if (more > 2 * total || total + more > joinBytes) break
    total += more
  }
  return backlog.slice(at)
}

async function copyBacklog(options: Options, move: Move, old: BacklogSegment): Promise<void> {
  const { state } = move
  const { segment, points, recordsEnd } = old
  const from = points[pointAt(old, state.start)]?.offset ?? recordsEnd
  const copy = (scanned: Scanned): void | Promise<void> => {
    const head = readEntryHead(scanned.buffer, scanned.frame)
    return head.position < state.start ? undefined : add(options, move, scanned, head)
  }
  try {
    await scanSegment(segment, from, recordsEnd, copy, ({ from: start, to }) =>
      tellDamage(options, `${segment.path}: damaged from ${start} to ${to}`),
    )
  } catch (error) {
    // It was freed, or its log removed, while it was being read.
    if (state.backlog.includes(old) && options.stateOf(state.number) === state) throw error
  }
}

/** In the order in which they stand in the journal, whosever they are. */
async function copyEntries(options: Options, moves: readonly Move[], from: JournalSegment): Promise<void> {
  const segmentAt = from.header.number * LOCATION_SCALE
  const queue = new Heap<Move>((move) => move.location)
  for (const move of moves) queue.push(move)
  let block: Buffer = Buffer.alloc(0)
  let blockAt = 0
  for (let move = queue.pop(); move; move = queue.pop()) {
    const { state, position, location } = move
    const isWanted = options.stateOf(state.number) === state && state.index.location(position) === location
    const needed = state.index.bytes(position) + SPARE_BYTES
    if (advance(move)) queue.push(move)
    if (!isWanted) continue
    const at = location - segmentAt
    if (at < blockAt || at + needed > blockAt + block.length) {
      const gap = (queue.peek()?.location ?? Infinity) - location - needed
      blockAt = at
      block = await readBlock(from, at, gap < NEAR_BYTES ? Math.max(BLOCK_BYTES, needed) : needed)
    }
    let buffer = block
    let frame = frameAt(block, at - blockAt, from.header.seed)
    if (frame.kind === 'short') ({ frame, bytes: buffer } = await frameIn(from, block, blockAt, at - blockAt))
    const head = frame.kind === 'entry' ? readEntryHead(buffer, frame) : undefined
    if (frame.kind === 'entry' && head?.log === state.number && head.position === position) {
      const added = add(options, move, { buffer, frame }, head)
      if (added) await added
      continue
    }
    tellDamage(options, `${from.path}: no entry at ${at}, ${state.name} lost: ${position}`)
    state.lose(position)
  }
}

/** False after the last entry. */
function advance(move: Move): boolean {
  const { index } = move.state
  move.position = index.next(move.position + 1)
  if (move.position >= move.end) return false
  move.location = index.location(move.position)
  return true
}

type Copied = Pick<Scanned, 'buffer' | 'frame'>

/** Only now and then there is something to wait for. */
function add(options: Options, move: Move, record: Copied, head: EntryHead): void | Promise<void> {
  return move.writer ? move.writer.add(record, head) : addFirst(options, move, record, head)
}

async function addFirst({ disk, folders }: Options, move: Move, record: Copied, head: EntryHead): Promise<void> {
  move.writer = await writeBacklog(disk, folders.backlog, { log: head.log, first: head.position, end: move.end })
  await move.writer.add(record, head)
}

function tellDamage({ fault }: Options, text: string): void {
  fault('shorten the journal', new EventingError('LOG_CORRUPT', text))
}
