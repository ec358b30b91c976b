import { createClock } from '../core/clock.ts'
import { checkTimezone, nextTime, parseSchedule, type Schedule, type ScheduleGrammar } from '../core/cron.ts'
import { formatSeconds } from '../core/time.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, type Command, textFlag, UsageError } from './command.ts'
import { timeFlag } from './time-flags.ts'

const MOST_TIMES = 10_000

export const cronNext: Command = {
  usage: `tidings cron next --schedule SCHEDULE [--timezone TZ] [--after TIME] [--count N]

Prints when a schedule fires next, one time in UTC a line. What a schedule that never fires would print is said on
stderr instead, with exit code 0.

  --schedule S      five fields, or six with seconds in front, or a descriptor: '*/5 * * * *', @daily
  --timezone TZ     the zone whose clocks count, such as Europe/Paris (the zone of this process)
  --after TIME      RFC 3339; the first firing after it is the first that is printed (now)
  --count N         how many, 1 to ${MOST_TIMES} (1)
  --grammar G       ping for PingSource; cron-job for CronJobSource, which takes no seconds and takes @every (ping)
`,
  options: {
    schedule: { type: 'string' },
    timezone: { type: 'string' },
    after: { type: 'string' },
    count: { type: 'string' },
    grammar: { type: 'string' },
  },
  async run(args, io) {
    const schedule = scheduleFrom(args)
    const count = countFrom(args)
    let atMs = timeFlag(args, 'after') ?? createClock().wall()
    for (let i = 0; i < count; i++) {
      const foundMs = nextTime(schedule, atMs)
      if (foundMs === undefined) {
        io.err(`${printable(schedule.text)}: does not fire within five years after ${formatSeconds(atMs)}\n`)
        break
      }
      io.out(`${formatSeconds(foundMs)}\n`)
      atMs = foundMs
    }
    return 0
  },
}

function scheduleFrom(args: Arguments): Schedule {
  const text = textFlag(args, 'schedule')
  if (text === undefined) throw new UsageError("--schedule: expected a schedule such as '*/5 * * * *'")
  const grammar = grammarFrom(args)
  const timezone = textFlag(args, 'timezone')
  if (timezone !== undefined) named('--timezone', () => checkTimezone(timezone))
  return named('--schedule', () => parseSchedule(text, { grammar, ...(timezone !== undefined && { timezone }) }))
}

/** What is thrown tells the flag that it is about. */
function named<T>(flag: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`${flag}: ${printable(error instanceof Error ? error.message : String(error))}`)
  }
}

function grammarFrom(args: Arguments): ScheduleGrammar {
  const text = textFlag(args, 'grammar') ?? 'ping'
  if (text === 'ping' || text === 'cron-job') return text
  throw new UsageError(`--grammar: expected ping or cron-job, got '${printable(text)}'`)
}

function countFrom(args: Arguments): number {
  const text = textFlag(args, 'count') ?? '1'
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MOST_TIMES) return count
  throw new UsageError(`--count: expected a number from 1 to ${MOST_TIMES}, got '${printable(text)}'`)
}
