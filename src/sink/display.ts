// The built-in subscriber: prints each event's attributes and data, so that a first event can be seen arriving without
// writing a program. It stands in for Knative's `event_display` image.
import type { Clock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import { decodeRequest } from '../http/decode.ts'
import type { Answer, DataRequest } from '../http/server.ts'
import { formatEvent } from './format-event.ts'

export interface DisplayOptions {
  /** False, and nothing is printed, while whoever reads it is behind. */
  readonly print: (text: string) => boolean
  readonly clock: Clock
  readonly maxEventBytes: number
}

const SHOWN: Answer = { status: 202 }
/** The event waits where it comes from, instead of in a buffer without a bound. */
const BEHIND: Answer = { status: 503, text: 'what was printed is not being read: send the event again later' }

export function createDisplay({ print, clock, maxEventBytes }: DisplayOptions): (request: DataRequest) => Answer {
  return ({ rawHeaders, body }) => {
    try {
      const events = decodeRequest(rawHeaders, body, { allowBatch: true, arrivedAt: clock.wall(), maxEventBytes })
      return print(events.map(formatEvent).join('')) ? SHOWN : BEHIND
    } catch (error) {
      if (!(error instanceof EventingError)) throw error
      return { status: 400, text: error.message }
    }
  }
}
