import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadManifests } from '../../src/resource/load.ts'
import { anEvent } from '../support/builders.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const A_CHANNEL = `---
apiVersion: messaging.knative.dev/v1
kind: InMemoryChannel
metadata: {name: c}
`
const startingAt = (at: string, manifest: string): string =>
  manifest.replace(/ {2}name: (\w+)\n/, `  name: $1\n  annotations: {tidings.dev/start-at: '${at}'}\n`)
const aSubscription = (name: string, uri: string): string => `---
apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata:
  name: ${name}
spec:
  channel: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, name: c}
  subscriber: {uri: '${uri}'}
`

describe('the annotation tidings.dev/start-at', () => {
  let early: Subscriber
  let late: Subscriber

  beforeEach(async () => {
    early = await startSubscriber()
    late = await startSubscriber()
  })
  afterEach(async () => {
    await early.close()
    await late.close()
  })

  async function apply(tidings: TestRuntime, manifests: string): Promise<void> {
    const { resources, problems } = loadManifests(manifests, 'more.yaml')
    assert.deepEqual(problems, [])
    for (const { resource } of resources) tidings.runtime.resources.put(resource, 'more.yaml')
    await tidings.runtime.settled()
  }
  const ids = ({ requests }: Subscriber): string[] => requests.map(({ headers }) => String(headers['ce-id']))

  it('earliest: a new trigger gets what the log still has, then what comes', async () => {
    await using tidings = await startTestRuntime(aTrigger('early', early.url))
    for (const id of ['1', '2', '3']) await tidings.send(anEvent({ id }))
    await early.received(3)

    await apply(tidings, startingAt('earliest', aTrigger('late', late.url)))
    await tidings.send(anEvent({ id: '4' }))

    await late.received(4)
    assert.deepEqual(ids(late).sort(), ['1', '2', '3', '4'])
  })

  it('a time: a new trigger gets what arrived from then on', async () => {
    await using tidings = await startTestRuntime(aTrigger('early', early.url))
    await tidings.send(anEvent({ id: '1' }))
    await sleep(20)
    const time = new Date().toISOString()
    await tidings.send(anEvent({ id: '2' }))
    await early.received(2)

    await apply(tidings, startingAt(time, aTrigger('late', late.url)))
    await tidings.send(anEvent({ id: '3' }))

    await late.received(2)
    assert.deepEqual(ids(late).sort(), ['2', '3'])
  })

  it('now: a new trigger gets what comes, as one without the annotation', async () => {
    await using tidings = await startTestRuntime(aTrigger('early', early.url))
    await tidings.send(anEvent({ id: '1' }))
    await early.received(1)

    await apply(tidings, startingAt('now', aTrigger('late', late.url)))
    await tidings.send(anEvent({ id: '2' }))

    await late.received(1)
    await early.received(2)
    assert.deepEqual(ids(late), ['2'])
  })

  it('counts once: a trigger that is there already goes on where it is', async () => {
    await using tidings = await startTestRuntime(aTrigger('early', early.url))
    await tidings.send(anEvent({ id: '1' }))
    await early.received(1)

    await apply(tidings, startingAt('earliest', aTrigger('early', early.url)))
    await tidings.send(anEvent({ id: '2' }))

    await early.received(2)
    assert.deepEqual(ids(early), ['1', '2'])
  })

  it('is for Subscriptions too', async () => {
    await using tidings = await startTestRuntime(A_CHANNEL + aSubscription('early', early.url))
    await tidings.send(anEvent({ id: '1' }), 'channels/default/c')
    await early.received(1)

    await apply(tidings, startingAt('earliest', aSubscription('late', late.url)))

    await late.received(1)
    assert.deepEqual(ids(late), ['1'])
  })
})
