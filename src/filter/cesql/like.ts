// LIKE without backtracking: a pattern is cut at its `%`, and each piece is looked for once, from the left, after the one
// before it.
// @see cloudevents/spec cesql/spec.md section 3.4.3

/** `anyCharacter`: where `_` stands in the piece. A character is a code point. */
type Piece = readonly (string | typeof ANY)[]

const ANY = Symbol('_')

export interface LikePattern {
  readonly test: (text: string) => boolean
  /** What every text begins and ends with that it matches, as far as that is plain. */
  readonly prefix: string
  readonly suffix: string
  /** The one text that it matches, where there is only one. */
  readonly exact: string | undefined
}

export function compileLike(pattern: string): LikePattern {
  const pieces = cut(pattern)
  const [first = [], ...others] = pieces
  const last = others.pop()
  const plain = pieces.map(textOf)
  const shape = { prefix: headOf(first), suffix: tailOf(last ?? first), exact: last ? undefined : textOf(first) }
  return { ...shape, test: fastTest(plain) ?? slowTest(first, others, last) }
}

/** Patterns without `_` and with at most one piece between two `%`: nearly all there are. */
function fastTest(plain: readonly (string | undefined)[]): LikePattern['test'] | undefined {
  const [first, second, third] = plain
  if (plain.length > 3 || plain.includes(undefined) || first === undefined) return undefined
  if (second === undefined) return (text) => text === first
  if (third === undefined) {
    if (second === '') return (text) => text.startsWith(first)
    if (first === '') return (text) => text.endsWith(second)
    const shortest = first.length + second.length
    return (text) => text.length >= shortest && text.startsWith(first) && text.endsWith(second)
  }
  return first === '' && third === '' ? (text) => text.includes(second) : undefined
}

function slowTest(first: Piece, others: readonly Piece[], last: Piece | undefined): LikePattern['test'] {
  return (text) => {
    const characters = [...text]
    if (!last) return characters.length === first.length && standsAt(characters, first, 0)
    const end = characters.length - last.length
    if (end < first.length || !standsAt(characters, first, 0) || !standsAt(characters, last, end)) return false
    let at = first.length
    for (const piece of others) {
      while (at + piece.length <= end && !standsAt(characters, piece, at)) at++
      at += piece.length
      if (at > end) return false
    }
    return true
  }
}

function standsAt(characters: readonly string[], piece: Piece, at: number): boolean {
  for (let i = 0; i < piece.length; i++) if (piece[i] !== ANY && piece[i] !== characters[at + i]) return false
  return true
}

/** `\%` and `\_` stand for themselves, and so does any other backslash. */
function cut(pattern: string): Piece[] {
  const pieces: (string | typeof ANY)[][] = [[]]
  const characters = [...pattern]
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string
    const escaped = characters[i + 1]
    if (character === '\\' && (escaped === '%' || escaped === '_')) {
      pieces.at(-1)?.push(escaped)
      i++
    } else if (character === '%') pieces.push([])
    else pieces.at(-1)?.push(character === '_' ? ANY : character)
  }
  return pieces
}

function textOf(piece: Piece): string | undefined {
  return piece.includes(ANY) ? undefined : piece.join('')
}

function headOf(piece: Piece): string {
  const end = piece.indexOf(ANY)
  return piece.slice(0, end < 0 ? piece.length : end).join('')
}

function tailOf(piece: Piece): string {
  return piece.slice(piece.lastIndexOf(ANY) + 1).join('')
}
