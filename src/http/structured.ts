// The JSON format of an event: structured requests, batches and structured answers.
import { isUtf8 } from 'node:buffer'
import { EventingError } from '../core/errors.ts'
import { attributeOf, type Event } from '../core/event.ts'
import { attributeName, checkAttributes, invalidAttribute, isJsonType, shown } from './attributes.ts'
import { isDeeperThan, type JsonPart, jsonParts, MAX_DEPTH } from './json-text.ts'

/** One batch. Small events cost far more memory than their text, so the bytes of the request are not bound enough. */
const MAX_BATCH_EVENTS = 10_000
/** Names and values of one event, as for a binary one: a subscriber must be able to take them as headers. */
const MAX_ATTRIBUTE_CHARACTERS = 32 * 1_024
const INT32_LIMIT = 2 ** 31

/** The attributes that are strings by definition: a number or boolean is a mistake there, not a value to convert. */
const STRINGS = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'schemaurl',
  'datacontentencoding',
])

export interface StructuredOptions {
  readonly headers: readonly string[]
  readonly arrivedAt: number
  readonly maxEventBytes: number
}

/** One event of `application/cloudevents+json`. Throws EVENT_INVALID or EVENT_TOO_LARGE. */
export function decodeStructured(body: Buffer, options: StructuredOptions): Event {
  const { text, value } = parseJson(body)
  return decodeObject(text, 0, value, options)
}

/** All events of `application/cloudevents-batch+json`, or none: throws for the first that is not valid, saying which. */
export function decodeBatch(body: Buffer, options: StructuredOptions): Event[] {
  const { text, value } = parseJson(body)
  if (!Array.isArray(value)) {
    throw new EventingError('EVENT_INVALID', `the batch is ${kindOf(value)}, expected a JSON array of events`)
  }
  if (value.length > MAX_BATCH_EVENTS) {
    throw new EventingError(
      'EVENT_TOO_LARGE',
      `the batch has ${value.length} events, expected at most ${MAX_BATCH_EVENTS}: send it in parts`,
    )
  }
  return jsonParts(text).map((part, index) => {
    try {
      return decodeObject(text, part.start, value[index], options)
    } catch (error) {
      if (!(error instanceof EventingError)) throw error
      throw new EventingError(error.code, `event ${index} of the batch: ${error.message}`)
    }
  })
}

function parseJson(body: Buffer): { readonly text: string; readonly value: unknown } {
  if (!isUtf8(body)) throw new EventingError('EVENT_INVALID', 'the body is not UTF-8, expected JSON in UTF-8')
  const text = body.toString('utf8')
  if (isDeeperThan(text, MAX_DEPTH)) {
    throw new EventingError('EVENT_INVALID', `the body is nested too deeply, expected at most ${MAX_DEPTH} levels`)
  }
  try {
    return { text, value: JSON.parse(text) }
  } catch {
    // The parser's own message quotes the body, which belongs in no log.
    throw new EventingError('EVENT_INVALID', 'the body is not JSON, expected a CloudEvent in the JSON format')
  }
}

function decodeObject(text: string, start: number, value: unknown, options: StructuredOptions): Event {
  if (!isObject(value)) {
    throw new EventingError('EVENT_INVALID', `the event is ${kindOf(value)}, expected a JSON object`)
  }
  const members = membersByName(text, start)
  const attributes: Record<string, string> = {}
  let characters = 0
  for (const [name, part] of members) {
    const member = value[part.name]
    if (isDataMember(name) || member === null) continue
    const attribute = attributeText(name, member)
    attributes[name] = attribute
    characters += name.length + attribute.length
  }
  if (characters > MAX_ATTRIBUTE_CHARACTERS) {
    throw new EventingError(
      'EVENT_TOO_LARGE',
      `the attributes have ${characters} characters, expected at most ${MAX_ATTRIBUTE_CHARACTERS}: large values belong in data`,
    )
  }
  checkAttributes(attributes)
  const data = dataOf(text, value, members, attributes)
  if (data && data.length > options.maxEventBytes) throw tooLarge(data.length, options.maxEventBytes)
  return { attributes, data, headers: options.headers, arrivedAt: options.arrivedAt }
}

