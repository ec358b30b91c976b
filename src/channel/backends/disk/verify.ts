// Whether anything that was acknowledged can be missing from a data directory, told without changing it: every file that
// a start would read is read to its end, and what each log should hold is compared with what was found.
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { Position } from '../../log.ts'
import { readIndex } from './backlog.ts'
import { type CheckpointEntry, checkpointFile } from './checkpoint.ts'
import { Coverage, type Gap } from './coverage.ts'
import type { DirectoryState } from './directory-state.ts'
import type { ReadableDisk } from './disk.ts'
import { Findings, NEXT } from './findings.ts'
import { LOCATION_SCALE, segmentFile } from './journal.ts'
import type { LogState, PositionRange } from './log-state.ts'
import { type LogNumber, readArrivedAt, readEntryHead, readRecord } from './record.ts'
import { foldersOf } from './recovery.ts'
import { emptyReport, type LogReport, logReportOf, type Report, reportOf } from './report.ts'
import { type ByteRange, HEADER_BYTES, type Scanned, type Segment, scanSegment } from './segment.ts'
import { openView, type View, type ViewedBacklog } from './view.ts'
import { locationIn, readState, replayFromOf, scanJournal, segmentsOf } from './walk.ts'

/** Damage where there may be nothing that is still needed. */
interface Doubt extends ByteRange {
  readonly segment: Segment
  isNeeded: boolean
}

/** Each is compared with every entry: beyond so many, whatever was damaged counts as needed. */
const MOST_DOUBTS = 100

interface Verification {
  readonly view: View
  readonly state: DirectoryState
  readonly findings: Findings
  readonly coverages: Map<LogNumber, Coverage>
  readonly doubts: Doubt[]
  /** Where groups begin to be torn that were being stored when the power went. */
  readonly torn: { readonly file: string; readonly from: number }[]
}

/**
 * Rejects with LOG_LOST when there is no data directory at all, LOG_UNAVAILABLE when the disk does not answer; whatever
 * is wrong with the directory is told.
 */
export async function verifyDirectory(disk: ReadableDisk, dir: string, clock: Clock): Promise<Report> {
  const findings = new Findings()
  let view: View | undefined
  try {
    view = await openView(disk, dir, clock)
    return await verify(view, findings)
  } catch (error) {
    // Of a newer program, or a checkpoint that is none: no more can be said.
    if (!(error instanceof EventingError) || error.code !== 'LOG_CORRUPT') throw error
    const [, file = dir, offset = '0', what = error.message] = /^(.*?)(?::(\d+))?: (.*)$/s.exec(error.message) ?? []
    findings.problem(file, Number(offset), what, NEXT.refused)
    return emptyReport(dir, findings)
  } finally {
    await view?.close()
  }
}

async function verify(view: View, findings: Findings): Promise<Report> {
  const state = await readState(view)
  const verification: Verification = { view, state, findings, coverages: new Map(), doubts: [], torn: [] }
  tellFiles(view, findings)
  for (const log of state.logs.values()) verification.coverages.set(log.number, new Coverage(log.start))
  for (const file of view.backlog) await coverBacklog(verification, file)
  await coverJournal(verification)
  await tellTail(view, findings)
  const logs: LogReport[] = []
  for (const log of state.logs.values()) logs.push(closeLog(verification, log))
  tellDoubts(verification)
  return reportOf(view, state, logs, findings)
}

function tellFiles({ dir, checkpoint, gaps, journal, unused }: View, findings: Findings): void {
  for (const gap of gaps) {
    const file = segmentFile(foldersOf(dir).journal, gap)
    findings.problem(file, 0, 'the file is gone; what it held may be missing from any log', NEXT.refused)
  }
  for (const { path, segment, size } of journal) {
    if (segment) continue
    if (path === journal.at(-1)?.path && size <= HEADER_BYTES) findings.note(path, 0, 'was only being created')
    else findings.problem(path, 0, 'its header is damaged; a start sets it aside with all that is in it', NEXT.lost)
  }
  for (const file of unused) findings.note(file, 0, 'no start reads it')
  const last = journal.findLast(({ segment }) => segment)?.segment
  if (!checkpoint || !last || locationIn(last, last.end) >= checkpoint.replayFrom) return
  const { replayFrom } = checkpoint
  const place = `segment ${Math.floor(replayFrom / LOCATION_SCALE)}, byte ${replayFrom % LOCATION_SCALE}`
  findings.problem(last.path, last.end, `the journal ends here, and its checkpoint is of ${place}`, NEXT.copied)
}

