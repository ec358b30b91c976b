// The dialects once more, as plainly as they can be said: what compiled filters are compared with.
import type { Attributes } from '../../src/core/event.ts'
import type { FilterManifest, TriggerFilterSpec } from '../../src/filter/dialects.ts'
import { treeOf } from './arbitraries.ts'
import { bool, computed, Ended } from './cesql/trees.ts'

type Verdict = 'pass' | 'fail' | 'none'

/** Only for specs that `checkFilters` accepts, and for names that mean the attribute of that name. */
export function interpret({ filter, filters }: TriggerFilterSpec, attributes: Attributes): boolean {
  if (filters && filters.length > 0) return and(filters, attributes) !== 'fail'
  return Object.entries(filter?.attributes ?? {}).every(([name, operand]) => {
    const found = Object.hasOwn(attributes, name) ? (attributes[name] ?? '') : ''
    return operand === '' ? found !== '' : found === operand
  })
}

function verdictOf(filter: FilterManifest, attributes: Attributes): Verdict | undefined {
  if (filled(filter.exact)) return compare(filter.exact, attributes, (found, operand) => found === operand)
  if (filled(filter.prefix)) return compare(filter.prefix, attributes, (found, operand) => found.startsWith(operand))
  if (filled(filter.suffix)) return compare(filter.suffix, attributes, (found, operand) => found.endsWith(operand))
  if (filter.all && filter.all.length > 0) return and(filter.all, attributes)
  if (filter.any && filter.any.length > 0) {
    const verdicts = verdictsOf(filter.any, attributes)
    return verdicts.includes('pass') ? 'pass' : (verdicts.at(-1) ?? 'none')
  }
  if (filter.cesql) return isTrue(filter.cesql, attributes) ? 'pass' : 'fail'
  if (!filter.not) return undefined
  const inner = verdictOf(filter.not, attributes) ?? 'none'
  return inner === 'none' ? 'none' : inner === 'pass' ? 'fail' : 'pass'
}

function isTrue(expression: string, attributes: Attributes): boolean {
  try {
    return bool(computed(treeOf(expression), attributes))
  } catch (error) {
    if (error instanceof Ended) return false
    throw error
  }
}

function and(filters: readonly FilterManifest[], attributes: Attributes): Verdict {
  const verdicts = verdictsOf(filters, attributes)
  return verdicts.includes('fail') ? 'fail' : (verdicts.at(-1) ?? 'none')
}

function verdictsOf(filters: readonly FilterManifest[], attributes: Attributes): Verdict[] {
  return filters.map((filter) => verdictOf(filter, attributes)).filter((verdict) => verdict !== undefined)
}

function compare(
  operands: Readonly<Record<string, string>>,
  attributes: Attributes,
  holds: (found: string, operand: string) => boolean,
): Verdict {
  const all = Object.entries(operands).every(([name, operand]) => {
    const found = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    return found !== undefined && holds(found, operand)
  })
  return all ? 'pass' : 'fail'
}

function filled(operands: Readonly<Record<string, string>> | undefined): operands is Readonly<Record<string, string>> {
  return operands !== undefined && Object.keys(operands).length > 0
}
