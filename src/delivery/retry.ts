// Whether a failed attempt is made again, and how long to wait before.
import type { RetryPolicy } from '../core/delivery-spec.ts'
import { type Answer, headerTexts } from '../http/client.ts'
import { headerOf } from '../http/headers.ts'

/** Statuses below 500 after which the same request may succeed later. */
const RETRYABLE = new Set([404, 408, 409, 429])
/** Statuses whose Retry-After header counts. */
const SAYS_WHEN = new Set([429, 503])

/**
 * Whether an attempt that ended so is made again; `undefined` is no answer.
 * A 404 is: a subscriber that is still starting answers so. A redirect is not, and is never followed: 301 to 303 would
 * turn the event into an empty GET.
 * @see knative/specs specs/eventing/data-plane.md, the table of response codes (other 4xx fail, against its prose)
 */
export function isRetryable(status: number | undefined): boolean {
  return status === undefined || status >= 500 || RETRYABLE.has(status)
}

/**
 * Wait before retry number `retry` (1 is the first retry, not the first attempt), in milliseconds: `delay * retry` or
 * `delay * 2^retry`, capped by `backoffMaxMs`, but never below the delay itself.
 * @see design.md section 6, "backoff"
 */
export function backoffDelayMs({ backoff, backoffMaxMs }: RetryPolicy, retry: number): number {
  const { policy, delayMs } = backoff
  // Also keeps 0 * Infinity, which is not a number, out of the cap below.
  if (delayMs === 0) return 0
  const grown = policy === 'linear' ? delayMs * retry : delayMs * 2 ** retry
  return Math.min(grown, Math.max(backoffMaxMs, delayMs))
}

/**
 * Wait before retry number `retry` after such an answer: the backoff, or longer if its Retry-After header asks for it, up
 * to `retryAfterMaxMs`. `wallMs` is now, in epoch milliseconds.
 */
export function waitMs(policy: RetryPolicy, retry: number, answer: Answer, wallMs: number): number {
  const backoffMs = backoffDelayMs(policy, retry)
  if (answer.kind === 'none' || !SAYS_WHEN.has(answer.status) || policy.retryAfterMaxMs === 0) return backoffMs
  const askedMs = parseRetryAfter(headerOf(headerTexts(answer.rawHeaders), 'retry-after') ?? '', wallMs) ?? 0
  return Math.max(backoffMs, Math.min(askedMs, policy.retryAfterMaxMs))
}

const SECONDS = /^\d+$/
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const TIME = '\\d{2}:\\d{2}:\\d{2}'
/** The preferred form and RFC 850's, which Date.parse reads as they are. */
const HTTP_DATE = new RegExp(`^(?:${DAY}, \\d{2} ${MONTH} \\d{4}|[A-Z][a-z]+day, \\d{2}-${MONTH}-\\d{2}) ${TIME} GMT$`)
/** C's asctime form, which is UTC without saying so. */
const ASCTIME = new RegExp(`^${DAY} ${MONTH} [ \\d]\\d ${TIME} \\d{4}$`)

/**
 * Milliseconds from `wallMs` (epoch ms) that a Retry-After header asks to wait: whole seconds or one of the three forms
 * of an HTTP date. Undefined for anything else and for a date that has passed.
 * @see RFC 9110 sections 10.2.3 and 5.6.7
 */
export function parseRetryAfter(text: string, wallMs: number): number | undefined {
  const value = text.trim()
  if (SECONDS.test(value)) return Number(value) * 1_000
  const atMs = HTTP_DATE.test(value) ? Date.parse(value) : ASCTIME.test(value) ? Date.parse(`${value} GMT`) : Number.NaN
  return atMs > wallMs ? atMs - wallMs : undefined
}