async function coverBacklog(verification: Verification, file: ViewedBacklog): Promise<void> {
  const { findings, coverages } = verification
  const { path, segment, range, size } = file
  const coverage = coverages.get(range.log)
  if (!coverage) return // the log was removed
  if (!segment) {
    if (!file.isGone) findings.note(path, 0, 'its header is damaged; a start sets it aside')
    coverage.missUpTo(range.end, path, 0)
    return
  }
  const index = await readIndex(segment).catch(() => undefined)
  if (!index) findings.note(path, size, 'its index is damaged; a start reads the records instead')
  const found = (scanned: Scanned): void => {
    if (readEntryHead(scanned.buffer, scanned.frame).log === range.log) cover(coverage, scanned, segment, findings)
  }
  const doubt = (damage: ByteRange): void => doubtOf(verification, segment, damage)
  const recordsEnd = index?.recordsEnd ?? size
  const end = await scanSegment(segment, HEADER_BYTES, recordsEnd, found, doubt)
  if (index && end < recordsEnd) doubt({ from: end, to: recordsEnd })
  coverage.missUpTo(range.end, path, end)
}

async function coverJournal(verification: Verification): Promise<void> {
  const { view, findings, coverages } = verification
  const replayFrom = replayFromOf(view)
  const lost = lostPositions(view)
  await scanJournal(view, {
    found(scanned, segment) {
      if (scanned.frame.kind !== 'entry') return
      const { log, position } = readEntryHead(scanned.buffer, scanned.frame)
      const isLost = lost.get(log)?.has(position) && locationIn(segment, scanned.at) < replayFrom
      const coverage = coverages.get(log)
      if (coverage && !isLost) cover(coverage, scanned, segment, findings)
    },
    damaged(segment, damage) {
      if (locationIn(segment, damage.to) <= replayFrom) doubtOf(verification, segment, damage)
      else if (damage.isInLastGroup && segment.mayEndTorn) tornOf(verification, segment, damage)
      else findings.problem(segment.path, damage.from, `damaged up to ${damage.to}`, NEXT.lost)
    },
  })
}

async function tellTail({ journal }: View, findings: Findings): Promise<void> {
  const last = journal.findLast(({ segment }) => segment)
  if (!last?.segment) return
  const { end } = last.segment
  const written = await lengthWithoutZeros(last.segment, end, last.size)
  if (written === 0) return
  const what = `${written} bytes follow the last record: a group that was being written`
  findings.note(last.path, end, `${what}, as a crash leaves it, or a server at work`)
}

/** Zeros are written ahead. */
async function lengthWithoutZeros({ file }: Segment, from: number, to: number): Promise<number> {
  const block = Buffer.alloc(2 ** 20)
  let length = 0
  for (let at = from; at < to; at += block.length) {
    const bytes = block.subarray(0, await file.read(block.subarray(0, to - at), at))
    const last = bytes.findLastIndex((byte) => byte !== 0)
    if (last >= 0) length = at + last + 1 - from
  }
  return length
}

/** Those that a start before this one could not read: it passed them for good. */
function lostPositions({ checkpoint }: View): ReadonlyMap<LogNumber, ReadonlySet<Position>> {
  const lost = new Map<LogNumber, Set<Position>>()
  for (const log of checkpoint?.logs ?? []) {
    if (log.lost === 0) continue
    const positions = new Set<Position>()
    let next = log.first
    const missUpTo = (end: Position): void => {
      while (next < end) positions.add(next++)
    }
    for (const { position } of log.entries) {
      missUpTo(position)
      next = position + 1
    }
    missUpTo(log.afterLast)
    lost.set(log.number, positions)
  }
  return lost
}

function cover(coverage: Coverage, { buffer, frame, at }: Scanned, { path }: Segment, findings: Findings): void {
  try {
    readRecord(buffer, frame)
  } catch (error) {
    findings.problem(path, at, error instanceof Error ? error.message : String(error), NEXT.lost)
    return
  }
  coverage.found(readEntryHead(buffer, frame), readArrivedAt(buffer, frame), path, at)
}

