// From the files of a data directory to the state of its logs: the checkpoint, then every record of the journal after
// it. A tail that was cut short is what a crash leaves and is cut silently; damage with records after it is reported, and
// all that can be read is kept.
import path from 'node:path'
import { EventingError } from '../../../core/errors.ts'
import type { Position } from '../../log.ts'
import { type BacklogRange, findBacklog, openBacklog } from './backlog.ts'
import { type Checkpoint, type CheckpointLog, loadCheckpoint } from './checkpoint.ts'
import { applyRecord, type DirectoryState, emptyDirectory, logStateOf } from './directory-state.ts'
import type { Disk, ReadableDisk } from './disk.ts'
import { type JournalSegment, LOCATION_SCALE, type Location, segmentFile } from './journal.ts'
import type { LogState, PositionRange } from './log-state.ts'
import { readEntryHead, readRecord } from './record.ts'
import { HEADER_BYTES, openSegment, type Scanned, type Segment, scanSegment } from './segment.ts'

export interface Folders {
  readonly root: string
  readonly journal: string
  readonly backlog: string
}

export interface Recovered extends DirectoryState {
  readonly segments: JournalSegment[]
  /** The power went while the last group was being stored: a part of it is there, behind one that is not. */
  readonly isTorn: boolean
  /** Of the next journal segment. */
  readonly nextSegment: number
  /** Files that hold nothing any more, or never did. */
  readonly obsolete: string[]
  /** Files that are none of ours any more, to be set aside. */
  readonly damaged: string[]
}

interface Recovery extends Recovered {
  readonly disk: Disk
  /** Files that the checkpoint names and that are not there, and where what they held ends. */
  readonly missing: { readonly state: LogState; readonly file: string; readonly end: Position }[]
  readonly folders: Folders
  readonly fault: (what: string, error: unknown) => void
  /** Positions that an entry was found behind, and where that stands. */
  readonly skipped: { readonly state: LogState; readonly range: PositionRange; readonly location: Location }[]
  nextSegment: number
  isTorn: boolean
}

const WHAT = 'recover the data directory'
/** Those that were set aside too: they are not missing. */
const JOURNAL_NAME = /^\d{10}\.journal(\.damaged)?$/

export function foldersOf(root: string): Folders {
  return { root, journal: path.join(root, 'journal'), backlog: path.join(root, 'backlog') }
}

/**
 * Only reads: what a newer program wrote, or nobody can make sense of, stays as it is. Rejects with LOG_CORRUPT when the
 * checkpoint cannot be read, and with LOG_LOST when journal files are missing that may say anything: nothing is made anew
 * in their place.
 */
export async function recover(
  disk: Disk,
  folders: Folders,
  fault: (what: string, error: unknown) => void,
): Promise<Recovered> {
  const checkpoint = await loadCheckpoint(disk, folders.root)
  const numbers = await journalNumbers(disk, folders)
  const replayFrom = checkpoint?.replayFrom ?? LOCATION_SCALE + HEADER_BYTES
  const firstSegment = checkpoint?.firstSegment ?? 1
  refuseGaps(folders, numbers, checkpoint)
  const recovery: Recovery = {
    disk,
    folders,
    fault,
    missing: [],
    ...emptyDirectory(),
    nextLog: checkpoint?.nextLog ?? 1,
    nextSegment: (numbers.at(-1) ?? 0) + 1,
    segments: [],
    isTorn: false,
    skipped: [],
    obsolete: [],
    damaged: [],
  }
  try {
    await openJournalSegments(recovery, numbers, firstSegment)
    for (const log of checkpoint?.logs ?? []) await restore(recovery, log)
    for (const [key, value] of checkpoint?.values ?? []) recovery.values.apply({ kind: 'put', key, value })
    await replay(recovery, replayFrom)
  } catch (error) {
    await closeRecovered(recovery)
    throw error
  }
  tellMissing(recovery)
  for (const state of recovery.logs.values()) {
    state.claimEnd()
    state.settle(Infinity)
  }
  return recovery
}

/** What the start found is on the disk, and what it has no use for is out of the way, when it resolves. */
export async function tidyUp(disk: Disk, { backlog }: Folders, found: Recovered): Promise<void> {
  for (const file of found.obsolete) await disk.remove(file)
  for (const file of found.damaged) await disk.rename(file, `${file}.damaged`)
  await removeStrayBacklog(disk, backlog, found)
  await found.segments.at(-1)?.file.sync()
}

