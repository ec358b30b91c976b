// A line for what a data directory holds: for people, and as JSON for programs. Data are data: nothing in them steers a
// terminal, and nothing in them ends a line.
import type { DumpedEntry, DumpedRecord, Said } from '../channel/backends/disk/dump.ts'
import { escapeControls, eventJson } from './event-json.ts'
import { oneLine, timeText } from './log-report.ts'

/** Of a log, by its number. */
type NameOf = (log: number) => string

/** Data shown of one event. */
const SHOWN_BYTES = 160

export function entryWords({ log, position, event }: DumpedEntry, nameOf: NameOf): string {
  const { attributes, data, arrivedAt } = event
  const { type = '', source = '', id = '' } = attributes
  return oneLine([nameOf(log), position, timeText(arrivedAt), type, source, id, dataWords(data)].join('   '))
}

export function entryJson({ log, lane, position, event }: DumpedEntry, nameOf: NameOf): string {
  const { headers, arrivedAt } = event
  const about = {
    log: nameOf(log),
    lane,
    position,
    arrivedAt: timeText(arrivedAt),
    ...(headers.length > 0 && { headers }),
  }
  return `${json(about).slice(0, -1)},"event":${eventJson(event)}}`
}

export function recordWords({ file, offset, said }: DumpedRecord, nameOf: NameOf): string {
  const words =
    said.kind === 'entry'
      ? ['entry', entryWords(said, nameOf)]
      : [said.kind, ...Object.entries(fieldsOf(said, nameOf)).map(([name, value]) => `${name}=${json(value)}`)]
  return oneLine([`${file}:${offset}:`, ...words].join('   '))
}

export function recordJson({ file, offset, said }: DumpedRecord, nameOf: NameOf): string {
  const { kind } = said
  if (kind !== 'entry') return json({ file, offset, kind, ...fieldsOf(said, nameOf) })
  return `${json({ file, offset, kind }).slice(0, -1)},${entryJson(said, nameOf).slice(1)}`
}

function fieldsOf({ log, fields }: Said, nameOf: NameOf): Readonly<Record<string, unknown>> {
  return log === undefined ? fields : { log: nameOf(log), ...fields }
}

function dataWords(data: Buffer | undefined): string {
  if (!data) return 'no data'
  const text = textOf(data.subarray(0, SHOWN_BYTES))
  if (text === undefined) return `${data.length} bytes`
  return data.length > SHOWN_BYTES ? `${text} … ${data.length} bytes` : text
}

/** undefined when it is none; a character that is cut off at the end is left out. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return undefined
  }
}

function json(value: unknown): string {
  return escapeControls(JSON.stringify(value))
}
