import type { Position } from './log.ts'

/** Positions from `from` to before `to`. */
export interface Range {
  readonly from: Position
  readonly to: Position
}

/** A set of positions as the stretches it is made of: in order, apart from each other. */
export class Ranges {
  #ranges: Range[]

  /** In order, apart from each other. */
  constructor(ranges: readonly Range[] = []) {
    this.#ranges = [...ranges]
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  /** How many positions it has from `start` on. */
  countFrom(start: Position): number {
    let count = 0
    for (const { from, to } of this.#ranges) count += Math.max(0, to - Math.max(from, start))
    return count
  }

  has(position: Position): boolean {
    const range = this.#ranges[this.#firstEndingAfter(position)]
    return range !== undefined && range.from <= position
  }

  /** Overlaps and neighbours become one stretch. */
  add(from: Position, to: Position): void {
    if (from >= to) return
    // A stretch that ends where this one begins is its neighbour.
    const first = this.#firstEndingAfter(from - 1)
    let last = first
    let [start, end] = [from, to]
    for (let range = this.#ranges[last]; range && range.from <= to; range = this.#ranges[++last]) {
      start = Math.min(start, range.from)
      end = Math.max(end, range.to)
    }
    this.#ranges.splice(first, last - first, { from: start, to: end })
  }

  /** The first position from `position` on that is not in the set; all before that one is forgotten. */
  pass(position: Position): Position {
    const first = this.#ranges[this.#firstEndingAfter(position)]
    const next = first !== undefined && first.from <= position ? first.to : position
    const rest = this.#firstEndingAfter(next)
    if (rest > 0) this.#ranges.splice(0, rest)
    return next
  }

  [Symbol.iterator](): Iterator<Range> {
    return this.#ranges[Symbol.iterator]()
  }

  #firstEndingAfter(position: Position): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ranges[middle] as Range).to <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
