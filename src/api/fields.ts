// What a query or a body asks for, field by field. All of them may be absent; what is wrong is told with the field's name
// and what was expected.
import { parseTime } from '../core/time.ts'
import { labelName, subdomainName } from '../resource/metadata.ts'
import { shown } from '../resource/problems.ts'
import { isFields } from '../resource/rules.ts'

export interface Field<T> {
  readonly expected: string
  /** Undefined for what it cannot be. */
  parse(value: unknown): T | undefined
}

type Shape = Readonly<Record<string, Field<unknown>>>

export type FieldsOf<S extends Shape> = { readonly [K in keyof S]?: S[K] extends Field<infer T> ? T : never }

export type Reading<T> =
  | { readonly kind: 'read'; readonly fields: T }
  /** In words. */
  | { readonly kind: 'refused'; readonly message: string }

/** Each rule says what is wrong with the fields together, if something is. */
export function readFields<S extends Shape>(
  given: unknown,
  shape: S,
  ...rules: readonly ((fields: FieldsOf<S>) => string | undefined)[]
): Reading<FieldsOf<S>> {
  if (given !== undefined && !isFields(given)) return { kind: 'refused', message: 'expected a JSON object' }
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given ?? {})) {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!field) {
      const known = Object.keys(shape).join(', ')
      return { kind: 'refused', message: `unknown field "${shown(name)}": expected ${known}` }
    }
    const parsed = field.parse(value)
    if (parsed === undefined) {
      return { kind: 'refused', message: `${name}: expected ${field.expected}, got ${shownValue(value)}` }
    }
    fields[name] = parsed
  }
  const read = fields as FieldsOf<S>
  for (const rule of rules) {
    const message = rule(read)
    if (message !== undefined) return { kind: 'refused', message }
  }
  return { kind: 'read', fields: read }
}

export const MOST_IDS = 1_000
export const MOST_RATE = 100_000
const MOST_CHARACTERS = 4_096

export const namespaceField: Field<string> = {
  expected: 'a name of a-z, 0-9 and -, at most 63 characters',
  parse: (value) => (labelName.safeParse(value).success ? String(value) : undefined),
}

export const nameField: Field<string> = {
  expected: 'a name of a-z, 0-9, - and .',
  parse: (value) => (subdomainName.safeParse(value).success ? String(value) : undefined),
}

export const textField: Field<string> = {
  expected: `a text of 1 to ${MOST_CHARACTERS} characters`,
  parse: (value) => (isText(value) ? value : undefined),
}

export const codeField: Field<string> = {
  expected: 'an HTTP status such as 503',
  parse: (value) => (/^[1-9]\d\d$/.test(String(value)) ? String(value) : undefined),
}

/** In a query one of them is a text, not a list. */
export const idsField: Field<readonly string[]> = {
  expected: `1 to ${MOST_IDS} ids of events`,
  parse(value) {
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value]
    return ids.length > 0 && ids.length <= MOST_IDS && ids.every(isText) ? ids : undefined
  },
}

/** Epoch ms. */
export const timeField: Field<number> = {
  expected: 'an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z',
  parse: (value) => (typeof value === 'string' ? parseTime(value) : undefined),
}

export const rateField: Field<number> = {
  expected: `a number of events a second above 0, at most ${MOST_RATE}`,
  parse: (value) => (typeof value === 'number' && value > 0 && value <= MOST_RATE ? value : undefined),
}

export const yesField: Field<boolean> = {
  expected: 'true or false',
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
}

/** From a query. */
export function countField(most: number): Field<number> {
  return {
    expected: `a whole number from 1 to ${most}`,
    parse(value) {
      const count = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0
      return count >= 1 && count <= most ? count : undefined
    },
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MOST_CHARACTERS
}

function shownValue(value: unknown): string {
  return typeof value === 'string' ? `"${shown(value)}"` : shown(value)
}
