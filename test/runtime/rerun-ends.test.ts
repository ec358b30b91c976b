import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { BUILT_IN } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const BROKER = 'eventing.knative.dev/Broker/default/default'
const TRIGGER = 'eventing.knative.dev/Trigger/default/a'

describe('what becomes of replays and redrives whose log or reader goes', function () {
  this.timeout(30_000)
  let a: Subscriber
  let settings: { readonly channel: string; readonly 'data-dir': string }

  beforeEach(async () => {
    a = await startSubscriber({ status: 202 })
    settings = { channel: 'disk', 'data-dir': await mkdtemp(path.join(tmpdir(), 'tidings-rerun-ends-')) }
  })
  afterEach(async () => {
    await a.close()
    await rm(settings['data-dir'], { recursive: true })
  })

  async function sendSome(tidings: TestRuntime, count: number): Promise<void> {
    for (let i = 1; i <= count; i++) assert.equal((await tidings.send(anEvent({ id: `e${i}` }))).status, 202)
  }
  async function pausedReplay(tidings: TestRuntime): Promise<string> {
    await tidings.runtime.setTriggerPaused('default', 'a', true)
    const replayed = await tidings.runtime.triggers.replay('default', 'a', { fromMs: 0, isDry: false })
    assert.ok(replayed?.id)
    return replayed.id
  }
  async function deleteBroker({ runtime }: TestRuntime): Promise<() => Promise<void>> {
    const entry = runtime.resources.get(BROKER)
    assert.ok(entry)
    runtime.resources.delete(BROKER)
    await runtime.settled()
    return async () => {
      runtime.resources.put(entry.resource, BUILT_IN)
      await runtime.settled()
    }
  }

  /** Of the log; settled events are kept in it, and in nobody's way. */
  async function nothingHeld(tidings: TestRuntime, broker = 'default'): Promise<void> {
    await eventually(async () => {
      const { log } = await tidings.broker(broker)
      return log.bytes > 0 && log.retainedBytes === log.bytes
    }, 'no cursor holds the log')
  }

  it('cancels them with the log, and has nothing of them after a restart with a log of that name', async () => {
    {
      await using tidings = await startTestRuntime(aTrigger('a', a.url), { ...settings, 'retention.deleted': 'PT0S' })
      await sendSome(tidings, 5)
      await a.received(5)
      await pausedReplay(tidings)

      await deleteBroker(tidings)

      await eventually(() => tidings.runtime.reruns.list().every(({ endedAt }) => endedAt !== null), 'it ends')
    }

    await using tidings = await startTestRuntime(aTrigger('a', a.url), settings)
    assert.deepEqual(tidings.runtime.reruns.list(), [])
  })

  it('hands out nothing of one that was cancelled while its broker was away', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', a.url))
    await sendSome(tidings, 5)
    await a.received(5)
    const id = await pausedReplay(tidings)
    await sendSome(tidings, 1)
    const bringBack = await deleteBroker(tidings)

    assert.equal(await tidings.runtime.reruns.cancel(id), true)
    await bringBack()
    await tidings.runtime.setTriggerPaused('default', 'a', false)

    await a.received(6)
    await nothingHeld(tidings)
    assert.equal(a.requests.length, 6)
  })

  it('forgets the cursor of one that was cancelled while its broker was gone from the manifests', async () => {
    const shop = '---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: shop\n'
    const trigger = aTrigger('a', a.url).replace('broker: default', 'broker: shop')
    {
      await using tidings = await startTestRuntime(shop + trigger, settings)
      for (let i = 1; i <= 5; i++) await tidings.send(anEvent({ id: `e${i}` }), 'default/shop')
      await a.received(5)
      await pausedReplay(tidings)
    }
    {
      await using tidings = await startTestRuntime(trigger, settings)
      const [rerun] = tidings.runtime.reruns.list()
      assert.match(rerun?.held ?? '', /Broker default\/shop is not there/)
      assert.equal(await tidings.runtime.reruns.cancel(rerun?.id ?? ''), true)
    }

    await using tidings = await startTestRuntime(shop + trigger, settings)

    assert.deepEqual(tidings.runtime.reruns.list(), [])
    await tidings.runtime.setTriggerPaused('default', 'a', false)
    await tidings.send(anEvent({ id: 'after' }), 'default/shop')
    await a.received(6)
    await nothingHeld(tidings, 'shop')
    assert.equal(a.requests.length, 6)
  })

  it('begins one redrive only, of two that are asked for at once', async () => {
    a.script({ status: 500 })
    await using tidings = await startTestRuntime(aTrigger('a', a.url, '  delivery: {retry: 0}\n'))
    await sendSome(tidings, 2)
    await eventually(async () => (await tidings.broker()).deadLetters.waiting === 2, 'two wait')
    a.script('hang')

    const both = await Promise.all([1, 2].map(() => tidings.runtime.deadLetters.redrive({}, { isDry: false })))

    assert.deepEqual(both.map(([one]) => one?.id === null).sort(), [false, true])
    assert.equal(tidings.runtime.reruns.list().length, 1)
  })

  it('takes what its trigger becomes while it is begun', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', a.url), settings)
    await sendSome(tidings, 5)
    await a.received(5)
    const { runtime } = tidings

    // On a disk each takes a sync or two: some of the pauses are stored while a replay's cursor is.
    const replays = Array.from({ length: 20 }, () =>
      runtime.triggers.replay('default', 'a', { fromMs: 0, ratePerSecond: 1, isDry: false }),
    )
    for (let i = 0; i < 200; i++) {
      replays.push(runtime.setTriggerPaused('default', 'a', i % 2 === 0).then(() => undefined))
      await new Promise(setImmediate)
    }

    await Promise.all(replays)
  })

  it('does not begin for a trigger that goes meanwhile', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', a.url), settings)
    await sendSome(tidings, 5)
    await eventually(async () => (await tidings.trigger('a')).delivered === 5, 'all are delivered')
    const { runtime } = tidings
    const replays: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      replays.push(runtime.triggers.replay('default', 'a', { fromMs: 0, ratePerSecond: 0.01, isDry: false }))
      await new Promise(setImmediate)
    }
    runtime.resources.delete(TRIGGER)

    await Promise.allSettled([...replays, runtime.settled()])
    await eventually(() => runtime.reruns.list().every(({ endedAt }) => endedAt !== null), 'none goes on')
  })
})
