// The words of a CESQL expression, and where each of them stands.
// @see cloudevents/spec cesql/spec.md section 2
import { EventingError } from '../../core/errors.ts'

/** `word`: an attribute or a function. Keywords and punctuation are their own kind, keywords in upper case. */
export type TokenKind = 'string' | 'integer' | 'word' | 'end' | Keyword | Punctuation

export interface Token {
  readonly kind: TokenKind
  /** As it stands in the expression; nothing at its end. */
  readonly text: string
  /** Of its first character, from 0. */
  readonly at: number
}

const KEYWORDS = ['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE'] as const
type Keyword = (typeof KEYWORDS)[number]

/** Longer ones first: `<=` is not `<` and `=`. */
const PUNCTUATION = ['!=', '<>', '<=', '>=', '=', '<', '>', '+', '-', '*', '/', '%', '(', ')', ','] as const
type Punctuation = (typeof PUNCTUATION)[number]

/** In characters. Real ones have a few hundred. */
export const MAX_CESQL_LENGTH = 8_192

const SPACE = /[ \t\r\n]+/y
const WORD = /[A-Za-z0-9_]+/y
const DIGITS = /^\d+$/
/** A backslash and what follows it belong together, so that `'a\\'` ends where it should. */
const STRINGS = { "'": /'(?:\\.|[^'\\])*'/sy, '"': /"(?:\\.|[^"\\])*"/sy }

/** Throws MANIFEST_INVALID: what stands where, and what was expected. The last token is the end. */
export function readTokens(text: string): readonly Token[] {
  if (text.length > MAX_CESQL_LENGTH) {
    throw syntaxError(text, MAX_CESQL_LENGTH, `an expression of at most ${MAX_CESQL_LENGTH} characters`)
  }
  const tokens: Token[] = []
  for (let at = 0; ; ) {
    at += matchAt(SPACE, text, at).length
    const token = tokenAt(text, at)
    tokens.push(token)
    if (token.kind === 'end') return tokens
    at += token.text.length
  }
}

function tokenAt(text: string, at: number): Token {
  const first = text[at]
  if (first === undefined) return { kind: 'end', text: '', at }
  if (first === "'" || first === '"') return stringAt(text, at, first)
  const word = matchAt(WORD, text, at)
  if (word !== '') return { kind: kindOfWord(word), text: word, at }
  const punctuation = PUNCTUATION.find((one) => text.startsWith(one, at))
  if (punctuation) return { kind: punctuation, text: punctuation, at }
  throw syntaxError(text, at, 'an attribute, a value, an operator or a parenthesis')
}

function stringAt(text: string, at: number, quote: "'" | '"'): Token {
  const found = matchAt(STRINGS[quote], text, at)
  if (found === '') throw syntaxError(text, text.length, `${quote} at the end of the string of column ${at + 1}`)
  return { kind: 'string', text: found, at }
}

function kindOfWord(word: string): TokenKind {
  if (DIGITS.test(word)) return 'integer'
  return KEYWORDS.find((keyword) => keyword === word.toUpperCase()) ?? 'word'
}

function matchAt(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at
  return sticky.exec(text)?.[0] ?? ''
}

const SHOWN_LENGTH = 20

/** `column 5: expected a value, got ')'` */
export function syntaxError(text: string, at: number, expected: string): EventingError {
  const rest = text.slice(at, at + SHOWN_LENGTH)
  const found = rest === '' ? 'the end' : `"${rest}${text.length > at + SHOWN_LENGTH ? '...' : ''}"`
  return new EventingError('MANIFEST_INVALID', `column ${at + 1}: expected ${expected}, got ${found}`)
}
