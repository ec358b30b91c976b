// CESQL text to a tree, by precedence: each level reads what binds closer, then its own operators from left to right.
// @see cloudevents/spec cesql/spec.md sections 2 and 3.4
import { type BinaryOperator, type Expression, PRECEDENCE, type StringLiteral } from './expression.ts'
import { readTokens, syntaxError, type Token, type TokenKind } from './lexer.ts'

/** Parentheses, functions, NOT and minus in one another. */
export const MAX_CESQL_DEPTH = 64
/** Operators one after another make a tree as deep as they are many. */
export const MAX_CESQL_OPERATORS = 1_000
/** In characters. A text is compared with it at each of its places: both together bound what one event may cost. */
export const MAX_LIKE_LENGTH = 512

const ATTRIBUTE_NAME = /^[a-z0-9]+$/
const FUNCTION_NAME = /^[A-Za-z][A-Za-z_]*$/
const MIN_INTEGER = -(2 ** 31)
const MAX_INTEGER = 2 ** 31 - 1
const LOWEST = 1

/** Throws MANIFEST_INVALID with the column, what was expected there, and what there is. */
export function parseCesql(text: string): Expression {
  const tokens = readTokens(text)
  let next = 0
  let depth = 0
  let operators = 0

  const peek = (): Token => tokens[next] as Token
  const refuse = (token: Token, expected: string) => syntaxError(text, token.at, expected)

  function take(): Token {
    const token = peek()
    next++
    return token
  }

  function takeIf(kind: TokenKind): boolean {
    if (peek().kind !== kind) return false
    next++
    return true
  }

  function expect(kind: TokenKind, expected: string): Token {
    if (peek().kind !== kind) throw refuse(peek(), expected)
    return take()
  }

  function countOperator(): void {
    if (++operators > MAX_CESQL_OPERATORS) throw refuse(peek(), `at most ${MAX_CESQL_OPERATORS} operators`)
  }

  function deeper<T>(read: () => T): T {
    if (++depth > MAX_CESQL_DEPTH) throw refuse(peek(), `at most ${MAX_CESQL_DEPTH} levels of nesting`)
    const result = read()
    depth--
    return result
  }

  function readBinary(lowest: number): Expression {
    let left = readPostfix()
    for (;;) {
      const operator = peek().kind as BinaryOperator
      const precedence = PRECEDENCE[operator]
      if (precedence === undefined || precedence < lowest) return left
      countOperator()
      take()
      left = { kind: 'binary', operator, left, right: readBinary(precedence + 1) }
    }
  }

  function readPostfix(): Expression {
    let of = readUnary()
    for (;;) {
      const negated = takeIf('NOT')
      if (takeIf('LIKE')) of = { kind: 'like', of, pattern: readPattern(), negated }
      else if (takeIf('IN')) of = { kind: 'in', of, set: readSet(), negated }
      else if (negated) throw refuse(peek(), 'LIKE or IN after NOT')
      else return of
      countOperator()
    }
  }

  function readPattern(): StringLiteral {
    const token = expect('string', 'a pattern in quotes after LIKE')
    if (token.text.length - 2 > MAX_LIKE_LENGTH)
      throw refuse(token, `a pattern of at most ${MAX_LIKE_LENGTH} characters`)
    return stringOf(token)
  }

  function readSet(): readonly Expression[] {
    expect('(', 'a list in parentheses after IN')
    if (peek().kind === ')') throw refuse(peek(), 'at least one value in the list')
    return readList('the list')
  }

  function readList(what: string): readonly Expression[] {
    const items = [deeper(readExpression)]
    while (takeIf(',')) items.push(deeper(readExpression))
    expect(')', `"," or ")" in ${what}`)
    return items
  }

  function readUnary(): Expression {
    const token = peek()
    if (takeIf('NOT')) return { kind: 'not', of: deeper(readUnary) }
    if (token.kind !== '-' && token.kind !== '+') return readAtom()
    const after = tokens[next + 1]
    if (after?.kind === 'integer' && after.at === token.at + 1) {
      next += 2
      return integerOf(after, token.kind)
    }
    if (!takeIf('-')) throw refuse(token, 'a value')
    return { kind: 'minus', of: deeper(readUnary) }
  }

  function readAtom(): Expression {
    const token = take()
    switch (token.kind) {
      case '(': {
        const inner = deeper(readExpression)
        expect(')', 'an operator or ")"')
        return inner
      }
      case 'TRUE':
      case 'FALSE':
        return { kind: 'literal', value: token.kind === 'TRUE' }
      case 'integer':
        return integerOf(token, '+')
      case 'string':
        return stringOf(token)
      case 'EXISTS':
        return { kind: 'exists', name: attributeOf(expect('word', 'an attribute after EXISTS')) }
      case 'word':
        return takeIf('(') ? readCall(token) : { kind: 'attribute', name: attributeOf(token) }
      default:
        throw refuse(token, 'an attribute, a function or a value')
    }
  }

  function readCall(token: Token): Expression {
    if (!FUNCTION_NAME.test(token.text)) throw refuse(token, 'a function name of letters and "_"')
    const name = token.text.toUpperCase()
    const args = takeIf(')') ? [] : readList(`the arguments of ${name}`)
    return { kind: 'call', name, args }
  }

  function attributeOf(token: Token): string {
    if (!ATTRIBUTE_NAME.test(token.text)) throw refuse(token, 'an attribute name, of lower case letters and digits')
    return token.text
  }

  function integerOf(token: Token, sign: '+' | '-'): Expression {
    const value = Number(`${sign}${token.text}`)
    if (value >= MIN_INTEGER && value <= MAX_INTEGER) return { kind: 'literal', value: value + 0 }
    throw refuse(token, `an integer from ${MIN_INTEGER} to ${MAX_INTEGER}`)
  }

  function readExpression(): Expression {
    return readBinary(LOWEST)
  }

  const expression = readExpression()
  const rest = peek()
  if (rest.kind === 'end') return expression
  const quote = tokens[next - 1]?.kind === 'string' && rest.kind === 'string' && rest.at === endOf(tokens[next - 1])
  throw refuse(
    rest,
    quote ? 'an operator (within a string, a quote is written with a backslash before it)' : 'an operator',
  )
}

function endOf(token: Token | undefined): number {
  return token ? token.at + token.text.length : 0
}

/** Only the delimiter is escaped: `'it\'s'`. Any other backslash stands for itself. */
function stringOf({ text }: Token): StringLiteral {
  const quote = text[0] as string
  const value = text.slice(1, -1).replace(/\\(.)/gs, (pair, escaped) => (escaped === quote ? quote : pair))
  return { kind: 'string', value, text }
}
