// CESQL once more, as plainly as it can be said: random trees, how they are written, and what they come to. It shares no
// code with what it is compared with.
import fc from 'fast-check'

export type Tree =
  | { is: 'value'; value: string | number | boolean }
  | { is: 'attribute' | 'exists'; name: string }
  | { is: 'not' | 'minus'; of: Tree }
  | { is: 'binary'; operator: string; left: Tree; right: Tree }
  | { is: 'like'; of: Tree; pattern: string; negated: boolean }
  | { is: 'in'; of: Tree; set: Tree[]; negated: boolean }
  | { is: 'call'; name: string; args: Tree[] }

const OPERATORS = ['AND', 'AND', 'OR', 'OR', 'XOR', '=', '=', '=', '!=', '<>', '<', '<=', '>', '>=', ...'+-*/%']
const CALLS: readonly (readonly [string, number])[] = [
  ['LENGTH', 1],
  ['UPPER', 1],
  ['CONCAT', 2],
  ['LEFT', 2],
  ['SUBSTRING', 2],
  ['INT', 1],
  ['BOOL', 1],
  ['STRING', 1],
  ['IS_INT', 1],
  ['NONE', 1],
]

const text = fc.constantFrom('a', 'ab', 'abb', 'b', '', '1', '-2', 'true', "it's")
const name = fc.constantFrom('type', 'type', 'source', 'subject', 'missing')
const value: fc.Arbitrary<Tree> = fc
  .oneof(text, fc.integer({ min: -3, max: 12 }), fc.boolean(), fc.constantFrom(2_147_483_647, -2_147_483_648))
  .map((one) => ({ is: 'value', value: one }))
const attribute: fc.Arbitrary<Tree> = fc.record({ is: fc.constant('attribute'), name })
const pattern = fc.array(fc.constantFrom('a', 'b', '%', '_', '\\%', '1'), { maxLength: 4 }).map((all) => all.join(''))

export const someTree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true, maxDepth: 6 },
    { weight: 3, arbitrary: value },
    { weight: 4, arbitrary: attribute },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('exists'), name }) },
    { weight: 2, arbitrary: fc.record({ is: fc.constantFrom('not', 'minus'), of: tie('tree') }) },
    {
      weight: 8,
      arbitrary: fc.record({
        is: fc.constant('binary'),
        operator: fc.constantFrom(...OPERATORS),
        left: tie('tree'),
        right: tie('tree'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ is: fc.constant('like'), of: tie('tree'), pattern, negated: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        is: fc.constant('in'),
        of: tie('tree'),
        set: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        negated: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...CALLS).chain(([called, count]) =>
        fc.record({
          is: fc.constant('call'),
          name: fc.constant(called),
          args: fc.array(tie('tree'), { minLength: count, maxLength: count }),
        }),
      ),
    },
  ) as fc.Arbitrary<Tree>,
})).tree

/** Everything that has parts stands in parentheses: precedence is not tested with this. */
export function written(tree: Tree): string {
  switch (tree.is) {
    case 'value':
      return typeof tree.value === 'string' ? `'${tree.value.replaceAll("'", "\\'")}'` : String(tree.value)
    case 'attribute':
      return tree.name
    case 'exists':
      return `(EXISTS ${tree.name})`
    case 'not':
      return `(not ${written(tree.of)})`
    case 'minus':
      return `(- ${written(tree.of)})`
    case 'binary':
      return `(${written(tree.left)} ${tree.operator} ${written(tree.right)})`
    case 'like':
      return `(${written(tree.of)} ${tree.negated ? 'not ' : ''}like '${tree.pattern}')`
    case 'in':
      return `(${written(tree.of)} ${tree.negated ? 'NOT ' : ''}IN (${tree.set.map(written).join(',')}))`
    case 'call':
      return `${tree.name}(${tree.args.map(written).join(', ')})`
  }
}

type Plain = string | number | boolean
type Attributes = Readonly<Record<string, string>>

/** What ends an expression, thrown. */
export class Ended extends Error {}

