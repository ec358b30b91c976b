// Why an event does not pass a filter: which of its conditions fail, what they ask for and what they got, how near that is,
// and the change with which it would pass.
import type { Attributes } from '../core/event.ts'
import { readerOf } from './cesql/attribute.ts'
import { asBoolean, isFailure } from './cesql/cast.ts'
import { compileCesql } from './cesql/compile.ts'
import { type Expression, printExpression } from './cesql/expression.ts'
import { parseCesql } from './cesql/parser.ts'
import {
  checkFilters,
  compileItem,
  compileTriggerFilter,
  dialectsOf,
  type FilterManifest,
  type Operands,
  type TriggerFilterSpec,
} from './dialects.ts'
import { commonEndOf, commonStartOf, cut, differenceOf, endLength, MOST_SHOWN, quoted, startLength } from './near.ts'
import { comparableTime, filterValue } from './value.ts'

export interface Explanation {
  readonly matches: boolean
  /** What has to hold and does not; of alternatives, the one that lacks least. Empty when it matches. */
  readonly misses: readonly Miss[]
}

export interface Miss {
  /** Below `spec`: `filters[0].exact.type`. */
  readonly path: string
  /** `equal to "order.created"`, or the part of an expression that is not true. */
  readonly expected: string
  /** What the event has there; null when it has nothing, or there is no one thing. */
  readonly actual: string | null
  /** How the one differs from the other, or why there is nothing to compare. */
  readonly difference: string | null
  /** With which it would hold. */
  readonly change: string | null
}

/** `matches` is what the router says. Never throws: a filter that is refused passes nothing. */
export function explainFilter(spec: TriggerFilterSpec, attributes: Attributes): Explanation {
  const [problem] = checkFilters(spec)
  if (problem) return { matches: false, misses: [brokenMiss(problem)] }
  if (compileTriggerFilter(spec).matches(attributes)) return { matches: true, misses: [] }
  const { filter, filters } = spec
  const misses = filters?.length
    ? missesOfList(filters, 'filters', attributes)
    : missesOfLegacy(filter?.attributes ?? {}, attributes)
  return { matches: false, misses: misses.slice(0, MOST_MISSES) }
}

/** Of one filter: others are not told. */
const MOST_MISSES = 20

function brokenMiss({ path, message, details }: ReturnType<typeof checkFilters>[number]): Miss {
  return {
    path: pathOf(path),
    expected: cut(details ?? 'a filter that can be read'),
    actual: null,
    difference: cut(message),
    change: 'a filter that cannot be read passes nothing: mend it',
  }
}

function missesOfLegacy(operands: Operands, attributes: Attributes): readonly Miss[] {
  return Object.entries(operands).flatMap(([name, value]) => {
    const path = `filter.attributes.${name}`
    if (value !== '') return missOfOperand('exact', path, name, value, attributes)
    const actual = filterValue(attributes, name)
    if (actual) return []
    const change = `send the attribute "${name}", or remove ${path}`
    return [{ path, expected: 'any value but an empty one', ...absent(name, actual, attributes), change }]
  })
}

function missesOfList(
  items: readonly FilterManifest[],
  path: string,
  attributes: Attributes,
  mayGo = true,
): readonly Miss[] {
  return items.flatMap((item, i) => missesOfItem(item, `${path}[${i}]`, attributes, mayGo))
}

/**
 * What keeps it from passing; nothing where it passes. `mayGo`: without it more would pass. An alternative that is left
 * without a condition passes nothing.
 */
function missesOfItem(item: FilterManifest, path: string, attributes: Attributes, mayGo: boolean): readonly Miss[] {
  if (compileItem(item)?.test(attributes) !== false) return []
  const [dialect] = dialectsOf(item)
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return Object.entries(item[dialect] ?? {}).flatMap(([name, value]) =>
        missOfOperand(dialect, `${path}.${dialect}.${name}`, name, value, attributes, mayGo),
      )
    case 'all':
      return missesOfList(item.all ?? [], `${path}.all`, attributes, mayGo)
    case 'any':
      return nearest((item.any ?? []).map((each, i) => missesOfItem(each, `${path}.any[${i}]`, attributes, false)))
    case 'not':
      return [missOfNegation(item.not ?? {}, `${path}.not`, attributes, mayGo)]
    case 'cesql':
      return missesOfExpression(parseCesql(item.cesql ?? ''), `${path}.cesql`, attributes, mayGo)
    default:
      return []
  }
}

