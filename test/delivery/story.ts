// Plays one delivery from its first attempt to its end, over HTTP, with waits of any length in no time.
import type { Failure, Outcome, Progress, Route } from '../../src/core/delivery-spec.ts'
import type { Event } from '../../src/core/event.ts'
import { createDeliver, type DeliverOptions, type ReplyVerdict } from '../../src/delivery/deliver.ts'
import { createClient } from '../../src/http/client.ts'
import { attemptBy } from '../support/attempt.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'
import { type ReceivedRequest, type Script, startSubscriber } from '../support/subscriber.ts'

export interface Setting {
  readonly subscriber: Script
  /** Absent: no dead letter sink. */
  readonly sink?: Script
  readonly route?: Partial<Route>
  readonly event?: Event
  readonly nonEventBody?: DeliverOptions['nonEventBody']
  /** What storing a reply comes to. */
  readonly replyVerdict?: ReplyVerdict
  /** Where the delivery stands already. */
  readonly progress?: Progress
}

export interface Story {
  readonly outcome: Outcome
  readonly failure: Failure | undefined
  /** Delays between the steps, and their reasons. */
  readonly waits: readonly number[]
  readonly reasons: readonly string[]
  readonly subscriberUrl: string
  readonly sinkUrl: string
  readonly subscriberRequests: readonly ReceivedRequest[]
  readonly sinkRequests: readonly ReceivedRequest[]
  readonly replies: readonly Event[]
  readonly kept: readonly { readonly event: Event; readonly failure: Failure }[]
}

export const NO_RETRY: Route['retry'] = {
  retries: 0,
  backoff: { policy: 'linear', delayMs: 1_000 },
  backoffMaxMs: 86_400_000,
  retryAfterMaxMs: 300_000,
}

/** The wall clock stands at 2026-01-02T03:04:05Z when the first attempt begins. */
export const STARTED_AT = Date.UTC(2026, 0, 2, 3, 4, 5)

/** So that a request shows whether the whole URL was called. */
const PATH = '/hook?part=1'

export async function play(setting: Setting): Promise<Story> {
  await using subscriber = await startSubscriber(setting.subscriber)
  await using sink = await startSubscriber(setting.sink)
  const clock = createFakeClock(STARTED_AT)
  const client = createClient({ clock, maxResponseBytes: 10_000 })
  const replies: Event[] = []
  const kept: { event: Event; failure: Failure }[] = []
  const waits: number[] = []
  const reasons: string[] = []
  const route: Route = {
    subscriber: { url: subscriber.url + PATH },
    ...(setting.sink === undefined ? {} : { deadLetterSink: { url: sink.url + PATH } }),
    retry: NO_RETRY,
    timeoutMs: 600_000,
    format: 'binary',
    namespace: 'default',
    ...setting.route,
  }
  const deliver = createDeliver({
    route: () => route,
    client,
    clock,
    nonEventBody: setting.nonEventBody ?? 'fails',
    omit: '',
    reply: async (reply) => {
      replies.push(reply)
      return setting.replyVerdict ?? { kind: 'stored' }
    },
    keep: async (event, failure) => {
      kept.push({ event, failure })
    },
    onRequestEnd: () => undefined,
    onAttempt: () => undefined,
    onFailure: () => undefined,
  })

  const event = setting.event ?? anEvent()
  const signal = new AbortController().signal
  let progress = setting.progress ?? { attempt: 0 }
  try {
    for (;;) {
      const step = await attemptBy(deliver, { event, progress, signal, holdsFloor: () => false })
      if (step.kind === 'settled') {
        return {
          outcome: step.outcome,
          failure: step.failure,
          waits,
          reasons,
          subscriberUrl: subscriber.url + PATH,
          sinkUrl: sink.url + PATH,
          subscriberRequests: subscriber.requests,
          sinkRequests: sink.requests,
          replies,
          kept,
        }
      }
      waits.push(step.delayMs)
      reasons.push(step.reason)
      await clock.advance(step.delayMs)
      progress = step.progress
    }
  } finally {
    await client.close()
  }
}
