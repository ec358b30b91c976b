import assert from 'node:assert/strict'
import { run } from '../support/command.ts'

const next = (...flags: string[]) => run(['cron', 'next', ...flags])

describe('tidings cron next', () => {
  it('prints the next times in UTC, one a line', async () => {
    const spring = ['--schedule', '30 2 * * *', '--timezone', 'Europe/Paris', '--after', '2026-03-27T12:00:00+01:00']

    const result = await next(...spring, '--count', '3')

    assert.deepEqual(result, {
      code: 0,
      out: '2026-03-28T01:30:00Z\n2026-03-30T00:30:00Z\n2026-03-31T00:30:00Z\n',
      err: '',
    })
  })

  it('prints one time from now on unless told otherwise', async () => {
    const before = Date.now()

    const { code, out } = await next('--schedule', '* * * * * *')

    assert.equal(code, 0)
    assert.match(out, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/)
    assert.ok(Date.parse(out.trim()) > before)
  })

  it('reads what a CronJobSource takes', async () => {
    const every = ['--schedule', '@every 1h30m', '--after', '2026-01-01T00:00:00.5Z', '--count', '2']

    const result = await next(...every, '--grammar', 'cron-job')

    assert.deepEqual(result, { code: 0, out: '2026-01-01T01:30:00Z\n2026-01-01T03:00:00Z\n', err: '' })
  })

  it('says of a schedule that never fires that it does not', async () => {
    const result = await next('--schedule', '0 0 31 2 *', '--timezone', 'UTC', '--after', '2026-01-01T00:00:00Z')

    assert.deepEqual(result, {
      code: 0,
      out: '',
      err: '0 0 31 2 *: does not fire within five years after 2026-01-01T00:00:00Z\n',
    })
  })

  const refused = [
    { flags: [], says: "--schedule: expected a schedule such as '*/5 * * * *'" },
    {
      flags: ['--schedule', ''],
      says: '--schedule: expected 5 or 6 fields or a descriptor such as @daily, got 0 fields',
    },
    {
      flags: ['--schedule', '\u001b[2J 0 * * *'],
      says: "--schedule: minute: expected a number from 0 to 59, got '·[2J'",
    },
    { flags: ['--schedule', '@every 5m'], says: '--schedule: unsupported descriptor @every' },
    {
      flags: ['--schedule', '@daily', '--timezone', 'UTC+8'],
      says: "--timezone: provided bad location 'UTC+8': expected a zone of the IANA database such as Europe/Paris, UTC or Local",
    },
    {
      flags: ['--schedule', '@daily', '--grammar', 'quartz'],
      says: "--grammar: expected ping or cron-job, got 'quartz'",
    },
    ...['0', '10001', '-0', '1.5', 'many', ''].map((count) => ({
      flags: ['--schedule', '@daily', `--count=${count}`],
      says: `--count: expected a number from 1 to 10000, got '${count}'`,
    })),
    ...['tomorrow', '2026-02-31T00:00:00Z', '2026-01-01T00:00:00', '2026-01-01', '1969-12-31T23:59:59Z', ''].map(
      (after) => ({
        flags: ['--schedule', '@daily', '--after', after],
        says: `--after: expected an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z, got '${after}'`,
      }),
    ),
  ]
  for (const { flags, says } of refused) {
    it(`refuses ${JSON.stringify(flags)}`, async () => {
      assert.deepEqual(await next(...flags), { code: 1, out: '', err: `${says}\n` })
    })
  }
})
