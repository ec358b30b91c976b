// What makes attributes a valid CloudEvent, whichever form they came in. Char loops, not expressions: this runs once for
// every event.
// @see CloudEvents core specification, "Context Attributes" and "Type System"
import { EventingError } from '../core/errors.ts'
import { type Attributes, attributeOf } from '../core/event.ts'

const REQUIRED = ['id', 'source', 'type'] as const
const SHOWN_CHARACTERS = 64

/** An EVENT_INVALID that names the attribute, what was found and what was expected. */
export function invalidAttribute(name: string, found: string, expected: string): EventingError {
  return new EventingError('EVENT_INVALID', `attribute '${name}' is ${found}, expected ${expected}`)
}

/** Foreign text for an error's line: quoted, escaped, cut. */
export function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text)
}

/**
 * An attribute's name in lower case. Throws EVENT_INVALID for anything but letters and digits, and for the one name that
 * the JSON format keeps for itself. Upper case is accepted, as
 * the reference ingress does; so is any length, though 20 characters are what the specification recommends.
 */
export function attributeName(text: string): string {
  let hasUpperCase = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isLowerCase(code) || isDigit(code)) continue
    if (!isLetter(code)) throw invalidName(text)
    hasUpperCase = true
  }
  const name = hasUpperCase ? text.toLowerCase() : text
  if (name === '' || name === 'data') throw invalidName(text)
  return name
}

function invalidName(text: string): EventingError {
  return new EventingError(
    'EVENT_INVALID',
    `attribute name ${shown(text)}: expected letters a-z and digits 0-9 only, and not 'data'`,
  )
}

/** Throws EVENT_INVALID for the first rule that the attributes break. */
export function checkAttributes(attributes: Attributes): void {
  const version = attributeOf(attributes, 'specversion')
  if (version === undefined) throw invalidAttribute('specversion', 'missing', "'1.0'")
  if (!isKnownVersion(version)) throw invalidAttribute('specversion', shown(version), "'1.0' or '0.3'")
  for (const name of REQUIRED) {
    const value = attributeOf(attributes, name)
    if (value === undefined) throw invalidAttribute(name, 'missing', 'a non-empty value')
    if (isBlank(value)) throw invalidAttribute(name, shown(value), 'a non-empty value')
  }
  checkUriReference(attributes, 'source')
  checkSubject(attributes)
  checkTime(attributes)
  checkContentType(attributes)
  if (version === '0.3') checkUriReference(attributes, 'schemaurl')
  else checkDataSchema(attributes)
}

export function isKnownVersion(version: string): boolean {
  return version === '1.0' || version === '0.3'
}

function checkSubject(attributes: Attributes): void {
  const subject = attributeOf(attributes, 'subject')
  if (subject === undefined || !isBlank(subject)) return
  throw invalidAttribute('subject', shown(subject), 'a non-empty value, or no subject')
}

function checkTime(attributes: Attributes): void {
  const time = attributeOf(attributes, 'time')
  if (time === undefined || isTimestamp(time)) return
  throw invalidAttribute('time', shown(time), 'an RFC 3339 timestamp such as 2026-01-02T03:04:05Z')
}

let lastGoodContentType = 'application/json'

function checkContentType(attributes: Attributes): void {
  const type = attributeOf(attributes, 'datacontenttype')
  // Events of one producer share their type, so nearly always the last one that was good.
  if (type === undefined || type === lastGoodContentType) return
  if (!isMediaType(type)) {
    throw invalidAttribute('datacontenttype', shown(type), 'a media type such as application/json')
  }
  lastGoodContentType = type
}

function checkDataSchema(attributes: Attributes): void {
  const schema = attributeOf(attributes, 'dataschema')
  if (schema === undefined || (schemeLength(schema) > 0 && isUriReference(schema))) return
  throw invalidAttribute('dataschema', shown(schema), 'an absolute URI such as https://example.com/order.json')
}

function checkUriReference(attributes: Attributes, name: string): void {
  const uri = attributeOf(attributes, name)
  if (uri === undefined || isUriReference(uri)) return
  throw invalidAttribute(name, shown(uri), 'a URI-reference such as /orders or https://example.com/orders')
}

function isBlank(text: string): boolean {
  const code = text.charCodeAt(0)
  return !(code > 0x20 && code < 0x7f) && text.trim() === ''
}

