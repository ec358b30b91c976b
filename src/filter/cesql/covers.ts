// What the matcher may index a CESQL expression under: comparisons that must hold wherever the expression does.
import type { IndexKey } from '../filter.ts'
import { type Covers, joined } from '../node.ts'
import { comparableTime } from '../value.ts'
import type { Expression } from './expression.ts'
import { compileLike } from './like.ts'

/** See `CompiledFilter.covers`. None for what can be true in a way that no key tells. */
export function coversOf(expression: Expression): Covers {
  switch (expression.kind) {
    case 'binary':
      return coversOfBinary(expression)
    case 'like':
      return expression.negated ? [] : coversOfLike(expression)
    case 'in':
      return expression.negated ? [] : coversOfSet(expression)
    default:
      return []
  }
}

function coversOfBinary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>): Covers {
  switch (operator) {
    case 'AND':
      return [...coversOf(left), ...coversOf(right)]
    case 'OR':
      return joined([coversOf(left), coversOf(right)])
    case '=': {
      const key = equalityKey(left, right) ?? equalityKey(right, left)
      return key ? [[key]] : []
    }
    default:
      return []
  }
}

function equalityKey(attribute: Expression, value: Expression): IndexKey | undefined {
  if (attribute.kind !== 'attribute' || !isIndexed(attribute.name) || value.kind !== 'string') return undefined
  return exactKey(attribute.name, value.value)
}

function exactKey(attribute: string, value: string): IndexKey {
  return { kind: 'exact', attribute, value: attribute === 'time' ? comparableTime(value) : value }
}

function coversOfLike({ of, pattern }: Extract<Expression, { kind: 'like' }>): Covers {
  if (of.kind !== 'attribute' || !isIndexed(of.name)) return []
  const attribute = of.name
  const { exact, prefix, suffix } = compileLike(pattern.value)
  if (exact !== undefined) return [[{ kind: 'exact', attribute, value: exact }]]
  const covers: IndexKey[][] = []
  if (prefix !== '') covers.push([{ kind: 'prefix', attribute, value: prefix }])
  if (suffix !== '') covers.push([{ kind: 'suffix', attribute, value: suffix }])
  return covers
}

function coversOfSet({ of, set }: Extract<Expression, { kind: 'in' }>): Covers {
  if (of.kind !== 'attribute' || !isIndexed(of.name)) return []
  const keys: IndexKey[] = []
  for (const element of set) {
    if (element.kind !== 'string') return []
    keys.push(exactKey(of.name, element.value))
  }
  return [keys]
}

/** Here it has no derived value, which the index looks at. */
function isIndexed(attribute: string): boolean {
  return attribute !== 'datamediatype'
}
