// The `delivery` object of whatever delivers. Which one wins, and in which numbers, is delivery-policy.ts.
import { z } from 'zod'
import { parseDuration } from '../core/duration.ts'
import { codeOf } from '../core/errors.ts'
import { destinationFrom, destinationSchema } from './destination.ts'

const LARGEST_INT32 = 2 ** 31 - 1
const EXPECTED_DURATION = 'expected an ISO 8601 duration such as PT0.2S or P1DT2H'

const durationSchema = z.string().refine((text) => durationMs(text) !== undefined, EXPECTED_DURATION)

/** No defaults here: a field absent from a Trigger must stay absent. Rules: knative/eventing pkg/apis/duck/v1/delivery_types.go. */
export const deliverySchema = z.strictObject({
  deadLetterSink: destinationSchema.exactOptional().describe('Who gets the events that nobody took.'),
  retry: z.int().min(0).max(LARGEST_INT32).exactOptional().describe('Attempts after the first.'),
  timeout: durationSchema
    .refine((text) => durationMs(text) !== 0, 'expected more than no time')
    .exactOptional()
    .describe('How long one attempt may take, its answer included.'),
  backoffPolicy: z
    .enum(['linear', 'exponential'])
    .exactOptional()
    .describe('How waits grow: retry n comes after backoffDelay times n (linear) or times 2^n (exponential).'),
  backoffDelay: durationSchema.exactOptional().describe('What waits are multiples of.'),
  retryAfterMax: durationSchema
    .exactOptional()
    .describe('Longest wait that a Retry-After header (on 429 and 503) may ask for; PT0S ignores the header.'),
  format: z.enum(['json', 'binary']).exactOptional().describe('CloudEvents content mode that subscribers get.'),
})
export type DeliveryManifest = z.infer<typeof deliverySchema>

/** The delivery with the namespace of its dead letter sink's reference written out. */
export function deliveryFrom(namespace: string, delivery: DeliveryManifest): DeliveryManifest {
  const { deadLetterSink } = delivery
  return deadLetterSink ? { ...delivery, deadLetterSink: destinationFrom(namespace, deadLetterSink) } : delivery
}

function durationMs(text: string): number | undefined {
  try {
    return parseDuration(text)
  } catch (error) {
    if (codeOf(error) === 'MANIFEST_INVALID') return undefined
    throw error
  }
}
