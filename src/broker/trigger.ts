// A trigger's deliveries: the attempt as delivery/ makes it, with its reply going back through the broker's own ingress
// function, and what nobody takes going to the dead-letter log.
import type { Room } from '../channel/log.ts'
import type { Deliver } from '../channel/subscription.ts'
import type { Clock } from '../core/clock.ts'
import type { Failure, Route } from '../core/delivery-spec.ts'
import { EventingError } from '../core/errors.ts'
import { attributeOf, type Event, TTL_ATTRIBUTE } from '../core/event.ts'
import { type Attempt, createDeliver, type DeliverOptions, type ReplyVerdict } from '../delivery/deliver.ts'
import type { Client } from '../http/client.ts'
import type { Histogram } from '../observe/histogram.ts'
import type { DeadLetterLog } from './dead-letter-log.ts'
import type { IngressTarget, Verdict } from './ingress.ts'
import type { RoomWait } from './room-wait.ts'

export interface TriggerDelivery {
  /** `namespace/name`. */
  readonly name: string
  /** Asked at every attempt. */
  readonly route: () => Route
  /** Where replies go: the trigger's own broker, whose address failures name. */
  readonly broker: { readonly target: IngressTarget; readonly url: string; readonly room: RoomWait }
  readonly accept: (target: IngressTarget, event: Event, room: Room) => Promise<Verdict>
  readonly deadLetters: Pick<DeadLetterLog, 'keep'>
  readonly client: Client
  readonly clock: Clock
  /** Durations of requests, to subscribers and dead letter sinks, and of nothing that comes after their answers. */
  readonly durations: Histogram
  /** Told of every attempt that did not deliver. */
  readonly onFailure: DeliverOptions['onFailure']
  /** Told of every attempt. */
  readonly onAttempt: DeliverOptions['onAttempt']
}

export function createTriggerDeliver(options: TriggerDelivery): Deliver {
  const { route, client, clock, durations, onFailure, onAttempt } = options
  return createDeliver({
    route,
    client,
    clock,
    reply: (reply, attempt) => storeReply(options, reply, attempt),
    keep: (event, _failure, attempt) => options.deadLetters.keep(event, options.name, attempt),
    nonEventBody: 'fails',
    // Put back on the reply, see below.
    omit: TTL_ATTRIBUTE,
    onRequestEnd: (ms) => durations.observe(ms),
    onFailure,
    onAttempt,
  })
}

/**
 * Puts a reply into the trigger's broker. The request's TTL goes onto it, so that a loop ends; waits while there is no
 * room, and when this event is what keeps room from being made, may overfill the log.
 */
async function storeReply(options: TriggerDelivery, reply: Event, attempt: Attempt): Promise<ReplyVerdict> {
  const { broker, accept } = options
  const event = withTtlOf(attempt.event, reply)
  const verdict = await broker.room.store(attempt, async () => {
    const drains = attempt.holdsFloor()
    const given = await accept(broker.target, event, drains ? 'drain' : 'internal')
    if (given.kind === 'refused' && given.retryable && !(drains && given.code === 'LOG_FULL')) {
      throw new EventingError(given.code, given.reason, { retryable: true })
    }
    return given
  })
  if (verdict.kind === 'accepted') return { kind: 'stored' }
  return { kind: 'refused', failure: replyFailure(broker.url, verdict) }
}

function withTtlOf(request: Event, reply: Event): Event {
  const ttl = attributeOf(request.attributes, TTL_ATTRIBUTE)
  const { [TTL_ATTRIBUTE]: _set, ...attributes } = reply.attributes
  return { ...reply, attributes: ttl === undefined ? attributes : { ...attributes, [TTL_ATTRIBUTE]: ttl } }
}

function replyFailure(destination: string, { status, reason }: { status: number; reason: string }): Failure {
  return { destination, status, data: Buffer.from(reason).subarray(0, 768), reason: `the reply was refused: ${reason}` }
}
