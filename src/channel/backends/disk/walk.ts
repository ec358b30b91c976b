// Once over the journal of a directory that is only looked at: what its records make, without keeping any entry.
import type { Checkpoint } from './checkpoint.ts'
import { applyRecord, type DirectoryState, emptyDirectory, logStateOf } from './directory-state.ts'
import { type JournalSegment, LOCATION_SCALE, type Location } from './journal.ts'
import { readRecord } from './record.ts'
import { type Damage, HEADER_BYTES, type Scanned, type Segment, scanSegment } from './segment.ts'
import type { View } from './view.ts'

/** What the journal's records are applied to. */
export function stateAt(checkpoint: Checkpoint | undefined): DirectoryState {
  const state = { ...emptyDirectory(), nextLog: checkpoint?.nextLog ?? 1 }
  for (const log of checkpoint?.logs ?? []) state.logs.set(log.number, logStateOf(log))
  for (const [key, value] of checkpoint?.values ?? []) state.values.apply({ kind: 'put', key, value })
  return state
}

export interface JournalVisitor {
  /** Of any log, known or not, those too that were freed. `isInCheckpoint`: the checkpoint says what became of it. */
  entry?(scanned: Scanned, segment: Segment, isInCheckpoint: boolean): void | Promise<void>
  damaged?(segment: Segment, damage: Damage): void
}

/** Applies all records that the checkpoint has not, and hands over the entries. */
export async function walkJournal(view: View, state: DirectoryState, visitor: JournalVisitor): Promise<void> {
  const replayFrom = replayFromOf(view)
  for (const segment of segmentsOf(view)) {
    const found = (scanned: Scanned): void | Promise<void> => {
      const location = locationIn(segment, scanned.at)
      if (scanned.frame.kind === 'entry') return visitor.entry?.(scanned, segment, location < replayFrom)
      if (location >= replayFrom) applyRecord(state, readRecord(scanned.buffer, scanned.frame), location)
    }
    const end = await scanSegment(segment, HEADER_BYTES, segment.end, found, (damage) =>
      visitor.damaged?.(segment, damage),
    )
    if (end < segment.end) visitor.damaged?.(segment, { from: end, to: segment.end })
  }
}

export function segmentsOf({ journal }: View): readonly JournalSegment[] {
  return journal.flatMap(({ segment }) => segment ?? [])
}

export function replayFromOf({ checkpoint }: View): Location {
  return checkpoint?.replayFrom ?? 0
}

export function locationIn({ header }: Segment, at: number): Location {
  return header.number * LOCATION_SCALE + at
}
