// A data directory as it stands at one moment, for whoever only looks: in use or not, nothing in it is changed and nobody
// is asked. All files are opened before any is read, so that what the owner deletes meanwhile can be read to its end.
import path from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import { type BacklogRange, findBacklog } from './backlog.ts'
import { type Checkpoint, checkpointFile, readCheckpoint } from './checkpoint.ts'
import { type DiskFile, type ReadableDisk, systemCode } from './disk.ts'
import { type JournalSegment, segmentFile } from './journal.ts'
import { foldersOf, gapsIn, journalNumbers, setEnds } from './recovery.ts'
import { type Damage, HEADER_BYTES, openSegment, type Segment, scanSegment } from './segment.ts'

/** A file of the journal or the backlog. */
interface ViewedFile {
  readonly path: string
  /** When it was opened: what was acknowledged by then stands before it. */
  readonly size: number
}

export interface ViewedJournal extends ViewedFile {
  readonly number: number
  /** undefined when the file does not begin with a header. What follows its `end` was never acknowledged. */
  readonly segment: JournalSegment | undefined
}

export interface ViewedBacklog extends ViewedFile {
  readonly range: BacklogRange
  /** undefined when the file is gone, or does not begin with a header. */
  readonly segment: Segment | undefined
  readonly isGone: boolean
}

export interface View {
  readonly dir: string
  /** undefined when there is none yet. */
  readonly checkpoint: Checkpoint | undefined
  readonly checkpointBytes: Buffer | undefined
  /** From the oldest that the checkpoint needs, in order. */
  readonly journal: readonly ViewedJournal[]
  /** Numbers of journal files that should be there and are not. */
  readonly gaps: readonly number[]
  /** What the checkpoint names, in the order of logs and positions. */
  readonly backlog: readonly ViewedBacklog[]
  /** Files that no start would read. */
  readonly unused: readonly string[]
  /** Who has the directory, or had it when it crashed: names of files. */
  readonly locks: readonly string[]
  close(): Promise<void>
}

/** An owner replaces its checkpoint seldom: this many times in a row is a fault of ours, or of the disk. */
const TRIES = 100
/** A group is with the system in less. */
const HALF_SEEN_MS = 200

/**
 * Rejects with LOG_LOST when there is no data directory, LOG_CORRUPT when its checkpoint cannot be read or a newer program
 * wrote it, LOG_UNAVAILABLE when the disk does not answer.
 */
export async function openView(disk: ReadableDisk, dir: string, clock: Clock): Promise<View> {
  for (let left = TRIES; left > 0; left--) {
    const bytes = await disk.readAll(checkpointFile(dir))
    const { view, isWhole } = await openOnce(disk, dir, bytes, clock).catch((error: unknown) => {
      throw told(dir, error)
    })
    // What is missing though the checkpoint is the same was freed without a word to it, or is lost: the cursors tell.
    if (isWhole || isSame(bytes, await disk.readAll(checkpointFile(dir)))) return view
    await view.close()
  }
  throw new EventingError('LOG_UNAVAILABLE', `${dir}: it changes faster than it can be looked at`, { retryable: true })
}

