// How many bytes the entries of one lane count as: exactly where this process wrote or read them, and as the average of
// those where it did not. Four bytes of memory an entry.
import type { Position } from '../../log.ts'

const BLOCK_ENTRIES = 1_024
/** Of an entry, before any was seen. */
const FIRST_GUESS_BYTES = 2_048

export class Ledger {
  /** The oldest entry that is not given up. */
  start: Position
  end: Position
  /** All before it is settled by everybody; never before `start`. */
  settledBefore: Position
  readonly #blocks = new Map<number, Uint32Array>()
  #known = { entries: 0, bytes: 0 }
  #settled = { entries: 0, bytes: 0 }
  readonly #seen = { entries: 0, bytes: 0 }

  constructor(start: Position, end: Position) {
    this.start = start
    this.end = end
    this.settledBefore = start
  }

  get bytes(): number {
    return this.#known.bytes + (this.end - this.start - this.#known.entries) * this.#average()
  }

  get settledBytes(): number {
    return this.#settled.bytes + (this.settledBefore - this.start - this.#settled.entries) * this.#average()
  }

  learn(position: Position, bytes: number): void {
    if (position >= this.end) this.end = position + 1
    if (position < this.start) return
    const block = this.#blockAt(position)
    if (block[position % BLOCK_ENTRIES] !== 0) return
    block[position % BLOCK_ENTRIES] = bytes
    add(this.#seen, bytes)
    add(this.#known, bytes)
    if (position < this.settledBefore) add(this.#settled, bytes)
  }

  /** Positions that hold no entry: marks of transactions, what was compacted. */
  reached(end: Position): void {
    if (end > this.end) this.end = end
  }

  /** Returns the bytes that are free then. */
  giveUpBefore(before: Position): number {
    const free = this.bytes
    if (before > this.end) this.end = before
    // Far ahead, as after all expired: block by block.
    while (this.start < before) {
      if (this.start % BLOCK_ENTRIES === 0 && !this.#blocks.has(this.#blockOf(this.start))) {
        this.start = Math.min(before, this.start + BLOCK_ENTRIES)
        continue
      }
      const bytes = this.sizeAt(this.start)
      if (bytes > 0) {
        subtract(this.#known, bytes)
        if (this.start < this.settledBefore) subtract(this.#settled, bytes)
      }
      this.start++
      if (this.start % BLOCK_ENTRIES === 0) this.#blocks.delete(this.#blockOf(this.start - 1))
    }
    if (this.settledBefore < this.start) {
      this.settledBefore = this.start
      this.#settled = { entries: 0, bytes: 0 }
    }
    return free - this.bytes
  }

  /** Everybody settled all before `floor`. A floor that lies before the last one makes entries unsettled again. */
  settleBefore(floor: Position): void {
    const to = Math.max(this.start, Math.min(floor, this.end))
    for (; this.settledBefore < to; this.settledBefore++) {
      const bytes = this.sizeAt(this.settledBefore)
      if (bytes > 0) add(this.#settled, bytes)
    }
    while (this.settledBefore > to) {
      const bytes = this.sizeAt(--this.settledBefore)
      if (bytes > 0) subtract(this.#settled, bytes)
    }
  }

  /** Where the lane would start once the oldest entries of so many bytes were given up, and none from `limit` on. */
  startWithout(bytes: number, limit: Position): Position {
    let start = this.start
    for (let freed = 0; freed < bytes && start < limit; start++) freed += this.sizeAt(start) || this.#average()
    return start
  }

  /** 0 where it is not known. */
  sizeAt(position: Position): number {
    return this.#blocks.get(this.#blockOf(position))?.[position % BLOCK_ENTRIES] ?? 0
  }

  #average(): number {
    return this.#seen.entries > 0 ? this.#seen.bytes / this.#seen.entries : FIRST_GUESS_BYTES
  }

  #blockOf(position: Position): number {
    return Math.floor(position / BLOCK_ENTRIES)
  }

  #blockAt(position: Position): Uint32Array {
    const number = this.#blockOf(position)
    let block = this.#blocks.get(number)
    if (!block) {
      block = new Uint32Array(BLOCK_ENTRIES)
      this.#blocks.set(number, block)
    }
    return block
  }
}

interface Sum {
  entries: number
  bytes: number
}

function add(sum: Sum, bytes: number): void {
  sum.entries++
  sum.bytes += bytes
}

function subtract(sum: Sum, bytes: number): void {
  sum.entries--
  sum.bytes -= bytes
}
