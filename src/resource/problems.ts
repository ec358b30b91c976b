// What can be wrong with a manifest, as data: first against a resource (a path), then against a file (a place). Nothing
// here throws or prints; whoever loads decides what a problem means.

/** Field names and list indexes from the resource's root: `['spec', 'filters', 0, 'exact']`. */
export type Path = readonly (string | number)[]

/** A rule that a resource breaks. */
export interface FieldError {
  /** The fields it is about, most often one; the first says where to point. */
  readonly paths: readonly [Path, ...Path[]]
  /** The rule, in upstream's words where upstream has the same rule. */
  readonly message: string
  /** What was expected instead, or which part is wrong. */
  readonly details?: string
}

/** Where something stands in a text: both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface Place extends Position {
  readonly file: string
}

export interface Problem extends Place {
  /** As `formatPath` writes it; empty when the problem is the whole file's. */
  readonly path: string
  readonly message: string
}

/** One line for people and for tools that jump to places: `trigger.yaml:12:9 spec.filters[0].cesql: message`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const what = path === '' ? message : `${path}: ${message}`
  return `${file}:${line}:${column} ${what}`
}

/** `spec.filters[0].exact`; a key that is no plain word stands in brackets: `metadata.annotations[knative.dev/x]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number' || !/^\w+$/.test(part)) return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

export function problemAt(place: Place, { paths, message, details }: FieldError): Problem {
  const { file, line, column } = place
  return {
    file,
    line,
    column,
    path: paths.map(formatPath).join(', '),
    message: details === undefined ? message : `${message}: ${details}`,
  }
}

const LONGEST_SHOWN = 64

/** A value as messages show it: one line, cut short, without the user and password a URL may carry. */
export function shown(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const safe = text.replace(/\/\/[^/@\s]*@/g, '//***@').replace(/\s+/g, ' ')
  return safe.length <= LONGEST_SHOWN ? safe : `${safe.slice(0, LONGEST_SHOWN)}...`
}
