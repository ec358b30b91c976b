import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Event } from '../../src/core/event.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type ReceivedRequest, type Subscriber, startSubscriber } from '../support/subscriber.ts'

const NO_RETRY = '  delivery: {retry: 0}\n'
const BROKER = 'eventing.knative.dev/Broker/default/default'
const SLOW_RETRY = '  delivery: {retry: 1, backoffPolicy: linear, backoffDelay: PT1H}\n'

describe('replays and redrives', function () {
  this.timeout(30_000)
  let a: Subscriber
  let b: Subscriber

  beforeEach(async () => {
    a = await startSubscriber({ status: 202 })
    b = await startSubscriber({ status: 202 })
  })
  afterEach(async () => {
    await a.close()
    await b.close()
  })

  const idOf = ({ headers }: ReceivedRequest): string => String(headers['ce-id'])
  const idsAt = (subscriber: Subscriber, from = 0): string[] => subscriber.requests.slice(from).map(idOf)
  const some = (count: number, prefix: string, type = 'order.paid'): Event[] =>
    Array.from({ length: count }, (_, i) => anEvent({ id: `${prefix}${i + 1}`, type }))
  async function sendAll(tidings: TestRuntime, events: readonly Event[]): Promise<void> {
    for (const event of events) assert.equal((await tidings.send(event)).status, 202)
  }
  const kept = (tidings: TestRuntime, count: number): Promise<void> =>
    eventually(async () => (await tidings.broker()).deadLetters.waiting === count, `${count} letters wait`)
  const allEnded = (tidings: TestRuntime): Promise<void> =>
    eventually(() => tidings.runtime.reruns.list().every(({ endedAt }) => endedAt !== null), 'all end')

  describe('a replay', () => {
    it('hands the trigger what came since, marked, beside what comes now, and ends', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url) + aTrigger('b', b.url))
      await sendAll(tidings, some(10, 'e'))
      await a.received(10)
      await b.received(10)

      const replayed = await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })
      await sendAll(tidings, some(1, 'new'))

      await a.received(21)
      await allEnded(tidings)
      const marked = a.requests.filter(({ headers }) => headers['ce-tidingsreplay'] !== undefined)
      assert.deepEqual(
        marked.map(idOf),
        some(10, 'e').map(({ attributes }) => attributes['id']),
      )
      assert.equal(marked[0]?.headers['ce-tidingsreplay'], replayed?.id)
      assert.equal(replayed?.count, 10)
      assert.equal(b.requests.length, 11)
      const { matched, delivered } = await tidings.trigger('a')
      assert.deepEqual({ matched, delivered }, { matched: 11, delivered: 11 })
    })

    it('only tells what it would do when that is asked', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url, '  filter: {attributes: {type: wanted}}\n'))
      await sendAll(tidings, [...some(3, 'w', 'wanted'), ...some(4, 'o')])
      await a.received(3)

      const replayed = await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: true })

      assert.deepEqual({ id: replayed?.id, count: replayed?.count }, { id: null, count: 3 })
      assert.ok(replayed?.oldestAt)
      assert.equal(tidings.runtime.reruns.list().length, 0)
    })

    it('keeps to a range of time and to a rate', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url))
      await sendAll(tidings, some(5, 'early'))
      await a.received(5)
      await new Promise((resolve) => setTimeout(resolve, 20))
      const fromMs = Date.now()
      await sendAll(tidings, some(20, 'late'))
      await a.received(25)
      const startedAt = performance.now()

      await tidings.runtime.triggers.replay('default', 'a', { fromMs, ratePerSecond: 40, isDry: false })

      await a.received(45)
      const tookMs = performance.now() - startedAt
      assert.ok(tookMs > 400 && tookMs < 5_000, `20 at 40 a second took ${tookMs} ms`)
      assert.ok(idsAt(a, 25).every((id) => id.startsWith('late')))
    })

    it('stands while its trigger is paused, and can be cancelled', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url))
      await sendAll(tidings, some(5, 'e'))
      await a.received(5)
      await tidings.runtime.setTriggerPaused('default', 'a', true)

      const replayed = await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })

      const [rerun] = tidings.runtime.reruns.list()
      assert.equal(rerun?.held, 'it is paused')
      assert.equal(rerun?.unread, 5)
      assert.equal(await tidings.runtime.reruns.cancel(replayed?.id ?? ''), true)
      const ended = tidings.runtime.reruns.list().map(({ id, cancelled }) => ({ id, cancelled }))
      assert.deepEqual(ended, [{ id: replayed?.id, cancelled: 'somebody asked for it' }])
      assert.equal(await tidings.runtime.reruns.cancel(replayed?.id ?? ''), false)
      assert.equal(a.requests.length, 5)
    })

    it('that is cancelled while its broker is deleted holds nothing of the log when that comes back', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url))
      const { resources, settled, reruns, triggers } = tidings.runtime
      await sendAll(tidings, some(5, 'e'))
      await a.received(5)
      await tidings.runtime.setTriggerPaused('default', 'a', true)
      await sendAll(tidings, some(1, 'waits'))
      const replayed = await triggers.replay('default', 'a', { fromMs: 0, isDry: false })
      const broker = resources.get(BROKER) ?? assert.fail('no broker')
      resources.delete(BROKER)
      await settled()

      assert.ok(await reruns.cancel(replayed?.id ?? ''))

      resources.put(broker.resource, broker.origin)
      await settled()
      await tidings.runtime.setTriggerPaused('default', 'a', false)
      await a.received(6)
      const isAllSettled = async (): Promise<boolean> => {
        const { bytes, retainedBytes } = (await tidings.broker()).log
        return bytes > 0 && bytes === retainedBytes
      }
      await eventually(isAllSettled, 'nothing is held')
    })

    it('is unknown for a trigger that is not there', async () => {
      await using tidings = await startTestRuntime(aTrigger('a', a.url))

      assert.equal(await tidings.runtime.triggers.replay('default', 'nobody', { fromMs: 0, isDry: false }), undefined)
    })
  })

  describe('a redrive', () => {
    it('hands each letter to the trigger that it failed for, as it was, and to no other', async () => {
      const c = await startSubscriber({ status: 202 })
      a.script({ status: 500, body: 'no' })
      await using tidings = await startTestRuntime(
        aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY) + aTrigger('c', c.url, NO_RETRY),
      )
      await sendAll(tidings, some(100, 'e'))
      await kept(tidings, 100)
      const from = a.requests.length
      a.script({ status: 202 })

      const redriven = await tidings.runtime.deadLetters.redrive({}, { isDry: false })

      await eventually(() => a.requests.length === from + 100, 'all come')
      await kept(tidings, 0)
      await allEnded(tidings)
      assert.deepEqual(
        redriven.map(({ reader, count, error }) => ({ reader: reader.name, count, error })),
        [{ reader: 'a', count: 100, error: null }],
      )
      assert.equal(new Set(idsAt(a, from)).size, 100)
      assert.equal(b.requests.length, 100)
      assert.equal(c.requests.length, 100)
      const names = Object.keys(a.requests.at(-1)?.headers ?? {})
      assert.deepEqual(
        names.filter((name) => name.startsWith('ce-knativeerror') || name.startsWith('ce-tidings')),
        [],
      )
      await c.close()
    })

    it('shows that its trigger fails no longer, though it tried nothing by itself', async () => {
      a.script({ status: 500 })
      await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY))
      await sendAll(tidings, some(1, 'e'))
      await kept(tidings, 1)
      assert.notEqual((await tidings.trigger('a')).failingSince, null)
      a.script({ status: 202 })

      await tidings.runtime.deadLetters.redrive({}, { isDry: false })

      await kept(tidings, 0)
      assert.equal((await tidings.trigger('a')).failingSince, null)
      assert.deepEqual((await tidings.runtime.status()).problems, [])
    })

    it('leaves on the list what fails again, and what was not meant', async () => {
      a.script({ status: 500 })
      b.script({ status: 404 })
      await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY))
      await sendAll(tidings, some(6, 'e'))
      await kept(tidings, 12)
      a.script(({ headers }) => ({ status: headers['ce-id'] === 'e3' ? 500 : 202 }))

      const redriven = await tidings.runtime.deadLetters.redrive({ reader: 'default/a' }, { isDry: false })

      await allEnded(tidings)
      await kept(tidings, 7)
      assert.equal(redriven.length, 1)
      const { groups } = await tidings.runtime.deadLetters.list({})
      assert.deepEqual(
        groups.map(({ reader, code, count }) => ({ reader: reader.name, code, count })),
        [
          { reader: 'b', code: '404', count: 6 },
          { reader: 'a', code: '500', count: 1 },
        ],
      )
      const [ended] = tidings.runtime.reruns.list()
      assert.deepEqual({ delivered: ended?.delivered, kept: ended?.kept }, { delivered: 5, kept: 1 })
      assert.equal(b.requests.length, 6)
    })

    it('says whose trigger is gone, and which redrive goes on already', async () => {
      a.script({ status: 500 })
      await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY))
      await sendAll(tidings, some(2, 'e'))
      await kept(tidings, 2)
      a.script('hang')

      await tidings.runtime.deadLetters.redrive({}, { isDry: false })
      const [again] = await tidings.runtime.deadLetters.redrive({}, { isDry: false })
      assert.match(again?.error ?? '', /^redrive \w+ for default\/a goes on/)

      for (const { id } of tidings.runtime.reruns.list()) await tidings.runtime.reruns.cancel(id)
      await tidings.runtime.resources.delete('eventing.knative.dev/Trigger/default/a')
      await tidings.runtime.settled()
      const { groups } = await tidings.runtime.deadLetters.list({})
      assert.deepEqual(
        groups.map(({ reader, isReaderThere }) => ({ name: reader.name, isReaderThere })),
        [{ name: 'a', isReaderThere: false }],
      )
      for (const isDry of [true, false]) {
        const [gone] = await tidings.runtime.deadLetters.redrive({}, { isDry })
        assert.match(gone?.error ?? '', /there is no Trigger default\/a any more/)
      }
    })

    it('goes to the dead letter sink that the trigger has by now, when it fails again', async () => {
      a.script({ status: 500 })
      await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY))
      await sendAll(tidings, some(3, 'e'))
      await kept(tidings, 3)
      const { resources } = tidings.runtime
      const entry = resources.get('eventing.knative.dev/Trigger/default/a')
      assert.ok(entry?.resource.kind === 'Trigger')
      const delivery = { retry: 0, deadLetterSink: { uri: b.url } }
      resources.put({ ...entry.resource, spec: { ...entry.resource.spec, delivery } }, 'test')
      await tidings.runtime.settled()

      await tidings.runtime.deadLetters.redrive({}, { isDry: false })

      await b.received(3)
      await kept(tidings, 0)
    })
  })

  it('discards what is meant', async () => {
    a.script({ status: 500 })
    await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY))
    await sendAll(tidings, [...some(5, 'x', 'x.x'), ...some(5, 'y', 'y.y')])
    await kept(tidings, 10)

    assert.equal(await tidings.runtime.deadLetters.discard({ type: 'x.x' }, { isDry: true }), 5)
    assert.equal((await tidings.broker()).deadLetters.waiting, 10)
    assert.equal(await tidings.runtime.deadLetters.discard({ type: 'x.x' }, { isDry: false }), 5)

    const shown = await tidings.runtime.deadLetters.show({}, 20)
    assert.deepEqual([...new Set(shown.map(({ attributes }) => attributes['type']))], ['y.y'])
    assert.equal((await tidings.broker()).deadLetters.waiting, 5)
  })

  it('skips what a trigger waits for, and goes on with the rest', async () => {
    a.script(({ headers }) => ({ status: headers['ce-id'] === 'e1' ? 503 : 202 }))
    await using tidings = await startTestRuntime(aTrigger('a', a.url, SLOW_RETRY))
    await sendAll(tidings, some(3, 'e'))
    await eventually(async () => (await tidings.trigger('a')).delivered === 2, 'two are delivered')

    const { skip } = tidings.runtime.triggers
    assert.deepEqual(await skip('default', 'a', { ids: ['e1'], isDry: true }), { count: 1 })
    assert.deepEqual(await skip('default', 'a', { ids: ['e1'], isDry: false }), { count: 1 })

    const { matched, delivered, waiting, skipped } = await tidings.trigger('a')
    assert.deepEqual({ matched, delivered, waiting, skipped }, { matched: 2, delivered: 2, waiting: 0, skipped: 1 })
  })

  it('is given up with its trigger, when that does not come back', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'tidings-reruns-'))
    try {
      const settings = { channel: 'disk', 'data-dir': dataDir }
      {
        await using tidings = await startTestRuntime(aTrigger('a', a.url) + aTrigger('b', b.url), settings)
        await sendAll(tidings, some(5, 'e'))
        await a.received(5)
        await tidings.runtime.setTriggerPaused('default', 'a', true)
        await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })
      }

      await using tidings = await startTestRuntime(aTrigger('b', b.url), { ...settings, 'retention.deleted': 'PT0.5S' })

      const [rerun] = tidings.runtime.reruns.list()
      assert.deepEqual([rerun?.held, rerun?.endedAt], ['Trigger default/a is not there', null])
      await allEnded(tidings)
      assert.equal(tidings.runtime.reruns.list()[0]?.cancelled, 'default/a is gone')
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })

  it('begins, or is refused, when the process stops meanwhile, and either way without a complaint', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'tidings-reruns-'))
    try {
      const settings = { channel: 'disk', 'data-dir': dataDir }
      for (let turns = 0; turns < 12; turns++) {
        const tidings = await startTestRuntime(aTrigger('a', a.url), settings)
        await tidings.runtime.setTriggerPaused('default', 'a', true)
        await sendAll(tidings, some(1, 'e'))

        const closing = tidings[Symbol.asyncDispose]()
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
        const replaying = tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })
        const outcome = await replaying.then(
          (replayed) => typeof replayed?.id,
          ({ code }) => code,
        )
        await closing

        assert.match(outcome, /^(?:string|LOG_GONE|LOG_UNAVAILABLE)$/)
        assert.deepEqual(
          tidings.logged.filter(({ level }) => Number(level) >= 50),
          [],
        )
      }
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })

  it('has ended, without a complaint, when its last delivery ends with the process', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'tidings-reruns-'))
    try {
      const settings = { channel: 'disk', 'data-dir': dataDir, drainMs: '5000' }
      const tidings = await startTestRuntime(aTrigger('a', a.url), settings)
      await sendAll(tidings, some(3, 'e'))
      await a.received(3)
      let answer = (): void => {}
      const answered = new Promise<void>((resolve) => {
        answer = resolve
      })
      a.script(async () => {
        await answered
        return { status: 202 }
      })
      await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })
      await a.received(6)

      const closing = tidings[Symbol.asyncDispose]()
      answer()
      await closing

      assert.deepEqual(
        tidings.logged.filter(({ level }) => Number(level) >= 50),
        [],
      )
      await using again = await startTestRuntime(aTrigger('a', a.url), settings)
      await allEnded(again)
      assert.equal(a.requests.length, 6)
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })

  it('goes on after a restart where it stood', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'tidings-reruns-'))
    try {
      const manifests = aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY)
      const settings = { channel: 'disk', 'data-dir': dataDir }
      a.script({ status: 500 })
      {
        await using tidings = await startTestRuntime(manifests, settings)
        await sendAll(tidings, some(20, 'e'))
        await kept(tidings, 20)
        await b.received(20)
        a.script({ status: 202 })
        await tidings.runtime.deadLetters.redrive({}, { ratePerSecond: 10, isDry: false })
        await tidings.runtime.triggers.replay('default', 'b', { fromMs: 0, ratePerSecond: 10, isDry: false })
        await eventually(() => b.requests.length >= 25, 'the replay has begun')
      }
      const [fromA, fromB] = [a.requests.length, b.requests.length]
      assert.ok(fromA < 40 && fromB < 40)

      await using tidings = await startTestRuntime(manifests, settings)

      await eventually(() => a.requests.length === 40 && b.requests.length === 40, 'the rest comes')
      await allEnded(tidings)
      await kept(tidings, 0)
      assert.equal(new Set(idsAt(a, 20)).size, 20)
      assert.equal(new Set(idsAt(b, 20)).size, 20)
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })
})
