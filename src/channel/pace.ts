import type { Clock, Timer } from '../core/clock.ts'

/**
 * So many may start in a second, evenly: as many at once as ten milliseconds are worth, at least one. Lanes share it; those
 * that were refused have their turns in order.
 */
export class Pace {
  readonly #clock: Clock
  readonly #spacingMs: number
  readonly #burstMs: number
  readonly #refused = new Set<() => void>()
  #nextAt = 0
  #timer: Timer | undefined

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#spacingMs = 1_000 / perSecond
    this.#burstMs = Math.max(0, 10 - this.#spacingMs)
  }

  /** Whether one may start now; then it counts as started. Who is refused is called once it may try again. */
  take(again: () => void): boolean {
    const now = this.#clock.now()
    if (now < this.#nextAt) {
      this.#refused.add(again)
      this.#schedule()
      return false
    }
    this.#nextAt = Math.max(this.#nextAt, now - this.#burstMs) + this.#spacingMs
    return true
  }

  /** It is not called any more. */
  leave(again: () => void): void {
    this.#refused.delete(again)
    if (this.#refused.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    this.#timer ??= this.#clock.after(Math.max(0, this.#nextAt - this.#clock.now()), () => {
      this.#timer = undefined
      this.#callNext()
    })
  }

  /** Whoever cannot use its turn leaves it to the next. */
  #callNext(): void {
    for (const again of [...this.#refused]) {
      if (this.#clock.now() < this.#nextAt) return this.#schedule()
      this.#refused.delete(again)
      again()
    }
    if (this.#refused.size > 0) this.#schedule()
  }
}
