import assert from 'node:assert/strict'
import fc from 'fast-check'
import { checkTimezone, nextTime, parseSchedule } from '../../src/core/cron.ts'
import { ACCEPTED, CLOCK_CHANGES, type FiringCase, REFUSED } from './cron-cases.ts'

describe('a schedule', () => {
  for (const each of ACCEPTED) it(`accepts ${each.title}: ${JSON.stringify(each.text)}`, () => assertFires(each))

  for (const { title, says, text, timezone = 'UTC', grammar = 'ping' } of REFUSED) {
    it(`refuses ${title}: ${JSON.stringify(text.slice(0, 64))}`, () => {
      assert.throws(() => parseSchedule(text, { grammar, timezone }), { name: 'Error', message: says })
    })
  }

  for (const each of CLOCK_CHANGES) it(`${each.title}: ${each.text} in ${each.timezone}`, () => assertFires(each))

  it('is in the zone of the process unless it says another', () => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()

    assert.equal(parseSchedule('@daily').timezone, timeZone)
    assert.equal(parseSchedule('@daily', { timezone: 'Local' }).timezone, timeZone)
    assert.equal(parseSchedule('TZ=Asia/Kolkata @daily').timezone, 'Asia/Kolkata')
    assert.equal(parseSchedule('@daily', { timezone: 'Asia/Kolkata' }).timezone, 'Asia/Kolkata')
  })

  for (const afterMs of [Number.NaN, Number.POSITIVE_INFINITY, -1, Date.UTC(9999, 11, 31, 23, 59, 59)]) {
    it(`has no time after ${afterMs}`, () => {
      for (const text of ['* * * * *', '@every 1m']) {
        assert.equal(nextTime(parseSchedule(text, { grammar: 'cron-job', timezone: 'UTC' }), afterMs), undefined)
      }
    })
  }
})

describe('the name of a zone', () => {
  for (const name of [
    'UTC',
    'Local',
    'Etc/GMT-8',
    'GMT+0',
    'EST',
    'EST5EDT',
    'US/Eastern',
    'Asia/Kolkata',
    'NZ-CHAT',
  ]) {
    it(`may be ${name}`, () => checkTimezone(name))
  }

  it('may be any that Intl lists', () => {
    for (const name of Intl.supportedValuesOf('timeZone')) checkTimezone(name)
  })

  // Some of these Intl takes for a zone, and for another one than was meant.
  const unknown = ['', 'UTC+8', 'GMT+8', '+08:00', 'PST', 'BST', 'utc', 'local', 'europe/paris', 'EUROPE/PARIS']
  for (const name of [...unknown, 'Mars/Olympus', 'SystemV/EST5', '../UTC', 'UTC ', 'A'.repeat(100_000)]) {
    it(`may not be ${JSON.stringify(name.slice(0, 64))}`, () => {
      assert.throws(() => checkTimezone(name), {
        name: 'Error',
        message: `provided bad location '${name.slice(0, 64)}': expected a zone of the IANA database such as Europe/Paris, UTC or Local`,
      })
    })
  }
})

