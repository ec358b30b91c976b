// Where events come into a channel's log; it can be shut, so that what was on its way is known before anything is removed.
import { codeOf, EventingError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import type { EventLog, LaneId, Position, Room } from './log.ts'

export interface Door {
  /** Resolves when the event is as durable as the log makes it. Rejects as `EventLog.append`, and as `seal` has it. */
  send(event: Event, room?: Room): Promise<{ readonly lane: LaneId; readonly position: Position }>
  /**
   * Until the returned function is called, `send` rejects with LOG_UNAVAILABLE (retryable), or LOG_GONE once the channel is
   * closed. Resolves when what was being sent is stored or refused.
   */
  seal(): Promise<() => void>
}

export interface DoorOptions {
  readonly log: EventLog
  isClosed(): boolean
  /** The log was full. */
  onFull(): void
}

export function createDoor({ log, isClosed, onFull }: DoorOptions): Door {
  let isSealed = false
  let sending = 0
  let onAllSent: (() => void) | undefined

  return {
    async send(event, room) {
      if (isSealed) throw sealed(isClosed())
      sending++
      try {
        return await log.append(event, room)
      } catch (error) {
        if (codeOf(error) === 'LOG_FULL') onFull()
        throw error
      } finally {
        if (--sending === 0) onAllSent?.()
      }
    },

    async seal() {
      isSealed = true
      if (sending > 0) {
        await new Promise<void>((resolve) => {
          onAllSent = resolve
        })
      }
      return () => {
        isSealed = false
      }
    },
  }
}

function sealed(isClosed: boolean): EventingError {
  return isClosed
    ? new EventingError('LOG_GONE', 'the channel is closed')
    : new EventingError('LOG_UNAVAILABLE', 'the channel takes nothing for a moment', { retryable: true })
}
