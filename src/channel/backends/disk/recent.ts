import { Fifo } from '../../../core/fifo.ts'
import type { Entry, Position } from '../../log.ts'

/** The entries appended last, over all logs, bounded by bytes: who reads at the head reads no file. The oldest go first. */
export class Recent {
  readonly #limitBytes: number
  readonly #order = new Fifo<RecentOfLog>()
  #bytes = 0

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
      this.#bytes -= oldest.dropFirst()
    }
  }
}

/** Those of one log: without gaps, up to its end. */
export class RecentOfLog {
  #entries: (Entry | undefined)[] = []
  #dropped = 0

  add(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Returns the bytes it counted as. */
  dropFirst(): number {
    const first = this.#entries[this.#dropped]
    this.#entries[this.#dropped++] = undefined
    if (this.#dropped > 1_024 && this.#dropped * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#dropped)
      this.#dropped = 0
    }
    return first?.bytes ?? 0
  }

  /** At most `count` from a position on; undefined when they begin later. */
  from(position: Position, count: number): readonly Entry[] | undefined {
    const first = this.#entries[this.#dropped]
    if (!first || position < first.position) return undefined
    const at = this.#dropped + position - first.position
    return this.#entries.slice(at, at + count) as Entry[]
  }
}
