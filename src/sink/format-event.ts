// An event as text for people.
import { type Attributes, attributeOf, type Event } from '../core/event.ts'

const REQUIRED = ['specversion', 'type', 'source', 'id']
const OPTIONAL = ['subject', 'time', 'dataschema', 'schemaurl', 'datacontenttype', 'datacontentencoding']
/** Data printed of one event; more is cut, and the cut is said. */
const SHOWN_BYTES = 4_096

/** The lines that one event is shown as, ending in a newline. */
export function formatEvent(event: Event): string {
  const { attributes } = event
  const known = [...REQUIRED, ...OPTIONAL].filter((name) => attributeOf(attributes, name) !== undefined)
  const extensions = Object.keys(attributes)
    .filter((name) => !known.includes(name))
    .sort()
  const lines = ['☁  event', ...known.map((name) => line(attributes, name))]
  if (extensions.length > 0) lines.push('   extensions', ...extensions.map((name) => `  ${line(attributes, name)}`))
  if (event.data !== undefined)
    lines.push('   data', ...dataLines(event.data, attributeOf(attributes, 'datacontenttype')))
  return `${lines.join('\n')}\n`
}

function line(attributes: Attributes, name: string): string {
  return `   ${name}: ${printable(attributeOf(attributes, name) ?? '')}`
}

function dataLines(data: Buffer, contentType: string | undefined): string[] {
  const text = data.subarray(0, SHOWN_BYTES).toString('utf8')
  if (text.includes('\u0000') || text.includes('\ufffd'))
    return [`     ${data.length} bytes of ${contentType ?? 'binary data'}`]
  const lines = printable(pretty(text, contentType, data.length))
    .split('\n')
    .map((each) => `     ${each}`)
  if (data.length > SHOWN_BYTES) lines.push(`     … ${data.length - SHOWN_BYTES} more bytes`)
  return lines
}

function pretty(text: string, contentType: string | undefined, length: number): string {
  const isJson = contentType === undefined || /[/+]json\b/i.test(contentType)
  if (!isJson || length > SHOWN_BYTES) return text
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

/** Text that came from outside, for a terminal that it must not steer: control characters but line ends and tabs go. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u00b7')
}
