import assert from 'node:assert/strict'
import { implausible } from '../../src/core/known-types.ts'

describe('a type that a filter waits for', () => {
  const cases: readonly {
    readonly what: string
    readonly type: string
    readonly recent?: readonly string[]
    readonly nearest?: string
  }[] = [
    { what: 'is fine when a source of Knative sends it', type: 'dev.knative.source.github.push' },
    { what: 'is fine when it is sent by schedule', type: 'dev.knative.sources.ping' },
    { what: 'is fine when it is sent by the old schedule source', type: 'dev.knative.cronjob.event' },
    { what: 'is fine when nothing like it is known', type: 'com.example.order.paid' },
    { what: 'is fine when it was seen', type: 'dev.knative.github.push', recent: ['dev.knative.github.push'] },
    {
      what: 'is fine when it was seen, whatever its prefix',
      type: 'dev.knative.apiserver.custom',
      recent: ['dev.knative.apiserver.custom'],
    },
    {
      what: 'lacks a segment of a known one',
      type: 'dev.knative.github.push',
      nearest: 'dev.knative.source.github.push',
    },
    {
      what: 'has a segment more than a known one',
      type: 'dev.knative.events.sources.ping',
      nearest: 'dev.knative.sources.ping',
    },
    { what: 'is two edits from a known one', type: 'dev.knative.source.pin', nearest: 'dev.knative.sources.ping' },
    { what: 'is three edits from a known one', type: 'dev.knative.source.pi' },
    {
      what: 'begins as those of a known producer',
      type: 'dev.knative.source.github.pull_requests',
      nearest: 'dev.knative.source.github.pull_request',
    },
    {
      what: 'begins as those of a known producer and is far from all of them',
      type: 'dev.knative.apiserver.removed',
      nearest: 'dev.knative.apiserver.ref.add',
    },
    {
      what: 'names the action, which these types never do',
      type: 'dev.knative.source.github.issues.opened',
      nearest: 'dev.knative.source.github.issues',
    },
    {
      what: 'is two edits from one that was seen',
      type: 'com.example.order.payed',
      recent: ['com.example.order.created', 'com.example.order.paid'],
      nearest: 'com.example.order.paid',
    },
    {
      what: 'is nearer to one that was seen than to another',
      type: 'order.paidd',
      recent: ['order.padd', 'order.paid', 'order.aid'],
      nearest: 'order.padd',
    },
    {
      what: 'lacks the last segment of one that was seen',
      type: 'com.example.order',
      recent: ['com.example.order.paid'],
      nearest: 'com.example.order.paid',
    },
    {
      what: 'is fine when another segment stands in place of one that was seen',
      type: 'com.example.order.created',
      recent: ['com.example.order.paid'],
    },
    { what: 'is fine when it differs in a number only', type: 'order.paid.v1', recent: ['order.paid.v2'] },
    { what: 'is fine when it is short and so are all others', type: 'a.c', recent: ['a.b', 'd.c'] },
    { what: 'is fine when it is empty', type: '', recent: ['a', '.'] },
  ]
  for (const { what, type, recent = [], nearest } of cases) {
    it(what, () => {
      assert.deepEqual(implausible(type, recent), nearest === undefined ? undefined : { nearest })
    })
  }

  it('is looked at in bounded time, however long it is and however many were seen', () => {
    const long = `com.example.${'x'.repeat(240)}`
    const recent = Array.from({ length: 20_000 }, (_, i) => `${long.slice(0, -5)}${String(i).padStart(5, '0')}`)

    assert.equal(implausible(`${long}y`, recent), undefined)
    assert.equal(implausible(`dev.knative.source.github.${'x'.repeat(1_000_000)}`, recent), undefined)
  })
})
