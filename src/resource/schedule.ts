// What the kinds that fire by a schedule share: checking it, and what becomes of times that passed while nothing ran.
import { checkTimezone, parseSchedule } from '../core/cron.ts'
import type { Metadata } from './metadata.ts'
import type { FieldError } from './problems.ts'
import { checkAnnotation } from './rules.ts'

const CATCH_UP = 'tidings.dev/catch-up'

/** `none` skips the times that passed, `last` fires for the latest of them, `all` for each. */
const CATCH_UPS = ['none', 'last', 'all'] as const
export type CatchUp = (typeof CATCH_UPS)[number]

/** What the annotation asks for; undefined when there is none, or none that is known. */
export function catchUpOf({ metadata }: { readonly metadata: Metadata }): CatchUp | undefined {
  return CATCH_UPS.find((each) => each === metadata.annotations?.[CATCH_UP])
}

export function checkCatchUp(resource: unknown): readonly FieldError[] {
  return checkAnnotation(resource, CATCH_UP, CATCH_UPS)
}

/** What is wrong with `schedule`, or nothing. */
export function checkSchedule(
  schedule: string,
  options: { readonly grammar: 'ping' | 'cron-job'; readonly timezone?: string },
): readonly FieldError[] {
  return refusedBy(() => parseSchedule(schedule, options), 'schedule')
}

/** What is wrong with `timezone`, or nothing. */
export function checkTimezoneField(timezone: string): readonly FieldError[] {
  return refusedBy(() => checkTimezone(timezone), 'timezone')
}

/** Upstream's message has the parser's where others have the value. */
function refusedBy(parse: () => unknown, field: string): readonly FieldError[] {
  try {
    parse()
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ paths: [[field]], message: `invalid value: ${reason}` }]
  }
}
