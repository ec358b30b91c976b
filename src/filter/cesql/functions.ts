// The functions of CESQL. One is found by its name and by how many arguments it is given.
// @see cloudevents/spec cesql/spec.md section 3.5
import { asBoolean, asInteger, asString, type Failure, isFailure, type Result, type Type } from './cast.ts'

export interface CesqlFunction {
  readonly returns: Type
  /** Of its arguments in their order, the last one for all that follow; `any` is left as it is. */
  readonly takes: readonly (Type | 'any')[]
  readonly run: (...args: never[]) => Result
}

/** Undefined where there is none of this name, in upper case, with so many arguments. */
export function functionOf(name: string, argumentCount: number): CesqlFunction | undefined {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  return found && argumentCount >= found.least && argumentCount <= found.most ? found : undefined
}

/** All names, and how many arguments each takes. */
export function functionNames(): readonly string[] {
  return Object.keys(FUNCTIONS)
}

interface Declared extends CesqlFunction {
  readonly least: number
  readonly most: number
}

function declare(
  returns: Type,
  takes: readonly (Type | 'any')[],
  run: CesqlFunction['run'],
  [least, most] = [takes.length, takes.length],
): Declared {
  return { returns, takes, run, least, most }
}

const ANY_NUMBER = Number.POSITIVE_INFINITY

const FUNCTIONS: Readonly<Record<string, Declared>> = {
  LENGTH: declare('number', ['string'], (text: string) => (isPlain(text) ? text.length : [...text].length)),
  CONCAT: declare('string', ['string'], (...texts: string[]) => joined('CONCAT', '', texts), [0, ANY_NUMBER]),
  CONCAT_WS: declare(
    'string',
    ['string', 'string'],
    (delimiter: string, ...texts: string[]) => joined('CONCAT_WS', delimiter, texts),
    [1, ANY_NUMBER],
  ),
  LOWER: declare('string', ['string'], (text: string) => text.toLowerCase()),
  UPPER: declare('string', ['string'], (text: string) => text.toUpperCase()),
  TRIM: declare('string', ['string'], trim),
  LEFT: declare('string', ['string', 'number'], (text: string, count: number) =>
    count < 0 ? negative('LEFT', count, text) : charactersOf(text).slice(0, count),
  ),
  RIGHT: declare('string', ['string', 'number'], (text: string, count: number) => {
    if (count < 0) return negative('RIGHT', count, text)
    const characters = charactersOf(text)
    return characters.slice(Math.max(0, characters.length - count))
  }),
  SUBSTRING: declare('string', ['string', 'number', 'number'], substring, [2, 3]),
  ABS: declare('number', ['number'], (value: number) =>
    value === -(2 ** 31)
      ? { kind: 'math', text: `ABS of ${value} is no Integer`, value: 2 ** 31 - 1 }
      : Math.abs(value),
  ),
  INT: declare('number', ['any'], (value: Result) => asInteger(value)),
  BOOL: declare('boolean', ['any'], (value: Result) => asBoolean(value)),
  STRING: declare('string', ['any'], (value: Result) => asString(value)),
  IS_INT: declare('boolean', ['any'], (value: Result) => !isFailure(asInteger(value))),
  IS_BOOL: declare('boolean', ['any'], (value: Result) => !isFailure(asBoolean(value))),
}

/** Of what CONCAT makes, in units of UTF-16. An attribute that is named often enough would fill the memory. */
export const MAX_CONCAT_LENGTH = 1_048_576

function joined(name: string, delimiter: string, texts: readonly string[]): Result {
  let length = delimiter.length * Math.max(0, texts.length - 1)
  for (const text of texts) length += text.length
  if (length <= MAX_CONCAT_LENGTH) return texts.join(delimiter)
  return { kind: 'functionEvaluation', text: `${name}: a text longer than ${MAX_CONCAT_LENGTH}` }
}

/** Characters are code points; of nearly all texts, units too. */
function charactersOf(text: string): Characters {
  return isPlain(text) ? { length: text.length, slice: (start, end) => text.slice(start, end) } : codePointsOf(text)
}

interface Characters {
  readonly length: number
  slice(start: number, end?: number): string
}

function codePointsOf(text: string): Characters {
  const characters = [...text]
  return { length: characters.length, slice: (start, end) => characters.slice(start, end).join('') }
}

const SURROGATE = /[\ud800-\udfff]/

function isPlain(text: string): boolean {
  return !SURROGATE.test(text)
}

function substring(text: string, position: number, length = ANY_NUMBER): Result {
  const characters = charactersOf(text)
  if (length < 0) return outside(`SUBSTRING: a length of ${length}`)
  if (position === 0) return ''
  if (Math.abs(position) > characters.length) {
    return outside(`SUBSTRING: position ${position} in a text of ${characters.length}`)
  }
  const start = position > 0 ? position - 1 : characters.length + position
  return characters.slice(start, start + length)
}

function negative(name: string, count: number, value: string): Failure {
  return { kind: 'functionEvaluation', text: `${name}: ${count} characters`, value }
}

function outside(text: string): Failure {
  return { kind: 'functionEvaluation', text }
}

/** White_Space of Unicode. */
const WHITESPACE = /[\t-\r \x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && WHITESPACE.test(text[start] as string)) start++
  while (end > start && WHITESPACE.test(text[end - 1] as string)) end--
  return text.slice(start, end)
}
