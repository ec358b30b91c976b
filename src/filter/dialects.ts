// A Trigger's `filter` and `filters`: what is wrong with them, and one function over an event's attributes made of them,
// once per applied Trigger. What dialects are built from is node.ts, which attribute a name means is value.ts, and which
// Triggers are asked about an event is matcher.ts.
import { asBoolean } from './cesql/cast.ts'
import { compileCesql } from './cesql/compile.ts'
import { coversOf } from './cesql/covers.ts'
import { parseCesql } from './cesql/parser.ts'
import type { CompiledFilter } from './filter.ts'
import { allOf, anyOf, conditions, fromPredicate, type Node, negation, present, SILENT } from './node.ts'

/** Attribute name to operand. Several entries are ANDed. */
export type Operands = Readonly<Record<string, string>>

/** A Trigger's `spec.filter`. */
export interface LegacyFilter {
  readonly attributes?: Operands | undefined
}

/** One item of `spec.filters`: an object with one dialect set. */
export interface FilterManifest {
  readonly exact?: Operands | undefined
  readonly prefix?: Operands | undefined
  readonly suffix?: Operands | undefined
  readonly all?: readonly FilterManifest[] | undefined
  readonly any?: readonly FilterManifest[] | undefined
  readonly not?: FilterManifest | undefined
  readonly cesql?: string | undefined
}

/** The part of a Trigger's spec that selects events. */
export interface TriggerFilterSpec {
  readonly filter?: LegacyFilter | undefined
  readonly filters?: readonly FilterManifest[] | undefined
}

/** A refused part of the spec. `path` starts below `spec`; `details` say what was expected. */
export interface FilterProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly details?: string
}

/** How deep `all`, `any` and `not` may nest; an item of `filters` is on level 1. */
export const MAX_FILTER_DEPTH = 32
/** Filter objects and attribute conditions of one Trigger, counted together. */
export const MAX_FILTER_NODES = 1_000

/** One alternative without keys: the matcher never has to ask. */
const NOTHING: CompiledFilter = { matches: () => false, covers: [[]] }

const DIALECTS = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql'] as const
type Dialect = (typeof DIALECTS)[number]

/**
 * `filters` with an item wins over `filter`; neither set passes everything. Never throws: a spec that `checkFilters`
 * refuses (in a cluster it may come past our validation) passes nothing, where upstream skips the broken part and so
 * passes more than was asked for.
 */
export function compileTriggerFilter(spec: TriggerFilterSpec): CompiledFilter {
  if (checkFilters(spec).length > 0) return NOTHING
  const { filter, filters } = spec
  const node = filters && isSet(filters) ? allOf(compileList(filters)) : compileLegacy(filter?.attributes ?? {})
  return { matches: node.matches, covers: node.covers }
}

/** `""` asks that the attribute is present and not empty, `time` included: upstream passes an event without a time. */
function compileLegacy(attributes: Operands): Node {
  const operands = Object.entries(attributes)
  const compared = operands.filter(([, value]) => value !== '')
  const required = operands.filter(([, value]) => value === '').map(([name]) => present(name))
  return allOf(compared.length > 0 ? [conditions('exact', compared), ...required] : required)
}

/** Items without a dialect are dropped. */
function compileList(items: readonly FilterManifest[]): Node[] {
  return items.map(compileItem).filter((node) => node !== undefined)
}

/** Undefined for an item without a dialect. Throws for one that `checkFilters` refuses. */
export function compileItem(item: FilterManifest): Node | undefined {
  const dialect = dialectsOf(item)[0]
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return conditions(dialect, Object.entries(item[dialect] ?? {}))
    case 'all':
      return allOf(compileList(item.all ?? []))
    case 'any':
      return anyOf(compileList(item.any ?? []))
    case 'not':
      return negation(compileItem(item.not ?? {}) ?? SILENT)
    case 'cesql':
      return cesql(item.cesql ?? '')
    default:
      return undefined
  }
}

/** Whatever fails in it does not pass, and what is no boolean counts as one where it can. */
function cesql(text: string): Node {
  const expression = parseCesql(text)
  const evaluate = compileCesql(expression)
  return fromPredicate((attributes) => asBoolean(evaluate(attributes)) === true, coversOf(expression))
}

const ATTRIBUTE_NAME = /^[a-z][a-z0-9]*$/
const NAME_RULE = 'Attribute name must start with a letter and can only contain lowercase alphanumeric'

/** A walk over one of the two fields; `nodes` are what it has seen so far. */
interface Check {
  readonly field: 'filter' | 'filters'
  readonly problems: FilterProblem[]
  nodes: number
}

type Path = FilterProblem['path']

/**
 * Everything that is wrong with a Trigger's `filter` and `filters`, in their order; empty when they can be compiled.
 * Takes any value: what a manifest holds is not known before. As upstream (knative/eventing
 * pkg/apis/eventing/v1/trigger_validation.go), and stricter where upstream would pass more events than were asked for:
 * empty operands, unknown fields and what is too large are refused too.
 */
