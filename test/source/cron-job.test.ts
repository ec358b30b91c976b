import assert from 'node:assert/strict'
import { cronJobEvent } from '../../src/source/cron-job.ts'

const CRON_JOB = { uid: '0c1d7c2e-9f0a-4c8e-8d6b-0d1f5a3b2c1d', namespace: 'ns', name: 'c' }
const TICK = { scheduledAt: Date.parse('2026-01-02T03:04:00Z'), now: Date.parse('2026-01-02T03:04:00.321Z') }

describe("a cron job source's event", () => {
  const cases: readonly { readonly title: string; readonly text?: string; readonly data: string }[] = [
    { title: 'has an object as it is', text: '{"a":1}', data: '{"a":1}' },
    { title: 'has its members sorted', text: ' {"b": 1, "a": {"d":1,"c":2}} ', data: '{"a":{"d":1,"c":2},"b":1}' },
    { title: 'has members sorted that look like numbers', text: '{"b":1,"10":2,"2":3}', data: '{"10":2,"2":3,"b":1}' },
    { title: 'has all digits of a number', text: '{"n":12345678901234567890.0}', data: '{"n":12345678901234567890.0}' },
    { title: 'has the last of members with one name', text: '{"a":1,"a":2}', data: '{"a":2}' },
    { title: 'has an empty object', text: '{}', data: '{}' },
    { title: 'has a text as body', text: 'Hello "world"', data: '{"body":"Hello \\"world\\""}' },
    { title: 'has an array as body', text: '[1]', data: '{"body":"[1]"}' },
    { title: 'has a number as body', text: '7', data: '{"body":"7"}' },
    { title: 'has null as body', text: 'null', data: '{"body":"null"}' },
    { title: 'has what is nearly an object as body', text: '{a:1}', data: '{"body":"{a:1}"}' },
    { title: 'has an empty text as body', text: '', data: '{"body":""}' },
    { title: 'has an empty body without data', data: '{"body":""}' },
    {
      title: 'has what is nested too deeply as body',
      text: `{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`,
      data: `{"body":"{\\"a\\":${'['.repeat(1_000)}${']'.repeat(1_000)}}"}`,
    },
  ]
  for (const { title, text, data } of cases) {
    it(title, () => {
      const event = cronJobEvent({ ...CRON_JOB, ...(text === undefined ? {} : { data: text }) }, TICK)

      assert.equal(event.data?.toString(), data)
    })
  }

  it('says what it is, whose, and when it was due', () => {
    const { attributes, arrivedAt } = cronJobEvent(CRON_JOB, TICK)

    assert.deepEqual(attributes, {
      specversion: '1.0',
      id: 'ea26f11b-90d5-51d6-ad00-98102be64426',
      source: '/apis/v1/namespaces/ns/cronjobsources/c',
      type: 'dev.knative.cronjob.event',
      time: '2026-01-02T03:04:00.321Z',
      datacontenttype: 'application/json',
      scheduledtime: '2026-01-02T03:04:00.000Z',
    })
    assert.equal(arrivedAt, TICK.now)
  })
})
