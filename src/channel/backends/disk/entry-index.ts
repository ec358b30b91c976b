import type { Position } from '../../log.ts'
import type { Location } from './journal.ts'

/** Location of a position whose record was lost. */
export const LOST: Location = -1

/** Dropped slots at the front of the arrays before they are cut. */
const CUT_SLOTS = 4_096

/** Where each entry of one log stands in the journal, and what it counts as: two numbers an entry. */
export class EntryIndex {
  #locations: Location[] = []
  #bytes: number[] = []
  /** Position of slot 0. */
  #offset: Position = 0
  #first: Position = 0

  /** All before it is not in the index. */
  get first(): Position {
    return this.#first
  }

  get end(): Position {
    return this.#offset + this.#locations.length
  }

  get isEmpty(): boolean {
    return this.#first === this.end
  }

  /** Positions that are skipped count as lost. One that is known moves to the new location. */
  set(position: Position, location: Location, bytes: number): void {
    if (this.isEmpty) this.#restart(position)
    if (position < this.#first) return
    while (this.end < position) this.#push(LOST, 0)
    if (position === this.end) return this.#push(location, bytes)
    this.#locations[position - this.#offset] = location
    this.#bytes[position - this.#offset] = bytes
  }

  location(position: Position): Location {
    return this.#locations[position - this.#offset] ?? LOST
  }

  bytes(position: Position): number {
    return this.#bytes[position - this.#offset] ?? 0
  }

  /** Returns the bytes it counted as. */
  lose(position: Position): number {
    const bytes = this.bytes(position)
    this.set(position, LOST, 0)
    return bytes
  }

  /** The first position from `from` on that is not lost; `end` when there is none. */
  next(from: Position): Position {
    let position = Math.max(from, this.#first)
    while (position < this.end && this.location(position) === LOST) position++
    return position
  }

  dropBefore(position: Position): void {
    this.#first = Math.min(Math.max(this.#first, position), this.end)
    const dropped = this.#first - this.#offset
    if (dropped < CUT_SLOTS || dropped < this.#locations.length / 2) return
    this.#locations = this.#locations.slice(dropped)
    this.#bytes = this.#bytes.slice(dropped)
    this.#offset = this.#first
  }

  #push(location: Location, bytes: number): void {
    this.#locations.push(location)
    this.#bytes.push(bytes)
  }

  #restart(position: Position): void {
    this.#locations = []
    this.#bytes = []
    this.#offset = this.#first = position
  }
}
