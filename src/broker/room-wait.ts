import type { Clock, Timer } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import { abortGroupOf, type Member } from '../http/abort-group.ts'

/** A delivery that has something to store: a reply, or an event to keep. */
export interface Storer {
  /** When it aborts, nothing more is tried. */
  readonly signal: AbortSignal
  /** True while its own log cannot be trimmed before it has stored. */
  holdsFloor(): boolean
}

export interface RoomWait {
  /**
   * Repeats `store` while it fails with something that may pass: a full log, a backend that is away. Whoever calls holds
   * its slot meanwhile, so a subscriber is not called again for what it has already answered. Rejects with the signal's
   * reason, or with what will not pass.
   */
  store<T>(storer: Storer, store: () => Promise<T>): Promise<T>
  /** How many are waiting. */
  readonly waiting: number
}

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 1_000
/** Who is woken in turn for each that got in: so those that fit catch up in a few rounds, and a log can group them. */
const WOKEN_BY_ONE = 2

interface Waiter extends Member {
  readonly storer: Storer
  wake(): void
}

/**
 * Those who wait for room in one log, in the order of their last attempts. When one got in, two try again, and whoever
 * holds the floor: room is made by what is settled, which moves the floor on. While none gets in, a timer wakes as many;
 * so attempts are a few for each that gets in, however many wait.
 */
export function createRoomWait(clock: Clock): RoomWait {
  const waiters = new Set<Waiter>()
  let waiting = 0
  let gotIn = 0
  let timer: Timer | undefined
  let waitMs = FIRST_WAIT_MS

  function turn(storer: Storer): Promise<void> {
    const { signal } = storer
    const group = abortGroupOf(signal)
    if (group.isAborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        slot: -1,
        storer,
        wake() {
          waiters.delete(waiter)
          group.remove(waiter)
          resolve()
        },
        abandon(reason) {
          waiters.delete(waiter)
          reject(reason)
        },
      }
      group.add(waiter)
      waiters.add(waiter)
      keepTimer()
    })
  }

  /** Whatever becomes of those who were woken, the others get their turn. */
  function keepTimer(): void {
    if (waiters.size > 0) timer ??= clock.after(waitMs * (0.75 + Math.random() / 2), onTimer)
  }

  function onTimer(): void {
    timer = undefined
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    wake(WOKEN_BY_ONE)
  }

  function wake(count: number): void {
    floorHolder()?.wake()
    let left = count
    for (const waiter of waiters) {
      if (left-- === 0) break
      waiter.wake()
    }
    keepTimer()
  }

  function floorHolder(): Waiter | undefined {
    for (const waiter of waiters) if (waiter.storer.holdsFloor()) return waiter
    return undefined
  }

  function onStored(): void {
    if (waiting === 0) return
    // After its delivery is settled.
    if (gotIn++ === 0) setImmediate(wakeNext)
  }

  function wakeNext(): void {
    const count = gotIn * WOKEN_BY_ONE
    gotIn = 0
    stopTimer()
    wake(count)
  }

  function stopTimer(): void {
    timer?.cancel()
    timer = undefined
    waitMs = FIRST_WAIT_MS
  }

  async function storeInTurn<T>(storer: Storer, store: () => Promise<T>): Promise<T> {
    for (;;) {
      await turn(storer)
      try {
        return await store()
      } catch (error) {
        if (!isPassing(error)) throw error
      }
    }
  }

  return {
    async store(storer, store) {
      try {
        const stored = await store()
        onStored()
        return stored
      } catch (error) {
        if (!isPassing(error)) throw error
      }
      waiting++
      try {
        const stored = await storeInTurn(storer, store)
        onStored()
        return stored
      } finally {
        if (--waiting === 0) stopTimer()
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
