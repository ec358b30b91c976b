// What a data directory holds, one after the other, without opening it: entries as logs have them, or every record of
// every file. No more than a block of a file is in memory.
import path from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import type { Event } from '../../../core/event.ts'
import type { LaneId, Position } from '../../log.ts'
import type { DirectoryState } from './directory-state.ts'
import { type ReadableDisk, systemCode } from './disk.ts'
import { LANE } from './disk-log.ts'
import { type DiskRecord, type LogNumber, readEntryHead, readRecord } from './record.ts'
import { foldersOf } from './recovery.ts'
import { standingOf } from './report.ts'
import { type ByteRange, HEADER_BYTES, openSegment, type Scanned, type Segment, scanSegment } from './segment.ts'
import { endOfRecords, type View } from './view.ts'
import { scanJournal } from './walk.ts'

/** Of all logs, and all positions, unless it says otherwise. */
export interface Wanted {
  readonly log?: LogNumber | undefined
  readonly from?: Position | undefined
  /** The last one. */
  readonly to?: Position | undefined
}

export interface DumpedEntry {
  readonly kind: 'entry'
  readonly log: LogNumber
  readonly lane: LaneId
  readonly position: Position
  readonly event: Event
}

export interface DumpedRecord {
  readonly file: string
  readonly offset: number
  readonly said: DumpedEntry | Said
}

/** Any other record, as plain data. */
export interface Said {
  readonly kind: Exclude<DiskRecord['kind'], 'entry'>
  readonly log: LogNumber | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

interface Visitor<T> {
  /** Waited for. What it throws ends the dump. */
  found(what: T): void | Promise<void>
  damaged(file: string, damage: ByteRange): void
}

/**
 * Entries that logs hold, each log's in the order of positions: first what stands in the backlog, log by log, then the
 * journal in the order of time. `state` is what the view makes: entries of logs that were removed are none.
 */
export async function dumpEntries(
  view: View,
  state: DirectoryState,
  wanted: Wanted,
  { found, damaged }: Visitor<DumpedEntry>,
): Promise<void> {
  /** By log, the position after those that were handed over: one may stand in two files. */
  const next = new Map([...state.logs.values()].map((log) => [log.number, log.start]))

  async function hand(scanned: Scanned, { path: file }: Segment): Promise<void> {
    const { log, position } = readEntryHead(scanned.buffer, scanned.frame)
    if (position < (next.get(log) ?? Infinity)) return
    next.set(log, position + 1)
    if (!isWanted(wanted, log, position)) return
    const record = recordIn(scanned, file, damaged)
    if (record?.kind === 'entry') await found(entryOf(record))
  }

  for (const { range, path: file, segment, size, isGone } of view.backlog) {
    if (!isWanted(wanted, range.log, range.first, range.end - 1) || !state.logs.has(range.log)) continue
    if (!segment && !isGone) damaged(file, { from: 0, to: size })
    if (!segment) continue
    await scanSegment(
      segment,
      HEADER_BYTES,
      size,
      (scanned) => hand(scanned, segment),
      (damage) => damaged(file, damage),
    )
  }
  await scanJournal(view, {
    found: (scanned, segment) => (scanned.frame.kind === 'entry' ? hand(scanned, segment) : undefined),
    damaged: (segment, damage) => damaged(segment.path, damage),
  })
}

/** Every record of every file that begins with a header, needed or not: backlog first. For this no checkpoint is read. */
export async function dumpRecords(
  disk: ReadableDisk,
  dir: string,
  wanted: Wanted,
  visitor: Visitor<DumpedRecord>,
  clock: Clock,
): Promise<void> {
  const { journal, backlog } = foldersOf(dir)
  const numbered = (await disk.list(journal)).filter((name) => name.endsWith('.journal')).sort()
  for (const name of (await disk.list(backlog)).filter((each) => each.endsWith('.backlog')).sort(byNumbers)) {
    await dumpFile(disk, path.join(backlog, name), wanted, visitor)
  }
  for (const name of numbered) {
    await dumpFile(disk, path.join(journal, name), wanted, visitor, name === numbered.at(-1) ? clock : undefined)
  }
}

/** With a clock, one that may be written at this moment. */
async function dumpFile(
  disk: ReadableDisk,
  file: string,
  wanted: Wanted,
  { found, damaged }: Visitor<DumpedRecord>,
  clock?: Clock,
): Promise<void> {
  // One that is gone by now holds nothing that anybody needs.
  const segment = await openSegment(disk, file).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    return 'gone' as const
  })
  if (segment === 'gone') return
  if (!segment) return damaged(file, { from: 0, to: (await disk.sizeOf(file)) ?? 0 })
  try {
    const size = await segment.file.size()
    const end = clock ? await endOfRecords({ ...segment, end: size }, clock) : size
    const hand = async (scanned: Scanned): Promise<void> => {
      const record = recordIn(scanned, file, damaged)
      if (!record || !isRecordWanted(wanted, record)) return
      await found({ file, offset: scanned.at, said: record.kind === 'entry' ? entryOf(record) : saidBy(record) })
    }
    await scanSegment(segment, HEADER_BYTES, end, hand, (damage) => damaged(file, damage))
  } finally {
    await segment.file.close()
  }
}

function entryOf({ kind, log, position, event }: Extract<DiskRecord, { kind: 'entry' }>): DumpedEntry {
  return { kind, log, lane: LANE, position, event }
}

function saidBy(record: Exclude<DiskRecord, { kind: 'entry' }>): Said {
  if (record.kind === 'save') {
    const { kind, log, base, put, covered } = record
    const cursors = [...put].map(([id, cursor]) => ({ id, ...standingOf(cursor) }))
    return { kind, log, fields: { base, cursors, covered } }
  }
  const { kind, ...rest } = record
  if (!('log' in rest)) return { kind, log: undefined, fields: rest }
  const { log, ...fields } = rest
  return { kind, log, fields }
}

/** undefined where a body makes no sense though its checksum holds. */
function recordIn({ buffer, frame, at }: Scanned, file: string, damaged: Visitor<unknown>['damaged']) {
  try {
    return readRecord(buffer, frame)
  } catch {
    damaged(file, { from: at, to: at + frame.end - frame.bodyAt })
    return undefined
  }
}

function isRecordWanted(wanted: Wanted, record: DiskRecord): boolean {
  const { log, from, to } = wanted
  if (record.kind === 'entry') return isWanted(wanted, record.log, record.position)
  if (from !== undefined || to !== undefined) return false
  return log === undefined || ('log' in record && record.log === log)
}

function isWanted({ log, from = 0, to = Infinity }: Wanted, ofLog: LogNumber, first: Position, last = first): boolean {
  return (log === undefined || log === ofLog) && last >= from && first <= to
}

/** `2-9` before `10-1`. */
function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