async function openOnce(
  disk: ReadableDisk,
  dir: string,
  bytes: Buffer | undefined,
  clock: Clock,
): Promise<{ readonly view: View; readonly isWhole: boolean }> {
  const folders = foldersOf(dir)
  const checkpoint = bytes && readCheckpoint(checkpointFile(dir), bytes)
  const files: DiskFile[] = []
  let isWhole = true

  async function close(): Promise<void> {
    for (const file of files) await file.close().catch(() => undefined)
  }

  /** undefined when it is gone, or does not begin with a header. */
  async function openFile(file: string): Promise<Segment | undefined> {
    try {
      const segment = await openSegment(disk, file)
      if (segment) files.push(segment.file)
      return segment
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      isWhole = false
      return undefined
    }
  }

  /** Before the journal: what was freed by then has its reason in the part of the journal that is read. */
  async function openBacklogs(): Promise<ViewedBacklog[]> {
    const ranges = (checkpoint?.logs ?? []).flatMap(({ backlog }) => backlog)
    const found: ViewedBacklog[] = []
    for (const range of ranges) {
      const file = await findBacklog(disk, folders.backlog, range)
      const segment = await openFile(file)
      const size = (await segment?.file.size()) ?? 0
      const isGone = segment === undefined && (await disk.sizeOf(file)) === undefined
      found.push({ path: file, range, segment, size, isGone })
    }
    return found
  }

  async function openJournals(): Promise<ViewedJournal[]> {
    const found: ViewedJournal[] = []
    for (const name of (await disk.list(folders.journal)).toSorted()) {
      const number = Number.parseInt(name, 10)
      const file = segmentFile(folders.journal, number)
      if (name !== path.basename(file) || number < (checkpoint?.firstSegment ?? 1)) continue
      const segment = await openFile(file)
      const size = (await segment?.file.size()) ?? (await disk.sizeOf(file)) ?? 0
      found.push({ path: file, number, size, segment: segment && { ...segment, end: size } })
    }
    const segments = found.flatMap(({ segment }) => segment ?? [])
    setEnds(segments)
    for (const segment of segments) {
      if (isWrittenLast(segments, segment)) segment.end = await endOfRecords(segment, clock)
    }
    return found
  }

  try {
    const backlog = await openBacklogs()
    const journal = await openJournals()
    const numbers = await journalNumbers(disk, folders)
    const gaps = gapsIn(numbers, checkpoint)
    const view: View = {
      dir,
      checkpoint,
      checkpointBytes: bytes,
      backlog,
      journal,
      gaps,
      unused: await unusedIn(disk, dir, new Set([...backlog, ...journal].map((file) => file.path))),
      locks: (await disk.list(dir)).filter((name) => name.endsWith('.lock')),
      close,
    }
    return { view, isWhole: isWhole && gaps.length === 0 && hasAllFrom(checkpoint?.firstSegment ?? 1, numbers) }
  } catch (error) {
    await close()
    throw error
  }
}

function hasAllFrom(first: number, numbers: readonly number[]): boolean {
  const last = numbers.at(-1) ?? first
  for (let number = first; number <= last; number++) if (!numbers.includes(number)) return false
  return true
}

/** Nothing but its records says where it ends. */
export function isWrittenLast(segments: readonly JournalSegment[], { header }: JournalSegment): boolean {
  return !segments.some((next) => next.header.number === header.number + 1)
}

/**
 * Of a segment that may be written at this moment. A group that is half seen, its end before its beginning, looks like
 * damage: what is still there after a while is.
 */
export async function endOfRecords(segment: JournalSegment, clock: Clock): Promise<number> {
  let before: number | undefined
  for (let left = TRIES; ; left--) {
    let damagedAt: number | undefined
    const damaged = ({ from }: Damage): void => {
      damagedAt = from
    }
    const end = await scanSegment(segment, HEADER_BYTES, segment.end, () => undefined, damaged)
    if (damagedAt === undefined || damagedAt === before || left === 0) return end
    before = damagedAt
    await clock.sleep(HALF_SEEN_MS)
  }
}

async function unusedIn(disk: ReadableDisk, dir: string, used: ReadonlySet<string>): Promise<string[]> {
  const { journal, backlog } = foldersOf(dir)
  const unused: string[] = []
  for (const folder of [journal, backlog]) {
    for (const name of await disk.list(folder)) {
      const file = path.join(folder, name)
      if (!used.has(file)) unused.push(file)
    }
  }
  return unused.sort()
}

function told(dir: string, error: unknown): unknown {
  const code = systemCode(error)
  if (error instanceof EventingError || code === undefined) return error
  if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    return new EventingError('LOG_UNAVAILABLE', (error as Error).message, { retryable: true, cause: error })
  }
  return new EventingError('LOG_LOST', `${dir}: this is no data directory: it has no folders journal and backlog`)
}

function isSame(before: Buffer | undefined, after: Buffer | undefined): boolean {
  return before && after ? before.equals(after) : before === after
}
