import type { Position } from './log.ts'

const CHUNK = 4_096

/**
 * For each entry, how many subscriptions have matched it and not settled it: four bytes an entry, so that "how many
 * events are still waiting" is a number at hand, whatever the backlog.
 */
export class Outstanding {
  readonly #chunks = new Map<number, Uint32Array>()
  #waiting = 0

  /** Entries that at least one subscription has not settled. */
  get waiting(): number {
    return this.#waiting
  }

  /** Returns whether nobody had matched the entry before. */
  add(position: Position, subscriptions: number): boolean {
    const index = Math.floor(position / CHUNK)
    let chunk = this.#chunks.get(index)
    if (!chunk) {
      chunk = new Uint32Array(CHUNK)
      this.#chunks.set(index, chunk)
    }
    const at = position % CHUNK
    const before = chunk[at] as number
    chunk[at] = before + subscriptions
    if (before > 0) return false
    this.#waiting++
    return true
  }

  /** One subscription settled the entry; returns whether it was the last. False for what was trimmed or never added. */
  settle(position: Position): boolean {
    const chunk = this.#chunks.get(Math.floor(position / CHUNK))
    const at = position % CHUNK
    const before = chunk?.[at]
    if (!chunk || !before) return false
    chunk[at] = before - 1
    if (before > 1) return false
    this.#waiting--
    return true
  }

  /**
   * Forgets all before `floor`, and returns how many of these still count. Where every live cursor has passed `floor` they
   * belong to subscriptions that are gone or changed their filter while behind.
   */
  trim(floor: Position): number {
    const before = this.#waiting
    const whole = Math.floor(floor / CHUNK)
    for (const [index, chunk] of this.#chunks) {
      if (index > whole) continue
      const end = index < whole ? CHUNK : floor % CHUNK
      for (let at = 0; at < end; at++) {
        if (chunk[at] === 0) continue
        chunk[at] = 0
        this.#waiting--
      }
      if (index < whole) this.#chunks.delete(index)
    }
    return before - this.#waiting
  }
}