function tornOf({ torn, findings }: Verification, { path }: Segment, { from, to }: ByteRange): void {
  torn.push({ file: path, from })
  findings.note(path, from, `bytes up to ${to} were not stored: a group that the power went in, never acknowledged`)
}

function doubtOf({ doubts, findings }: Verification, segment: Segment, { from, to }: ByteRange): void {
  if (doubts.length < MOST_DOUBTS) doubts.push({ from, to, segment, isNeeded: false })
  else findings.problem(segment.path, from, `damaged up to ${to}`, NEXT.lost)
}

/** What the log should hold is known once all records are read: where it ends, and what its cursors still want. */
function closeLog({ view, findings, coverages, doubts, torn }: Verification, log: LogState): LogReport {
  const known = view.checkpoint?.logs.find(({ number }) => number === log.number)
  const coverage = coverages.get(log.number) ?? new Coverage(log.start)
  const last = segmentsOf(view).at(-1)
  const floors = [...log.cursors.values()].map(({ record }) => record?.floor ?? 0)
  const end = Math.max(coverage.next, known?.end ?? 0, log.base, ...floors)
  coverage.missUpTo(end, last?.path ?? view.dir, last?.end ?? 0)
  const passed = Math.min(log.base, log.floors.lowest()?.floor() ?? Infinity)
  const neededFrom = Math.max(log.start, passed)
  const wasTorn = ({ file, offset }: Gap): boolean => torn.some((one) => one.file === file && one.from <= offset)
  const missing = coverage.gaps.filter((gap) => gap.to > neededFrom && !wasTorn(gap) && !isVoid(gap, log.voids))
  for (const gap of missing) {
    const isGone = view.backlog.some((file) => file.isGone && file.path === gap.file)
    const what = `${isGone ? 'the file is gone; ' : ''}${log.name}: ${textOf(gap, neededFrom)}`
    findings.problem(gap.file, gap.offset, what, NEXT.lost)
    for (const doubt of doubts) doubt.isNeeded ||= wasNoticedAt(doubt, gap)
  }
  if (log.isLost) findings.problem(checkpointFile(view.dir), 0, `${log.name}: what it held is gone`, NEXT.removed)
  markNeeded(doubts, known?.entries ?? [], neededFrom)
  const ranges = missing.map(({ from, to }) => ({ from: Math.max(from, neededFrom), to: to - 1 }))
  return logReportOf(log, coverage, end, ranges)
}

function isVoid({ from, to }: Gap, voids: readonly PositionRange[]): boolean {
  let next = from
  for (const range of voids) if (range.from <= next) next = Math.max(next, range.to)
  return next >= to
}

function textOf({ from, to, isRough }: Gap, neededFrom: Position): string {
  const which = `positions ${Math.max(from, neededFrom)} to ${to - 1}`
  return isRough ? `some of the ${which} are missing` : `${which} are missing`
}

/** In a backlog segment what stands after damage tells at once what was in it. */
function wasNoticedAt({ segment, from, to }: Doubt, { file, offset }: Gap): boolean {
  return segment.header.kind === 'backlog' && segment.path === file && from <= offset && offset <= to
}

/** Of a part of the journal that the checkpoint speaks for, it knows what stood where. */
function markNeeded(doubts: readonly Doubt[], entries: Iterable<CheckpointEntry>, neededFrom: Position): void {
  const inJournal = doubts.filter(({ segment, isNeeded }) => segment.header.kind === 'journal' && !isNeeded)
  if (inJournal.length === 0) return
  for (const { position, location } of entries) {
    if (position < neededFrom) continue
    for (const doubt of inJournal) {
      const { segment, from, to } = doubt
      doubt.isNeeded ||= locationIn(segment, from) <= location && location < locationIn(segment, to)
    }
  }
}

function tellDoubts({ doubts, findings }: Verification): void {
  for (const { segment, from, to, isNeeded } of doubts) {
    if (isNeeded) findings.problem(segment.path, from, `damaged up to ${to}`, NEXT.lost)
    else findings.note(segment.path, from, `damaged up to ${to}; nothing that is still needed stood there`)
  }
}
