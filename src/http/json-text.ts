// Where things stand in a JSON text. JSON.parse says what a text means; this says which characters said so, so that data
// can be handed on byte for byte.

/** A member of an object, or an item of an array (without a name). Its value is `text.slice(start, end)`. */
export interface JsonPart {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** Levels of nesting an event may have. Nothing real has more, and JSON.parse takes seconds for millions of brackets. */
export const MAX_DEPTH = 1_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const SPACE = 0x20

/** Members of the object, or items of the array, that begins at `start`. The text must be valid JSON. */
export function jsonParts(text: string, start = 0): readonly JsonPart[] {
  const parts: JsonPart[] = []
  const open = skipSpace(text, start)
  const named = text[open] === '{'
  let at = skipSpace(text, open + 1)
  while (at < text.length && !isClosing(text.charCodeAt(at))) {
    let name = ''
    if (named) {
      const nameEnd = endOfString(text, at)
      name = JSON.parse(text.slice(at, nameEnd)) as string
      at = skipSpace(text, skipSpace(text, nameEnd) + 1) // past the colon
    }
    const end = endOfValue(text, at)
    parts.push({ name, start: at, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return parts
}

/** Whether objects and arrays are nested deeper than `limit`. Works on any text: it is asked before JSON.parse. */
export function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i) - 1
    else if (isOpening(code) && ++depth > limit) return true
    else if (isClosing(code)) depth--
  }
  return false
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start)
  return isOpening(first) ? endOfNested(text, start) : endOfLiteral(text, start)
}

function endOfNested(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i) - 1
    else if (isOpening(code)) depth++
    else if (isClosing(code) && --depth === 0) return i + 1
  }
  return text.length
}

/** Just past the closing quote. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return text.length
}

function endOfLiteral(text: string, start: number): number {
  let i = start
  while (i < text.length && !isSpace(text.charCodeAt(i)) && !isEnd(text.charCodeAt(i))) i++
  return i
}

function skipSpace(text: string, start: number): number {
  let i = start
  while (isSpace(text.charCodeAt(i))) i++
  return i
}

function isSpace(code: number): boolean {
  return code === SPACE || code === 0x0a || code === 0x0d || code === 0x09
}

function isEnd(code: number): boolean {
  return code === COMMA || isClosing(code)
}

/** `{` or `[` */
function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b
}

/** `}` or `]` */
function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d
}
