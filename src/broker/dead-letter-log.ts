// Where events wait that nobody took: one more event log per broker, on the same backend. Listed means unsettled, so
// nothing in it is ever trimmed until somebody redrives or discards it.

import type { EventLog, LogConfig, LogRef, LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import type { Event } from '../core/event.ts'
import { createRoomWait, type Storer } from './room-wait.ts'

/** Names the subscription, as `namespace/name`, that the event failed for. An extension attribute. */
export const TRIGGER_ATTRIBUTE = 'tidingstrigger'
const LIST_CURSOR = 'list'

export interface DeadLetterLogStatus {
  /** Events waiting for somebody to redrive or discard them. */
  readonly waiting: number
  readonly bytes: number
  readonly capBytes: number
  /** Whether a subscription is waiting for room right now (`DeadLetterLogFull`). */
  readonly isFull: boolean
}

export interface DeadLetterLog {
  /**
   * Resolves once the event is as durable as the backend makes it. Waits while the log is full or away, so nothing is
   * dropped; rejects when the storer's signal aborts, or with EVENT_TOO_LARGE or LOG_GONE: what is not kept then is the
   * caller's to hold on to.
   */
  keep(event: Event, trigger: string, storer: Storer): Promise<void>
  status(): DeadLetterLogStatus
}

export async function openDeadLetterLog(
  store: LogStore,
  ref: LogRef,
  config: LogConfig,
  clock: Clock,
): Promise<DeadLetterLog> {
  const log: EventLog = await store.open(ref, config)
  await log.createCursor(LIST_CURSOR, 'earliest')
  const room = createRoomWait(clock)

  return {
    async keep(event, trigger, storer) {
      const kept = { ...event, attributes: { ...event.attributes, [TRIGGER_ATTRIBUTE]: trigger } }
      await room.store(storer, () => log.append(kept, 'internal'))
    },
    status() {
      const { entries, bytes, capBytes } = log.size()
      return { waiting: entries, bytes, capBytes, isFull: room.waiting > 0 }
    },
  }
}
