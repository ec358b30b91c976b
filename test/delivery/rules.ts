// The rules of delivery as data: retries and waits, dead letters, replies. Sources: knative/specs data-plane,
// knative/eventing pkg/kncloudevents, and design.md section 6 where they disagree.
import type { Outcome } from '../../src/core/delivery-spec.ts'
import type { Reaction } from '../support/subscriber.ts'
import { NO_RETRY, type Setting } from './story.ts'

/** Every rule, by the section it belongs to. Each needs at least one case. */
export const RULES = [
  'retry: a 2xx is delivered',
  'retry: 404, 408, 409, 429 and from 500 on are retried',
  'retry: no answer is retried',
  'retry: all else fails at once',
  'retry: redirects are not followed and not retried',
  'retry: attempts are retries + 1',
  'retry: no delivery means one attempt',
  'wait: linear',
  'wait: exponential',
  'wait: growth is capped',
  'wait: Retry-After on 429 and 503',
  'wait: Retry-After on nothing else',
  'wait: a cap of zero ignores Retry-After',
  'wait: an answer too large is a failed delivery',
  'dead letter: after the last attempt',
  'dead letter: at once when not retryable',
  'dead letter: same retry settings, own attempts',
  'dead letter: its answer is ignored',
  'dead letter: a sink that fails for good leaves it to the dead-letter log',
  'dead letter: without a sink it goes to the dead-letter log',
  'reply: 200 with an event',
  'reply: 201 with an event',
  'reply: an event without data',
  'reply: a structured event',
  'reply: 202 with a body is none',
  'reply: an empty 2xx is done',
  'reply: a body that is no event fails a Trigger, retried',
  'reply: a malformed event fails a Trigger, retried',
  'reply: a body that is no event is nothing to a Subscription',
  'reply: refused for good, the original is a dead letter and the subscriber is not called again',
] as const

export type Rule = (typeof RULES)[number]

export interface Case extends Setting {
  readonly rule: Rule
  readonly title: string
  readonly outcome: Outcome
  /** Requests that the subscriber and the sink got. */
  readonly calls: number
  readonly sinkCalls?: number
  /** Delays in milliseconds; 0 is the step from the subscriber to the dead letter. */
  readonly waits?: readonly number[]
  /** Ids of the events that were handed on as replies. */
  readonly replies?: readonly string[]
  /** Status of the failure that the event is settled with. */
  readonly status?: number | 'no answer'
}

const REPLY_HEADERS = { 'ce-specversion': '1.0', 'ce-id': 'r-1', 'ce-source': '/sub', 'ce-type': 'order.paid' }
const REPLY: Reaction = { status: 200, headers: { ...REPLY_HEADERS, 'content-type': 'text/plain' }, body: 'paid' }
const STRUCTURED: Reaction = {
  status: 200,
  headers: { 'content-type': 'application/cloudevents+json' },
  body: '{"specversion":"1.0","id":"r-2","source":"/sub","type":"order.paid"}',
}
const TEXT: Reaction = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'OK' }
const OK: Reaction = { status: 202 }
const FAILING: Reaction = { status: 500 }
const REFUSED = { destination: 'http://broker/', status: 400, data: Buffer.from('spent'), reason: 'hops used up' }

const LINEAR = { ...NO_RETRY, retries: 3 }
const EXPONENTIAL = { ...LINEAR, backoff: { policy: 'exponential', delayMs: 200 } } as const

function busy(status: number, retryAfter: string): Reaction {
  return { status, headers: { 'retry-after': retryAfter } }
}

const delivered: readonly Case[] = [200, 201, 202, 203, 204, 206, 299].map((status) => ({
  rule: 'retry: a 2xx is delivered',
  title: String(status),
  subscriber: { status },
  route: { retry: LINEAR },
  outcome: 'delivered',
  calls: 1,
}))

const retried: readonly Case[] = [404, 408, 409, 429, 500, 501, 502, 503, 504, 599].map((status) => ({
  rule: 'retry: 404, 408, 409, 429 and from 500 on are retried',
  title: String(status),
  subscriber: [{ status }, OK],
  route: { retry: LINEAR },
  outcome: 'delivered',
  calls: 2,
  waits: [1_000],
}))

const failed: readonly Case[] = [400, 401, 403, 405, 406, 410, 413, 415, 422, 451].map((status) => ({
  rule: 'retry: all else fails at once',
  title: String(status),
  subscriber: { status },
  route: { retry: LINEAR },
  outcome: 'kept',
  calls: 1,
  waits: [0],
  status,
}))

const redirected: readonly Case[] = [300, 301, 302, 303, 304, 307, 308].map((status) => ({
  rule: 'retry: redirects are not followed and not retried',
  title: String(status),
  subscriber: [{ status, headers: { location: '/elsewhere' } }, OK],
  route: { retry: LINEAR },
  outcome: 'kept',
  calls: 1,
  waits: [0],
  status,
}))

