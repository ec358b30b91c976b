// Attempts of one subscription that run at once, on all its lanes together. A lane that finds no slot free waits for its turn,
// so that none takes them all.
export interface Taker {
  /** Hands out what is ready while slots are free. */
  pump(): void
}

export class Slots {
  #used = 0
  /** In the order of their turns. Most subscriptions never have one. */
  #waiting: Set<Taker> | undefined

  /** Whether one may be taken. If not, the taker is pumped when it is its turn. */
  isFree(taker: Taker, most: number): boolean {
    if (this.#used < most) return true
    this.#waiting ??= new Set()
    this.#waiting.add(taker)
    return false
  }

  take(): void {
    this.#used++
  }

  /** Whoever gives one back looks after itself: others have their turns, and it keeps its own. */
  give(from: Taker, count = 1): void {
    this.#used -= count
    if (!this.#waiting) return
    for (const taker of this.#waiting) {
      if (taker === from) continue
      this.#waiting.delete(taker)
      taker.pump()
      // It waits again: all are taken.
      if (this.#waiting.has(taker)) return
    }
  }

  /** The taker is gone, and what it had is free. */
  leave(taker: Taker, count: number): void {
    this.#waiting?.delete(taker)
    this.give(taker, count)
  }
}
