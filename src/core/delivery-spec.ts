// How an event is delivered, as data: the vocabulary that manifests, fan-out and delivery share.
import type { Target } from './destination.ts'

export interface Backoff {
  readonly policy: 'linear' | 'exponential'
  readonly delayMs: number
}

export interface RetryPolicy {
  /** Retries after the first attempt: attempts = retries + 1. */
  readonly retries: number
  readonly backoff: Backoff
  /** Longest wait that growth may reach; never below `backoff.delayMs`. */
  readonly backoffMaxMs: number
  /** Cap of a Retry-After header on 429 and 503; 0 ignores the header. */
  readonly retryAfterMaxMs: number
}

/** What one subscription's deliveries follow. A changed Trigger gets a new one, used from the next attempt on. */
export interface Route {
  readonly subscriber: Target
  readonly deadLetterSink?: Target
  readonly retry: RetryPolicy
  /** Bounds one attempt, reading the answer included. */
  readonly timeoutMs: number
  readonly format: 'binary' | 'json'
  /** Sent as `Kn-Namespace`. */
  readonly namespace: string
}

/** Why nobody took the event: what becomes the `knativeerror*` extensions. */
export interface Failure {
  /** URL that failed: the subscriber, or where its reply had to go. */
  readonly destination: string
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  /** First bytes of the answer's body, or of a text that says why there was none. At most 768. */
  readonly data: Buffer
  /** One line for people. */
  readonly reason: string
}

/** Where a delivery stands between attempts. With a `failure`, the subscriber is done with and the dead letter sink is next. */
export interface Progress {
  /** Attempts begun at the current destination; 0 before the first. */
  readonly attempt: number
  readonly failure?: Failure
}

export type Outcome =
  /** The subscriber took it, and its reply, if any, is stored. */
  | 'delivered'
  /** The dead letter sink took it. */
  | 'dead-lettered'
  /** Nobody took it: it waits in the dead-letter log. */
  | 'kept'
  /** It was not to be delivered any more. */
  | 'skipped'

/** What one attempt came to. */
export type Step =
  | { readonly kind: 'settled'; readonly outcome: Outcome; readonly failure?: Failure }
  | { readonly kind: 'wait'; readonly delayMs: number; readonly progress: Progress; readonly reason: string }
