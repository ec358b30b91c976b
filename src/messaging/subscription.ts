// A Subscription's deliveries: the attempt as delivery/ makes it, its reply sent on to where the Subscription says, and
// what nobody takes going to the dead-letter log of its channel. Who gets an event, and when, is the fan-out's matter.
import type { DeadLetterLog } from '../broker/dead-letter-log.ts'
import type { Deliver } from '../channel/subscription.ts'
import type { Clock } from '../core/clock.ts'
import type { Failure, Route } from '../core/delivery-spec.ts'
import type { Target } from '../core/destination.ts'
import type { Event } from '../core/event.ts'
import { failureOf } from '../delivery/dead-letter.ts'
import {
  type Attempt,
  createDeliver,
  type DeliverOptions,
  isAccepted,
  postAsItIs,
  type ReplyVerdict,
} from '../delivery/deliver.ts'
import { isRetryable, waitMs } from '../delivery/retry.ts'
import { abortGroupOf, type Member } from '../http/abort-group.ts'
import type { Client } from '../http/client.ts'
import type { Histogram } from '../observe/histogram.ts'

/** What a Subscription's deliveries follow. Its `namespace` is the channel's. */
export interface SubscriptionRoute extends Route {
  /** Where replies go. Absent, they are dropped. */
  readonly reply?: Target
}

export interface SubscriptionDelivery {
  /** `namespace/name`. */
  readonly name: string
  /** Asked at every attempt, those of a reply included. */
  readonly route: () => SubscriptionRoute
  /** Of its channel. */
  readonly deadLetters: Pick<DeadLetterLog, 'keep'>
  readonly client: Client
  readonly clock: Clock
  /** Durations of requests: to the subscriber, to where replies go, to the dead letter sink. */
  readonly durations: Histogram
  /** Told of every attempt that did not deliver, those of a reply included. */
  readonly onFailure: DeliverOptions['onFailure']
  /** Told of every attempt. */
  readonly onAttempt: DeliverOptions['onAttempt']
}

/**
 * Makes one attempt per call. A channel relays events unchanged: there are no hops to count, and an answer that is not an
 * event is none of its business.
 * @see knative/eventing pkg/channel/fanout/fanout_event_handler.go
 */
export function createSubscriptionDeliver(options: SubscriptionDelivery): Deliver {
  const { route, client, clock, durations, onFailure, onAttempt } = options
  const replies: Replies = { route, client, clock, onFailure, onRequestEnd: (ms) => durations.observe(ms) }
  return createDeliver({
    ...replies,
    onAttempt,
    reply: (reply, attempt) => sendReply(replies, reply, attempt),
    keep: (event, _failure, attempt) => options.deadLetters.keep(event, options.name, attempt),
    nonEventBody: 'ignored',
    omit: '',
  })
}

interface Replies extends Pick<DeliverOptions, 'client' | 'clock' | 'onRequestEnd' | 'onFailure'> {
  readonly route: () => SubscriptionRoute
}

const TAKEN: ReplyVerdict = { kind: 'stored' }

/**
 * Sends a reply to where the Subscription wants it, again and again as its `delivery` says for the subscriber. Meanwhile
 * the attempt keeps its slot: the subscriber has answered and is not called again, unless the process ends first. When
 * nobody takes the reply, the original event is a dead letter that names the reply's destination.
 * The specification would call the subscriber again; upstream does not, and neither do we (design.md section 6, "replies").
 */
async function sendReply(options: Replies, reply: Event, attempt: Attempt): Promise<ReplyVerdict> {
  const { clock, onFailure } = options
  for (let made = 1; ; made++) {
    const route = await routeNow(options, attempt)
    const { reply: target, retry } = route
    if (!target) return TAKEN
    const answer = await postAsItIs(options, route, attempt, target, reply)
    if (isAccepted(answer)) return TAKEN

    const failure = replyFailure(failureOf(target.url, answer))
    if (!isRetryable(failure.status) || made > retry.retries) return { kind: 'refused', failure }
    const delayMs = waitMs(retry, made, answer, clock.wall())
    onFailure(attempt, { kind: 'wait', delayMs, progress: attempt.progress, reason: failure.reason })
    await pause(clock, delayMs, attempt.signal)
  }
}

/** A reference may be unresolved for a while: the reply waits, as an event would. */
async function routeNow({ route, clock }: Replies, { signal }: Attempt): Promise<SubscriptionRoute> {
  for (;;) {
    try {
      return route()
    } catch {
      await pause(clock, UNRESOLVED_WAIT_MS, signal)
    }
  }
}

const UNRESOLVED_WAIT_MS = 1_000

function replyFailure(failure: Failure): Failure {
  return { ...failure, reason: `the reply was not taken: ${failure.reason}` }
}

/** As `clock.sleep`, but however many wait, the signal of their lane has one listener. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const group = abortGroupOf(signal)
  if (group.isAborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      group.remove(waiter)
      resolve()
    })
    const waiter: Member = {
      slot: -1,
      abandon(reason) {
        timer.cancel()
        reject(reason)
      },
    }
    group.add(waiter)
  })
}
