import assert from 'node:assert/strict'
import type { Replayed, ReplayRequest } from '../../src/runtime/trigger-commands.ts'
import { anAdmin, aRerun, startTestAdmin, type TestAdmin, triggerManifest } from '../support/admin.ts'
import { type CommandResult, run } from '../support/command.ts'

const OLDEST_AT = '2026-01-02T00:00:00.000Z'

async function at(admin: TestAdmin, ...argv: string[]): Promise<CommandResult> {
  await using server = await startTestAdmin(admin)
  return await run(argv, { TIDINGS_SERVER: server.url })
}

describe('tidings trigger replay', () => {
  function replaying(facts: Partial<Replayed> = {}) {
    const asked: ReplayRequest[] = []
    const base = anAdmin(triggerManifest('a', 'http://a.example'))
    const admin: TestAdmin = {
      ...base,
      triggers: {
        ...base.triggers,
        async replay(_namespace, name, request) {
          asked.push(request)
          return name === 'a' ? { id: 'r1', count: 7, oldestAt: OLDEST_AT, ...facts } : undefined
        },
      },
    }
    return { admin, asked }
  }

  it('says what has begun, how it is marked, and how to follow it', async () => {
    const { admin, asked } = replaying()

    const { code, out } = await at(
      admin,
      ...['trigger', 'replay', 'a', '--from', '2026-01-02T03:04:05Z', '--until', '2026-01-02T03:04:06Z'],
      ...['--rate', '10'],
    )

    assert.equal(code, 0)
    assert.equal(
      out,
      `replay r1 has begun: 7 events for trigger default/a from 2026-01-02T03:04:05Z on until 2026-01-02T03:04:06Z
Each has the attribute tidingsreplay=r1; all else is as it was.
How far it is: tidings status   To end it: tidings cancel r1
`,
    )
    assert.deepEqual(asked, [
      { fromMs: 1_767_323_045_000, untilMs: 1_767_323_046_000, ratePerSecond: 10, isDry: false },
    ])
  })

  it('says since when there are events, when more was asked for', async () => {
    const { out } = await at(replaying().admin, 'trigger', 'replay', 'a', '--from', '2025-12-31T00:00:00Z')

    assert.match(
      out,
      /\nThe log of its broker has events since 2026-01-02T00:00:00\.000Z; what came before was not kept\. .*\ntidings\.dev\/retention and tidings\.dev\/retention-bytes of the Broker\.\n/,
    )
  })

  it('says that there is nothing', async () => {
    const { admin } = replaying({ id: null, count: 0, oldestAt: null })

    const { out } = await at(admin, 'trigger', 'replay', 'a', '--from', '2026-01-02T03:04:05Z')

    assert.match(
      out,
      /^nothing to replay: 0 events for trigger default\/a from 2026-01-02T03:04:05Z on\n.* has no events now;/,
    )
  })

  it('only says what it would do', async () => {
    const { admin, asked } = replaying({ id: null })

    const { out } = await at(admin, 'trigger', 'replay', 'a', '--from', '2026-01-02T03:04:05Z', '--dry-run')

    assert.equal(
      out,
      'would replay 7 events for trigger default/a from 2026-01-02T03:04:05Z on\nNothing was done: run it again without --dry-run.\n',
    )
    assert.equal(asked[0]?.isDry, true)
  })

  const durations = [
    ['90s', 90],
    ['90m', 5_400],
    ['24h', 86_400],
    ['7d', 604_800],
    ['PT1H', 3_600],
    ['P1DT12H', 129_600],
  ] as const
  for (const [text, seconds] of durations) {
    it(`counts ${text} back from now`, async () => {
      const { admin, asked } = replaying()

      await at(admin, 'trigger', 'replay', 'a', '--since', text)

      const backMs = Date.now() - (asked[0]?.fromMs ?? 0)
      assert.ok(Math.abs(backMs - seconds * 1_000) < 5_000, `${backMs} ms`)
    })
  }

  const wrong: readonly (readonly [argv: string[], says: RegExp])[] = [
    [[], /^expected from when on: --since 24h, or --from 2026-03-28T01:30:00Z\n$/],
    [['--since', '1x'], /^--since: expected how long, such as 90m, 24h, 7d or PT1H30M, got '1x'\n$/],
    [['--since', '0h'], /^--since: /],
    [['--since', 'PT0S'], /^--since: /],
    [['--from', 'yesterday'], /^--from: expected an RFC 3339 time from 1970 on, .*, got 'yesterday'\n$/],
    [['--since', '1h', '--from', '2026-01-02T03:04:05Z'], /^expected --since or --from, got both\n$/],
    [
      ['--from', '2026-01-02T03:04:05Z', '--until', '2026-01-02T03:04:05Z'],
      /^--until: expected a time after 2026-01-02T03:04:05Z, got 2026-01-02T03:04:05Z\n$/,
    ],
  ]
  for (const [argv, says] of wrong) {
    it(`refuses ${argv.join(' ') || 'no range'}`, async () => {
      const { code, err } = await at(replaying().admin, 'trigger', 'replay', 'a', ...argv)

      assert.equal(code, 1)
      assert.match(err, says)
    })
  }

  it('says where to look for one that is missing', async () => {
    const { code, err } = await at(replaying().admin, 'trigger', 'replay', 'x', '--since', '1h', '-n', 'shop')

    const says = 'there is no trigger shop/x\nThose that are there: tidings get triggers -n shop\n'
    assert.deepEqual({ code, err }, { code: 1, err: says })
  })
})

