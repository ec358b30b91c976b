import { EventingError } from './errors.ts'

const PERIOD =
  /^P(?!$)(?:(\d+(?:[.,]\d+)?)Y)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?!$)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/
const SECOND = 1_000
const DAY = 86_400 * SECOND
/** Years and months as upstream counts them: the Gregorian mean. */
const UNITS_MS = [365.2425 * DAY, 30.436875 * DAY, 7 * DAY, DAY, 3_600 * SECOND, 60 * SECOND, SECOND]
const LONGEST_MS = Number.MAX_SAFE_INTEGER

/**
 * Milliseconds of an ISO 8601 period such as `PT0.2S` or `P1DT2H`; fractions are rounded to whole milliseconds.
 * Throws MANIFEST_INVALID for anything else, negative periods included: no wait of ours can be negative.
 */
export function parseDuration(text: string): number {
  const parts = text.length <= 64 ? PERIOD.exec(text) : null
  if (!parts) {
    throw new EventingError(
      'MANIFEST_INVALID',
      `expected an ISO 8601 duration such as PT0.2S or P1DT2H, got '${text.slice(0, 64)}'`,
    )
  }
  let ms = 0
  UNITS_MS.forEach((unit, i) => {
    ms += Number((parts[i + 1] ?? '0').replace(',', '.')) * unit
  })
  return Math.min(Math.round(ms), LONGEST_MS)
}
