// Where a Trigger or Subscription begins in the log that it reads, as an annotation says it. It counts once: when its cursor
// is made.
import { parseTime } from '../core/time.ts'
import type { Metadata } from './metadata.ts'
import { type FieldError, shown } from './problems.ts'
import { annotationPath, textAt } from './rules.ts'

const START_AT = 'tidings.dev/start-at'

/** After all that is stored; with all that is kept; or with what arrived from a time on. */
export type StartAt = 'now' | 'earliest' | { readonly timeMs: number }

/** What the annotation asks for; undefined when there is none, or none that can be read. */
export function startAtOf({ metadata }: { readonly metadata: Metadata }): StartAt | undefined {
  return parseStartAt(metadata.annotations?.[START_AT] ?? '')
}

export function checkStartAt(resource: unknown): readonly FieldError[] {
  const path = annotationPath(START_AT)
  const value = textAt(resource, path)
  if (value === undefined || parseStartAt(value) !== undefined) return []
  const details = 'expected now, earliest, or an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z'
  return [{ paths: [path], message: `invalid value: ${shown(value)}`, details }]
}

function parseStartAt(text: string): StartAt | undefined {
  if (text === 'now' || text === 'earliest') return text
  const timeMs = parseTime(text)
  return timeMs === undefined ? undefined : { timeMs }
}