/** Throws `Ended` with the kind of what failed. */
export function computed(tree: Tree, attributes: Attributes): Plain {
  switch (tree.is) {
    case 'value':
      return tree.value
    case 'attribute':
      if (!Object.hasOwn(attributes, tree.name)) throw new Ended('missingAttribute')
      return attributes[tree.name] ?? ''
    case 'exists':
      return Object.hasOwn(attributes, tree.name)
    case 'not':
      return !bool(computed(tree.of, attributes))
    case 'minus':
      return integer(BigInt(int(computed(tree.of, attributes))) * -1n)
    case 'binary':
      return binary(tree, attributes)
    case 'like': {
      const expression = tree.pattern.replace(/\\%|[%_]/g, (one) => ({ '%': '.*', _: '.' })[one] ?? '%')
      return new RegExp(`^${expression}$`, 'su').test(String(computed(tree.of, attributes))) !== tree.negated
    }
    case 'in': {
      const left = computed(tree.of, attributes)
      const found = tree.set.some((one) => to(typeof left, computed(one, attributes)) === left)
      return found !== tree.negated
    }
    case 'call':
      return called(tree.name, tree.args, attributes)
  }
}

function binary({ operator, left, right }: Extract<Tree, { is: 'binary' }>, attributes: Attributes): Plain {
  const first = computed(left, attributes)
  if (operator === 'AND') return bool(first) && bool(computed(right, attributes))
  if (operator === 'OR') return bool(first) || bool(computed(right, attributes))
  if (operator === 'XOR') {
    const one = bool(first)
    return one !== bool(computed(right, attributes))
  }
  if (['=', '!=', '<>'].includes(operator)) {
    const second = computed(right, attributes)
    return (to(typeof second, first) === second) === (operator === '=')
  }
  const one = int(first)
  const other = int(computed(right, attributes))
  const [a, b] = [BigInt(one), BigInt(other)]
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    case '+':
      return integer(a + b)
    case '-':
      return integer(a - b)
    case '*':
      return integer(a * b)
    default:
      if (b === 0n) throw new Ended('math')
      return integer(operator === '/' ? a / b : a % b)
  }
}

function called(name: string, args: readonly Tree[], attributes: Attributes): Plain {
  if (name === 'NONE') throw new Ended('missingFunction')
  const takesInteger = name === 'LEFT' || name === 'SUBSTRING'
  const isAny = ['INT', 'BOOL', 'STRING', 'IS_INT'].includes(name)
  const [first = '', second = 0] = args.map((arg, i) => {
    const value = computed(arg, attributes)
    return isAny ? value : takesInteger && i === 1 ? int(value) : String(value)
  })
  const subject = String(first)
  const count = Number(second)
  switch (name) {
    case 'LENGTH':
      return subject.length
    case 'UPPER':
      return subject.toUpperCase()
    case 'CONCAT':
      return subject + String(second)
    case 'LEFT':
      if (count < 0) throw new Ended('functionEvaluation')
      return subject.substring(0, count)
    case 'SUBSTRING':
      if (Math.abs(count) > subject.length) throw new Ended('functionEvaluation')
      return count === 0 ? '' : subject.slice(count > 0 ? count - 1 : count)
    case 'INT':
      return int(first)
    case 'BOOL':
      return bool(first)
    case 'STRING':
      return subject
    default:
      try {
        int(first)
        return true
      } catch {
        return false
      }
  }
}

function to(type: string, value: Plain): Plain {
  if (type === 'string') return String(value)
  return type === 'number' ? int(value) : bool(value)
}

function int(value: Plain): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return value
  if (!/^[-+]?[0-9]+$/.test(value) || !isInteger(BigInt(value.replace('+', '')))) throw new Ended('cast')
  return Number(value)
}

export function bool(value: Plain): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (!/^(true|false)$/i.test(value)) throw new Ended('cast')
  return /^true$/i.test(value)
}

function integer(value: bigint): number {
  if (!isInteger(value)) throw new Ended('math')
  return Number(value)
}

function isInteger(value: bigint): boolean {
  return value <= 2_147_483_647n && value >= -2_147_483_648n
}
