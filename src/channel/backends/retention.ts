// What stores have in common about giving events up: how much at once, and one timer for what gets too old while nothing
// else happens.
import type { Clock, Timer } from '../../core/clock.ts'
import type { Bounds, LogConfig } from '../log.ts'

export interface Aging {
  /** To be called when a log was opened: from the first one on in which anything can get too old, time is kept. */
  watch(config: LogConfig): void
  /** Nothing is given up after it resolved. */
  close(): Promise<void>
}

const SHORTEST_CHECK_MS = 5_000
const LONGEST_DELAY_MS = 60_000
const MOST_AT_ONCE_BYTES = 2 ** 20

/** `dropOld` gives up what is too old, at a time in epoch milliseconds, and never rejects. One call at a time. */
export function createAging(clock: Clock, dropOld: (nowMs: number) => void | Promise<void>): Aging {
  let timer: Timer | undefined
  let checkMs = Infinity
  let running: Promise<void> | undefined
  let isClosed = false

  function keepTime(): void {
    timer = clock.after(checkMs, () => {
      timer = undefined
      running = check()
    })
  }

  async function check(): Promise<void> {
    await dropOld(clock.wall())
    running = undefined
    if (!isClosed) keepTime()
  }

  return {
    watch({ retention, expiry }) {
      const shortest = Math.min(retention?.ms ?? Infinity, expiry?.ms ?? Infinity)
      const wantedMs = Math.max(SHORTEST_CHECK_MS, delayOf(shortest))
      if (shortest === Infinity || wantedMs >= checkMs || isClosed) return
      checkMs = wantedMs
      if (running && !timer) return // it goes on with this
      timer?.cancel()
      keepTime()
    },
    async close() {
      isClosed = true
      timer?.cancel()
      await running
    },
  }
}

/** How much later than it might an event of such an age is given up, so that a log is not looked at for each. */
export function delayOf(ms: number): number {
  return Math.min(ms / 100, LONGEST_DELAY_MS)
}

/** Bytes of settled events that a log may keep. */
export function retainableBytes({ retention }: LogConfig): number {
  return retention && retention.ms > 0 ? retention.bytes : 0
}

/** How much to give up when `needed` bytes too many are there: more, so that not every append gives up an event. */
export function expireAtOnce(needed: number, { bytes }: Bounds): number {
  return Math.max(needed, Math.min(bytes / 64, MOST_AT_ONCE_BYTES))
}
