import assert from 'node:assert/strict'
import type { Why, WhyTrigger } from '../../src/runtime/why.ts'
import { anAdmin, startTestAdmin } from '../support/admin.ts'
import { type CommandResult, run } from '../support/command.ts'

const TRIGGER: WhyTrigger = {
  name: 'a',
  matches: true,
  misses: [],
  cameLater: false,
  state: 'delivered',
  held: null,
  subscriber: 'http://a.example/',
  waiting: null,
  attempts: [],
}

const FAILED = {
  at: '2026-01-02T03:04:06.000Z',
  ms: 5.25,
  status: 503,
  to: 'subscriber',
  outcome: 'failed',
  reason: 'http://a.example/ answered 503',
  retryInMs: 200,
} as const

const DELIVERED = {
  ...FAILED,
  at: '2026-01-02T03:04:06.205Z',
  status: 202,
  outcome: 'delivered',
  reason: null,
  retryInMs: null,
} as const

function known(...triggers: Partial<WhyTrigger>[]): Why {
  return {
    broker: 'default/default',
    eventId: '1',
    attemptsSince: '2026-01-02T03:00:00.000Z',
    triggers: ['a', 'b'],
    events: [
      {
        position: 7,
        source: '/s',
        attributes: { id: '1', source: '/s', type: 't' },
        arrivedAt: '2026-01-02T03:04:05.678Z',
        triggers: triggers.map((trigger) => ({ ...TRIGGER, ...trigger })),
        others: 0,
      },
    ],
  }
}

async function why(found: Why | undefined, ...argv: string[]): Promise<CommandResult> {
  await using server = await startTestAdmin(anAdmin('', { why: async () => found }))
  return await run(['why', '1', ...argv], { TIDINGS_SERVER: server.url })
}

describe('tidings why', () => {
  it('tells of each trigger, those that it matched first, and of each attempt', async () => {
    const miss = {
      path: 'filters[0].exact.type',
      expected: 'equal to "x"',
      actual: 't',
      difference: null,
      change: 'write "t" at filters[0].exact.type',
    }

    const { code, out } = await why(
      known({ attempts: [FAILED, DELIVERED] }, { name: 'b', matches: false, state: null, misses: [miss] }),
    )

    assert.equal(code, 0)
    assert.equal(
      out,
      `event 1 at broker default/default: type t, source /s, arrived 2026-01-02T03:04:05.678Z

trigger a: matched; delivered
  03:04:06.000  503 in 5.3 ms  again in 200 ms  http://a.example/ answered 503
  03:04:06.205  202 in 5.3 ms  delivered

trigger b: did not match
  filters[0].exact.type: expected equal to "x", got "t"
    to match: write "t" at filters[0].exact.type
`,
    )
  })

  for (const [what, trigger, text] of [
    ['waits for its turn', { state: 'waiting' }, 'matched; waiting for its turn'],
    [
      'waits for a retry',
      { state: 'waiting', waiting: { attempts: 3, dueAt: '2026-01-02T03:04:09.000Z' } },
      'matched; waiting after 3 attempts, next at 03:04:09.000',
    ],
    ['is held', { state: 'waiting', held: 'it is paused' }, 'matched; waiting: it is paused'],
    ['came before the trigger', { state: null, cameLater: true }, 'matches, but the trigger came later than the event'],
    [
      'is settled, nobody knows how',
      { state: 'settled' },
      'matches; settled: how is not remembered, or it was passed by while the filter was another',
    ],
    ['matched before', { matches: false }, 'does not match now, but did; delivered'],
    ['is not there any more', { matches: null }, 'matched; delivered'],
  ] as const) {
    it(`says when an event ${what}`, async () => {
      const { out } = await why(known(trigger))

      assert.match(out, new RegExp(`\ntrigger a: ${text.replaceAll('.', '\\.')}\n`))
    })
  }

  it('tells how an event that was kept is delivered again', async () => {
    const { out } = await why(known({ state: 'kept' }))

    assert.match(out, /deliver it again: tidings deadletter redrive --id 1 --trigger a\n/)
  })

  it('tells of one trigger when it is asked to', async () => {
    const found = known({}, { name: 'b' })

    const asked: unknown[] = []
    const admin = anAdmin('', {
      why: async (...words) => {
        asked.push(words)
        return found
      },
    })
    await using server = await startTestAdmin(admin)

    await run(['why', '1', '--trigger', 'b'], { TIDINGS_SERVER: server.url })

    assert.deepEqual(asked, [['default', 'default', '1', 'b']])
    assert.deepEqual(
      (await why(found, '--trigger', 'c')).err,
      'broker default/default has no trigger c; there are: a, b\n',
    )
  })

  it('has JSON for programs', async () => {
    const found = known({})

    assert.deepEqual(JSON.parse((await why(found, '-o', 'json')).out), found)
  })

  it('says plainly when it does not know', async () => {
    const { code, out, err } = await why({ ...known(), events: [] })

    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /^no event 1 is known to broker default\/default: it never came, or /)
    assert.match(err, /since 2026-01-02T03:00:00\.000Z is remembered/)
  })

  it('says when there is no such broker', async () => {
    assert.match((await why(undefined)).err, /^there is no broker default\/default\n/)
  })
})
