// What an open log turned out to be that cannot be served: lost for good, or not for us. It stays open, since the one
// ends with its resource and the other when the cluster thinks better of us; its resource says so meanwhile.
import type { Clock, Timer } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'

export interface HubTroubles<Hub> {
  /** Something failed. Anything but LOG_LOST and AUTH_FAILED passes by itself, and is no trouble. */
  note(hub: Hub, error: unknown): void
  of(hub: Hub): unknown
  isLost(hub: Hub): boolean
  /** It is closed. */
  forget(hub: Hub): void
}

interface Trouble {
  readonly error: unknown
  /** Of what is over when nothing was refused for a while. */
  timer: Timer | undefined
}

/** Longer than between any two attempts of somebody who was refused. */
const CALM_MS = 30_000

/** `changed`: it is in trouble now, or is not any more. */
export function createHubTroubles<Hub>(clock: Clock, changed: (hub: Hub) => void): HubTroubles<Hub> {
  const troubles = new Map<Hub, Trouble>()

  const isLost = (hub: Hub): boolean => codeOf(troubles.get(hub)?.error) === 'LOG_LOST'

  function forget(hub: Hub): void {
    troubles.get(hub)?.timer?.cancel()
    troubles.delete(hub)
  }

  function endsByItself(hub: Hub): Timer {
    return clock.after(CALM_MS, () => {
      troubles.delete(hub)
      changed(hub)
    })
  }

  return {
    note(hub, error) {
      const code = codeOf(error)
      if ((code !== 'LOG_LOST' && code !== 'AUTH_FAILED') || isLost(hub)) return
      const known = troubles.get(hub)
      known?.timer?.cancel()
      const timer = code === 'AUTH_FAILED' ? endsByItself(hub) : undefined
      if (known && codeOf(known.error) === code) {
        known.timer = timer
        return
      }
      troubles.set(hub, { error, timer })
      changed(hub)
    },
    of: (hub) => troubles.get(hub)?.error,
    isLost,
    forget,
  }
}
