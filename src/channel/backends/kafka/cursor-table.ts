// What the records of one partition of a cursor topic add up to. Pure: records go in in order, the state comes out, the
// same in every process and after every compaction.
//
// An owner's epoch is the offset of its claim, so it grows and is nobody else's. What a cursor's own record says is true
// whoever wrote it; `base`, and that a cursor stands at it, are claims about others, and count only from the owner whose
// claim is the last before them.
import { EventingError } from '../../../core/errors.ts'
import { cursorAt } from '../../cursor.ts'
import type { Cursor, CursorId, Position } from '../../log.ts'
import { type FloorHolder, LowestFloor } from '../../lowest-floor.ts'
import type { Message } from './client.ts'

export interface CursorRecord {
  readonly offset: number
  readonly key: string
  /** Absent: the key was removed. */
  readonly value: string | undefined
}

interface StoredCursor extends FloorHolder {
  /** Keys of all records that say that it was made: they go with it. */
  readonly made: string[]
  /** Absent while it is covered by the base. */
  record: Cursor | undefined
  /** It stands at the base, but never before this. */
  atLeast: Position
}

type Value =
  | { readonly member: string }
  | { readonly epoch: number; readonly base: Position }
  | { readonly epoch: number; readonly floor: Position; readonly state: string }
  | { readonly epoch: number; readonly covered: Position }
  | { readonly floor: Position }
  | { readonly epoch: number }

const CLAIM = 'claim/'
const MADE = 'new/'
const CURSOR = 'cur/'
const RELEASE = 'release'
const BASE = 'base'

export class CursorTable {
  /** Of the next record to apply. */
  next = 0
  base: Position = 0
  /** Of the owner; -1 before the first. */
  epoch = -1
  /** The member of the group that owns the partition, unless it gave it up. */
  holder: string | undefined
  readonly cursors = new Map<CursorId, StoredCursor>()
  /** Of owners, the last one's too. */
  readonly claims = new Set<string>()
  readonly #floors = new LowestFloor<StoredCursor>()

  apply({ offset, key, value }: CursorRecord): void {
    if (offset < this.next) return
    this.next = offset + 1
    if (value === undefined) this.#remove(key)
    else this.#put(offset, key, JSON.parse(value) as Value)
  }

  /** The lowest position that any cursor may still want. */
  floor(): Position {
    return Math.min(this.base, this.#floors.lowest()?.floor() ?? Infinity)
  }

  /** Where a cursor without a record of its own stands. */
  standing(cursor: StoredCursor): Position {
    return Math.max(this.base, cursor.atLeast)
  }

  #put(offset: number, key: string, value: Value): void {
    if (key.startsWith(CLAIM) && 'member' in value) {
      this.claims.add(key)
      this.epoch = offset
      this.holder = value.member
    } else if (key === RELEASE && 'epoch' in value) {
      if (value.epoch === this.epoch) this.holder = undefined
    } else if (key === BASE && 'base' in value) {
      if (value.epoch === this.epoch) this.base = Math.max(this.base, value.base)
    } else if (key.startsWith(MADE) && 'floor' in value) {
      this.#made(key, value.floor)
    } else if (key.startsWith(CURSOR)) {
      this.#saved(key.slice(CURSOR.length), value)
    }
  }

