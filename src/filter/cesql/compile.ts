// A CESQL tree to one function over an event's attributes. What fails is a value like others: it ends every operator and
// function around it.
// @see cloudevents/spec cesql/spec.md section 3
import { comparableTime } from '../value.ts'
import { type CesqlAttributes, missingAttribute, readerOf } from './attribute.ts'
import {
  asBoolean,
  asInteger,
  asString,
  castTo,
  type Failure,
  type FailureKind,
  isFailure,
  isInteger,
  type Result,
  type Type,
} from './cast.ts'
import type {
  BinaryOperator,
  ComparisonOperator,
  Expression,
  LogicOperator,
  MathOperator,
  Value,
} from './expression.ts'
import { functionNames, functionOf } from './functions.ts'
import { compileLike } from './like.ts'
import { LOGIC, not, type Test } from './logic.ts'

export interface Answer {
  /** Zero of its type where it failed. */
  readonly value: Value
  readonly error: { readonly kind: FailureKind; readonly text: string } | undefined
}

export type Compiled = (attributes: CesqlAttributes) => Result

/** A whole expression, as its specification has it: a value, and what failed. */
export function evaluate(expression: Expression, compiled: Compiled, attributes: CesqlAttributes): Answer {
  const result = compiled(attributes)
  if (!isFailure(result)) return { value: result, error: undefined }
  const { kind, text, value } = result
  const isOwn = expression.kind === 'call' && value !== undefined && isOwnFailure(expression, attributes)
  return { value: isOwn ? value : ZERO[typeOf(expression)], error: { kind, text } }
}

/** Whether it is the function itself that failed, not one of its arguments. */
function isOwnFailure({ args }: Extract<Expression, { kind: 'call' }>, attributes: CesqlAttributes): boolean {
  return args.every((arg) => !isFailure(compileCesql(arg)(attributes)))
}

const ZERO: Readonly<Record<Type, Value>> = { string: '', number: 0, boolean: false }

export function compileCesql(expression: Expression): Compiled {
  switch (expression.kind) {
    case 'literal':
    case 'string': {
      const { value } = expression
      return () => value
    }
    case 'attribute':
      return attribute(expression.name)
    case 'exists': {
      const read = readerOf(expression.name)
      return (attributes) => read(attributes) !== undefined
    }
    case 'not':
      return not(testOf(expression.of))
    case 'minus':
      return minus(compileCesql(expression.of))
    case 'binary': {
      const { operator, left, right } = expression
      if (isLogic(operator)) return LOGIC[operator](chainOf(expression, operator))
      if (isMath(operator)) return math(operator, compileCesql(left), compileCesql(right))
      return comparison(operator, left, right)
    }
    case 'like':
      return like(expression)
    case 'in':
      return inSet(expression)
    case 'call':
      return call(expression)
  }
}

function attribute(name: string): Compiled {
  const read = readerOf(name)
  const missing = missingAttribute(name)
  return (attributes) => read(attributes) ?? missing
}

/** As a boolean; most need no cast. */
function testOf(expression: Expression): Test {
  const compiled = compileCesql(expression)
  if (typeOf(expression) === 'boolean' && expression.kind !== 'call') return compiled as Test
  return (attributes) => asBoolean(compiled(attributes))
}

/** Operands of one operator after another: `a AND b AND c`. */
function chainOf(expression: Expression, operator: LogicOperator): readonly Test[] {
  if (expression.kind !== 'binary' || expression.operator !== operator) return [testOf(expression)]
  return [...chainOf(expression.left, operator), testOf(expression.right)]
}

function minus(of: Compiled): Compiled {
  return (attributes) => {
    const value = asInteger(of(attributes))
    return typeof value === 'object' ? value : inRange(0 - value)
  }
}

function isLogic(operator: BinaryOperator): operator is LogicOperator {
  return operator in LOGIC
}

const MATH: Readonly<Record<MathOperator, (left: number, right: number) => Result>> = {
  '+': (left, right) => inRange(left + right),
  '-': (left, right) => inRange(left - right),
  '*': (left, right) => inRange(left * right),
  '/': (left, right) => (right === 0 ? BY_ZERO : inRange(Math.trunc(left / right))),
  '%': (left, right) => (right === 0 ? BY_ZERO : inRange(left % right)),
}

const BY_ZERO: Failure = { kind: 'math', text: 'division by zero' }

/** Zero has no sign here. */
function inRange(value: number): Result {
  return isInteger(value) ? value + 0 : { kind: 'math', text: `${value} is no Integer of 32 bits` }
}

function isMath(operator: BinaryOperator): operator is MathOperator {
  return operator in MATH
}

function math(operator: MathOperator, left: Compiled, right: Compiled): Compiled {
  const run = MATH[operator]
  return (attributes) => {
    const first = asInteger(left(attributes))
    if (typeof first === 'object') return first
    const second = asInteger(right(attributes))
    return typeof second === 'object' ? second : run(first, second)
  }
}

