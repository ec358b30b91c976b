// Which `delivery` wins, and what it comes to in numbers (design.md section 6).
import type { Backoff, RetryPolicy } from '../core/delivery-spec.ts'
import { parseDuration } from '../core/duration.ts'
import type { DeliveryManifest } from './delivery.ts'
import type { Destination } from './destination.ts'

/** What applies where manifests say nothing. */
export interface DeliveryDefaults {
  readonly timeoutMs: number
  readonly backoffMaxMs: number
  readonly retryAfterMaxMs: number
}

export interface DeliveryPolicy {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly format: 'binary' | 'json'
}

interface MayDeliver {
  readonly spec?: { readonly delivery?: DeliveryManifest }
}

/** What upstream ships for Brokers without any `delivery` (config-br-defaults). */
const BROKER_DEFAULT: DeliveryManifest = { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' }
/** What applies to channels, subscriptions and sources without any `delivery`. */
export const ONE_ATTEMPT: DeliveryManifest = {}
/** For `retry` without the rest: upstream would retry at once, which helps nobody. */
const DEFAULT_BACKOFF: Backoff = { policy: 'exponential', delayMs: 200 }

/**
 * How a Trigger delivers. Its `delivery`, even an empty one, replaces the Broker's: what it leaves out is unset, not
 * inherited. A Subscription and its channel go by the same rule. Both must have been read (`Kind.read`).
 */
export function deliveryOf(
  trigger: MayDeliver,
  broker: MayDeliver,
  defaults: DeliveryDefaults,
  otherwise = BROKER_DEFAULT,
): DeliveryPolicy {
  const manifest = trigger.spec?.delivery ?? broker.spec?.delivery ?? otherwise
  const { retry = 0, timeout, retryAfterMax, format = 'binary' } = manifest
  const backoff = backoffOf(manifest)
  return {
    retry: {
      retries: retry,
      backoff,
      backoffMaxMs: Math.max(defaults.backoffMaxMs, backoff.delayMs),
      retryAfterMaxMs: retryAfterMax === undefined ? defaults.retryAfterMaxMs : parseDuration(retryAfterMax),
    },
    timeoutMs: timeout === undefined ? defaults.timeoutMs : parseDuration(timeout),
    format,
  }
}

/** The only field that falls back to the Broker when the Trigger has a `delivery` without it. */
export function deadLetterSinkOf(trigger: MayDeliver, broker: MayDeliver): Destination | undefined {
  return trigger.spec?.delivery?.deadLetterSink ?? broker.spec?.delivery?.deadLetterSink
}

function backoffOf({ backoffPolicy, backoffDelay }: DeliveryManifest): Backoff {
  return {
    policy: backoffPolicy ?? DEFAULT_BACKOFF.policy,
    delayMs: backoffDelay === undefined ? DEFAULT_BACKOFF.delayMs : parseDuration(backoffDelay),
  }
}
