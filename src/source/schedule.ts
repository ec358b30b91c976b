// When a source with a schedule fires. It looks at the wall clock alone, which may jump, and which goes on while the process
// is frozen or not there: what is then made up for is the caller's choice. What a tick sends is ping.ts and cron-job.ts.
import type { Clock, Timer } from '../core/clock.ts'
import { nextTime, type Schedule } from '../core/cron.ts'

/**
 * What becomes of times that passed while nobody could fire. `none`: the latest of them fires, late, if the process was
 * there but frozen; a start looks at the future only, as upstream. `last`: the latest of them fires, also after a restart.
 * `all`: each of them fires, also after a restart.
 */
export type CatchUp = 'none' | 'last' | 'all'

export interface ScheduleOptions {
  readonly schedule: Schedule
  readonly clock: Clock
  /** The last time that was fired before this start, epoch milliseconds. Without it nothing was missed. */
  readonly lastAt?: number
  readonly catchUp: CatchUp
  /** The most that `all` fires at once; older ones are skipped. */
  readonly catchUpMax: number
  /** Each tick waits a random time below this, so that sources with one schedule do not send in one instant. */
  readonly jitterMs?: number
  /** Told of each time, epoch milliseconds, oldest first. Ticks do not wait for each other. */
  readonly onTick: (scheduledAt: number) => void
  /** Told how many times passed that will never fire. Of very many, at least so many. */
  readonly onSkipped: (count: number) => void
}

export interface RunningSchedule {
  /** Nothing fires after it returns, not even a tick that waits out its jitter. Idempotent. */
  stop(): void
}

/** The wall clock is looked at this often: it may be set, and timers stand still while a machine sleeps. */
const LONGEST_WAIT_MS = 60_000
/** A clock set back by less fires nothing twice. By more, it was wrong before, and its future is not waited for. */
const LARGEST_STEP_BACK_MS = 3_600_000
/** Missed times are counted up to here. */
const COUNTED = 1_000

/** Fires from a timer, never before it has returned. A schedule that has no next time never fires. */
export function startSchedule(options: ScheduleOptions): RunningSchedule {
  const { schedule, clock, lastAt, catchUp, catchUpMax, jitterMs = 0, onTick, onSkipped } = options
  const most = catchUp === 'all' ? Math.max(catchUpMax, 1) : 1
  const waiting = new Set<Timer>()
  /** All times up to here have fired or were skipped. */
  let handledAt = catchUp === 'none' ? clock.wall() : (lastAt ?? clock.wall())
  let timer: Timer | undefined
  let isStopped = false

  function arm(): void {
    if (handledAt - clock.wall() > LARGEST_STEP_BACK_MS) handledAt = clock.wall()
    const next = nextTime(schedule, handledAt)
    timer = next === undefined ? undefined : clock.after(waitMs(next), wake)
  }

  function waitMs(next: number): number {
    return Math.min(Math.max(next - clock.wall(), 0), LONGEST_WAIT_MS)
  }

  function wake(): void {
    const { times, skipped } = lastTimes(schedule, handledAt, clock.wall(), most)
    handledAt = times.at(-1) ?? handledAt
    arm()
    if (skipped > 0) onSkipped(skipped)
    for (const time of times) tick(time)
  }

  function tick(scheduledAt: number): void {
    // By the tick before.
    if (isStopped) return
    if (jitterMs === 0) return onTick(scheduledAt)
    const jitter = clock.after(Math.random() * jitterMs, () => {
      waiting.delete(jitter)
      onTick(scheduledAt)
    })
    waiting.add(jitter)
  }

  arm()
  return {
    stop() {
      isStopped = true
      timer?.cancel()
      for (const jitter of waiting) jitter.cancel()
      waiting.clear()
    },
  }
}

interface Passed {
  /** Oldest first. */
  readonly times: readonly number[]
  /** How many stood before them, at least. */
  readonly skipped: number
}

/** The last `most` times of the schedule after one instant, until and with another. */
function lastTimes(schedule: Schedule, after: number, until: number, most: number): Passed {
  const counted = Math.max(COUNTED, 2 * most)
  const all = firstTimes(schedule, after, until, counted)
  if (all.length < counted) return { times: all.slice(-most), skipped: Math.max(all.length - most, 0) }
  return { times: lastOfMany(schedule, after, until, most, counted), skipped: counted - most }
}

/** Years of seconds may have passed, too many to walk through: halves the time until few, but enough, are left. */
function lastOfMany(schedule: Schedule, after: number, until: number, most: number, many: number): readonly number[] {
  let [tooEarly, tooLate] = [after, until]
  while (tooLate - tooEarly > 1) {
    const middle = Math.floor((tooEarly + tooLate) / 2)
    const times = firstTimes(schedule, middle, until, many)
    if (times.length === many) tooEarly = middle
    else if (times.length < most) tooLate = middle
    else return times.slice(-most)
  }
  return firstTimes(schedule, tooEarly, until, many).slice(-most)
}

function firstTimes(schedule: Schedule, after: number, until: number, most: number): number[] {
  const times: number[] = []
  let at = nextTime(schedule, after)
  while (at !== undefined && at <= until && times.length < most) {
    times.push(at)
    at = nextTime(schedule, at)
  }
  return times
}