/** Of a start that went no further. */
export async function closeRecovered({ segments, logs }: Recovered): Promise<void> {
  for (const { file } of segments) await file.close().catch(() => undefined)
  for (const { backlog } of logs.values()) {
    for (const { segment } of backlog) await segment.file.close().catch(() => undefined)
  }
}

export async function journalNumbers(disk: ReadableDisk, { journal }: Folders): Promise<number[]> {
  const names = await disk.list(journal)
  const numbers = names.flatMap((name) => (JOURNAL_NAME.test(name) ? [Number.parseInt(name, 10)] : []))
  return numbers.sort((a, b) => a - b)
}

function refuseGaps({ journal }: Folders, numbers: readonly number[], checkpoint: Checkpoint | undefined): void {
  const [gap] = gapsIn(numbers, checkpoint)
  if (gap === undefined) return
  const file = segmentFile(journal, gap)
  throw new EventingError('LOG_LOST', `${file}: the file is gone; what it held may be missing from any log`)
}

/** What stood in the checkpoint's last segment and those after it is known from nowhere else. */
export function gapsIn(numbers: readonly number[], checkpoint: Checkpoint | undefined): readonly number[] {
  if (numbers.length === 0 && !checkpoint) return []
  const first = checkpoint ? Math.floor(checkpoint.replayFrom / LOCATION_SCALE) : 1
  const last = Math.max(first, numbers.at(-1) ?? 0)
  const gaps: number[] = []
  for (let number = first; number <= last; number++) if (!numbers.includes(number)) gaps.push(number)
  return gaps
}

/** The oldest first. One whose header is damaged is set aside; one that was only being created is no segment. */
async function openJournalSegments(
  recovery: Recovery,
  numbers: readonly number[],
  firstSegment: number,
): Promise<void> {
  const { disk, folders, fault, segments, obsolete, damaged } = recovery
  for (const number of numbers) {
    const file = segmentFile(folders.journal, number)
    const bytes = await disk.sizeOf(file)
    if (bytes === undefined) continue // it was set aside by an earlier start
    if (number < firstSegment) {
      obsolete.push(file)
      continue
    }
    const opened = await openSegment(disk, file)
    if (opened) {
      segments.push({ ...opened, end: bytes })
      continue
    }
    if (number === numbers.at(-1) && bytes <= HEADER_BYTES) {
      obsolete.push(file)
      // Its number is free, or there would be a gap.
      recovery.nextSegment = number
      continue
    }
    damaged.push(file)
    fault(WHAT, new EventingError('LOG_CORRUPT', `${file}: damaged at 0, set aside with all that is in it`))
  }
  setEnds(segments)
}

/** Each segment says how the one before it ended; of the last, and before one that is missing, it is the file's end. */
export function setEnds(segments: readonly JournalSegment[]): void {
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1]
    const follows = next?.header.number === segment.header.number + 1
    if (next && follows) segment.end = next.header.previousEnd
    segment.mayEndTorn = next ? follows && next.header.isPreviousTorn : true
  }
}

/** What the checkpoint says of a log, as far as its files are there. */
async function restore(recovery: Recovery, known: CheckpointLog): Promise<void> {
  const state = logStateOf(known)
  state.onFreed = ({ segment }) => {
    segment.file.close().catch((error: unknown) => recovery.fault(WHAT, error))
  }
  recovery.logs.set(state.number, state)
  for (const range of known.backlog) {
    const file = await restoreBacklog(recovery, state, range)
    if (file !== undefined) recovery.missing.push({ state, file, end: range.end })
  }
  const segments = new Set(recovery.segments.map(({ header }) => header.number))
  for (const { position, location, bytes } of known.entries) {
    const number = Math.floor(location / LOCATION_SCALE)
    if (segments.has(number)) state.addEntry(position, location, bytes)
    else recovery.missing.push({ state, file: segmentFile(recovery.folders.journal, number), end: position + 1 })
  }
  state.end = Math.max(state.end, known.end)
}

