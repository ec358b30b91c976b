// What `verifyDirectory` tells: what is in a data directory, and whether that is all that should be.
import { type CursorState, cursorAt, decodeCursor } from '../../cursor.ts'
import type { Cursor, CursorId, Position } from '../../log.ts'
import type { Coverage, End } from './coverage.ts'
import type { DirectoryState } from './directory-state.ts'
import type { Finding, Findings } from './findings.ts'
import type { LogState } from './log-state.ts'
import type { View } from './view.ts'

export interface Report {
  readonly dir: string
  /** undefined when there is none, or it cannot be read. */
  readonly checkpoint: { readonly version: number; readonly bytes: number } | undefined
  readonly journal: Files
  readonly backlog: Files
  /** Files that say who uses the directory, or used it when it crashed. */
  readonly locks: readonly string[]
  readonly values: ReadonlyMap<string, string>
  readonly logs: readonly LogReport[]
  readonly problems: readonly Finding[]
  readonly notes: readonly Finding[]
  /** Findings beyond those that are listed. */
  readonly unlisted: number
}

interface Files {
  readonly files: number
  readonly bytes: number
}

export interface LogReport {
  readonly name: string
  readonly uid: string
  /** Found, settled ones included as long as they are there. */
  readonly entries: number
  readonly bytes: number
  readonly first: End | undefined
  readonly last: End | undefined
  /** Where cursors stand that have no record of their own. */
  readonly base: Position
  /** Where the next entry will stand. */
  readonly end: Position
  readonly cursors: readonly CursorReport[]
  /** Positions that somebody waits for and that are not there, both ends included. */
  readonly missing: readonly Range[]
}

export interface Range {
  readonly from: Position
  readonly to: Position
}

export interface CursorReport {
  readonly id: CursorId
  /** All before it is settled. */
  readonly floor: Position
  /** It has read all before. */
  readonly next: Position
  /** Of what it has read. */
  readonly unsettled: number
  /** Positions that it has not settled. */
  readonly behind: number
}

export function reportOf(
  { dir, checkpoint, checkpointBytes, journal, backlog, locks }: View,
  { values }: DirectoryState,
  logs: readonly LogReport[],
  findings: Findings,
): Report {
  return {
    dir,
    checkpoint: checkpoint && { version: checkpoint.version, bytes: checkpointBytes?.length ?? 0 },
    journal: filesOf(journal),
    backlog: filesOf(backlog.filter(({ isGone }) => !isGone)),
    locks,
    values: values.values,
    logs,
    ...listsOf(findings),
  }
}

/** Of a directory of which nothing more can be said. */
export function emptyReport(dir: string, findings: Findings): Report {
  const none = { files: 0, bytes: 0 }
  return {
    dir,
    checkpoint: undefined,
    journal: none,
    backlog: none,
    locks: [],
    values: new Map(),
    logs: [],
    ...listsOf(findings),
  }
}

export function logReportOf(state: LogState, coverage: Coverage, end: Position, missing: readonly Range[]): LogReport {
  const { name, uid, base } = state
  const { entries, bytes, first, last } = coverage
  return { name, uid, entries, bytes, first, last, base, end, cursors: cursorsOf(state, end), missing }
}

function cursorsOf({ cursors, base }: LogState, end: Position): CursorReport[] {
  return [...cursors].map(([id, { record }]) => {
    const { unsettled, ahead, ...at } = standingOf(record ?? cursorAt(base))
    const settledAhead = ahead.reduce((sum, { from, to }) => sum + to - from, 0)
    const behind = Math.max(0, end - at.next - settledAhead) + unsettled.length
    return { id, ...at, unsettled: unsettled.length, behind }
  })
}

/** A state that cannot be read costs repetitions from the floor on, and loses nothing. */
export function standingOf(record: Cursor): CursorState & { readonly floor: Position } {
  const { floor } = record
  try {
    return { floor, ...decodeCursor(record) }
  } catch {
    return { floor, next: floor, unsettled: [], ahead: [] }
  }
}

function filesOf(files: readonly { readonly size: number }[]): Files {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) }
}

function listsOf({ problems, notes, unlisted }: Findings): Pick<Report, 'problems' | 'notes' | 'unlisted'> {
  const inOrder = (list: readonly Finding[]): readonly Finding[] =>
    list.toSorted((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1))
  return { problems: inOrder(problems), notes: inOrder(notes), unlisted }
}