function nearest(alternatives: readonly (readonly Miss[])[]): readonly Miss[] {
  const lacking = alternatives.filter((misses) => misses.length > 0)
  return lacking.toSorted((a, b) => distance(a) - distance(b))[0] ?? []
}

/** How much is lacking: what is like what was asked for counts half. */
export function distance(misses: readonly Miss[]): number {
  return misses.reduce((sum, { difference, actual }) => sum + (difference !== null && actual !== null ? 0.5 : 1), 0)
}

const WORDS = { exact: 'equal to', prefix: 'beginning with', suffix: 'ending with' } as const
const DIFFERENCES = { exact: differenceOf, prefix: commonStartOf, suffix: commonEndOf } as const

function missOfOperand(
  dialect: keyof typeof WORDS,
  path: string,
  name: string,
  operand: string,
  attributes: Attributes,
  mayGo = true,
): readonly Miss[] {
  const wanted = dialect === 'exact' && name === 'time' ? comparableTime(operand) : operand
  const actual = filterValue(attributes, name)
  if (actual !== undefined && holds(dialect, wanted, actual)) return []
  const expected = `${WORDS[dialect]} ${quoted(wanted)}`
  if (actual === undefined) {
    const change = `send the attribute "${name}"${mayGo ? `, or remove ${path}` : ''}`
    return [{ path, expected, ...absent(name, actual, attributes), change }]
  }
  const difference = DIFFERENCES[dialect](wanted, actual) ?? null
  if (actual === '') return [{ path, expected, actual, difference, change: mayGo ? `remove ${path}` : null }]
  const written = changed(dialect, wanted, actual)
  const change = `write ${written.length > MOST_SHOWN ? `the event's ${name}` : JSON.stringify(written)} at ${path}`
  return [{ path, expected, actual: cut(actual), difference, change }]
}

function holds(dialect: keyof typeof WORDS, wanted: string, actual: string): boolean {
  if (dialect === 'exact') return actual === wanted
  return dialect === 'prefix' ? actual.startsWith(wanted) : actual.endsWith(wanted)
}

/** Of a prefix or suffix as much as both have, else the whole value. */
function changed(dialect: keyof typeof WORDS, wanted: string, actual: string): string {
  if (dialect === 'exact') return actual
  const piece =
    dialect === 'prefix'
      ? actual.slice(0, startLength(wanted, actual))
      : actual.slice(actual.length - endLength(wanted, actual, Math.min(wanted.length, actual.length)))
  return piece === '' ? actual : piece
}

/** Of an attribute that is not there, or empty: one that is there and may have been meant. */
function absent(name: string, actual: string | undefined, attributes: Attributes): Pick<Miss, 'actual' | 'difference'> {
  if (actual !== undefined) return { actual, difference: 'is empty' }
  const like = Object.keys(attributes).find((each) => each !== name && differenceOf(name, each) !== undefined)
  const hint = like === undefined ? '' : `, but it has "${like}"`
  return { actual: null, difference: `the event has no attribute "${name}"${hint}` }
}

function missOfNegation(item: FilterManifest, path: string, attributes: Attributes, mayGo: boolean): Miss {
  const names = attributesOf(item)
  return {
    path,
    expected: cut(`no match of ${JSON.stringify(item)}`),
    actual: valuesOf(names, (name) => filterValue(attributes, name)),
    difference: 'it matches',
    change: `${mayGo ? `remove ${path}, or ` : ''}ask for something that this event is not`,
  }
}

