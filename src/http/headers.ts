// HTTP headers as node gives them: name, value, name, value, one character per byte (latin1). Nothing here builds the
// headers object that node offers: reading the flat list costs a third of it.
import { isUtf8 } from 'node:buffer'
import { EventingError } from '../core/errors.ts'

const PERCENT = 0x25
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const TILDE = 0x7e

/** Value of the first header of that name (given in lower case), or undefined. */
export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const found = rawHeaders[i]
    if (found?.length === name.length && found.toLowerCase() === name) return rawHeaders[i + 1]
  }
  return undefined
}

/**
 * The headers that travel with an event from producer to subscriber and from answer to reply, names in lower case, in
 * the order they came: request id, Knative's own, and both kinds of trace context. All others stay at the door,
 * `Authorization` above all. (design.md 4.4; `Retry-After`, which upstream passes on too, has no meaning for a request.)
 */
export function carriedHeaders(rawHeaders: readonly string[]): readonly string[] {
  let carried: string[] | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (!mayBeCarried(name.charCodeAt(0))) continue
    const lower = name.toLowerCase()
    if (!isCarried(lower)) continue
    carried ??= []
    carried.push(lower, rawHeaders[i + 1] ?? '')
  }
  return carried ?? NO_HEADERS
}

const NO_HEADERS: readonly string[] = []

/** First letters k, t and x of either case: spares the others the lower-casing. */
function mayBeCarried(code: number): boolean {
  const lower = code | 0x20
  return lower === 0x6b || lower === 0x74 || lower === 0x78
}

function isCarried(name: string): boolean {
  return (
    name === 'traceparent' ||
    name === 'tracestate' ||
    name === 'x-request-id' ||
    name.startsWith('x-b3-') ||
    name.startsWith('knative-')
  )
}

/**
 * An attribute's value from its header: double quotes undone with their backslash escapes, then percent-decoded exactly
 * once. Bytes beyond ASCII that were sent unencoded are read as UTF-8 too. Throws EVENT_INVALID when the bytes are not
 * UTF-8; overlong forms are not.
 * A percent sign that begins no escape stands for itself: the reference senders do not encode, and `50% off` is a subject.
 * @see CloudEvents HTTP binding 3.1.3.2
 */
export function decodeHeaderValue(attribute: string, value: string): string {
  if (isPlain(value)) return value
  const bytes = percentDecode(isQuoted(value) ? unquote(value) : value)
  if (!isUtf8(bytes)) {
    throw new EventingError(
      'EVENT_INVALID',
      `attribute '${attribute}' is not UTF-8: found bytes ${bytes.toString('hex', 0, 32)}, expected percent-encoded UTF-8`,
    )
  }
  return bytes.toString('utf8')
}

/** ASCII without anything to undo: nearly every value. */
function isPlain(value: string): boolean {
  if (value.charCodeAt(0) === QUOTE) return false
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === PERCENT || code > TILDE) return false
  }
  return true
}

/** Whether the whole value is one quoted string (RFC 9110 5.6.4). A quote anywhere else stands for itself. */
function isQuoted(value: string): boolean {
  if (value.length < 2 || value.charCodeAt(0) !== QUOTE) return false
  let i = 1
  while (i < value.length && value.charCodeAt(i) !== QUOTE) i += value.charCodeAt(i) === BACKSLASH ? 2 : 1
  return i === value.length - 1
}

function unquote(value: string): string {
  return value.slice(1, -1).replace(/\\(.)/gs, '$1')
}

function percentDecode(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const escaped = bytes[i] === PERCENT ? hexDigit(bytes[i + 1]) * 16 + hexDigit(bytes[i + 2]) : Number.NaN
    bytes[length++] = Number.isNaN(escaped) ? (bytes[i] ?? 0) : escaped
    if (!Number.isNaN(escaped)) i += 2
  }
  return bytes.subarray(0, length)
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return Number.NaN
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : Number.NaN
}

/**
 * An attribute's value for its header: space, double quote, percent sign and everything outside U+0018 to U+007E become
 * upper-case `%XX` of their UTF-8 bytes.
 * @see CloudEvents HTTP binding 3.1.3.2
 */
export function encodeHeaderValue(value: string): string {
  for (let i = 0; i < value.length; i++) {
    if (mustEscape(value.charCodeAt(i))) return percentEncode(value)
  }
  return value
}

function percentEncode(value: string): string {
  let text = ''
  for (const byte of Buffer.from(value)) {
    text += mustEscape(byte) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte)
  }
  return text
}

function mustEscape(code: number): boolean {
  return code <= SPACE || code > TILDE || code === PERCENT || code === QUOTE
}
