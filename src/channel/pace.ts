import type { Clock, Timer } from '../core/clock.ts'

/** So many may start in a second, evenly: as many at once as ten milliseconds are worth, at least one. */
export class Pace {
  readonly #clock: Clock
  readonly #spacingMs: number
  readonly #burstMs: number
  readonly #again: () => void
  #nextAt = 0
  #timer: Timer | undefined

  /** `again` is called when the next may start after one was refused. */
  constructor(clock: Clock, perSecond: number, again: () => void) {
    this.#clock = clock
    this.#spacingMs = 1_000 / perSecond
    this.#burstMs = Math.max(0, 10 - this.#spacingMs)
    this.#again = again
  }

  /** Whether one may start now; then it counts as started. */
  take(): boolean {
    const now = this.#clock.now()
    if (now < this.#nextAt) {
      this.#timer ??= this.#clock.after(this.#nextAt - now, () => {
        this.#timer = undefined
        this.#again()
      })
      return false
    }
    this.#nextAt = Math.max(this.#nextAt, now - this.#burstMs) + this.#spacingMs
    return true
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