function attributesOf(item: FilterManifest): readonly string[] {
  const [dialect] = dialectsOf(item)
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return Object.keys(item[dialect] ?? {})
    case 'all':
    case 'any':
      return [...new Set((item[dialect] ?? []).flatMap(attributesOf))]
    case 'not':
      return attributesOf(item.not ?? {})
    case 'cesql':
      return namesIn(parseCesql(item.cesql ?? ''))
    default:
      return []
  }
}

/** An AND is told by its parts, alternatives by the one that lacks least. */
function missesOfExpression(
  expression: Expression,
  path: string,
  attributes: Attributes,
  mayGo: boolean,
): readonly Miss[] {
  const result = asBoolean(compileCesql(expression)(attributes))
  if (result === true) return []
  const failure = isFailure(result) ? result : undefined
  const missesOfParts = (operator: 'AND' | 'OR') =>
    partsOf(expression, operator).map((part) => missesOfExpression(part, path, attributes, mayGo))
  if (expression.kind === 'binary' && expression.operator === 'AND') return missesOfParts('AND').flat()
  if (expression.kind === 'binary' && expression.operator === 'OR' && !failure) return nearest(missesOfParts('OR'))
  const compared = comparedWith(expression, path, attributes)
  const leave = mayGo ? `, or leave this part out of ${path}` : ''
  return [
    {
      path,
      expected: cut(printExpression(expression)),
      actual: valuesOf(namesIn(expression), (name) => cesqlValue(attributes, name)),
      difference: failure ? cut(`${failure.kind}: ${failure.text}`) : compared.difference,
      change: failure?.kind === 'missingAttribute' ? `send the attribute${leave}` : compared.change,
    },
  ]
}

/** Operands of one operator after another. */
function partsOf(expression: Expression, operator: 'AND' | 'OR'): readonly Expression[] {
  const parts: Expression[] = []
  let rest = expression
  for (; rest.kind === 'binary' && rest.operator === operator; rest = rest.left) parts.push(rest.right)
  return [rest, ...parts.reverse()]
}

/** An attribute that is there; a time as it is compared. */
function cesqlValue(attributes: Attributes, name: string): string | undefined {
  return readerOf(name)(attributes) === undefined ? undefined : filterValue(attributes, name)
}

/** A comparison of an attribute with a text is told as those of other dialects are. */
function comparedWith(
  expression: Expression,
  path: string,
  attributes: Attributes,
): Pick<Miss, 'difference' | 'change'> {
  if (expression.kind !== 'binary' || expression.operator !== '=') return { difference: null, change: null }
  const { left, right } = expression
  const [attribute, text] = left.kind === 'attribute' ? [left, right] : [right, left]
  if (attribute.kind !== 'attribute' || text.kind !== 'string') return { difference: null, change: null }
  const [miss] = missOfOperand('exact', path, attribute.name, text.value, attributes)
  const literal = literalOf(filterValue(attributes, attribute.name) ?? '')
  const change = literal === undefined ? null : `write ${attribute.name} = ${literal} at ${path}`
  return { difference: miss?.difference ?? null, change }
}

/** Undefined for what is too long to show, and what no literal stands for: a backslash before a quote or the end. */
function literalOf(text: string): string | undefined {
  if (text === '' || text.length > MOST_SHOWN || /\\(?:'|$)/.test(text)) return undefined
  return `'${text.replaceAll("'", "\\'")}'`
}

function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'attribute':
    case 'exists':
      return [expression.name]
    case 'not':
    case 'minus':
    case 'like':
      return namesIn(expression.of)
    case 'binary':
      return unique([...namesIn(expression.left), ...namesIn(expression.right)])
    case 'in':
      return unique([expression.of, ...expression.set].flatMap(namesIn))
    case 'call':
      return unique(expression.args.flatMap(namesIn))
    default:
      return []
  }
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)]

function valuesOf(names: readonly string[], read: (name: string) => string | undefined): string | null {
  const values = names.map((name) => {
    const value = read(name)
    return value === undefined ? `no ${name}` : `${name} ${quoted(value)}`
  })
  return values.length === 0 ? null : cut(values.join(', '))
}

function pathOf(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
}
