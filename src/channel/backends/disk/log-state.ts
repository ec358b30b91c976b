// What a log holds and what its cursors say, as the records that are on the disk make it. A recovery applies the records
// that it finds, a running log those that were just synced: the same records give the same state.
import { cursorAt } from '../../cursor.ts'
import type { Cursor, CursorId, Position } from '../../log.ts'
import { type FloorHolder, LowestFloor } from '../../lowest-floor.ts'
import { type BacklogRange, type BacklogSegment, type Point, pointAt } from './backlog.ts'
import { EntryIndex } from './entry-index.ts'
import { LOCATION_SCALE, type Location } from './journal.ts'
import type { LogNumber, LogRecord } from './record.ts'

export interface StoredCursor extends FloorHolder {
  /** Absent while the cursor is covered by `base`. */
  record: Cursor | undefined
}

/** Positions from `from` to before `to`. */
export interface PositionRange {
  readonly from: Position
  readonly to: Position
}

/** What is freed at once: an entry of the journal, a stretch of a backlog segment, or positions that were lost. */
interface Unit {
  /** The position after it. */
  readonly to: Position
  readonly bytes: number
}

export class LogState {
  readonly number: LogNumber
  readonly uid: string
  readonly name: string
  /** Entries before the journal's, in order. */
  readonly backlog: BacklogSegment[] = []
  readonly index = new EntryIndex()
  readonly cursors = new Map<CursorId, StoredCursor>()
  readonly floors = new LowestFloor<FloorHolder>()
  base: Position = 0
  /** All before it is freed. Between two units, or within a stretch. */
  start: Position = 0
  /** Where the next entry will stand. */
  end: Position = 0
  bytes = 0
  /** All before it, from `start` on, may be freed as soon as the room is needed. Between two units, or at `start`. */
  settledBefore: Position = 0
  settledBytes = 0
  /** What was before it, settled or not, is given up: its files may be gone. */
  expiredBefore: Position = 0
  /** Positions that no entry ever had, in order: a power cut tore them out of a group that was never acknowledged. */
  voids: readonly PositionRange[] = []
  /** The log is known and what it held is not there. */
  isLost = false
  /** Told when a backlog segment holds nothing any more. */
  onFreed: (segment: BacklogSegment) => void = () => undefined

  constructor(number: LogNumber, uid: string, name: string) {
    this.number = number
    this.uid = uid
    this.name = name
  }

  /** `open` and `remove` are about the log itself, and not for here. */
  apply(record: LogRecord, location: Location): void {
    switch (record.kind) {
      case 'entry':
        return this.addEntry(record.position, location, record.bytes)
      case 'create':
        if (this.cursors.has(record.id)) return
        this.putCursor(record.id, cursorAt(record.floor))
        return this.#unsettle(record.floor)
      case 'expire':
        this.expiredBefore = Math.max(this.expiredBefore, record.before)
        return this.expire(record.before)
      case 'drop':
        this.#cover(record.id)
        this.cursors.delete(record.id)
        return
      case 'save':
        this.base = Math.max(this.base, record.base)
        // A cursor that was dropped meanwhile does not come back.
        for (const [id, cursor] of record.put) if (this.cursors.has(id)) this.putCursor(id, cursor)
        for (const id of record.covered) this.#cover(id)
    }
  }

  addEntry(position: Position, location: Location, bytes: number): void {
    if (position < Math.max(this.start, this.backlog.at(-1)?.end ?? 0)) return
    this.bytes += bytes - this.index.bytes(position)
    this.index.set(position, location, bytes)
    this.end = Math.max(this.end, position + 1)
  }

  putCursor(id: CursorId, record: Cursor | undefined): void {
    let cursor = this.cursors.get(id)
    if (cursor) {
      cursor.record = record
    } else {
      const created: StoredCursor = { record, inFloors: false, floor: () => created.record?.floor ?? Infinity }
      cursor = created
      this.cursors.set(id, cursor)
    }
    this.floors.add(cursor)
  }

  /** After a recovery: no position comes back that anybody ever claimed to have settled. */
  claimEnd(): void {
    let end = Math.max(this.end, this.base)
    for (const { record } of this.cursors.values()) end = Math.max(end, record?.floor ?? 0)
    this.end = end
    if (this.index.isEmpty && this.backlog.length === 0) this.start = this.settledBefore = end
  }

  /** All before it was passed by every stored cursor. */
  floor(): Position {
    return Math.min(this.end, this.base, this.floors.lowest()?.floor() ?? Infinity)
  }

  /** All that no stored cursor may want any more, up to `before`, may be freed from now on. */
  settle(before: Position): void {
    const floor = Math.min(before, this.floor())
    while (this.settledBefore < floor) {
      const unit = this.#unitAt(this.settledBefore)
      if (unit.to > floor) return
      this.settledBefore = unit.to
      this.settledBytes += unit.bytes
    }
  }

  /** Nothing from its floor on is freed, though all cursors had passed it: a cursor is coming that wants it. */
  hold(holder: FloorHolder): void {
    this.floors.add(holder)
    this.#unsettle(holder.floor())
  }

  /** Frees what is settled, oldest first, until at least `needed` bytes are free or none is left. */
  freeSettled(needed: number): void {
    this.#free(needed, this.settledBefore)
  }

  /** Nothing before the position is there any more, of what is settled. */
  freeSettledBefore(position: Position): void {
    this.#passBefore(Math.min(position, this.floor()))
  }

