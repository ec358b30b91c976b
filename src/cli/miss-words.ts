import type { Miss } from '../filter/explain.ts'

/** A condition that did not hold, in two lines: what it asked for and got, and what would have passed. */
export function missWords({ path, expected, actual, difference, change }: Miss): string {
  const got = actual === null ? '' : `, got ${isValue(expected) ? JSON.stringify(actual) : actual}`
  const why = difference === null ? '' : `: ${difference}`
  const next = change === null ? '' : `  to match: ${change}\n`
  return `${path}: expected ${expected}${got}${why}\n${next}`
}

/** Others name the attributes that they are about. */
function isValue(expected: string): boolean {
  return /^(equal to|beginning with|ending with|any value) /.test(expected)
}