export const CASES: readonly Case[] = [
  ...delivered,
  ...retried,
  ...failed,
  ...redirected,
  {
    rule: 'retry: no answer is retried',
    title: 'a connection that is cut',
    subscriber: ['reset', OK],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 2,
    waits: [1_000],
  },
  {
    rule: 'retry: no answer is retried',
    title: 'a subscriber that is not there',
    subscriber: OK,
    route: { retry: LINEAR, subscriber: { url: 'http://127.0.0.1:1/' } },
    outcome: 'kept',
    calls: 0,
    waits: [1_000, 2_000, 3_000, 0],
    status: 'no answer',
  },
  {
    rule: 'retry: attempts are retries + 1',
    title: '3 retries',
    subscriber: FAILING,
    route: { retry: LINEAR },
    outcome: 'kept',
    calls: 4,
    waits: [1_000, 2_000, 3_000, 0],
    status: 500,
  },
  {
    rule: 'retry: no delivery means one attempt',
    title: '0 retries',
    subscriber: FAILING,
    outcome: 'kept',
    calls: 1,
    waits: [0],
    status: 500,
  },
  {
    rule: 'wait: linear',
    title: 'delay, 2 delays, 3 delays',
    subscriber: [FAILING, FAILING, FAILING, OK],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 4,
    waits: [1_000, 2_000, 3_000],
  },
  {
    rule: 'wait: exponential',
    title: '2 delays, 4 delays, 8 delays',
    subscriber: [FAILING, FAILING, FAILING, OK],
    route: { retry: EXPONENTIAL },
    outcome: 'delivered',
    calls: 4,
    waits: [400, 800, 1_600],
  },
  {
    rule: 'wait: growth is capped',
    title: 'by backoffMaxMs',
    subscriber: [FAILING, FAILING, FAILING, OK],
    route: { retry: { ...EXPONENTIAL, backoffMaxMs: 1_000 } },
    outcome: 'delivered',
    calls: 4,
    waits: [400, 800, 1_000],
  },
  {
    rule: 'wait: Retry-After on 429 and 503',
    title: 'in seconds, up to the cap, and never below the backoff',
    subscriber: [busy(503, '60'), busy(429, '9999'), busy(503, '1'), OK],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 4,
    waits: [60_000, 300_000, 3_000],
  },
  {
    rule: 'wait: Retry-After on 429 and 503',
    title: 'as a date, a past one and garbage being ignored',
    subscriber: [
      busy(503, 'Fri, 02 Jan 2026 03:05:05 GMT'),
      busy(429, 'Fri, 02 Jan 2026 03:05:05 GMT'),
      busy(429, 'soon'),
      OK,
    ],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 4,
    waits: [60_000, 2_000, 3_000],
  },
  {
    rule: 'wait: Retry-After on nothing else',
    title: '404, 500, and a 200 that fails',
    subscriber: [
      busy(404, '60'),
      busy(500, '60'),
      { status: 200, headers: { 'retry-after': '60' }, body: 'not an event' },
      OK,
    ],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 4,
    waits: [1_000, 2_000, 3_000],
  },
  {
    rule: 'wait: a cap of zero ignores Retry-After',
    title: '503 and 429',
    subscriber: [busy(503, '60'), busy(429, '60'), OK],
    route: { retry: { ...LINEAR, retryAfterMaxMs: 0 } },
    outcome: 'delivered',
    calls: 3,
    waits: [1_000, 2_000],
  },
  {
    rule: 'wait: an answer too large is a failed delivery',
    title: 'a body without end',
    subscriber: 'flood',
    route: { retry: { ...LINEAR, retries: 1 } },
    outcome: 'kept',
    calls: 2,
    waits: [1_000, 0],
    status: 'no answer',
  },
  {
    rule: 'dead letter: after the last attempt',
    title: 'of two',
    subscriber: FAILING,
    sink: OK,
    route: { retry: { ...LINEAR, retries: 1 } },
    outcome: 'dead-lettered',
    calls: 2,
    sinkCalls: 1,
    waits: [1_000, 0],
    status: 500,
  },
  {
    rule: 'dead letter: at once when not retryable',
    title: '400',
    subscriber: { status: 400 },
    sink: OK,
    route: { retry: LINEAR },
    outcome: 'dead-lettered',
    calls: 1,
    sinkCalls: 1,
    waits: [0],
    status: 400,
  },
  {
    rule: 'dead letter: same retry settings, own attempts',
    title: 'a sink that fails twice',
    subscriber: FAILING,
    sink: [busy(503, '60'), 'reset', { status: 200 }],
    route: { retry: { ...LINEAR, retries: 2 } },
    outcome: 'dead-lettered',
    calls: 3,
    sinkCalls: 3,
    waits: [1_000, 2_000, 0, 60_000, 2_000],
    status: 500,
  },
  {
    rule: 'dead letter: its answer is ignored',
    title: 'an event',
    subscriber: { status: 400 },
    sink: REPLY,
    outcome: 'dead-lettered',
    calls: 1,
    sinkCalls: 1,
    waits: [0],
    replies: [],
    status: 400,
  },
  {
    rule: 'dead letter: its answer is ignored',
    title: 'a body that is no event',
    subscriber: { status: 400 },
    sink: TEXT,
    outcome: 'dead-lettered',
    calls: 1,
    sinkCalls: 1,
    waits: [0],
    status: 400,
  },
  {
    rule: 'dead letter: a sink that fails for good leaves it to the dead-letter log',
    title: 'a sink that is spent',
    subscriber: { status: 400 },
    sink: FAILING,
    route: { retry: { ...LINEAR, retries: 1 } },
    outcome: 'kept',
    calls: 1,
    sinkCalls: 2,
    waits: [0, 1_000],
    status: 400,
  },
  {
    rule: 'dead letter: a sink that fails for good leaves it to the dead-letter log',
    title: 'a sink that refuses',
    subscriber: { status: 400 },
    sink: { status: 410 },
    route: { retry: LINEAR },
    outcome: 'kept',
    calls: 1,
    sinkCalls: 1,
    waits: [0],
    status: 400,
  },
  {
    rule: 'dead letter: without a sink it goes to the dead-letter log',
    title: '400',
    subscriber: { status: 400 },
    outcome: 'kept',
    calls: 1,
    waits: [0],
    status: 400,
  },
  {
    rule: 'reply: 200 with an event',
    title: 'in binary mode',
    subscriber: REPLY,
    outcome: 'delivered',
    calls: 1,
    replies: ['r-1'],
  },
  {
    rule: 'reply: 200 with an event',
    title: 'for a Subscription too',
    subscriber: REPLY,
    nonEventBody: 'ignored',
    outcome: 'delivered',
    calls: 1,
    replies: ['r-1'],
  },
  {
    rule: 'reply: 201 with an event',
    title: 'in binary mode',
    subscriber: { ...REPLY, status: 201 },
    outcome: 'delivered',
    calls: 1,
    replies: ['r-1'],
  },
  {
    rule: 'reply: an event without data',
    title: 'headers only',
    subscriber: { status: 200, headers: REPLY_HEADERS },
    outcome: 'delivered',
    calls: 1,
    replies: ['r-1'],
  },
  {
    rule: 'reply: a structured event',
    title: 'as JSON',
    subscriber: STRUCTURED,
    outcome: 'delivered',
    calls: 1,
    replies: ['r-2'],
  },
  ...[202, 203, 206].map(
    (status): Case => ({
      rule: 'reply: 202 with a body is none',
      title: `an event on ${status}`,
      subscriber: { ...REPLY, status },
      outcome: 'delivered',
      calls: 1,
      replies: [],
    }),
  ),
  {
    rule: 'reply: 202 with a body is none',
    title: 'a text on 202',
    subscriber: { ...TEXT, status: 202 },
    outcome: 'delivered',
    calls: 1,
    replies: [],
  },
  ...[200, 201, 202, 204].map(
    (status): Case => ({
      rule: 'reply: an empty 2xx is done',
      title: `${status} for a Trigger`,
      subscriber: { status },
      outcome: 'delivered',
      calls: 1,
      replies: [],
    }),
  ),
  ...[200, 201].map(
    (status): Case => ({
      rule: 'reply: a body that is no event fails a Trigger, retried',
      title: `a text on ${status}`,
      subscriber: { ...TEXT, status },
      sink: OK,
      route: { retry: LINEAR },
      outcome: 'dead-lettered',
      calls: 4,
      sinkCalls: 1,
      waits: [1_000, 2_000, 3_000, 0],
      replies: [],
      status: 502,
    }),
  ),
  {
    rule: 'reply: a body that is no event fails a Trigger, retried',
    title: 'until the subscriber answers well',
    subscriber: [TEXT, REPLY],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 2,
    waits: [1_000],
    replies: ['r-1'],
  },
  {
    rule: 'reply: a malformed event fails a Trigger, retried',
    title: 'an event without type',
    subscriber: [{ status: 200, headers: { ...REPLY_HEADERS, 'ce-type': '' }, body: 'paid' }, OK],
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 2,
    waits: [1_000],
    replies: [],
  },
  {
    rule: 'reply: a body that is no event is nothing to a Subscription',
    title: 'a text',
    subscriber: TEXT,
    nonEventBody: 'ignored',
    route: { retry: LINEAR },
    outcome: 'delivered',
    calls: 1,
    replies: [],
  },
  {
    rule: 'reply: refused for good, the original is a dead letter and the subscriber is not called again',
    title: 'with a sink',
    subscriber: REPLY,
    sink: OK,
    route: { retry: LINEAR },
    replyVerdict: { kind: 'refused', failure: REFUSED },
    outcome: 'dead-lettered',
    calls: 1,
    sinkCalls: 1,
    waits: [0],
    replies: ['r-1'],
    status: 400,
  },
  {
    rule: 'reply: refused for good, the original is a dead letter and the subscriber is not called again',
    title: 'without a sink',
    subscriber: REPLY,
    route: { retry: LINEAR },
    replyVerdict: { kind: 'refused', failure: REFUSED },
    outcome: 'kept',
    calls: 1,
    waits: [0],
    replies: ['r-1'],
    status: 400,
  },
]
