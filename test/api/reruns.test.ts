import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import type { Admin } from '../../src/runtime/admin.ts'
import { anAdmin, aRerun, startTestAdmin, triggerManifest } from '../support/admin.ts'

const RERUN = aRerun({ id: 'a1' })

describe('replays and skips of /tidings/v1', () => {
  async function ask(path: string, body: unknown, answers: Partial<Admin> = {}, method = 'POST') {
    const asked: unknown[] = []
    const admin = anAdmin(triggerManifest('a', 'http://a.example'), {
      triggers: {
        async replay(...words) {
          asked.push(...words)
          return { id: 'a1', count: 7, oldestAt: '2026-01-02T03:04:05.000Z' }
        },
        async skip(...words) {
          asked.push(...words)
          return { count: 3 }
        },
      },
      ...answers,
    })
    await using server = await startTestAdmin(admin)
    const init = method === 'GET' ? {} : { method, body: JSON.stringify(body) }
    const response = await fetch(`${server.url}/tidings/v1${path}`, init)
    return { asked, status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('replay a trigger', async () => {
    const body = { from: '2026-01-02T03:04:05Z', until: '2026-01-02T04:04:05+01:00', ratePerSecond: 10 }

    const refused = await ask('/triggers/default/a/replay', body)
    const answer = await ask('/triggers/default/a/replay', {
      ...body,
      until: '2026-01-02T05:04:05+01:00',
      dryRun: true,
    })

    assert.equal(refused.body['message'], 'until: expected a time after from')
    assert.deepEqual(answer.asked, [
      'default',
      'a',
      { fromMs: 1_767_323_045_000, untilMs: 1_767_326_645_000, ratePerSecond: 10, isDry: true },
    ])
    assert.deepEqual(answer.body, {
      namespace: 'default',
      name: 'a',
      id: 'a1',
      count: 7,
      oldestAt: '2026-01-02T03:04:05.000Z',
    })
  })

  it('skip what a trigger waits for', async () => {
    const some = await ask('/triggers/default/a/skip', { ids: ['1'], until: '2026-01-02T03:04:05.5Z' })
    const all = await ask('/triggers/default/a/skip', { all: true, dryRun: true })

    assert.deepEqual(some.asked, ['default', 'a', { ids: ['1'], untilMs: 1_767_323_045_500, isDry: false }])
    assert.deepEqual(some.body, { namespace: 'default', name: 'a', skipped: 3 })
    assert.deepEqual(all.asked, ['default', 'a', { isDry: true }])
  })

  const wrong: readonly (readonly [verb: string, body: unknown, message: string])[] = [
    ['replay', {}, 'from: expected an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z'],
    [
      'replay',
      { from: '2026-02-31T00:00:00Z' },
      'from: expected an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z, got "2026-02-31T00:00:00Z"',
    ],
    ['replay', { since: 'PT1H' }, 'unknown field "since": expected from, until, ratePerSecond, dryRun'],
    ['skip', {}, 'expected ids, until, or "all": true'],
    ['skip', { all: true, ids: ['1'] }, 'expected all, or what narrows it down, got both'],
  ]
  for (const [verb, body, message] of wrong) {
    it(`do not ${verb} by ${JSON.stringify(body)}`, async () => {
      const { asked, ...answer } = await ask(`/triggers/default/a/${verb}`, body)

      assert.deepEqual(answer, { status: 400, body: { message } })
      assert.deepEqual(asked, [])
    })
  }

  const reading = { triggers: { replay: async () => undefined, skip: async () => undefined } }

  it('tell a trigger that is not there from one that reads no log', async () => {
    const gone = await ask('/triggers/default/x/skip', { all: true }, reading)
    const idle = await ask('/triggers/default/a/replay', { from: '2026-01-02T03:04:05Z' }, reading)

    assert.deepEqual([gone.status, gone.body['message']], [404, 'no trigger default/x'])
    assert.deepEqual(
      [idle.status, idle.body['message']],
      [409, 'trigger default/a reads no log: its broker is not there'],
    )
  })

  const failures = [
    [new EventingError('LOG_FULL', '100 go on', { retryable: true }), 503, 'LOG_FULL: 100 go on'],
    [new EventingError('LOG_GONE', 'default/a reads no log now'), 409, 'LOG_GONE: default/a reads no log now'],
  ] as const
  for (const [error, status, message] of failures) {
    it(`answer ${status} for ${error.code}`, async () => {
      const replay = () => Promise.reject(error)

      const answer = await ask(
        '/triggers/default/a/replay',
        { from: '2026-01-02T03:04:05Z' },
        {
          triggers: { ...reading.triggers, replay },
        },
      )

      assert.deepEqual([answer.status, answer.body['message']], [status, message])
    })
  }

  it('list what goes on, and cancel it', async () => {
    const cancelled: string[] = []
    const reruns = {
      list: () => [RERUN],
      async cancel(id: string) {
        cancelled.push(id)
        return cancelled.length === 1
      },
    }

    assert.deepEqual((await ask('/reruns', undefined, { reruns }, 'GET')).body, { reruns: [RERUN] })
    assert.deepEqual((await ask('/reruns/a1/cancel', {}, { reruns })).body, {
      id: 'a1',
      kind: 'replay',
      cancelled: true,
    })
    const ended = await ask('/reruns/a1/cancel', {}, { reruns })
    assert.deepEqual([ended.status, ended.body['message']], [409, 'replay a1 has ended already'])
    const unknown = await ask('/reruns/b2/cancel', {}, { reruns })
    assert.deepEqual([unknown.status, unknown.body['message']], [404, 'no replay or redrive b2'])
    assert.deepEqual(cancelled, ['a1', 'a1'])
  })
})
