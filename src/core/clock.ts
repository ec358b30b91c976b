// The only file that knows setTimeout and Date.now: whatever waits takes a Clock, so that days of retries test in
// milliseconds.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds: for differences only. */
  now(): number
  /** Epoch milliseconds: for what is stored or shown, never for waiting. */
  wall(): number
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `task` after `ms`, unless cancelled first. */
  after(ms: number, task: () => void): Timer
}

/** The part of a runtime (or of a fake one) that a clock is made of. */
export interface Timers {
  setTimeout(task: () => void, ms: number): unknown
  clearTimeout(id: never): void
  readonly Date: { now(): number }
  readonly performance: { now(): number }
}

/** setTimeout fires anything longer at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export function createClock(timers: Timers = globalThis as unknown as Timers): Clock {
  const clock: Clock = {
    now: () => timers.performance.now(),
    wall: () => timers.Date.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          timer.cancel()
          reject(signal?.reason)
        }
        const timer = clock.after(ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    after(ms, task) {
      if (ms <= LONGEST_TIMEOUT_MS) {
        const id = timers.setTimeout(task, ms)
        return { cancel: () => timers.clearTimeout(id as never) }
      }
      let left = ms
      let id: unknown
      const arm = (): void => {
        const part = Math.min(left, LONGEST_TIMEOUT_MS)
        left -= part
        id = timers.setTimeout(left > 0 ? arm : task, part)
      }
      arm()
      return { cancel: () => timers.clearTimeout(id as never) }
    },
  }
  return clock
}