describe('any text', () => {
  const pieces = '* ? / - , 0 1 5 59 60 99999999999 MON dec L W # @ @daily @every m 1h TZ= CRON_TZ= UTC Local'.split(
    ' ',
  )
  const almost = fc.array(fc.constantFrom(...pieces, ' ', ' ', ' '), { maxLength: 40 }).map((parts) => parts.join(''))
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    almost,
    fc.array(almost, { maxLength: 7 }).map((all) => all.join(' ')),
  )

  it('is a schedule with a next time, or one without, or an Error with a text', () => {
    const options = fc.record({ grammar: fc.constantFrom('ping', 'cron-job'), timezone: fc.constantFrom('', 'UTC') })
    fc.assert(
      fc.property(anyText, options, fc.integer({ min: 0, max: Date.UTC(2100) }), (text, asked, afterMs) => {
        const schedule = valueUnlessRefused(() => parseSchedule(text, asked))
        if (!schedule) return

        const foundMs = nextTime(schedule, afterMs)

        if (foundMs !== undefined) assert.ok(foundMs > afterMs && foundMs % 1_000 === 0, `${foundMs}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is a zone, or an Error with a text', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        valueUnlessRefused(() => checkTimezone(name))
      }),
    )
  })
})

describe('the next time', () => {
  it('shows the fields that were asked for on the clocks of the zone', () => {
    const limits = { second: [0, 59], minute: [0, 59], hour: [0, 23], month: [1, 12], weekday: [0, 6] } as const
    const some = (name: keyof typeof limits) =>
      fc.option(fc.uniqueArray(fc.integer({ min: limits[name][0], max: limits[name][1] }), { minLength: 1 }), {
        nil: undefined,
      })
    const fields = fc.record({
      second: some('second'),
      minute: some('minute'),
      hour: some('hour'),
      month: some('month'),
      weekday: some('weekday'),
    })
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
    fc.assert(
      fc.property(fields, zone, fc.integer({ min: 0, max: Date.UTC(2100) }), (wanted, timezone, afterMs) => {
        const { second, minute, hour, month, weekday } = wanted
        const text = [second, minute, hour, undefined, month, weekday]
          .map((values) => values?.join(',') ?? '*')
          .join(' ')

        const foundMs = nextTime(parseSchedule(text, { timezone }), afterMs)

        assert.ok(foundMs !== undefined && foundMs > afterMs && foundMs % 1_000 === 0, text)
        const shown = clockOf(timezone)(foundMs)
        for (const name of ['second', 'minute', 'hour', 'month', 'weekday'] as const) {
          assert.ok(wanted[name]?.includes(shown[name]) ?? true, `${text} in ${timezone}: ${name}`)
        }
      }),
      { numRuns: 200 },
    )
  })

  const schedules: readonly { text: string; fires: (clock: Clock) => boolean }[] = [
    { text: '* * * * *', fires: () => true },
    { text: '*/7 1-3 * * *', fires: ({ minute, hour }) => minute % 7 === 0 && hour >= 1 && hour <= 3 },
    {
      text: '30 2 */2 * 1',
      fires: ({ minute, hour, day, weekday }) => minute === 30 && hour === 2 && (day % 2 === 1 || weekday === 1),
    },
    {
      text: '0/29 0 * apr,oct SUN',
      fires: ({ minute, hour, month, weekday }) =>
        minute % 29 === 0 && hour === 0 && (month === 4 || month === 10) && weekday === 0,
    },
  ]
  for (const timezone of ['Europe/Paris', 'Asia/Kolkata', 'Australia/Lord_Howe']) {
    it(`is found by looking at every minute of 2026 in ${timezone}`, () => {
      const parsed = schedules.map(({ text, fires }) => ({ fires, schedule: parseSchedule(text, { timezone }) }))
      const startMs = Date.UTC(2026)
      const expectedMs = parsed.map(({ schedule }) => nextTime(schedule, startMs - 1))

      for (const { ms, clock } of minutesOf2026(timezone)) {
        parsed.forEach(({ fires, schedule }, i) => {
          if (!fires(clock)) return
          if (expectedMs[i] !== ms) assert.fail(`${schedule.text}: ${expectedMs[i]} is not ${ms}`)
          expectedMs[i] = nextTime(schedule, ms)
        })
      }

      assert.ok(expectedMs.every((ms) => ms !== undefined && ms >= Date.UTC(2027)))
    })
  }
})

function assertFires({ text, timezone = 'UTC', grammar = 'ping', after, fires, isLast = false }: FiringCase): void {
  const schedule = parseSchedule(text, { grammar, timezone })
  const found: string[] = []
  let atMs: number | undefined = Date.parse(after)
  while (found.length < fires.length || isLast) {
    atMs = nextTime(schedule, atMs)
    if (atMs === undefined) break
    found.push(new Date(atMs).toISOString().replace('.000Z', 'Z'))
  }
  assert.deepEqual(found, fires)
}

/** Undefined when it threw an Error that has a text; nothing else may be thrown. */
function valueUnlessRefused<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    assert.ok(error instanceof Error && error.constructor === Error && error.message !== '', String(error))
    return undefined
  }
}

interface Clock {
  readonly second: number
  readonly minute: number
  readonly hour: number
  readonly day: number
  readonly month: number
  readonly weekday: number
}

/** What the clocks of a zone show, from the fields that Intl prints and not from offsets. */
function clockOf(timeZone: string): (ms: number) => Clock {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  return (ms) => {
    const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] =
      format.format(ms).match(/\d+/g)?.map(Number) ?? []
    return { second, minute, hour, day, month, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() }
  }
}

/** Clocks are put forward and back at quarters of an hour only, so one look serves fifteen minutes. */
function* minutesOf2026(timezone: string): Generator<{ readonly ms: number; readonly clock: Clock }> {
  const clockAt = clockOf(timezone)
  for (let quarterMs = Date.UTC(2026); quarterMs < Date.UTC(2027); quarterMs += 900_000) {
    const clock = clockAt(quarterMs)
    for (let i = 0; i < 15; i++) yield { ms: quarterMs + i * 60_000, clock: { ...clock, minute: clock.minute + i } }
  }
}
