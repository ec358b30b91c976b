// CloudEvents over HTTP, inwards: a request or an answer becomes events whose attributes are valid and whose data are the
// bytes that came in. Sending is encode.ts; reading requests off the wire is server.ts; what an event may do next is the
// ingress's business.
import { EventingError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import { attributeName, checkAttributes, essenceOf, invalidAttribute, isKnownVersion, shown } from './attributes.ts'
import { carriedHeaders, decodeHeaderValue, headerOf } from './headers.ts'
import { decodeBatch, decodeStructured, tooLarge } from './structured.ts'

export const STRUCTURED_TYPE = 'application/cloudevents+json'
export const BATCH_TYPE = 'application/cloudevents-batch+json'

export interface DecodeOptions {
  readonly allowBatch: boolean
  /** Becomes the events' `arrivedAt`, epoch milliseconds. */
  readonly arrivedAt: number
  /** Bound of one event's data. */
  readonly maxEventBytes: number
}

/**
 * The events of a request: one, or those of a batch. `rawHeaders` as node gives them, one character per byte. Throws
 * EVENT_INVALID (no event, or an invalid one; in a batch any) or EVENT_TOO_LARGE, and nothing else.
 * @see CloudEvents HTTP binding 3
 */
export function decodeRequest(rawHeaders: readonly string[], body: Buffer, options: DecodeOptions): Event[] {
  const contentType = headerOf(rawHeaders, 'content-type')
  const mode = contentType === undefined ? undefined : formatOf(contentType)
  if (mode === undefined) return [decodeBinary(rawHeaders, contentType, body, options)]
  const { arrivedAt, maxEventBytes } = options
  const structured = { headers: carriedHeaders(rawHeaders), arrivedAt, maxEventBytes }
  if (mode === 'structured') return [decodeStructured(body, structured)]
  if (options.allowBatch) return decodeBatch(body, structured)
  throw new EventingError('EVENT_INVALID', 'a batch is not accepted here: send one event per request')
}

export type DecodedResponse =
  | { readonly kind: 'none' }
  /** `arrivedAt` is 0: whoever accepts the event stamps it. */
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'not-an-event'; readonly reason: string }

/**
 * What a subscriber's 2xx answer says. Only 200 and 201 can carry an event: a body on any other success, 202 above all,
 * is no reply. Never throws; the answer's size is bounded by whoever read it.
 * @see knative/specs data-plane, "Event reply contract"
 */
export function decodeResponse(status: number, rawHeaders: readonly string[], body: Buffer): DecodedResponse {
  if (status !== 200 && status !== 201) return NO_REPLY
  if (body.length === 0 && headerOf(rawHeaders, 'ce-specversion') === undefined) return NO_REPLY
  try {
    const [event] = decodeRequest(rawHeaders, body, RESPONSE_OPTIONS)
    return event ? { kind: 'event', event } : NO_REPLY
  } catch (error) {
    if (!(error instanceof EventingError)) throw error
    return { kind: 'not-an-event', reason: error.message }
  }
}

const NO_REPLY: DecodedResponse = { kind: 'none' }
const RESPONSE_OPTIONS: DecodeOptions = { allowBatch: false, arrivedAt: 0, maxEventBytes: Number.POSITIVE_INFINITY }

function formatOf(contentType: string): 'structured' | 'batch' | undefined {
  // Spares nearly every event the lower-casing.
  if (contentType === 'application/json') return undefined
  const essence = essenceOf(contentType)
  if (essence === STRUCTURED_TYPE) return 'structured'
  return essence === BATCH_TYPE ? 'batch' : undefined
}

function decodeBinary(
  rawHeaders: readonly string[],
  contentType: string | undefined,
  body: Buffer,
  { arrivedAt, maxEventBytes }: DecodeOptions,
): Event {
  const attributes = binaryAttributes(rawHeaders)
  const version = attributes['specversion']
  if (version === undefined || !isKnownVersion(version)) throw notAnEvent(version, contentType)
  if (contentType !== undefined) attributes['datacontenttype'] = contentType
  checkAttributes(attributes)
  if (body.length > maxEventBytes) throw tooLarge(body.length, maxEventBytes)
  const data = body.length === 0 ? undefined : body
  return { attributes, data, headers: carriedHeaders(rawHeaders), arrivedAt }
}

/** What the `ce-` headers say. Of a repeated header the first counts. */
function binaryAttributes(rawHeaders: readonly string[]): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? ''
    if (!hasAttributePrefix(header)) continue
    const name = attributeName(header.slice(3))
    if (name === 'datacontenttype') {
      throw invalidAttribute('datacontenttype', 'sent as ce-datacontenttype', 'it in Content-Type')
    }
    // Not `in`: what a plain object inherits is not an attribute.
    if (typeof attributes[name] === 'string') continue
    attributes[name] = decodeHeaderValue(name, rawHeaders[i + 1] ?? '')
  }
  return attributes
}

/** `ce-`, in either case. */
function hasAttributePrefix(header: string): boolean {
  return (
    (header.charCodeAt(0) | 0x20) === 0x63 && (header.charCodeAt(1) | 0x20) === 0x65 && header.charCodeAt(2) === 0x2d
  )
}

function notAnEvent(version: string | undefined, contentType: string | undefined): EventingError {
  if (version !== undefined) return invalidAttribute('specversion', shown(version), "'1.0' or '0.3'")
  const found = contentType === undefined ? 'no Content-Type' : `Content-Type ${shown(contentType)}`
  return new EventingError(
    'EVENT_INVALID',
    `not a CloudEvent: no ce-specversion header, and ${found}; expected ce- headers or ${STRUCTURED_TYPE}`,
  )
}
