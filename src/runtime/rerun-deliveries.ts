// How events of a replay or a redrive reach whom they are for: by the attempts of its live cursor.
import { type DeadLetterLog, TRIGGER_ATTRIBUTE } from '../broker/dead-letter-log.ts'
import { compileLetterMatch, type LetterMatch, originalOf } from '../broker/letter.ts'
import type { Deliver, Delivery, SubscriptionSpec } from '../channel/subscription.ts'
import type { Step } from '../core/delivery-spec.ts'
import { type Event, eventBytes, withAttributes } from '../core/event.ts'
import type { Reader } from './cursors.ts'

/** On every event of a replay, with its id: so that subscribers can tell it from the first time. */
export const REPLAY_ATTRIBUTE = 'tidingsreplay'

export function letterFilter(match: LetterMatch & { readonly reader: string }): SubscriptionSpec['filter'] {
  return {
    matches: compileLetterMatch(match),
    covers: [[{ kind: 'exact', attribute: TRIGGER_ATTRIBUTE, value: match.reader }]],
  }
}

/** The live attempt, with the mark of the replay. */
export function replaying(id: string, reader: Reader): Deliver {
  const deliver = reader.deliverTo(reader.hub.deadLetters)
  return (delivery) => {
    const { event } = delivery
    const marked = withAttributes(event, { ...event.attributes, [REPLAY_ATTRIBUTE]: id })
    deliver(withEvent(delivery, marked, (step) => noteDelivered(reader, step)))
  }
}

/** The live attempt with the event as it was; it leaves the list once somebody took it, and stays there otherwise. */
export function redriving(deadLettersNow: () => DeadLetterLog | undefined, reader: Reader): Deliver {
  const deliver = reader.deliverTo({ keep: () => Promise.resolve() })
  return (delivery) => {
    const { event, lane, position } = delivery
    const deadLetters = deadLettersNow()
    const entry = { position, event, bytes: eventBytes(event) }
    if (deadLetters && !deadLetters.has(lane, entry)) {
      setImmediate(() => delivery.done({ kind: 'settled', outcome: 'skipped' }))
      return
    }
    const original = withEvent(delivery, originalOf(event), (step) => {
      if (step.kind === 'settled' && step.outcome !== 'kept') deadLetters?.settle(lane, entry)
      noteDelivered(reader, step)
    })
    // The floor that a reply may overfill its broker for is not this log's.
    deliver({ ...original, holdsFloor: () => false })
  }
}

/** Its subscriber works again, though the cursor itself has tried nothing since it failed. */
function noteDelivered({ hub, uid }: Reader, step: Step): void {
  if (step.kind === 'settled' && step.outcome === 'delivered') hub.channel.noteDelivered(uid)
}

function withEvent(delivery: Delivery, event: Event, onStep: (step: Step) => void): Delivery {
  const { lane, position, progress, signal } = delivery
  return {
    event,
    lane,
    position,
    progress,
    signal,
    holdsFloor: () => delivery.holdsFloor(),
    done(step) {
      onStep(step)
      delivery.done(step)
    },
    failed: (fault) => delivery.failed(fault),
  }
}
