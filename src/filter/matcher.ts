// Which of many filters an event passes, without asking them all: each filter hangs under one of its covers (see
// filter.ts), and an event asks only those that hang under the values it shows. So an event costs what its matches cost.
import type { Attributes } from '../core/event.ts'
import type { CompiledFilter, IndexKey } from './filter.ts'
import { DERIVED_NAMES, filterValue } from './value.ts'

export interface Matcher<T> {
  readonly size: number
  /** Adds a filter, or replaces the one of this id. */
  set(id: string, filter: CompiledFilter, value: T): void
  delete(id: string): void
  /** Appends the value of each filter that the event passes, once each, in no promised order. */
  match(attributes: Attributes, found: T[]): void
}

interface Slot<T> {
  readonly filter: CompiledFilter
  readonly value: T
  /** The cover it hangs under; undefined when it has to be asked about every event. */
  readonly keys: readonly IndexKey[] | undefined
  /** The last match that met it: an OR hangs under several keys, and an event may show more than one of them. */
  metIn: number
}

/** Most keys have one filter: no list is made for it. */
type Bucket<T> = Slot<T> | Slot<T>[]
type Buckets<T> = Map<string, Bucket<T>>

/** Prefixes or suffixes of one length, so that an event looks up one piece of its value instead of trying each of them. */
interface Pieces<T> {
  readonly length: number
  readonly buckets: Buckets<T>
}

/** All that hangs under one attribute. */
interface Column<T> {
  readonly attribute: string
  readonly exact: Buckets<T>
  /** Shortest first. */
  readonly prefix: Pieces<T>[]
  readonly suffix: Pieces<T>[]
}

/**
 * A longer prefix hangs under its first so many characters, a longer suffix under its last, and the filter sees to the
 * rest: so an event's cost is bounded, however many lengths there are.
 */
const MAX_PIECE_LENGTH = 256
/** With more columns than this, an event's own attributes are the shorter list. */
const FEW_COLUMNS = 16

/**
 * Filters with several covers take the one whose keys are least used when they are set. An event then costs one look-up
 * per indexed attribute (or per attribute of its own, when those are fewer) and per length of the prefixes and suffixes
 * there, and a call of each filter it meets: those without a cover, and those that share a key with a match.
 */
