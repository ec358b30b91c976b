// The text that a filter compares, by the name that a filter gives it: the context attribute as it was sent, but for the
// few names that upstream's lookup treats apart (knative/eventing pkg/eventfilter/attributes, `LookupAttribute`).
import { type Attributes, attributeOf } from '../core/event.ts'

/** Names that an event may answer to without carrying an attribute of that name. */
export const DERIVED_NAMES: ReadonlySet<string> = new Set(['dataschema', 'schemaurl', 'datamediatype'])

const RFC_3339 = /^(\d{4}-\d\d-\d\d)t(\d\d:\d\d:\d\d)(?:\.(\d+))?(?:z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i
const MINUTE_MS = 60_000

/**
 * What the filter name `name` means in this event, undefined when it has none. `schemaurl` and `dataschema` are one
 * attribute, called by its CloudEvents 0.3 and 1.0 name; `datamediatype` is `datacontenttype` without parameters, in
 * lower case; `time` is in the form of `comparableTime`. An event without `time` has none: upstream's year 1 is not ours.
 */
export function filterValue(attributes: Attributes, name: string): string | undefined {
  switch (name) {
    case 'time': {
      const time = attributeOf(attributes, 'time')
      return time === undefined ? undefined : lastTime(time)
    }
    case 'datamediatype': {
      const contentType = attributeOf(attributes, 'datacontenttype')
      return contentType === undefined ? undefined : lastMediaType(contentType)
    }
    case 'dataschema':
    case 'schemaurl':
      return attributeOf(attributes, attributeOf(attributes, 'specversion') === '0.3' ? 'schemaurl' : 'dataschema')
    default:
      return attributeOf(attributes, name)
  }
}

const lastTime = rememberLast(comparableTime)
const lastMediaType = rememberLast(mediaType)

/**
 * An RFC 3339 time in UTC, its fraction cut to nanoseconds and without trailing zeros, so that equal instants are equal
 * texts: `2024-01-01T01:00:00.500+01:00` is `2024-01-01T00:00:00.5Z`. Any other text is returned as it is. Upstream
 * compares in the sender's offset, so there the same instant matches or not by who sent it.
 */
export function comparableTime(text: string): string {
  const parts = RFC_3339.exec(text)
  if (!parts) return text
  const [, date, clock, fraction = '', sign, hours, minutes] = parts
  const wall = `${date}T${clock}`
  const wallMs = Date.parse(`${wall}Z`)
  // Date.parse takes 31 February for 2 March.
  if (Number.isNaN(wallMs) || toSeconds(wallMs) !== wall) return text

  const offsetMs = sign ? (Number(hours) * 60 + Number(minutes)) * MINUTE_MS : 0
  const nanoseconds = fraction.slice(0, 9).replace(/0+$/, '')
  return `${toSeconds(sign === '-' ? wallMs + offsetMs : wallMs - offsetMs)}${nanoseconds && '.'}${nanoseconds}Z`
}

function toSeconds(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, -'.000Z'.length)
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** Remembers one answer: many filters ask about the same event in a row. */
function rememberLast(compute: (text: string) => string): (text: string) => string {
  let lastText = ''
  let lastAnswer = compute(lastText)
  return (text) => {
    if (text !== lastText) {
      lastAnswer = compute(text)
      lastText = text
    }
    return lastAnswer
  }
}
