import type { Clock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 1_000

/**
 * Repeats `store` while it fails with something that may pass (a full log, a backend that is away). Whoever calls holds
 * its slot meanwhile, so a subscriber is not called again for what it has already answered. Rejects with the signal's
 * reason, or with what will not pass.
 */
export async function retryUntilStored<T>(clock: Clock, signal: AbortSignal, store: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await store()
    } catch (error) {
      if (!(error instanceof EventingError) || !error.retryable) throw error
      await clock.sleep(waitMs * (0.75 + Math.random() / 2), signal)
    }
  }
}