export function createMatcher<T>(): Matcher<T> {
  const slots = new Map<string, Slot<T>>()
  const uncovered: Slot<T>[] = []
  const columns = new Map<string, Column<T>>()
  /** The same columns, for walking: those of names that an event carries itself, and the others. */
  const plain: Column<T>[] = []
  const derived: Column<T>[] = []
  let matches = 0

  function set(id: string, filter: CompiledFilter, value: T): void {
    remove(id)
    const slot: Slot<T> = { filter, value, keys: leastUsed(filter.covers), metIn: 0 }
    slots.set(id, slot)
    if (!slot.keys) uncovered.push(slot)
    else for (const key of slot.keys) hang(slot, key)
  }

  function remove(id: string): void {
    const slot = slots.get(id)
    if (!slot) return
    slots.delete(id)
    if (!slot.keys) takeOut(uncovered, slot)
    else for (const key of slot.keys) unhang(slot, key)
  }

  function leastUsed(covers: CompiledFilter['covers']): readonly IndexKey[] | undefined {
    let chosen: readonly IndexKey[] | undefined
    let leastUses = Number.POSITIVE_INFINITY
    for (const cover of covers) {
      const uses = cover.reduce((sum, key) => sum + usesOf(key), 0)
      if (uses >= leastUses) continue
      chosen = cover
      leastUses = uses
    }
    return chosen
  }

  function usesOf(key: IndexKey): number {
    const column = columns.get(key.attribute)
    const bucket = column && bucketsOf(column, key)?.get(pieceOf(key))
    if (!bucket) return 0
    return Array.isArray(bucket) ? bucket.length : 1
  }

  function hang(slot: Slot<T>, key: IndexKey): void {
    const column = columns.get(key.attribute) ?? addColumn(key.attribute)
    const buckets = bucketsOf(column, key) ?? addPieces(column, key)
    const bucket = buckets.get(pieceOf(key))
    if (Array.isArray(bucket)) bucket.push(slot)
    else buckets.set(pieceOf(key), bucket ? [bucket, slot] : slot)
  }

  function addColumn(attribute: string): Column<T> {
    const column: Column<T> = { attribute, exact: new Map(), prefix: [], suffix: [] }
    columns.set(attribute, column)
    walked(attribute).push(column)
    return column
  }

  function unhang(slot: Slot<T>, key: IndexKey): void {
    const column = columns.get(key.attribute)
    const buckets = column && bucketsOf(column, key)
    const bucket = buckets?.get(pieceOf(key))
    if (!column || !buckets || !bucket) return
    if (Array.isArray(bucket)) takeOut(bucket, slot)
    if (Array.isArray(bucket) && bucket.length > 0) return
    buckets.delete(pieceOf(key))
    if (buckets.size === 0) dropEmpty(column, key)
  }

  function dropEmpty(column: Column<T>, { kind }: IndexKey): void {
    if (kind !== 'exact') {
      const empty = column[kind].findIndex(({ buckets }) => buckets.size === 0)
      column[kind].splice(empty, 1)
    }
    if (column.exact.size + column.prefix.length + column.suffix.length > 0) return
    columns.delete(column.attribute)
    takeOut(walked(column.attribute), column)
  }

  function walked(attribute: string): Column<T>[] {
    return DERIVED_NAMES.has(attribute) ? derived : plain
  }

  function match(attributes: Attributes, found: T[]): void {
    matches += 1
    ask(uncovered, attributes, found)
    for (const column of derived) visit(column, attributes, found)
    if (plain.length <= FEW_COLUMNS) {
      for (const column of plain) visit(column, attributes, found)
      return
    }
    for (const name in attributes) {
      const column = columns.get(name)
      if (column && !DERIVED_NAMES.has(name)) visit(column, attributes, found)
    }
  }

  function visit(column: Column<T>, attributes: Attributes, found: T[]): void {
    const value = filterValue(attributes, column.attribute)
    if (value === undefined) return
    ask(column.exact.get(value), attributes, found)
    for (const { length, buckets } of column.prefix) {
      if (length > value.length) break
      ask(buckets.get(value.slice(0, length)), attributes, found)
    }
    for (const { length, buckets } of column.suffix) {
      if (length > value.length) break
      ask(buckets.get(value.slice(value.length - length)), attributes, found)
    }
  }

  function ask(bucket: Bucket<T> | undefined, attributes: Attributes, found: T[]): void {
    if (!bucket) return
    if (!Array.isArray(bucket)) return askOne(bucket, attributes, found)
    for (const slot of bucket) askOne(slot, attributes, found)
  }

  function askOne(slot: Slot<T>, attributes: Attributes, found: T[]): void {
    if (slot.metIn === matches) return
    slot.metIn = matches
    if (slot.filter.matches(attributes)) found.push(slot.value)
  }

  return {
    get size() {
      return slots.size
    },
    set,
    delete: remove,
    match,
  }
}

function bucketsOf<T>(column: Column<T>, key: IndexKey): Buckets<T> | undefined {
  if (key.kind === 'exact') return column.exact
  const { length } = pieceOf(key)
  return column[key.kind].find((pieces) => pieces.length === length)?.buckets
}

function addPieces<T>(column: Column<T>, key: IndexKey): Buckets<T> {
  if (key.kind === 'exact') return column.exact
  const { length } = pieceOf(key)
  const buckets: Buckets<T> = new Map()
  column[key.kind].push({ length, buckets })
  column[key.kind].sort((a, b) => a.length - b.length)
  return buckets
}

/** What an event's value has to equal, or its piece of that length. */
function pieceOf({ kind, value }: IndexKey): string {
  if (kind === 'exact') return value
  return kind === 'prefix' ? value.slice(0, MAX_PIECE_LENGTH) : value.slice(-MAX_PIECE_LENGTH)
}

function takeOut<V>(list: V[], value: V): void {
  const last = list.pop()
  if (last === undefined || last === value) return
  list[list.indexOf(value)] = last
}
