// CloudEvents over HTTP, outwards: headers as the flat list that undici takes, data as the bytes that came in.
import { isUtf8 } from 'node:buffer'
import type { Attributes, Event } from '../core/event.ts'
import { essenceOf, isJsonType } from './attributes.ts'
import { STRUCTURED_TYPE } from './decode.ts'
import { encodeHeaderValue } from './headers.ts'
import { isDeeperThan, MAX_DEPTH } from './json-text.ts'

/** Header names of attributes, so that no name is joined twice. Bounded: producers choose extension names. */
const headerNames = new Map<string, string>()
const MAX_HEADER_NAMES = 1_000

/**
 * Headers of the event in binary mode: attributes but `omit`, Content-Type, carried headers. The body is `event.data`.
 * @see CloudEvents HTTP binding 3.1
 */
export function encodeBinary(event: Event, omit = ''): string[] {
  const { attributes, headers: carried } = event
  const list: string[] = []
  for (const name in attributes) {
    if (name === omit) continue
    const value = attributes[name] ?? ''
    if (name === 'datacontenttype') list.push('content-type', value)
    else list.push(headerNameOf(name), encodeHeaderValue(value))
  }
  for (const text of carried) list.push(text)
  return list
}

function headerNameOf(attribute: string): string {
  const known = headerNames.get(attribute)
  if (known !== undefined) return known
  const name = `ce-${attribute}`
  if (headerNames.size < MAX_HEADER_NAMES) headerNames.set(attribute, name)
  return name
}

/**
 * The event as one JSON object. JSON data stand in it as they came, but for space around them; text stands in it as a
 * string; all else, and what only claims to be JSON or text, as base64.
 * @see CloudEvents JSON format 3.1
 */
export function encodeStructured(
  event: Event,
  omit = '',
): { readonly headers: readonly string[]; readonly body: Buffer } {
  const headers = ['content-type', `${STRUCTURED_TYPE}; charset=utf-8`, ...event.headers]
  const members: string[] = []
  for (const [name, value] of Object.entries(event.attributes)) {
    if (name !== omit) members.push(member(name, value))
  }
  if (event.data !== undefined) members.push(...dataMembers(event.attributes, event.data))
  return { headers, body: Buffer.from(`{${members.join(',')}}`) }
}

function dataMembers(attributes: Attributes, data: Buffer): string[] {
  const isOld = attributes['specversion'] === '0.3'
  // Came in as base64 text, with the attribute that says so.
  if (isOld && attributes['datacontentencoding']?.toLowerCase() === 'base64') return [member('data', data.toString())]
  const text = textOf(attributes['datacontenttype'], data)
  if (text !== undefined) return [`"data":${text}`]
  const base64 = data.toString('base64')
  return isOld ? [member('datacontentencoding', 'base64'), member('data', base64)] : [member('data_base64', base64)]
}

/** The data as the JSON value that decodes to the same bytes; undefined when there is none: null would be no data. */
function textOf(type: string | undefined, data: Buffer): string | undefined {
  if (type === undefined || !isUtf8(data)) return undefined
  const text = data.toString('utf8')
  if (isJsonType(type)) return isJson(text) && text.trim() !== 'null' ? text : undefined
  return isTextType(type) ? JSON.stringify(text) : undefined
}

function isJson(text: string): boolean {
  // One level is the event's own.
  if (isDeeperThan(text, MAX_DEPTH - 1)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isTextType(type: string): boolean {
  const essence = essenceOf(type)
  return essence.startsWith('text/') || essence.endsWith('/xml') || essence.endsWith('+xml')
}

function member(name: string, value: string): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`
}
