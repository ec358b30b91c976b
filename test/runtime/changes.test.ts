import assert from 'node:assert/strict'
import { conditionOf } from '../../src/resource/conditions.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type ReceivedRequest, startSubscriber } from '../support/subscriber.ts'

const KSERVICE = 'ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: handler}'
const BROKER = '---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n'

const aService = (url: string): string => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: handler, annotations: {tidings.dev/url: '${url}'}}
spec: {}
`
const idsOf = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ headers }) => String(headers['ce-id']))
const triggerKey = (name: string) => keyOf('eventing.knative.dev/v1', 'Trigger', 'default', name)
const brokerKey = keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'default')

async function apply({ runtime }: TestRuntime, manifests: string): Promise<void> {
  const { resources, problems } = loadManifests(manifests, 'later.yaml')
  assert.deepEqual(problems, [])
  for (const { resource } of resources) runtime.resources.put(resource, 'later.yaml:1')
  await runtime.settled()
}

async function remove({ runtime }: TestRuntime, key: string): Promise<void> {
  runtime.resources.delete(key)
  await runtime.settled()
}

const readyOf = ({ runtime }: TestRuntime, name: string) =>
  conditionOf(runtime.resources.get(triggerKey(name))?.status?.conditions ?? [], 'Ready')

describe('a runtime whose resources change', () => {
  it('holds events for a subscriber that is not there, and delivers them once it is', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', 'x').replace('uri: x', KSERVICE))
    assert.equal(readyOf(tidings, 't')?.status, 'False')
    assert.match(readyOf(tidings, 't')?.message ?? '', /Service default\/handler .* does not exist/)
    await tidings.send(anEvent({ id: '1' }))

    await apply(tidings, aService(subscriber.url))
    await subscriber.received(1)

    assert.equal(readyOf(tidings, 't')?.status, 'True')
    assert.deepEqual(idsOf(subscriber.requests), ['1'])
  })

  it('holds them again when the subscriber goes, and follows it to another address', async () => {
    await using first = await startSubscriber()
    await using second = await startSubscriber()
    const trigger = aTrigger('t', 'x').replace('uri: x', KSERVICE)
    await using tidings = await startTestRuntime(trigger + aService(first.url))
    await tidings.send(anEvent({ id: '1' }))
    await first.received(1)

    await remove(tidings, keyOf('serving.knative.dev/v1', 'Service', 'default', 'handler'))
    await tidings.send(anEvent({ id: '2' }))
    assert.equal(readyOf(tidings, 't')?.status, 'False')
    await apply(tidings, aService(second.url))
    await second.received(1)

    assert.deepEqual([idsOf(first.requests), idsOf(second.requests)], [['1'], ['2']])
  })

  it('gives a new trigger what is sent from then on', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime('')
    await tidings.send(anEvent({ id: 'before' }))

    await apply(tidings, aTrigger('t', subscriber.url))
    await tidings.send(anEvent({ id: 'after' }))
    await subscriber.received(1)

    assert.deepEqual(idsOf(subscriber.requests), ['after'])
  })

  it('uses a changed filter and subscriber from the next event on, and keeps uid and counts', async () => {
    await using first = await startSubscriber()
    await using second = await startSubscriber()
    const only = (type: string) => `  filter:\n    attributes:\n      type: ${type}\n`
    await using tidings = await startTestRuntime(aTrigger('t', first.url, only('a')))
    const uid = tidings.runtime.resources.get(triggerKey('t'))?.resource.metadata.uid
    await tidings.send(anEvent({ id: '1', type: 'a' }))
    await first.received(1)

    await apply(tidings, aTrigger('t', second.url, only('b')))
    for (const [id, type] of [
      ['2', 'a'],
      ['3', 'b'],
    ] as const) {
      await tidings.send(anEvent({ id, type }))
    }
    await second.received(1)

    assert.deepEqual([idsOf(first.requests), idsOf(second.requests)], [['1'], ['3']])
    assert.equal(tidings.runtime.resources.get(triggerKey('t'))?.resource.metadata.uid, uid)
    await eventually(async () => (await tidings.trigger('t')).delivered === 2, 'both count')
  })

  it('resumes a trigger that was deleted with events waiting and comes back', async () => {
    await using subscriber = await startSubscriber('hang')
    const manifest = aTrigger('t', subscriber.url)
    await using tidings = await startTestRuntime(manifest)
    const uidOf = () => tidings.runtime.resources.get(triggerKey('t'))?.resource.metadata.uid
    const uid = uidOf()
    await tidings.send(anEvent({ id: '1' }))
    await subscriber.received(1)

    await remove(tidings, triggerKey('t'))
    await tidings.send(anEvent({ id: '2' }))
    assert.equal(subscriber.requests.length, 1)
    await apply(tidings, manifest)
    await subscriber.received(2)

    assert.equal(uidOf(), uid)
    assert.deepEqual(idsOf(subscriber.requests), ['1', '2'])
  })

  it('resumes a trigger that comes back with another subscriber at that one', async () => {
    await using first = await startSubscriber({ status: 503 })
    await using second = await startSubscriber()
    const delivery = '  delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.01S}\n'
    await using tidings = await startTestRuntime(aTrigger('t', first.url, delivery))
    await tidings.send(anEvent({ id: '1' }))
    await first.received(1)

    await remove(tidings, triggerKey('t'))
    await tidings.send(anEvent({ id: '2' }))
    await apply(tidings, aTrigger('t', second.url, delivery))
    await second.received(2)
    const third = await startSubscriber()
    await apply(tidings, aTrigger('t', third.url, delivery))
    await tidings.send(anEvent({ id: '3' }))
    await third.received(1)
    await third.close()

    assert.deepEqual(idsOf(second.requests).sort(), ['1', '2'])
    assert.deepEqual(idsOf(third.requests), ['3'])
  })

  it('resumes a trigger that comes back before its broker does, at its new subscriber', async () => {
    await using first = await startSubscriber('hang')
    await using second = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', first.url))
    await tidings.send(anEvent({ id: '1' }))
    await first.received(1)
    await tidings.send(anEvent({ id: '2' }))

    await remove(tidings, brokerKey)
    await remove(tidings, triggerKey('t'))
    await apply(tidings, aTrigger('t', second.url))
    assert.equal(readyOf(tidings, 't')?.reason, 'BrokerDoesNotExist')
    await apply(tidings, BROKER)
    await tidings.send(anEvent({ id: '3' }))
    await second.received(1)
    await first.close()
    await second.received(3)

    assert.deepEqual(idsOf(second.requests).sort(), ['1', '2', '3'])
  })

  it('goes on with a broker and a trigger that were deleted and came back before anybody looked', async () => {
    await using subscriber = await startSubscriber()
    const trigger = aTrigger('t', 'x').replace('uri: x', KSERVICE)
    await using tidings = await startTestRuntime(trigger)
    const { resources } = tidings.runtime
    const uids = () => [brokerKey, triggerKey('t')].map((key) => resources.get(key)?.resource.metadata.uid)
    const before = uids()
    await tidings.send(anEvent({ id: '1' }))

    for (const key of [brokerKey, triggerKey('t')]) resources.delete(key)
    await apply(tidings, BROKER + trigger + aService(subscriber.url))
    await subscriber.received(1)

    assert.deepEqual(idsOf(subscriber.requests), ['1'])
    assert.deepEqual(uids(), before)
  })

  it('starts a trigger anew that was deleted with nothing waiting', async () => {
    await using subscriber = await startSubscriber()
    const manifest = aTrigger('t', subscriber.url)
    await using tidings = await startTestRuntime(manifest)
    const uidOf = () => tidings.runtime.resources.get(triggerKey('t'))?.resource.metadata.uid
    const uid = uidOf()

    await remove(tidings, triggerKey('t'))
    await tidings.send(anEvent({ id: 'missed' }))
    await apply(tidings, manifest)
    await tidings.send(anEvent({ id: '2' }))
    await subscriber.received(1)

    assert.notEqual(uidOf(), uid)
    assert.deepEqual(idsOf(subscriber.requests), ['2'])
  })

  it('keeps what a deleted broker has not delivered, says so, and goes on when it comes back', async () => {
    await using subscriber = await startSubscriber()
    const trigger = aTrigger('t', 'x').replace('uri: x', KSERVICE)
    await using tidings = await startTestRuntime(trigger)
    await tidings.send(anEvent({ id: '1' }))

    await remove(tidings, brokerKey)
    assert.equal((await tidings.send(anEvent({ id: 'refused' }))).status, 404)
    await apply(tidings, aService(subscriber.url))
    const { problems } = await tidings.runtime.status()
    assert.ok(problems.some((problem) => problem.startsWith('default/default was deleted while 1 event waits in it')))
    assert.equal(readyOf(tidings, 't')?.reason, 'BrokerDoesNotExist')
    assert.equal(subscriber.requests.length, 0)

    await apply(tidings, BROKER)
    await subscriber.received(1)

    assert.deepEqual(idsOf(subscriber.requests), ['1'])
  })

  it('gives up what was deleted for longer than it is kept, and says how much', async () => {
    await using tidings = await startTestRuntime(aTrigger('t', 'x').replace('uri: x', KSERVICE), {
      'retention.deleted': 'PT0.05S',
    })
    await tidings.send(anEvent())

    await remove(tidings, brokerKey)
    const gone = () => tidings.logged.find(({ msg }) => String(msg).startsWith('deleted for too long'))
    await eventually(() => gone() !== undefined, 'it is given up')

    assert.equal(gone()?.['waiting'], 1)
  })

  it('has no default broker again once it was deleted', async () => {
    await using tidings = await startTestRuntime('')

    await remove(tidings, brokerKey)

    assert.deepEqual((await tidings.runtime.status()).brokers, [])
  })

  it('repeats and misses nothing for triggers that stay, while others come and go', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('stays', `${subscriber.url}/stays`))
    const ids = Array.from({ length: 300 }, (_, i) => String(i))
    for (const [i, id] of ids.entries()) {
      assert.equal((await tidings.send(anEvent({ id }))).status, 202)
      const name = `t${i % 7}`
      if (i % 3 === 0) await apply(tidings, aTrigger(name, `${subscriber.url}/${name}`))
      if (i % 5 === 0) await remove(tidings, triggerKey(`t${(i + 3) % 7}`))
    }

    await eventually(async () => (await tidings.trigger('stays')).delivered === ids.length, 'all came')

    const stays = idsOf(subscriber.requests.filter(({ path }) => path === '/stays'))
    assert.deepEqual(stays.toSorted(), ids.toSorted())
  }).timeout(30_000)

  it('knows a resource that is deleted and put again before anything was reconciled', async () => {
    await using subscriber = await startSubscriber()
    const manifest = aTrigger('t', 'x').replace('uri: x', KSERVICE)
    await using tidings = await startTestRuntime(manifest)
    await tidings.send(anEvent({ id: '1' }))
    const { resources } = tidings.runtime
    const uids = () => [triggerKey('t'), brokerKey].map((key) => resources.get(key)?.resource.metadata.uid)
    const before = uids()

    for (const [key, text] of [
      [triggerKey('t'), manifest],
      [brokerKey, BROKER],
    ] as const) {
      resources.delete(key)
      for (const { resource } of loadManifests(text, 'a.yaml').resources) resources.put(resource, 'a.yaml:1')
    }
    await apply(tidings, aService(subscriber.url))
    await subscriber.received(1)

    assert.deepEqual(uids(), before)
    assert.deepEqual(idsOf(subscriber.requests), ['1'])
  })

  it('takes events for a new broker only once it would deliver them', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime('')
    const hot = BROKER.replace('name: default', 'name: hot')
    const manifests = hot + aTrigger('t', subscriber.url).replace('broker: default', 'broker: hot')
    for (const { resource } of loadManifests(manifests, 'a.yaml').resources) {
      tidings.runtime.resources.put(resource, 'a.yaml:1')
    }
    let accepted = 0
    for (let i = 0; i < 50; i++) {
      const { status } = await tidings.send(anEvent({ id: String(i) }), 'default/hot')
      assert.ok([202, 404, 503].includes(status), String(status))
      if (status === 202) accepted++
    }
    await eventually(() => subscriber.requests.length === accepted, 'all that was taken came')

    assert.ok(accepted > 0)
  })

  it('shows what a deleted trigger has left, and who holds a log that fills', async () => {
    await using tidings = await startTestRuntime(aTrigger('t', 'x').replace('uri: x', KSERVICE))
    await tidings.send(anEvent())

    await remove(tidings, triggerKey('t'))

    const { problems, brokers } = await tidings.runtime.status()
    assert.ok(problems.some((each) => each.startsWith('Trigger default/t was deleted with 1 event left')))
    assert.equal(brokers[0]?.log.floorHolder, 'default/t (deleted)')
    assert.ok(tidings.logged.some(({ msg }) => String(msg).startsWith('deleted with events left')))
  })

  it('keeps a pause when the broker goes and comes back', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url))
    await tidings.runtime.setTriggerPaused('default', 't', true)

    await remove(tidings, brokerKey)
    await apply(tidings, BROKER)
    await tidings.send(anEvent())

    assert.equal((await tidings.trigger('t')).paused, true)
    assert.equal(subscriber.requests.length, 0)
    await tidings.runtime.setTriggerPaused('default', 't', false)
    await subscriber.received(1)
  })

  it('can be paused and resumed while its broker is away', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url))
    await remove(tidings, brokerKey)

    assert.equal(await tidings.runtime.setTriggerPaused('default', 't', true), true)
    await apply(tidings, BROKER)
    await tidings.send(anEvent())

    assert.equal((await tidings.trigger('t')).paused, true)
    assert.equal(subscriber.requests.length, 0)
    assert.equal(await tidings.runtime.setTriggerPaused('default', 't', false), true)
    await subscriber.received(1)
  })

  it('has no pause of the trigger of its name that was deleted with nothing waiting', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url))
    await tidings.runtime.setTriggerPaused('default', 't', true)
    await remove(tidings, triggerKey('t'))

    await apply(tidings, aTrigger('t', subscriber.url))

    assert.equal((await tidings.trigger('t')).paused, false)
    assert.equal(await tidings.runtime.setTriggerPaused('default', 'nobody', true), false)
  })

  it('is as ready as its broker, whose dead letter sink may be missing', async () => {
    const sink = `spec: {delivery: {deadLetterSink: {${KSERVICE}}}}\n`
    await using tidings = await startTestRuntime(BROKER + sink + aTrigger('t', 'http://127.0.0.1:1/'))

    const conditions = tidings.runtime.resources.get(triggerKey('t'))?.status?.conditions ?? []

    assert.equal(readyOf(tidings, 't')?.status, 'False')
    assert.equal(conditionOf(conditions, 'BrokerReady')?.reason, "Unable to get the dead letter sink's URI")
    assert.equal(
      conditionOf(conditions, 'DeadLetterSinkResolved')?.reason,
      "Broker default didn't set status.deadLetterSinkURI",
    )
    const { problems } = await tidings.runtime.status()
    assert.ok(problems.some((each) => each.startsWith('trigger default/t: not ready')))
  })
})
