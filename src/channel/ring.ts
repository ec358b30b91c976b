import type { Entry, Position } from './log.ts'

/**
 * The entries read last at a lane's head, bounded by bytes, while somebody just behind it may want them: they are served from
 * here without reading the log again. When it is full the oldest go, and so does what everybody settled.
 */
export class Ring {
  readonly #limitBytes: () => number
  #entries: Entry[] = []
  #first = 0
  #bytes = 0
  /** From here on every entry of the lane, up to the head, is in the ring. */
  #start: Position

  /** `limitBytes` may change: the lanes of a log share what it may keep. */
  constructor(limitBytes: () => number, start: Position) {
    this.#limitBytes = limitBytes
    this.#start = start
  }

  add(entry: Entry): void {
    const limitBytes = this.#limitBytes()
    if (limitBytes === 0) {
      this.#start = entry.position + 1
      return
    }
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    while (this.#bytes > limitBytes) this.#dropOldest()
    this.#shrink()
  }

  /** Where it begins. */
  get start(): Position {
    return this.#start
  }

  get size(): number {
    return this.#entries.length - this.#first
  }

  dropBefore(position: Position): void {
    while (this.#first < this.#entries.length && (this.#entries[this.#first] as Entry).position < position) {
      this.#dropOldest()
    }
    this.#shrink()
  }

  #dropOldest(): void {
    const oldest = this.#entries[this.#first++] as Entry
    this.#bytes -= oldest.bytes
    this.#start = oldest.position + 1
  }

  /** What was dropped is let go of once that is half of it, and at once where it is all. */
  #shrink(): void {
    const left = this.#entries.length - this.#first
    if (left > 0 && (this.#first <= 1_024 || this.#first <= left)) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  /** Forgets all, and begins at a position that the head comes to next; at none where it is Infinity. */
  restart(position: Position): void {
    this.#entries = []
    this.#first = 0
    this.#bytes = 0
    this.#start = position
  }

  /** At most `count` entries from a position on; undefined when it is older than the ring. */
  from(position: Position, count: number): readonly Entry[] | undefined {
    if (position < this.#start) return undefined
    let low = this.#first
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle] as Entry).position < position) low = middle + 1
      else high = middle
    }
    return this.#entries.slice(low, low + count)
  }
}
