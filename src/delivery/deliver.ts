// The whole story of one event and one destination: attempts until it is accepted, refused or spent, then the dead letter
// sink, then the dead-letter log. One attempt per call: who calls, and when again, is the fan-out's matter (channel/),
// where a reply goes and what the dead-letter log is are handed in.
import type { Clock } from '../core/clock.ts'
import type { Failure, Progress, Route, Step } from '../core/delivery-spec.ts'
import type { Target } from '../core/destination.ts'
import type { Event } from '../core/event.ts'
import { printableUrl } from '../http/address.ts'
import {
  type Answer,
  type Answered,
  answerTo,
  type Client,
  type Content,
  headerTexts,
  type Post,
} from '../http/client.ts'
import { decodeResponse } from '../http/decode.ts'
import { failureOf, withErrorAttributes } from './dead-letter.ts'
import { isRetryable, waitMs } from './retry.ts'
import { contentForSink, contentForSubscriber } from './send.ts'

/** What one call is about: the fan-out's `Delivery`. */
export interface Attempt {
  readonly event: Event
  readonly progress: Progress
  /** When it aborts, the attempt fails with its reason and does not count. */
  readonly signal: AbortSignal
  /** True while nothing of the log can be trimmed before this event is settled. */
  holdsFloor(): boolean
  /** What it came to. Either this or `failed` is called, once, and not before the call has returned. */
  done(step: Step): void
  /** It came to nothing: the fault is ours. */
  failed(fault: unknown): void
}

export type ReplyVerdict =
  /** As durable as its log, or dropped because the subscription wants no replies. */
  | { readonly kind: 'stored' }
  /** For good: too large, its hops used up. `failure.destination` is where it had to go. */
  | { readonly kind: 'refused'; readonly failure: Failure }

/**
 * Takes a subscriber's reply to `attempt.event`. Waits for room itself, and for a log that is away: the subscriber is not
 * called again for a reply that it has given. Rejects only when the attempt's signal aborts.
 */
export type StoreReply = (reply: Event, attempt: Attempt) => Promise<ReplyVerdict>

/**
 * Puts an event that nobody took, error attributes included, into the dead-letter log. Waits for room itself; rejects
 * when the attempt's signal aborts, or with what will not pass: an event larger than that log, a log that is gone.
 */
export type Keep = (event: Event, failure: Failure, attempt: Attempt) => Promise<void>

export interface DeliverOptions {
  /** Asked at every attempt, so that a changed Trigger counts from the next one on. */
  readonly route: () => Route
  readonly client: Client
  readonly clock: Clock
  readonly reply: StoreReply
  readonly keep: Keep
  /** What a 200 with a body that is not an event is: a failure for a Trigger, nothing for a Subscription. */
  readonly nonEventBody: 'fails' | 'ignored'
  /** An attribute that the subscriber is not shown; empty for none. */
  readonly omit: string
  /** Told how long each request took, its answer included. */
  readonly onRequestEnd: (ms: number) => void
  /**
   * Told of every attempt, and what it came to: the time of its request in ms and the status of its answer, where there was
   * one.
   */
  readonly onAttempt: (attempt: Attempt, step: Step, ms: number | undefined, status: number | undefined) => void
  /** Told of every attempt that did not deliver. */
  readonly onFailure: (attempt: Attempt, step: Step) => void
}

/** Makes one attempt per call, and tells it what comes next. */
export function createDeliver(options: DeliverOptions): (attempt: Attempt) => void {
  return (attempt) => {
    const { failure } = attempt.progress
    if (failure)
      void finishWith(options, attempt, new Request(), (request) => tryDeadLetter(options, attempt, failure, request))
    else options.client.post(new SubscriberPost(options, attempt))
  }
}

const DELIVERED: Step = { kind: 'settled', outcome: 'delivered' }

/** What is known of the one request of an attempt, once it has ended. */
class Request {
  ms: number | undefined
  status: number | undefined

  ended(ms: number | undefined, answer: Answer): void {
    this.ms = ms
    if (answer.kind === 'answer') this.status = answer.status
  }
}

async function finishWith(
  options: DeliverOptions,
  attempt: Attempt,
  request: Request,
  task: (request: Request) => Promise<Step>,
): Promise<void> {
  let step: Step
  try {
    step = await task(request)
  } catch (fault) {
    return attempt.failed(fault)
  }
  options.onAttempt(attempt, step, request.ms, request.status)
  if (step.kind === 'wait' || step.outcome !== 'delivered') options.onFailure(attempt, step)
  attempt.done(step)
}

