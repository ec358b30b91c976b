import assert from 'node:assert/strict'
import type { Clock } from '../../src/core/clock.ts'
import { parseSchedule } from '../../src/core/cron.ts'
import { type RunningSchedule, type ScheduleOptions, startSchedule } from '../../src/source/schedule.ts'
import { createFakeClock, type FakeClock } from '../support/clock.ts'
import { CATCH_UP_CASES } from './schedule-cases.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

describe('a schedule', () => {
  let fake: FakeClock
  let clock: Clock
  /** How far the wall clock has been set, or went on without the process. */
  let jumpedMs: number
  let fired: (readonly [due: number, at: number])[]
  let skipped: number
  let running: RunningSchedule | undefined

  afterEach(() => {
    running?.stop()
    assert.equal(fake.pending(), 0, 'timers were left')
  })

  function startAt(atMs: number, text: string, options: Partial<ScheduleOptions> = {}): void {
    fake = createFakeClock(atMs)
    jumpedMs = 0
    fired = []
    skipped = 0
    clock = { ...fake, wall: () => fake.wall() + jumpedMs }
    running = startSchedule({
      schedule: parseSchedule(text, { grammar: 'ping', timezone: 'UTC' }),
      clock,
      catchUp: 'none',
      catchUpMax: 100,
      onTick: (due) => fired.push([due, clock.wall()]),
      onSkipped: (count) => {
        skipped += count
      },
      ...options,
    })
  }
  const at = (time: string): number => Date.parse(`2026-01-02T${time}Z`)
  const runUntil = (time: string): Promise<void> => fake.advance(at(time) - clock.wall())
  const dues = (): string[] => fired.map(([due]) => new Date(due).toISOString())

  describe('that missed something', () => {
    for (const {
      title,
      catchUp,
      catchUpMax = 100,
      lastAt,
      startsAt,
      jump,
      until,
      fires,
      skipped: lost,
    } of CATCH_UP_CASES) {
      it(title, async () => {
        const last = lastAt === undefined ? {} : { lastAt: at(lastAt) }
        startAt(at(startsAt), '0 * * * *', { catchUp, catchUpMax, ...last })

        if (jump) {
          await runUntil(jump[0])
          jumpedMs += at(jump[1]) - clock.wall()
          // It is noticed within a minute: so what is compared is rounded.
          await fake.advance(MINUTE_MS)
        }
        await runUntil(until)

        const short = (ms: number): string => new Date(ms).toISOString().slice(11, 16)
        const rounded = fired.map(([due, time]) => [short(due), short(time - (time % (10 * MINUTE_MS)))])
        assert.deepEqual(rounded, fires)
        assert.equal(skipped, lost ?? 0)
      })
    }

    it('fires the latest of years of seconds, and says that there were many', async () => {
      const startsAt = at('00:00:00.500')

      startAt(startsAt, '* * * * * *', { catchUp: 'last', lastAt: 0 })
      await fake.advance(0)

      assert.deepEqual(dues(), ['2026-01-02T00:00:00.000Z'])
      assert.equal(skipped, 999)
    })

    it('finds the latest where times are dense and rare by turns', async () => {
      startAt(at('12:00:00'), '* * 3 1 1 *', { catchUp: 'all', catchUpMax: 2, lastAt: 0 })
      await fake.advance(0)

      assert.deepEqual(dues(), ['2026-01-01T03:59:58.000Z', '2026-01-01T03:59:59.000Z'])
      assert.equal(skipped, 998)
    })

    it('counts an interval on from the last time', async () => {
      const schedule = parseSchedule('@every 7m', { grammar: 'cron-job', timezone: 'UTC' })

      startAt(at('01:00:00'), '* * * * *', { schedule, catchUp: 'last', lastAt: at('00:00:30') })
      await fake.advance(4 * MINUTE_MS)

      assert.deepEqual(dues(), ['2026-01-02T00:56:30.000Z', '2026-01-02T01:03:30.000Z'])
    })
  })

  it('fires at each of its times, and not before it was started', async () => {
    startAt(at('00:00:58.700'), '*/2 * * * * *')
    assert.deepEqual(fired, [])

    await fake.advance(5_000)

    assert.deepEqual(fired, [
      [at('00:01:00'), at('00:01:00')],
      [at('00:01:02'), at('00:01:02')],
    ])
  })

  it('does not fire before its call has returned, even what is due', () => {
    startAt(at('05:30:00'), '0 * * * *', { catchUp: 'all', lastAt: at('00:00:00') })

    assert.deepEqual(fired, [])
  })

  it('waits longer than a timer can', async () => {
    startAt(at('00:00:00'), '0 0 1 3 *')

    await fake.advance(58 * DAY_MS - 1)
    assert.deepEqual(dues(), [])
    await fake.advance(1)

    assert.deepEqual(dues(), ['2026-03-01T00:00:00.000Z'])
  }).timeout(20_000)

  it('fires at most a minute late after its machine slept, whatever it was waiting for', async () => {
    startAt(at('00:00:00'), '0 12 * * *')
    await fake.advance(HOUR_MS)

    jumpedMs = 11 * HOUR_MS
    await fake.advance(MINUTE_MS)

    assert.deepEqual(dues(), ['2026-01-02T12:00:00.000Z'])
  })

  it('never fires when it has no time', async () => {
    startAt(at('00:00:00'), '0 0 31 2 *', { catchUp: 'all', lastAt: 0 })

    await fake.advance(DAY_MS)

    assert.deepEqual(fired, [])
  })

  it('spreads its ticks over its jitter', async () => {
    startAt(at('00:00:00'), '* * * * * *', { jitterMs: 500 })

    await fake.advance(100_999)

    const lateMs = fired.map(([due, time]) => time - due)
    assert.equal(lateMs.length, 100)
    assert.ok(lateMs.every((ms) => ms >= 0 && ms < 500))
    assert.ok(new Set(lateMs).size > 10)
  })

  it('fires nothing after it was stopped, not even what waits out its jitter', async () => {
    startAt(at('00:00:00'), '* * * * * *', { jitterMs: 1_000_000 })
    await fake.advance(1_000)

    running?.stop()
    running?.stop()
    await fake.advance(DAY_MS)

    assert.deepEqual(fired, [])
  })

  it('fires nothing more when it is stopped by a tick', async () => {
    startAt(at('05:30:00'), '0 * * * *', {
      catchUp: 'all',
      lastAt: at('00:00:00'),
      onTick: (due) => {
        fired.push([due, due])
        running?.stop()
      },
    })

    await fake.advance(DAY_MS)

    assert.equal(fired.length, 1)
  })
})
