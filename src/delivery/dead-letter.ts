// What an event that nobody took says about why: the failure, and the attributes it becomes.
import type { Failure } from '../core/delivery-spec.ts'
import { type Event, withAttributes } from '../core/event.ts'
import { printableUrl, withoutPassword } from '../http/address.ts'
import type { Answer } from '../http/client.ts'

/** 1,024 characters of base64, as upstream's senders cut it; so the text still decodes. */
const DATA_BYTES = 768
/** What `knativeerrorcode` says when there was no answer. */
const NO_ANSWER_CODE = 500

/** The failure that an answer, or the lack of one, is. */
export function failureOf(url: string, answer: Answer): Failure {
  if (answer.kind === 'none') return failureWithoutAnswer(url, answer.reason)
  const reason = `${printableUrl(url)} answered ${answer.status}`
  return { destination: withoutPassword(url), status: answer.status, data: firstBytes(answer.body), reason }
}

export function failureWithoutAnswer(url: string, reason: string): Failure {
  return {
    destination: withoutPassword(url),
    status: undefined,
    data: firstBytes(Buffer.from(`dispatch error: ${reason}`)),
    reason: `${printableUrl(url)} gave no answer: ${reason}`,
  }
}

/**
 * The original event with `knativeerrordest`, `knativeerrorcode` and `knativeerrordata`; what an earlier dead letter
 * left in them is replaced. All else stays, `knativebrokerttl` included, so that a dead letter sink which is a broker
 * goes on counting.
 * @see knative/eventing pkg/kncloudevents/attributes; design.md section 6, `knativeerrordata`
 */
export function withErrorAttributes(event: Event, failure: Failure): Event {
  return withAttributes(event, {
    ...event.attributes,
    knativeerrordest: failure.destination,
    knativeerrorcode: String(failure.status ?? NO_ANSWER_CODE),
    knativeerrordata: failure.data.subarray(0, DATA_BYTES).toString('base64'),
  })
}

/** A copy: a failure outlives its answer, whose buffer may be a thousand times larger. */
function firstBytes(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, DATA_BYTES))
}