/** An attempt at the subscriber. Of most, nothing else is ever made: neither a promise nor an async function's frame. */
class SubscriberPost implements Post {
  readonly target: Target
  readonly timeoutMs: number
  readonly #options: DeliverOptions
  readonly #route: Route
  readonly #attempt: Attempt
  #sentAt: number | undefined

  constructor(options: DeliverOptions, attempt: Attempt) {
    const route = options.route()
    this.target = route.subscriber
    this.timeoutMs = route.timeoutMs
    this.#options = options
    this.#route = route
    this.#attempt = attempt
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  content(): Content {
    this.#sentAt = this.#options.clock.now()
    return contentForSubscriber(this.#route, this.#attempt.event, this.#options.omit)
  }

  holdsFloor(): boolean {
    return this.#attempt.holdsFloor()
  }

  answered(answer: Answer): void {
    const { clock, onRequestEnd, onAttempt } = this.#options
    const ms = this.#sentAt === undefined ? undefined : clock.now() - this.#sentAt
    if (ms !== undefined) onRequestEnd(ms)
    if (isPlainAcceptance(answer)) {
      onAttempt(this.#attempt, DELIVERED, ms, answer.status)
      return this.#attempt.done(DELIVERED)
    }
    const request = new Request()
    request.ended(ms, answer)
    void finishWith(this.#options, this.#attempt, request, () => this.#take(answer))
  }

  abandoned(reason: unknown): void {
    this.#attempt.failed(reason)
  }

  /** The memory of the answer is held until the delivery is done with it: a reply may wait for room in its log. */
  async #take(answer: Answer): Promise<Step> {
    try {
      return await takeAnswer(this.#options, this.#route, this.#attempt, answer)
    } finally {
      if (answer.kind === 'answer') answer.release?.()
    }
  }
}

/** Nearly every answer: nothing in it can be a reply. */
function isPlainAcceptance(answer: Answer): answer is Answered {
  return isAccepted(answer) && !mayCarryReply(answer) && answer.release === undefined
}

function takeAnswer(options: DeliverOptions, route: Route, attempt: Attempt, answer: Answer): Step | Promise<Step> {
  if (!isAccepted(answer)) return afterFailure(options, route, attempt, failureOf(route.subscriber.url, answer), answer)
  if (!mayCarryReply(answer)) return DELIVERED
  return takeReply(options, route, attempt, answer)
}

/** Whether an event was taken: any 2xx. */
export function isAccepted(answer: Answer): answer is Answered {
  return answer.kind === 'answer' && answer.status >= 200 && answer.status < 300
}

/** A 202 says that the event was taken, not dealt with: its body is never a reply. */
function mayCarryReply(answer: Answered): boolean {
  return answer.status === 200 || answer.status === 201
}

async function takeReply(options: DeliverOptions, route: Route, attempt: Attempt, answer: Answered): Promise<Step> {
  const decoded = decodeResponse(answer.status, headerTexts(answer.rawHeaders), answer.body)
  if (decoded.kind === 'none') return DELIVERED
  if (decoded.kind === 'not-an-event') {
    if (options.nonEventBody === 'ignored') return DELIVERED
    return afterFailure(options, route, attempt, notAnEvent(route, answer, decoded.reason), answer)
  }
  const verdict = await options.reply(decoded.event, attempt)
  return verdict.kind === 'stored' ? DELIVERED : giveUp(verdict.failure)
}

/**
 * A body that is not an event, where only a reply may stand, is told to the dead letter sink as upstream does: 502.
 * @see knative/eventing pkg/broker/filter/filter_handler.go
 */
function notAnEvent(route: Route, answer: Answered, why: string): Failure {
  const reason =
    `${printableUrl(route.subscriber.url)} answered ${answer.status} with a body that is not a CloudEvent (${why}): ` +
    'answer 202 or 204 without a body, or 200 with a CloudEvent'
  return { ...failureOf(route.subscriber.url, answer), status: 502, reason }
}

function afterFailure(options: DeliverOptions, route: Route, attempt: Attempt, failure: Failure, answer: Answer): Step {
  return nextAttempt(options, route, attempt, failure, answer) ?? giveUp(failure)
}

/** The wait before another attempt at the same destination, as long as the route allows one. */
function nextAttempt(
  { clock }: DeliverOptions,
  { retry }: Route,
  { progress }: Attempt,
  { status, reason }: Failure,
  answer: Answer,
): Step | undefined {
  // A restart loses the failure of a spent delivery, not its count: the subscriber then had one attempt more than the
  // route says, which at-least-once allows, and `made` is already beyond the retries.
  const made = progress.attempt + 1
  if (!isRetryable(status) || made > retry.retries) return undefined
  const delayMs = waitMs(retry, made, answer, clock.wall())
  return { kind: 'wait', delayMs, progress: { ...progress, attempt: made }, reason }
}

/**
 * The subscriber is done with, and the progress says so before anything else can fail: it is not called again. The dead
 * letter is a step of its own, so that an attempt at the sink is counted and bounded as one.
 */
function giveUp(failure: Failure): Step {
  return { kind: 'wait', delayMs: 0, progress: { attempt: 0, failure }, reason: failure.reason }
}

async function tryDeadLetter(
  options: DeliverOptions,
  attempt: Attempt,
  failure: Failure,
  request: Request,
): Promise<Step> {
  const route = options.route()
  const sink = route.deadLetterSink
  if (!sink) return keepEvent(options, attempt, failure)

  const { clock } = options
  const startedAt = clock.now()
  const answer = await postAsItIs(options, route, attempt, sink, withErrorAttributes(attempt.event, failure))
  request.ended(clock.now() - startedAt, answer)
  if (isAccepted(answer)) return { kind: 'settled', outcome: 'dead-lettered', failure }

  const sinkFailure = failureOf(sink.url, answer)
  const again = nextAttempt(options, route, attempt, sinkFailure, answer)
  return again ?? keepEvent(options, attempt, { ...failure, reason: `${failure.reason}; ${sinkFailure.reason}` })
}

/**
 * One request with the event as it is, to where no answer is a reply: a dead letter sink has no subscriber that could give
 * one, and neither has the place that a reply goes to. So the answer's body, but for the start that a failure copies, is of
 * no use, and its memory is given back. Rejects when the attempt's signal aborts.
 */
export async function postAsItIs(
  { client, clock, onRequestEnd }: Pick<DeliverOptions, 'client' | 'clock' | 'onRequestEnd'>,
  route: Route,
  attempt: Pick<Attempt, 'signal' | 'holdsFloor'>,
  target: Target,
  event: Event,
): Promise<Answer> {
  let sentAt: number | undefined
  const answer = await answerTo(client, {
    target,
    timeoutMs: route.timeoutMs,
    signal: attempt.signal,
    content() {
      sentAt = clock.now()
      return contentForSink(route, event)
    },
    holdsFloor: () => attempt.holdsFloor(),
  })
  if (sentAt !== undefined) onRequestEnd(clock.now() - sentAt)
  if (answer.kind === 'answer') answer.release?.()
  return answer
}

const FIRST_KEEP_WAIT_MS = 1_000
const LONGEST_KEEP_WAIT_MS = 60_000

/**
 * Nothing is dropped: without a dead letter sink that takes it, an event waits in the dead-letter log for people, and
 * when that can never take it, where it stands: in the broker's log, until somebody changes one or the other.
 */
async function keepEvent(options: DeliverOptions, attempt: Attempt, failure: Failure): Promise<Step> {
  try {
    await options.keep(withErrorAttributes(attempt.event, failure), failure, attempt)
    return { kind: 'settled', outcome: 'kept', failure }
  } catch (error) {
    if (attempt.signal.aborted) throw error
    return afterKeepFailed(attempt, failure, error)
  }
}

/** The sink, if there is one, is asked again too: by then it may be the only one who can take the event. */
function afterKeepFailed({ progress }: Attempt, failure: Failure, error: unknown): Step {
  const delayMs = Math.min(FIRST_KEEP_WAIT_MS * 2 ** progress.attempt, LONGEST_KEEP_WAIT_MS)
  const why = error instanceof Error ? error.message : String(error)
  const reason = `${failure.reason}; the dead-letter log cannot keep the event: ${why}`
  return { kind: 'wait', delayMs, progress: { ...progress, attempt: progress.attempt + 1 }, reason }
}
