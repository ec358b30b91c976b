import type { Entry, Position } from './log.ts'

/**
 * The entries read last at a lane's head, bounded by bytes: those just behind the head are served from here without
 * reading the log again. When it is full the oldest go.
 */
export class Ring {
  readonly #limitBytes: number
  #entries: Entry[] = []
  #first = 0
  #bytes = 0
  /** From here on every entry of the lane, up to the head, is in the ring. */
  #start: Position

  constructor(limitBytes: number, start: Position) {
    this.#limitBytes = limitBytes
    this.#start = start
  }

  add(entry: Entry): void {
    if (this.#limitBytes === 0) {
      this.#start = entry.position + 1
      return
    }
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    while (this.#bytes > this.#limitBytes) {
      const oldest = this.#entries[this.#first++] as Entry
      this.#bytes -= oldest.bytes
      this.#start = oldest.position + 1
    }
    if (this.#first > 1_024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }

  /** The head jumped over positions it never read. */
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
