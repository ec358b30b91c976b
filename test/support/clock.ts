// Time for tests: it stands still until told to move, and nothing global is patched.
import { createClock as createFakeTimers } from '@sinonjs/fake-timers'
import { type Clock, createClock } from '../../src/core/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time on and runs what became due, promises in between included. */
  advance(ms: number): Promise<void>
  /** Timers that are set and not yet due: 0 when everything started was stopped. */
  pending(): number
}

/** A clock whose `now()` starts at 0 and whose `wall()` starts at `startAt` (epoch ms). */
export function createFakeClock(startAt = 0): FakeClock {
  const timers = createFakeTimers(startAt)
  return {
    ...createClock(timers),
    advance: async (ms) => {
      await timers.tickAsync(ms)
    },
    pending: () => timers.countTimers(),
  }
}
