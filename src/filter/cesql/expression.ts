// A CESQL expression as a tree, and its text again, with the fewest parentheses.
// @see cloudevents/spec cesql/spec.md section 2
export type Value = string | number | boolean

export type LogicOperator = 'AND' | 'OR' | 'XOR'
export type ComparisonOperator = '=' | '!=' | '<>' | '<' | '<=' | '>' | '>='
export type MathOperator = '*' | '/' | '%' | '+' | '-'
export type BinaryOperator = LogicOperator | ComparisonOperator | MathOperator

export type Expression =
  | { readonly kind: 'literal'; readonly value: number | boolean }
  | StringLiteral
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'exists'; readonly name: string }
  | { readonly kind: 'not' | 'minus'; readonly of: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'like'; readonly of: Expression; readonly pattern: StringLiteral; readonly negated: boolean }
  | { readonly kind: 'in'; readonly of: Expression; readonly set: readonly Expression[]; readonly negated: boolean }
  /** `name` in upper case. */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }

export interface StringLiteral {
  readonly kind: 'string'
  readonly value: string
  /** As it stood, with its quotes: not every value can be written with the other ones. */
  readonly text: string
}

/** Those that bind closer have more. */
export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  AND: 1,
  OR: 1,
  XOR: 1,
  '=': 2,
  '!=': 2,
  '<>': 2,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  '+': 3,
  '-': 3,
  '*': 4,
  '/': 4,
  '%': 4,
}
/** LIKE and IN stand behind what they are about, so that which of them binds closer cannot be seen. */
const POSTFIX = 5
const UNARY = 6
const ATOM = 7

/** What parses to the same tree. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return String(expression.value).toUpperCase()
    case 'string':
      return expression.text
    case 'attribute':
      return expression.name
    case 'exists':
      return `EXISTS ${expression.name}`
    case 'not':
      return `NOT ${within(expression.of, UNARY)}`
    case 'minus':
      // Before digits it would be their sign.
      return expression.of.kind === 'literal'
        ? `-(${printExpression(expression.of)})`
        : `-${within(expression.of, UNARY)}`
    case 'binary': {
      const { operator, left, right } = expression
      const precedence = PRECEDENCE[operator]
      return `${within(left, precedence)} ${operator} ${within(right, precedence + 1)}`
    }
    case 'like':
      return `${within(expression.of, POSTFIX)} ${negation(expression)}LIKE ${expression.pattern.text}`
    case 'in':
      return `${within(expression.of, POSTFIX)} ${negation(expression)}IN (${list(expression.set)})`
    case 'call':
      return `${expression.name}(${list(expression.args)})`
  }
}

const negation = ({ negated }: { readonly negated: boolean }): string => (negated ? 'NOT ' : '')
const list = (expressions: readonly Expression[]): string => expressions.map(printExpression).join(', ')

function within(expression: Expression, precedence: number): string {
  const text = printExpression(expression)
  return precedenceOf(expression) < precedence ? `(${text})` : text
}

function precedenceOf(expression: Expression): number {
  switch (expression.kind) {
    case 'binary':
      return PRECEDENCE[expression.operator]
    case 'like':
    case 'in':
      return POSTFIX
    case 'not':
    case 'minus':
      return UNARY
    default:
      return ATOM
  }
}