  /** Of two processes that make a cursor at once the first counts: the other's call was not over when that was stored. */
  #made(key: string, floor: Position): void {
    const id = key.slice(MADE.length, key.lastIndexOf('/'))
    const cursor = this.cursors.get(id)
    if (cursor) cursor.made.push(key)
    else this.#hold(id, { made: [key], record: cursorAt(floor), atLeast: 0 })
  }

  #hold(id: CursorId, { made, record, atLeast }: Pick<StoredCursor, 'made' | 'record' | 'atLeast'>): void {
    const cursor: StoredCursor = {
      made,
      record,
      atLeast,
      inFloors: false,
      floor: () => cursor.record?.floor ?? Infinity,
    }
    this.cursors.set(id, cursor)
    this.#floors.add(cursor)
  }

  #saved(id: CursorId, value: Value): void {
    const cursor = this.cursors.get(id)
    if (!cursor) return // dropped: a late save does not bring it back
    if ('state' in value) {
      this.#keep(id, cursor, { floor: value.floor, state: Buffer.from(value.state, 'base64') })
    } else if ('covered' in value) {
      cursor.atLeast = value.covered
      if (value.epoch === this.epoch) cursor.record = undefined
      else this.#keep(id, cursor, cursorAt(value.covered))
    }
  }

  /** The last record counts, though an old owner's may say less: compaction would keep that, too. */
  #keep(id: CursorId, cursor: StoredCursor, record: Cursor): void {
    const isBack = cursor.record !== undefined && record.floor < cursor.record.floor
    if (isBack) {
      cursor.record = undefined // leaves the floors, where holders only go forward
      this.#hold(id, { ...cursor, record })
    } else {
      cursor.record = record
      this.#floors.add(cursor)
    }
  }

  #remove(key: string): void {
    if (key.startsWith(CLAIM)) this.claims.delete(key)
    if (!key.startsWith(MADE)) return
    const id = key.slice(MADE.length, key.lastIndexOf('/'))
    const cursor = this.cursors.get(id)
    if (cursor) cursor.record = undefined
    this.cursors.delete(id)
  }
}

export interface Change {
  readonly base: Position
  readonly put: ReadonlyMap<CursorId, Cursor>
  readonly covered: readonly CursorId[]
}

/** The records of one save: what is true by itself first, so that a save that is cut can only repeat. */
export function changeRecords(epoch: number, { base, put, covered }: Change): Message[] {
  const records: Message[] = []
  for (const [id, { floor, state }] of put) {
    records.push(record(CURSOR + id, { epoch, floor, state: Buffer.from(state).toString('base64') }))
  }
  for (const id of covered) records.push(record(CURSOR + id, { epoch, covered: base }))
  records.push(record(BASE, { epoch, base }))
  return records
}

/** All that a new owner found, said again in its own name: compaction may then remove older owners' claims. */
export function snapshotRecords(table: CursorTable, epoch: number, ownClaim: string): Message[] {
  const put = new Map<CursorId, Cursor>()
  const covered: Message[] = []
  for (const [id, cursor] of table.cursors) {
    if (cursor.record) put.set(id, cursor.record)
    else covered.push(record(CURSOR + id, { epoch, covered: table.standing(cursor) }))
  }
  const said = changeRecords(epoch, { base: table.base, put, covered: [] })
  const older = [...table.claims].filter((claim) => claim !== ownClaim).map((claim) => record(claim, undefined))
  return [...said, ...covered, ...older]
}

export function claimRecord(member: string, random: string): Message {
  return record(CLAIM + random, { member })
}

export function releaseRecord(epoch: number): Message {
  return record(RELEASE, { epoch })
}

export function madeRecord(id: CursorId, floor: Position, random: string): Message {
  return record(`${MADE}${id}/${random}`, { floor })
}

/** Empty where there is no such cursor. */
export function dropRecords(table: CursorTable, id: CursorId): Message[] {
  const made = table.cursors.get(id)?.made ?? []
  return made.length === 0 ? [] : [...made, CURSOR + id].map((key) => record(key, undefined))
}

export function applyMessages(table: CursorTable, offset: number, messages: readonly Message[]): void {
  messages.forEach(({ key, value }, i) => {
    table.apply({ offset: offset + i, key: String(key), value: value === null ? undefined : String(value) })
  })
}

/** In batches of about so many bytes, in order. */
export function inBatches(messages: readonly Message[], maxBytes: number): Message[][] {
  const batches: Message[][] = [[]]
  let bytes = 0
  for (const message of messages) {
    const size = recordBytes(message)
    if (size > maxBytes) throw new EventingError('LOG_CORRUPT', `a cursor of ${size} bytes, at most ${maxBytes} fit`)
    if (bytes + size > maxBytes) {
      batches.push([])
      bytes = 0
    }
    bytes += size
    batches.at(-1)?.push(message)
  }
  return batches
}

const RECORD_OVERHEAD_BYTES = 32

function recordBytes({ key, value }: Message): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
}

function record(key: string, value: Value | undefined): Message {
  return { key, value: value === undefined ? null : JSON.stringify(value) }
}