const AUTHORITY = /^(?:[^\s@[\]]*@)?(?:\[[0-9A-Za-z:.%]+\]|[^\s:@[\]<>"\\^`{|}]*)(?::\d*)?$/

/**
 * RFC 3986, with the leniency of the reference ingress: letters beyond ASCII and spaces pass in a path, since senders that
 * do not percent-encode their headers make `/a%20b` arrive as `/a b`.
 */
function isUriReference(text: string): boolean {
  const scheme = schemeLength(text)
  if (text === '' || scheme < 0 || hasControl(text)) return false
  const rest = scheme === 0 ? 0 : scheme + 1
  if (rest === text.length) return false
  if (!text.startsWith('//', rest)) return true
  return AUTHORITY.test(text.slice(rest + 2, endOfAuthority(text, rest + 2)))
}

/** Characters before the colon of a scheme; 0 without scheme; -1 when what stands before the first colon is none. */
function schemeLength(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x3a) return i > 0 && isLetter(text.charCodeAt(0)) ? i : -1
    if (isLetter(code) || isDigit(code) || code === 0x2b || code === 0x2d || code === 0x2e) continue
    // A relative reference may have a colon, but not in its first segment.
    const end = text.slice(i).search(/[/?#:]/)
    return end >= 0 && text[i + end] === ':' ? -1 : 0
  }
  return 0
}

function endOfAuthority(text: string, start: number): number {
  const length = text.slice(start).search(/[/?#]/)
  return length < 0 ? text.length : start + length
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const MINUTES_OF_DAY = 1_440

/** RFC 3339 5.6 with the restrictions of 5.7: the day exists, and a 60th second ends a UTC day. */
function isTimestamp(text: string): boolean {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  const separated = text[4] === '-' && text[7] === '-' && text[13] === ':' && text[16] === ':'
  if (!separated || (text.charCodeAt(10) | 0x20) !== 0x74) return false
  if (!(day >= 1 && day <= daysOf(year, month) && hour <= 23 && minute <= 59 && second <= 60)) return false
  const offset = offsetMinutes(text, endOfFraction(text, 19))
  if (offset === undefined) return false
  return second < 60 || (hour * 60 + minute - offset + MINUTES_OF_DAY) % MINUTES_OF_DAY === MINUTES_OF_DAY - 1
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : (DAYS_OF_MONTH[month - 1] ?? 0)
}

/** Where the offset begins: behind the fraction, if there is one with at least one digit. */
function endOfFraction(text: string, start: number): number {
  if (text[start] !== '.') return start
  let i = start + 1
  while (isDigit(text.charCodeAt(i))) i++
  return i > start + 1 ? i : start
}

/** Minutes east of UTC; undefined when the text does not end in an offset from there on. */
function offsetMinutes(text: string, start: number): number | undefined {
  if (text.length === start + 1 && (text.charCodeAt(start) | 0x20) === 0x7a) return 0
  const sign = text[start]
  const hour = digits(text, start + 1, 2)
  const minute = digits(text, start + 4, 2)
  if ((sign !== '+' && sign !== '-') || text[start + 3] !== ':' || text.length !== start + 6) return undefined
  if (!(hour <= 23 && minute <= 59)) return undefined
  return (hour * 60 + minute) * (sign === '-' ? -1 : 1)
}

/** The number that `count` digits from `start` on spell, or NaN. */
function digits(text: string, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i++) {
    const code = text.charCodeAt(i)
    if (!isDigit(code)) return Number.NaN
    value = value * 10 + code - 0x30
  }
  return value
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t \\x21-\\x7e])*"))?)*[ \\t]*$`,
)

/** RFC 9110 8.3.1. */
function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text)
}

/** Type and subtype in lower case, without parameters. */
export function essenceOf(mediaType: string): string {
  const end = mediaType.indexOf(';')
  return (end < 0 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase()
}

/** Whether data of this type is a JSON value: any subtype `json` or suffix `+json`. */
export function isJsonType(mediaType: string): boolean {
  const essence = essenceOf(mediaType)
  return essence.endsWith('/json') || essence.endsWith('+json')
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function isLetter(code: number): boolean {
  return isLowerCase(code | 0x20)
}
