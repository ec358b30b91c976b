// An event as a Kafka record, and back: CloudEvents' Kafka binding in binary mode, as Knative's brokers write it. What a
// record means to a log is decided elsewhere.
// @see CloudEvents Kafka protocol binding 3
import { isUtf8 } from 'node:buffer'
import { EventingError } from '../../../core/errors.ts'
import { type Attributes, attributeOf, type Event } from '../../../core/event.ts'
import { attributeName, checkAttributes, essenceOf } from '../../../http/attributes.ts'
import { carriedHeaders } from '../../../http/headers.ts'
import { decodeStructured } from '../../../http/structured.ts'

type HeaderValue = Buffer | string

/** What a producer takes. Without data `value` is null; with empty data it is empty. */
export interface EncodedRecord {
  /** The extension `partitionkey`. */
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Record<string, HeaderValue | HeaderValue[]>
  /** The arrival, in epoch milliseconds. */
  readonly timestamp: string
}

/** What a consumer gives. */
export interface KafkaRecord {
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, HeaderValue | readonly (HeaderValue | null)[] | null | undefined>>
  readonly timestamp: number | string
}

const ATTRIBUTE_PREFIX = 'ce_'
const CONTENT_TYPE = 'content-type'
const STRUCTURED_TYPE = 'application/cloudevents+json'
/** What a content type begins with that says that the value is the whole event. */
const EVENT_FORMAT = 'application/cloudevents'
/** Names and values of one record: above what the door lets in, with all that a dead letter adds. */
const MAX_HEADER_CHARACTERS = 96 * 1024
const LATEST_TIME_MS = 8.64e15

export function encodeRecord(event: Event): EncodedRecord {
  const { attributes, data } = event
  const key = attributeOf(attributes, 'partitionkey') ?? null
  const timestamp = String(event.arrivedAt)
  const type = attributeOf(attributes, 'datacontenttype')
  // Any reader would take the data for the event.
  if (type?.toLowerCase().startsWith(EVENT_FORMAT)) {
    const headers = { [CONTENT_TYPE]: STRUCTURED_TYPE, ...carriedOf(event) }
    return { key, value: structuredText(attributes, data), headers, timestamp }
  }
  const headers: EncodedRecord['headers'] = {}
  for (const name in attributes) {
    headers[name === 'datacontenttype' ? CONTENT_TYPE : ATTRIBUTE_PREFIX + name] = attributes[name] as string
  }
  return { key, value: data ?? null, headers: Object.assign(headers, carriedOf(event)), timestamp }
}

/** Data as base64 whatever they are, so that they come back to the byte. */
function structuredText(attributes: Attributes, data: Buffer | undefined): Buffer {
  const base64 = data?.toString('base64')
  const isOld = attributes['specversion'] === '0.3'
  const members = isOld ? { datacontentencoding: 'base64', data: base64 } : { data_base64: base64 }
  return Buffer.from(JSON.stringify({ ...attributes, ...(base64 !== undefined && members) }))
}

/** By name; one character per byte becomes that byte again. */
function carriedOf({ headers }: Event): EncodedRecord['headers'] {
  const byName: EncodedRecord['headers'] = {}
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    const value = Buffer.from(headers[i + 1] as string, 'latin1')
    const before = byName[name]
    byName[name] = before === undefined ? value : [before, value].flat()
  }
  return byName
}

/**
 * The record's event, in binary or in structured mode; undefined when it is none, or one that no subscriber could be sent.
 * Never throws: what stands in a topic may be anybody's. A key without the extension is not made one, as upstream.
 */
export function decodeRecord(record: KafkaRecord): Event | undefined {
  try {
    return decode(record)
  } catch (error) {
    if (error instanceof EventingError) return undefined
    throw error
  }
}

function decode({ value, headers = {}, timestamp }: KafkaRecord): Event | undefined {
  const found = readHeaders(headers)
  if (!found) return undefined
  const { attributes, contentType, carried } = found
  const arrivedAt = arrivalOf(timestamp)
  if (contentType?.toLowerCase().startsWith(EVENT_FORMAT)) {
    if (essenceOf(contentType) !== STRUCTURED_TYPE || !value) return undefined
    return decodeStructured(value, { headers: carried, arrivedAt, maxEventBytes: Number.POSITIVE_INFINITY })
  }
  if (contentType !== undefined) attributes['datacontenttype'] = contentType
  checkAttributes(attributes)
  return { attributes, data: value ? ownBytes(value) : undefined, headers: carried, arrivedAt }
}

/** A part of an answer would keep the whole of it in memory for as long as the event lives. */
function ownBytes(value: Buffer): Buffer {
  return value.length < value.buffer.byteLength / 2 ? Buffer.from(value) : value
}

interface FoundHeaders {
  readonly attributes: Record<string, string>
  readonly contentType: string | undefined
  readonly carried: readonly string[]
}

/** undefined when they are more than an event may have. Throws EVENT_INVALID for a name or value that no event has. */
function readHeaders(headers: NonNullable<KafkaRecord['headers']>): FoundHeaders | undefined {
  const attributes: Record<string, string> = {}
  const others: string[] = []
  let contentType: string | undefined
  let characters = 0
  for (const header in headers) {
    const value = headers[header]
    const first = Array.isArray(value) ? value[0] : value
    if (first === undefined || first === null) continue
    const name = header.toLowerCase()
    if (name.startsWith(ATTRIBUTE_PREFIX)) {
      const attribute = attributeName(name.slice(ATTRIBUTE_PREFIX.length))
      // Not `in`: what a plain object inherits is not an attribute. Of a repeated header the first counts.
      if (typeof attributes[attribute] !== 'string') attributes[attribute] = textOf(first)
    } else if (name === CONTENT_TYPE) {
      contentType ??= textOf(first)
    } else {
      for (const each of [value].flat()) if (each !== null && each !== undefined) others.push(name, latin1Of(each))
      continue
    }
    characters += name.length + first.length
    if (characters > MAX_HEADER_CHARACTERS) return undefined
  }
  const carried = sendable(carriedHeaders(others))
  for (const text of carried) characters += text.length
  return characters > MAX_HEADER_CHARACTERS ? undefined : { attributes, contentType, carried }
}

function textOf(value: HeaderValue): string {
  const text = value.toString()
  // What is not UTF-8 was replaced by this character, which may also have been sent.
  if (text.includes('\ufffd') && typeof value !== 'string' && !isUtf8(value)) {
    throw new EventingError('EVENT_INVALID', 'a header is not UTF-8')
  }
  return text
}

function latin1Of(value: HeaderValue): string {
  return typeof value === 'string' ? Buffer.from(value).toString('latin1') : value.toString('latin1')
}

/** Without those that cannot stand in a request's head: they are beside the event, and no reason to give it up. */
function sendable(carried: readonly string[]): readonly string[] {
  const isGood = (at: number) => FIELD_NAME.test(carried[at] ?? '') && FIELD_TEXT.test(carried[at + 1] ?? '')
  return carried.filter((_, at) => isGood(at - (at % 2)))
}

/** RFC 9110 5.1 and 5.5. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const FIELD_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/

/** Records without a timestamp have -1. */
function arrivalOf(timestamp: number | string): number {
  const ms = Number(timestamp)
  return ms >= 0 ? Math.min(Math.trunc(ms), LATEST_TIME_MS) : 0
}