describe('tidings trigger skip', () => {
  function skipping(count: number) {
    const asked: unknown[] = []
    const base = anAdmin(triggerManifest('a', 'http://a.example'))
    const admin: TestAdmin = {
      ...base,
      triggers: {
        ...base.triggers,
        async skip(_namespace, _name, request) {
          asked.push(request)
          return { count }
        },
      },
    }
    return { admin, asked }
  }

  it('says how many', async () => {
    const { admin, asked } = skipping(2)

    const some = await at(admin, 'trigger', 'skip', 'a', '--id', '1', '--id', '2', '--id', '3')
    const all = await at(admin, 'trigger', 'skip', 'a', '--all', '--dry-run')

    assert.equal(some.out, 'skipped 2 events of trigger default/a; 3 ids were given\n')
    assert.equal(
      all.out,
      'would skip 2 events of trigger default/a\nNothing was done: run it again without --dry-run.\n',
    )
    assert.deepEqual(asked, [{ ids: ['1', '2', '3'], isDry: false }, { isDry: true }])
  })

  it('says that nothing waits', async () => {
    const { admin } = skipping(0)

    const all = await at(admin, 'trigger', 'skip', 'a', '--until', '2026-01-02T03:04:05Z')
    const byId = await at(admin, 'trigger', 'skip', 'a', '--id', '1')

    assert.deepEqual(all, { code: 0, out: 'nothing of that waits for trigger default/a\n', err: '' })
    assert.equal(byId.code, 1)
    assert.match(byId.err, /^no event with that id waits for trigger default\/a: it never came, or it is settled\n/)
  })

  it('asks which events', async () => {
    const { admin } = skipping(1)

    const none = await at(admin, 'trigger', 'skip', 'a')
    const both = await at(admin, 'trigger', 'skip', 'a', '--all', '--id', '1')

    assert.deepEqual([none.code, none.err], [1, 'expected which events: --id ID, --until TIME or --all\n'])
    assert.deepEqual([both.code, both.err], [1, '--all is for everything that waits: give it alone\n'])
  })
})

describe('tidings cancel', () => {
  const admin = () =>
    anAdmin('', { reruns: { list: () => [aRerun({ id: 'a1', kind: 'redrive' })], cancel: async () => true } })

  it('ends a replay or redrive', async () => {
    assert.deepEqual(await at(admin(), 'cancel', 'a1'), { code: 0, out: 'redrive a1 is cancelled\n', err: '' })
  })

  it('says where to look for one that is not there', async () => {
    const { code, err } = await at(admin(), 'cancel', 'b2')

    assert.deepEqual(
      { code, err },
      { code: 1, err: 'there is no replay or redrive b2\nThose that go on: tidings status\n' },
    )
  })

  it('takes no id that would be part of a path', async () => {
    assert.equal((await at(admin(), 'cancel', '../x')).err, "expected the id of a replay or redrive, got '../x'\n")
  })
})