export function checkFilters(spec: {
  readonly filter?: unknown
  readonly filters?: unknown
}): readonly FilterProblem[] {
  const problems: FilterProblem[] = []
  checkLegacy({ field: 'filter', problems, nodes: 0 }, spec.filter)
  checkList({ field: 'filters', problems, nodes: 0 }, spec.filters, ['filters'], 1)
  return problems
}

function checkLegacy(check: Check, filter: unknown): void {
  if (!isPresent(filter)) return
  if (!isMap(filter)) return refuseType(check, ['filter'], 'a map with attributes', filter)
  checkFields(check, filter, ['filter'], ['attributes'])
  checkOperands(check, filter['attributes'], ['filter', 'attributes'], { emptyAllowed: true })
}

function checkList(check: Check, items: unknown, path: Path, depth: number): void {
  if (!isPresent(items)) return
  if (!Array.isArray(items)) return refuseType(check, path, 'a list of filters', items)
  for (const [i, item] of items.entries()) {
    if (!isWithinLimit(check)) return
    checkItem(check, item, [...path, i], depth)
  }
}

function checkItem(check: Check, item: unknown, path: Path, depth: number): void {
  if (!isMap(item)) return refuseType(check, path, 'a filter with one dialect', item)
  if (depth > MAX_FILTER_DEPTH) {
    check.problems.push({ path, message: `filters are nested deeper than ${MAX_FILTER_DEPTH} levels` })
    return
  }
  checkFields(check, item, path, DIALECTS)
  if (dialectsOf(item).length > 1) {
    check.problems.push({ path, message: 'multiple dialects found, filters can have only one dialect set' })
  }
  for (const kind of ['exact', 'prefix', 'suffix'] as const) {
    checkOperands(check, item[kind], [...path, kind], { emptyAllowed: false })
  }
  checkList(check, item['all'], [...path, 'all'], depth + 1)
  checkList(check, item['any'], [...path, 'any'], depth + 1)
  if (isPresent(item['not']) && isWithinLimit(check)) checkItem(check, item['not'], [...path, 'not'], depth + 1)
  checkCesql(check, item['cesql'], [...path, 'cesql'])
}

function checkOperands(check: Check, operands: unknown, path: Path, { emptyAllowed }: { emptyAllowed: boolean }): void {
  if (!isPresent(operands)) return
  if (!isMap(operands)) return refuseType(check, path, 'a map of attribute names to strings', operands)
  for (const [name, value] of Object.entries(operands)) {
    if (!isWithinLimit(check)) return
    // At the map, not at the entry: that is the path upstream reports.
    if (!ATTRIBUTE_NAME.test(name)) {
      check.problems.push({ path, message: `invalid key name "${name}"`, details: NAME_RULE })
    }
    if (typeof value !== 'string') refuseType(check, [...path, name], 'a string (quote numbers and booleans)', value)
    else if (value === '' && !emptyAllowed) {
      check.problems.push({
        path: [...path, name],
        message: 'invalid value: ""',
        details: 'expected text to compare with',
      })
    }
  }
}

function checkCesql(check: Check, expression: unknown, path: Path): void {
  if (!isPresent(expression) || expression === '') return
  if (typeof expression !== 'string') return refuseType(check, path, 'an expression in quotes', expression)
  try {
    parseCesql(expression)
  } catch (error) {
    const details = error instanceof Error ? error.message : String(error)
    check.problems.push({ path, message: `invalid value: ${expression}`, details })
  }
}

function checkFields(check: Check, map: Record<string, unknown>, path: Path, known: readonly string[]): void {
  for (const name of Object.keys(map)) {
    if (known.includes(name)) continue
    if (!isWithinLimit(check)) return
    check.problems.push({
      path: [...path, name],
      message: `unknown field "${name}"`,
      details: `known: ${known.join(', ')}`,
    })
  }
}

/** Counts one node. False once there are too many: YAML aliases can make a short file endless. */
function isWithinLimit(check: Check): boolean {
  check.nodes += 1
  if (check.nodes === MAX_FILTER_NODES + 1) {
    check.problems.push({ path: [check.field], message: `more than ${MAX_FILTER_NODES} filters and attributes` })
  }
  return check.nodes <= MAX_FILTER_NODES
}

function refuseType(check: Check, path: Path, expected: string, found: unknown): void {
  check.problems.push({ path, message: `expected ${expected}, got ${typeName(found)}` })
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`
}

/** The dialects that are set, as the Go types count them: an empty map, list or text is not, `not: {}` is. */
export function dialectsOf(item: Readonly<Partial<Record<Dialect, unknown>>>): Dialect[] {
  return DIALECTS.filter((dialect) => (dialect === 'not' ? isPresent(item.not) : isSet(item[dialect])))
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isMap(value) ? Object.keys(value).length > 0 : isPresent(value) && value !== ''
}

/** YAML's null is an absent field. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
