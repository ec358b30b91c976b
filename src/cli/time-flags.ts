// Flags that tell a time, how long, or how fast.
import { parseDuration } from '../core/duration.ts'
import { parseTime } from '../core/time.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, textFlag, UsageError } from './command.ts'

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MOST_RATE = 100_000

export const RATE_OPTION = { rate: { type: 'string' } } as const
export const RATE_USAGE =
  '  --rate N             at most so many a second, such as 10 or 0.5 (as fast as they are taken)\n'

/** Epoch ms. */
export function timeFlag(args: Arguments, name: string): number | undefined {
  const text = textFlag(args, name)
  if (text === undefined) return undefined
  const ms = parseTime(text)
  if (ms !== undefined) return ms
  throw new UsageError(
    `--${name}: expected an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z, got '${printable(text)}'`,
  )
}

/** Milliseconds of `90m`, `24h`, `7d`, `PT1H`. */
export function durationFlag(args: Arguments, name: string): number | undefined {
  const text = textFlag(args, name)
  if (text === undefined) return undefined
  const ms = shortDuration(text) ?? isoDuration(text)
  if (ms !== undefined && ms > 0) return ms
  throw new UsageError(`--${name}: expected how long, such as 90m, 24h, 7d or PT1H30M, got '${printable(text)}'`)
}

export function rateFlag(args: Arguments): number | undefined {
  const text = textFlag(args, 'rate')
  if (text === undefined) return undefined
  const rate = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (rate > 0 && rate <= MOST_RATE) return rate
  throw new UsageError(
    `--rate: expected a number of events a second above 0, at most ${MOST_RATE}, got '${printable(text)}'`,
  )
}

function shortDuration(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const unitMs = UNITS_MS[unit]
  return unitMs && Number(count) * unitMs
}

function isoDuration(text: string): number | undefined {
  try {
    return parseDuration(text)
  } catch {
    return undefined
  }
}
