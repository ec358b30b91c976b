import { Fifo } from '../../../core/fifo.ts'
import type { Entry, Position } from '../../log.ts'

/**
 * The entries appended last, over all logs, bounded by bytes: who reads at the head, or just behind it, reads no file. The
 * oldest go first, and sooner those that everybody has settled: what is let go of early costs the garbage collector least.
 */
export class Recent {
  readonly #limitBytes: number
  /** Of each entry its log, oldest first; those that a log let go of itself are still in it. */
  #order = new Fifo<RecentOfLog>()
  #bytes = 0
  #stale = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  add(log: RecentOfLog, entry: Entry): void {
    log.add(entry)
    this.#order.push(log)
    this.#bytes += entry.bytes
    while (this.#bytes > this.#limitBytes) {
      const oldest = this.#order.shift()
      if (!oldest) return
      if (oldest.passStale()) this.#stale--
      else this.#bytes -= oldest.dropFirst()
    }
  }

  /** Nobody is going to read what stands before the position, or who does may read the files. */
  dropBefore(log: RecentOfLog, position: Position): void {
    for (let first = log.first; first && first.position < position; first = log.first) {
      this.#bytes -= log.dropFirst()
      log.stale++
      this.#stale++
    }
    if (this.#stale > this.#order.size / 2) this.#compact()
  }

  #compact(): void {
    const order = new Fifo<RecentOfLog>()
    for (const log of this.#order) if (!log.passStale()) order.push(log)
    this.#order = order
    this.#stale = 0
  }
}

/** Those of one log: without gaps, up to its end. */
export class RecentOfLog {
  #entries: (Entry | undefined)[] = []
  #dropped = 0
  /** Entries that went before their turn. */
  stale = 0

  get first(): Entry | undefined {
    return this.#entries[this.#dropped]
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Whether the entry whose turn it is has gone already. */
  passStale(): boolean {
    if (this.stale === 0) return false
    this.stale--
    return true
  }

  /** Returns the bytes it counted as. */
  dropFirst(): number {
    const { first } = this
    if (!first) return 0
    this.#entries[this.#dropped++] = undefined
    if (this.#dropped > 1_024 && this.#dropped * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#dropped)
      this.#dropped = 0
    }
    return first.bytes
  }

  /** At most `count` from a position on; undefined when they begin later. */
  from(position: Position, count: number): readonly Entry[] | undefined {
    const { first } = this
    if (!first || position < first.position) return undefined
    const at = this.#dropped + position - first.position
    return this.#entries.slice(at, at + count) as Entry[]
  }
}
