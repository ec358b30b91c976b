import type { Clock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'

export interface RoomWait {
  /**
   * Repeats `store` while it fails with something that may pass: a full log, a backend that is away. Whoever calls holds
   * its slot meanwhile, so a subscriber is not called again for what it has already answered. Rejects with the signal's
   * reason, or with what will not pass.
   */
  store<T>(signal: AbortSignal, store: () => Promise<T>): Promise<T>
  /** How many are waiting. */
  readonly waiting: number
}

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 1_000

/**
 * Those who wait for room in one log. When one of them got in, the others try again at once: its event is settled by
 * then, which may have made room, or made one of them the holder of the lowest floor.
 */
export function createRoomWait(clock: Clock): RoomWait {
  const wakers = new Set<() => void>()
  let waiting = 0

  function wakeAll(): void {
    for (const wake of wakers) wake()
  }

  function wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel()
        wakers.delete(wake)
        signal.removeEventListener('abort', onAbort)
      }
      const wake = (): void => {
        end()
        resolve()
      }
      const onAbort = (): void => {
        end()
        reject(signal.reason)
      }
      const timer = clock.after(ms, wake)
      wakers.add(wake)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  async function storeAfterWait<T>(signal: AbortSignal, store: () => Promise<T>): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      await wait(waitMs * (0.75 + Math.random() / 2), signal)
      try {
        const stored = await store()
        setImmediate(wakeAll) // after its delivery is settled
        return stored
      } catch (error) {
        if (!isPassing(error)) throw error
      }
    }
  }

  return {
    async store(signal, store) {
      try {
        return await store()
      } catch (error) {
        if (!isPassing(error)) throw error
      }
      waiting++
      try {
        return await storeAfterWait(signal, store)
      } finally {
        waiting--
      }
    },
    get waiting() {
      return waiting
    },
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof EventingError && error.retryable
}