  /** Nothing before the position is there any more, settled or not. */
  expire(before: Position): void {
    this.#passBefore(Math.min(before, this.end))
  }

  /** Where the units end that hold at least so many bytes, from `from` on, and how many they hold. */
  reach(from: Position, bytes: number): Unit {
    let to = Math.max(from, this.start)
    let reached = 0
    while (reached < bytes && to < this.end) {
      const unit = this.#unitAt(to)
      to = unit.to
      reached += unit.bytes
    }
    return { to, bytes: reached }
  }

  /** An entry turned out to be unreadable: readers pass it. */
  lose(position: Position): void {
    if (position < this.index.first) return
    const bytes = this.index.lose(position)
    this.bytes -= bytes
    if (position < this.settledBefore) this.settledBytes -= bytes
  }

  /** Frees what is settled up to the end of the journal segment, however much may be kept. */
  freeSettledIn(journalSegment: number): void {
    const end = (journalSegment + 1) * LOCATION_SCALE
    while (this.start < this.settledBefore && this.index.location(this.start) < end) {
      const before = this.start
      this.freeSettled(1)
      if (this.start === before) break
    }
  }

  /** Whether any entry that is not freed stands in this journal segment or an older one. */
  needs(journalSegment: number): boolean {
    const first = this.index.next(this.index.first)
    return first < this.index.end && this.index.location(first) < (journalSegment + 1) * LOCATION_SCALE
  }

  /**
   * All that the segment holds stands there from now on, and no longer in the journal, or in the backlog segments that it
   * has the entries of.
   */
  moveToBacklog(segment: BacklogSegment, replaced: readonly BacklogSegment[]): void {
    for (const old of replaced) {
      const at = this.backlog.indexOf(old)
      if (at < 0) continue // it was freed meanwhile
      this.backlog.splice(at, 1)
      this.bytes -= this.#bytesIn(old)
    }
    for (let position = this.index.first; position < segment.end; position++) this.bytes -= this.index.bytes(position)
    this.index.dropBefore(segment.end)
    if (this.start >= segment.end) return this.onFreed(segment)
    this.backlog.push(segment)
    this.bytes += this.#bytesIn(segment)
    this.#settleAgain()
  }

  /** Of a recovery, in order of positions: the segment's entries are the log's, from `start` on. */
  addBacklog(segment: BacklogSegment): void {
    if (segment.end <= this.start) return this.onFreed(segment)
    this.backlog.push(segment)
    this.bytes += this.#bytesIn(segment)
    this.end = Math.max(this.end, segment.end)
  }

  /** The backlog segment from which `position`, or what follows it, is read; undefined when that is the journal. */
  backlogAt(position: Position): BacklogSegment | undefined {
    return this.backlog.find(({ end }) => position < end)
  }

  ranges(): readonly BacklogRange[] {
    return this.backlog.map(({ log, first, end, bytes }) => ({ log, first, end, bytes }))
  }

  /** Frees units, oldest first, that end before a position at the latest, until at least `needed` bytes are free. */
  #free(needed: number, before: Position): void {
    let freed = 0
    while (freed < needed && this.start < before) {
      const unit = this.#unitAt(this.start)
      if (unit.to > before) break
      freed += unit.bytes
      if (this.start < this.settledBefore) this.settledBytes -= unit.bytes
      else this.settledBefore = unit.to
      this.start = unit.to
    }
    this.bytes -= freed
    this.#letGo()
  }

  /** To the entry: what is left of a stretch may be much younger. Its bytes go with the last of it. */
  #passBefore(position: Position): void {
    this.#free(Infinity, position)
    this.start = Math.max(this.start, position)
    this.settledBefore = Math.max(this.settledBefore, this.start)
  }

  #unsettle(floor: Position): void {
    if (floor < this.settledBefore) this.#settleAgain()
  }

  /** Other units than before, or other cursors: what was settled is found again. */
  #settleAgain(): void {
    const before = this.settledBefore
    this.settledBefore = this.start
    this.settledBytes = 0
    this.settle(before)
  }

  /** Of the segment's entries that are not freed. */
  #bytesIn(segment: BacklogSegment): number {
    return segment.bytes - (segment.points[pointAt(segment, this.start)] as Point).bytesBefore
  }

  #unitAt(position: Position): Unit {
    const segment = this.backlogAt(position)
    if (!segment) {
      if (position < this.index.first && !this.index.isEmpty) return { to: this.index.first, bytes: 0 }
      if (position < this.index.end) return { to: position + 1, bytes: this.index.bytes(position) }
      return { to: Math.max(this.end, position + 1), bytes: 0 }
    }
    if (position < segment.first) return { to: segment.first, bytes: 0 }
    const at = pointAt(segment, position)
    const next = segment.points[at + 1]
    const bytesBefore = (segment.points[at] as Point).bytesBefore
    return { to: next?.position ?? segment.end, bytes: (next?.bytesBefore ?? segment.bytes) - bytesBefore }
  }

  #cover(id: CursorId): void {
    const cursor = this.cursors.get(id)
    if (cursor) cursor.record = undefined
  }

  #letGo(): void {
    this.index.dropBefore(this.start)
    for (let first = this.backlog[0]; first && first.end <= this.start; first = this.backlog[0]) {
      this.backlog.shift()
      this.onFreed(first)
    }
  }
}
