// Over the journal of a directory that is only looked at, without keeping any entry.
import { applyRecord, type DirectoryState, emptyDirectory, logStateOf } from './directory-state.ts'
import { type JournalSegment, LOCATION_SCALE, type Location } from './journal.ts'
import { readRecord } from './record.ts'
import { type Damage, HEADER_BYTES, type Scanned, type Segment, scanSegment } from './segment.ts'
import type { View } from './view.ts'

/** What is true once the journal's records are applied to the checkpoint; of entries it has only where they end. */
export async function readState(view: View): Promise<DirectoryState> {
  const { checkpoint } = view
  const state = { ...emptyDirectory(), nextLog: checkpoint?.nextLog ?? 1 }
  for (const log of checkpoint?.logs ?? []) state.logs.set(log.number, logStateOf(log))
  for (const [key, value] of checkpoint?.values ?? []) state.values.apply({ kind: 'put', key, value })
  const replayFrom = replayFromOf(view)
  await scanJournal(view, {
    found({ buffer, frame, at }, segment) {
      const location = locationIn(segment, at)
      if (frame.kind === 'entry' || location < replayFrom) return
      applyRecord(state, readRecord(buffer, frame), location)
    },
  })
  // Whoever has the entries counts in them where a log begins.
  for (const log of state.logs.values()) log.start = Math.max(log.start, log.expiredBefore)
  return state
}

export interface JournalVisitor {
  /** Every record, needed or not. */
  found(scanned: Scanned, segment: Segment): void | Promise<void>
  damaged?(segment: JournalSegment, damage: Damage): void
}

export async function scanJournal(view: View, { found, damaged }: JournalVisitor): Promise<void> {
  for (const segment of segmentsOf(view)) {
    const end = await scanSegment(
      segment,
      HEADER_BYTES,
      segment.end,
      (scanned) => found(scanned, segment),
      (damage) => damaged?.(segment, damage),
    )
    if (end < segment.end) damaged?.(segment, { from: end, to: segment.end, isInLastGroup: false })
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