const ORDER: Readonly<
  Record<Exclude<ComparisonOperator, '=' | '!=' | '<>'>, (left: number, right: number) => boolean>
> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
}

function comparison(operator: ComparisonOperator, left: Expression, right: Expression): Compiled {
  if (operator === '=' || operator === '!=' || operator === '<>') return equality(left, right, operator !== '=')
  const run = ORDER[operator]
  const [first, second] = [compileCesql(left), compileCesql(right)]
  return (attributes) => {
    const one = asInteger(first(attributes))
    if (typeof one === 'object') return one
    const other = asInteger(second(attributes))
    return typeof other === 'object' ? other : run(one, other)
  }
}

/** What most comparisons are: an attribute, as a text, and a text. */
function equality(left: Expression, right: Expression, negated: boolean): Compiled {
  const compare = anyEquality(left, right, negated)
  if (left.kind !== 'attribute' || right.kind !== 'string' || isTime(left)) return compare
  const read = readerOf(left.name)
  const wanted = right.value
  return (attributes) => {
    const value = read(attributes)
    return typeof value === 'string' ? (value === wanted) !== negated : compare(attributes)
  }
}

/** Where types differ, the left one becomes the right one's. */
function anyEquality(left: Expression, right: Expression, negated: boolean): Compiled {
  const isAboutTime = isTime(left) || isTime(right)
  const first = compared(left, isAboutTime)
  const second = compared(right, isAboutTime)
  return (attributes) => {
    const one = first(attributes)
    if (typeof one === 'object') return one
    const other = second(attributes)
    if (typeof other === 'object' || typeof one === typeof other) {
      return typeof other === 'object' ? other : (one === other) !== negated
    }
    const cast = castTo(typeof other as Type, one)
    return typeof cast === 'object' ? cast : (cast === other) !== negated
  }
}

/** A time is compared as an instant: both sides are put in the form that equal instants share. */
function compared(expression: Expression, isAboutTime: boolean): Compiled {
  const compiled = compileCesql(expression)
  return isAboutTime ? asTime(compiled) : compiled
}

function isTime(expression: Expression): boolean {
  return expression.kind === 'attribute' && expression.name === 'time'
}

function asTime(compiled: Compiled): Compiled {
  return (attributes) => {
    const value = compiled(attributes)
    return typeof value === 'string' ? comparableTime(value) : value
  }
}

function like({ of, pattern, negated }: Extract<Expression, { kind: 'like' }>): Compiled {
  const compiled = compared(of, isTime(of))
  const { test } = compileLike(pattern.value)
  return (attributes) => {
    const value = compiled(attributes)
    const text = typeof value === 'string' ? value : asString(value)
    return typeof text === 'object' ? text : test(text) !== negated
  }
}

/** Elements become what is on the left. The first that is equal decides. */
function inSet({ of, set, negated }: Extract<Expression, { kind: 'in' }>): Compiled {
  const isAboutTime = [of, ...set].some(isTime)
  const left = compared(of, isAboutTime)
  const elements = set.map((element) => compared(element, isAboutTime))
  return (attributes) => {
    const value = left(attributes)
    if (typeof value === 'object') return value
    for (const element of elements) {
      const other = castTo(typeof value as Type, element(attributes))
      if (typeof other === 'object') return other
      if (other === value) return !negated
    }
    return negated
  }
}

function call({ name, args }: Extract<Expression, { kind: 'call' }>): Compiled {
  const found = functionOf(name, args.length)
  if (!found) {
    const missing = missingFunction(name, args.length)
    return () => missing
  }
  const { takes, run } = found
  const compiled = args.map(compileCesql)
  const [only] = compiled
  const [type = 'any'] = takes
  if (only && compiled.length === 1) {
    return (attributes) => {
      const result = only(attributes)
      const value = type === 'any' ? result : castTo(type, result)
      return typeof value === 'object' ? value : run(value as never)
    }
  }
  return (attributes) => {
    const values: Result[] = []
    for (let i = 0; i < compiled.length; i++) {
      const type = takes[Math.min(i, takes.length - 1)] ?? 'any'
      const result = (compiled[i] as Compiled)(attributes)
      const value = type === 'any' ? result : castTo(type, result)
      if (typeof value === 'object') return value
      values.push(value)
    }
    return run(...(values as never[]))
  }
}

function missingFunction(name: string, argumentCount: number): Failure {
  const text = functionNames().includes(name)
    ? `${name} does not take ${argumentCount} arguments`
    : `there is no function ${name}`
  return { kind: 'missingFunction', text }
}

function typeOf(expression: Expression): Type {
  switch (expression.kind) {
    case 'literal':
    case 'string':
      return typeof expression.value as Type
    case 'attribute':
      return 'string'
    case 'minus':
      return 'number'
    case 'binary':
      return isMath(expression.operator) ? 'number' : 'boolean'
    case 'call':
      return functionOf(expression.name, expression.args.length)?.returns ?? 'boolean'
    default:
      return 'boolean'
  }
}
