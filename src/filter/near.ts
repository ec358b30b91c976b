// How far a text is from another one, in words that name what differs.

/** Of one text that is told, in characters: an attribute may be as large as an event. */
export const MOST_SHOWN = 1_000

export function cut(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}... (${text.length} characters)`
}

export function quoted(text: string): string {
  return text.length <= MOST_SHOWN
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, MOST_SHOWN))}... (${text.length} characters)`
}

/** Shorter texts have too much in common by chance. */
const LEAST_IN_COMMON = 3

/** Of a value that is not the one that a filter asks for: `differs by "source.", which only the filter has`. */
export function differenceOf(wanted: string, found: string): string | undefined {
  if (wanted === '' || found === '') return undefined
  if (wanted.toLowerCase() === found.toLowerCase()) return 'differs only by upper and lower case'
  if (wanted.trim() === found.trim()) return 'differs only by spaces'
  const more = wanted.length > found.length ? extra(wanted, found) : extra(found, wanted)
  if (more) {
    const who = wanted.length > found.length ? 'filter' : 'event'
    return `differs by ${more.map(quoted).join(' and ')}, which only the ${who} has`
  }
  return replaced(wanted, found)
}

/** Of a value that does not begin as a filter asks: as far as it does. */
export function commonStartOf(wanted: string, found: string): string | undefined {
  const start = wanted.slice(0, startLength(wanted, found))
  if (wanted.toLowerCase() === found.slice(0, wanted.length).toLowerCase())
    return 'differs only by upper and lower case'
  return start.length < LEAST_IN_COMMON ? undefined : `is the same as far as ${quoted(start)}`
}

/** Of a value that does not end as a filter asks: how much of its end does. */
export function commonEndOf(wanted: string, found: string): string | undefined {
  const length = endLength(wanted, found, Math.min(wanted.length, found.length))
  if (wanted.toLowerCase() === found.slice(-wanted.length).toLowerCase()) return 'differs only by upper and lower case'
  return length < LEAST_IN_COMMON ? undefined : `is the same from ${quoted(wanted.slice(-length))} on`
}

/** One or two pieces that the longer text has more than the shorter one. */
function extra(longer: string, shorter: string): readonly string[] | undefined {
  const start = startLength(longer, shorter)
  const end = endLength(longer, shorter, shorter.length - start)
  if (shorter.length < LEAST_IN_COMMON) return undefined
  const between = longer.slice(start, longer.length - end)
  const left = shorter.slice(start, shorter.length - end)
  if (left === '') return [tidied(longer, start, between)]
  const at = between.indexOf(left)
  if (at < 0 || left.length < LEAST_IN_COMMON) return undefined
  return [between.slice(0, at), between.slice(at + left.length)].filter((piece) => piece !== '')
}

/** The same piece, cut behind a separator rather than before one where both are possible: `source.`, not `.source`. */
function tidied(longer: string, start: number, piece: string): string {
  const isMovable = SEPARATORS.includes(piece[0] ?? '') && longer[start + piece.length] === piece[0]
  return isMovable ? piece.slice(1) + piece[0] : piece
}

const SEPARATORS = './:-_'

/** Where one piece stands for another, and most is the same. Pieces are whole ones, between separators. */
function replaced(wanted: string, found: string): string | undefined {
  let start = startLength(wanted, found)
  let end = endLength(wanted, found, Math.min(wanted.length, found.length) - start)
  const isMostlySame = start + end >= Math.max(wanted.length, found.length) / 2
  if (!isMostlySame || start + end < LEAST_IN_COMMON) return undefined
  while (start > 0 && !SEPARATORS.includes(wanted[start - 1] ?? '')) start--
  while (end > 0 && !SEPARATORS.includes(wanted[wanted.length - end] ?? '')) end--
  const [asked, got] = [wanted, found].map((text) => quoted(text.slice(start, text.length - end)))
  return `has ${got} where the filter has ${asked}`
}

export function startLength(one: string, other: string): number {
  let length = 0
  while (length < one.length && length < other.length && one[length] === other[length]) length++
  return length
}

export function endLength(one: string, other: string, most: number): number {
  let length = 0
  while (length < most && one[one.length - 1 - length] === other[other.length - 1 - length]) length++
  return length
}