/** Returns the file's path when it is not there, or is not what it was. */
async function restoreBacklog(recovery: Recovery, state: LogState, range: BacklogRange): Promise<string | undefined> {
  const { disk, folders, fault } = recovery
  const file = await findBacklog(disk, folders.backlog, range)
  if ((await disk.sizeOf(file)) === undefined) return file
  const opened = await openBacklog(disk, file)
  if (!opened || opened.backlog.points.length === 0) {
    await opened?.backlog.segment.file.close()
    recovery.damaged.push(file)
    return file
  }
  if (opened.isRebuilt) {
    fault(WHAT, new EventingError('LOG_CORRUPT', `${file}: its index is damaged; its records were read instead`))
  }
  // It is found by the range it had, whatever of it can be read.
  state.addBacklog({ ...opened.backlog, first: range.first, end: range.end })
  return undefined
}

/** What all cursors have passed, or was given up, or removed, may be gone: it is freed without a word to the checkpoint. */
function tellMissing({ logs, missing, fault }: Recovery): void {
  const files = new Map<LogState, Set<string>>()
  for (const { state, file, end } of missing) {
    if (logs.get(state.number) !== state) continue
    const passed = Math.min(state.base, state.floors.lowest()?.floor() ?? Infinity)
    if (end <= Math.max(state.start, state.expiredBefore, passed)) continue
    files.set(state, (files.get(state) ?? new Set()).add(file))
  }
  for (const [state, names] of files) {
    state.isLost ||= state.index.isEmpty && state.backlog.length === 0
    const what = state.isLost ? 'all that it held is gone' : 'a part of what it held is gone'
    fault(WHAT, new EventingError('LOG_LOST', `${state.name}: ${what}: ${[...names].join(', ')}`))
  }
}

/** Files that no checkpoint knows: of a log that was removed, freed entries, or a copy that was not finished. */
async function removeStrayBacklog(disk: Disk, folder: string, { logs }: Recovered): Promise<void> {
  const known = new Set([...logs.values()].flatMap(({ backlog }) => backlog.map(({ segment }) => segment.path)))
  for (const name of await disk.list(folder)) {
    const file = path.join(folder, name)
    if (name.endsWith('.backlog') && !known.has(file)) await disk.remove(file)
  }
}

async function replay(recovery: Recovery, replayFrom: Location): Promise<void> {
  const { segments, fault } = recovery
  const firstNumber = Math.floor(replayFrom / LOCATION_SCALE)
  for (const [i, segment] of segments.entries()) {
    const { number } = segment.header
    if (number < firstNumber) continue
    const from = number === firstNumber ? replayFrom % LOCATION_SCALE : HEADER_BYTES
    const tell = (start: number, end: number): void =>
      fault(WHAT, new EventingError('LOG_CORRUPT', `${segment.path}: damaged from ${start} to ${end}`))
    // So is a copy whose checkpoint was read before its journal was complete.
    if (from > segment.end) tell(segment.end, from)
    const found = (scanned: Scanned): void => apply(recovery, segment, scanned)
    const end = await scanSegment(segment, from, segment.end, found, ({ from: start, to, isInLastGroup }) => {
      if (!isInLastGroup || !segment.mayEndTorn) return tell(start, to)
      if (segment === segments.at(-1)) recovery.isTorn = true
      noteVoids(recovery, number * LOCATION_SCALE + start)
    })
    // Where no other says where it ends, what follows its records may be what was written ahead of them.
    if (segments[i + 1]?.header.number !== number + 1) segment.end = end
    else if (end < segment.end) tell(end, segment.end)
  }
}

/** What was skipped by entries from there on was in the group that is torn there. */
function noteVoids({ skipped }: Recovery, tornAt: Location): void {
  for (const { state, range, location } of skipped.splice(0)) {
    if (location > tornAt) state.voids = [...state.voids, range]
  }
}

function apply(recovery: Recovery, segment: Segment, { buffer, frame, at }: Scanned): void {
  const location = segment.header.number * LOCATION_SCALE + at
  if (frame.kind === 'entry') {
    const { log, position, bytes } = readEntryHead(buffer, frame)
    const state = recovery.logs.get(log)
    if (!state) return
    if (position > state.end) recovery.skipped.push({ state, range: { from: state.end, to: position }, location })
    state.addEntry(position, location, bytes)
  } else {
    applyRecord(recovery, readRecord(buffer, frame), location)
  }
}
