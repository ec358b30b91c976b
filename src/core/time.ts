const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** Epoch ms of an RFC 3339 time from 1970 on; undefined for any other text. */
export function parseTime(text: string): number | undefined {
  const upper = text.toUpperCase()
  const [, wall = ''] = RFC_3339.exec(upper) ?? []
  const ms = Date.parse(upper)
  return isOfCalendar(wall) && ms >= 0 ? ms : undefined
}

/** Of epoch ms: whole seconds, in UTC; what is below is cut. */
export function formatSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -'.000Z'.length)}Z`
}

/** Date.parse takes 31 February for 2 March. */
function isOfCalendar(wall: string): boolean {
  const ms = Date.parse(`${wall}Z`)
  return !Number.isNaN(ms) && formatSeconds(ms) === `${wall}Z`
}