/** EVENT_TOO_LARGE for data of so many bytes. */
export function tooLarge(bytes: number, maxEventBytes: number): EventingError {
  return new EventingError(
    'EVENT_TOO_LARGE',
    `the event's data has ${bytes} bytes, expected at most ${maxEventBytes}: send a reference to it instead`,
  )
}

/** Members by lower-cased name. Of a repeated name no reader can tell which one is meant, so none is. */
function membersByName(text: string, start: number): ReadonlyMap<string, JsonPart> {
  const members = new Map<string, JsonPart>()
  for (const part of jsonParts(text, start)) {
    const name = isDataMember(part.name) ? part.name : attributeName(part.name)
    if (members.has(name)) throw invalidAttribute(name, 'given twice', 'it once')
    members.set(name, part)
  }
  return members
}

function isDataMember(name: string): boolean {
  return name === 'data' || name === 'data_base64'
}

/** @see CloudEvents JSON format 2.2 */
function attributeText(name: string, value: unknown): string {
  if (typeof value === 'string') return wellFormed(name, value)
  if (STRINGS.has(name)) throw invalidAttribute(name, kindOf(value), 'a string')
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return integerText(name, value)
  throw invalidAttribute(name, kindOf(value), 'a string, a boolean or an integer')
}

/** A fraction is cut, as the reference SDK does. */
function integerText(name: string, value: number): string {
  const integer = Math.trunc(value)
  if (integer >= -INT32_LIMIT && integer < INT32_LIMIT) return String(integer)
  throw invalidAttribute(name, String(value), 'an integer of 32 bits')
}

/** Half a surrogate pair has no UTF-8, so it could not be sent on. */
function wellFormed(name: string, value: string): string {
  if (!/\p{Surrogate}/u.test(value)) return value
  // Not shown: it may be the event's data, which belong in no log.
  throw invalidAttribute(name, 'text with half a surrogate pair', 'whole Unicode characters')
}

/**
 * The event's data as the bytes that a binary event would have carried, and what that means for `attributes`: data
 * without a type is JSON, and says so from here on; base64 of 0.3 is undone, and says so no more.
 * @see CloudEvents JSON format 3.1
 */
function dataOf(
  text: string,
  value: Readonly<Record<string, unknown>>,
  members: ReadonlyMap<string, JsonPart>,
  attributes: Record<string, string>,
): Buffer | undefined {
  const data = value['data'] ?? undefined
  const base64 = value['data_base64'] ?? undefined
  const type = attributeOf(attributes, 'datacontenttype')
  if (base64 !== undefined) {
    if (data !== undefined) throw invalidAttribute('data_base64', 'given beside data', 'one of the two')
    // 0.3 knows no such member, and as an attribute its name is wrong.
    if (attributes['specversion'] === '0.3') attributeName('data_base64')
    return bytesOfBase64('data_base64', base64)
  }
  const part = members.get('data')
  if (data === undefined || !part) return undefined
  if (attributes['specversion'] === '0.3' && attributes['datacontentencoding']?.toLowerCase() === 'base64') {
    delete attributes['datacontentencoding']
    return bytesOfBase64('data', data)
  }
  if (type === undefined || isJsonType(type)) {
    attributes['datacontenttype'] ??= 'application/json'
    return Buffer.from(text.slice(part.start, part.end))
  }
  if (typeof data === 'string') return Buffer.from(wellFormed('data', data))
  throw invalidAttribute('data', kindOf(data), `a string, since datacontenttype is ${shown(type)}`)
}

function bytesOfBase64(name: string, value: unknown): Buffer {
  if (typeof value !== 'string') throw invalidAttribute(name, kindOf(value), 'a string of base64')
  const bytes = Buffer.from(value, 'base64')
  // Node skips what is not base64; only text that comes back whole was base64 throughout.
  if (bytes.toString('base64') !== value) {
    throw invalidAttribute(name, `${value.length} characters that are not base64`, 'base64 (RFC 4648 section 4)')
  }
  return bytes
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
