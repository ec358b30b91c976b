import assert from 'node:assert/strict'
import { conditionOf } from '../../src/resource/conditions.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { openRaw } from '../support/raw-http.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type ReceivedRequest, startSubscriber } from '../support/subscriber.ts'

const API_VERSION = 'messaging.knative.dev/v1'
const CHANNEL = `---\napiVersion: ${API_VERSION}\nkind: Channel\nmetadata: {name: c}\n`
const REPLY = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'answer' }

const aSubscription = (name: string, uri: string, spec = '', kind = 'Channel'): string => `---
apiVersion: ${API_VERSION}
kind: Subscription
metadata: {name: ${name}}
spec:
  channel: {apiVersion: ${API_VERSION}, kind: ${kind}, name: c}
  subscriber: {uri: '${uri}'}
${spec}`
const idsOf = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ headers }) => String(headers['ce-id']))
const statusOf = ({ runtime }: TestRuntime, kind: string, name: string) =>
  runtime.resources.get(keyOf(API_VERSION, kind, 'default', name))?.status
const readyOf = (tidings: TestRuntime, kind: string, name: string) =>
  conditionOf(statusOf(tidings, kind, name)?.conditions ?? [], 'Ready')
const put = async ({ runtime }: TestRuntime, manifests: string): Promise<void> => {
  for (const { resource } of loadManifests(manifests, 'later.yaml').resources) runtime.resources.put(resource, 'later')
  await runtime.settled()
}

describe('channels of a runtime', () => {
  it('give each event to every subscription, with an address that can be posted to', async () => {
    await using subscriber = await startSubscriber()
    const manifests = CHANNEL + ['a', 'b'].map((name) => aSubscription(name, `${subscriber.url}/${name}`)).join('')
    await using tidings = await startTestRuntime(manifests)

    const { status } = await tidings.send(anEvent({ id: '1', knativebrokerttl: '7' }), 'channels/default/c')
    await subscriber.received(2)

    assert.equal(status, 202)
    assert.deepEqual(subscriber.requests.map(({ path }) => path).sort(), ['/a', '/b'])
    assert.equal(subscriber.requests[0]?.headers['ce-knativebrokerttl'], '7')
    assert.deepEqual(statusOf(tidings, 'Channel', 'c')?.['address'], {
      name: 'http',
      url: `${tidings.runtime.dataUrl}/channels/default/c`,
    })
  })

  it('answer to their host name, as senders in a cluster call them', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(CHANNEL + aSubscription('a', subscriber.url))
    const { port } = new URL(tidings.runtime.dataUrl)

    const connection = await openRaw(Number(port))
    connection.send(
      'POST / HTTP/1.1\r\nHost: c-kn-channel.default.svc.cluster.local\r\nce-id: 1\r\nce-specversion: 1.0\r\n' +
        'ce-source: /s\r\nce-type: t\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
    const answer = await connection.closed()
    await subscriber.received(1)

    assert.match(answer, /^HTTP\/1.1 202 /)
  })

  it('send replies where the subscription says, also to a broker', async () => {
    await using subscriber = await startSubscriber({ status: 200, headers: REPLY })
    await using other = await startSubscriber()
    const toBroker = '  reply: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}\n'
    await using tidings = await startTestRuntime(
      CHANNEL +
        aSubscription('a', subscriber.url, `  reply: {uri: '${other.url}'}\n`) +
        aSubscription('b', subscriber.url, toBroker),
    )

    await tidings.send(anEvent(), 'channels/default/c')
    await other.received(1)
    await eventually(async () => (await tidings.broker()).accepted === 1, 'the broker has the other reply')

    assert.deepEqual(idsOf(other.requests), ['r'])
  })

  it('have an InMemoryChannel do the work, take what it says, and take it along when they go', async () => {
    await using tidings = await startTestRuntime(CHANNEL)

    assert.equal(readyOf(tidings, 'Channel', 'c')?.status, 'True')
    assert.deepEqual(statusOf(tidings, 'Channel', 'c')?.['channel'], {
      apiVersion: API_VERSION,
      kind: 'InMemoryChannel',
      name: 'c',
      namespace: 'default',
    })
    tidings.runtime.resources.delete(keyOf(API_VERSION, 'Channel', 'default', 'c'))
    await tidings.runtime.settled()

    assert.equal(tidings.runtime.resources.get(keyOf(API_VERSION, 'InMemoryChannel', 'default', 'c')), undefined)
    assert.equal((await tidings.send(anEvent(), 'channels/default/c')).status, 404)
  })

  it('say so when what does their work is not there or is somebody else’s', async () => {
    const template = 'spec: {channelTemplate: {apiVersion: messaging.knative.dev/v1beta1, kind: NatssChannel}}\n'
    const imc = `---\napiVersion: ${API_VERSION}\nkind: InMemoryChannel\nmetadata: {name: taken}\n`
    await using tidings = await startTestRuntime(CHANNEL + template + imc + CHANNEL.replace('name: c', 'name: taken'))

    const kafka = readyOf(tidings, 'Channel', 'c')
    assert.deepEqual([kafka?.status, kafka?.reason], ['False', 'ChannelFailure'])
    assert.match(kafka?.message ?? '', /NatssChannel .* is not available in this version: use InMemoryChannel/)
    assert.match(readyOf(tidings, 'Channel', 'taken')?.message ?? '', /is there already \(test.yaml:\d+\)/)
  })

  it('give a subscription what came while its channel or subscriber was not there yet', async () => {
    await using subscriber = await startSubscriber()
    const ref = '  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: handler}}\n'
    const manifest = aSubscription('a', 'x').replace("  subscriber: {uri: 'x'}\n", ref)
    await using tidings = await startTestRuntime(manifest)
    const ready = readyOf(tidings, 'Subscription', 'a')
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'ChannelReferenceFailed'])
    assert.match(ready?.message ?? '', /Channel default\/c does not exist/)

    await put(tidings, CHANNEL)
    assert.equal(readyOf(tidings, 'Subscription', 'a')?.reason, 'SubscriberResolveFailed')
    await tidings.send(anEvent({ id: 'held' }), 'channels/default/c')
    await put(
      tidings,
      `---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: handler, annotations: {tidings.dev/url: '${subscriber.url}'}}\nspec: {}\n`,
    )
    await subscriber.received(1)

    assert.deepEqual(idsOf(subscriber.requests), ['held'])
    assert.equal(readyOf(tidings, 'Subscription', 'a')?.status, 'True')
  })

  it('try once without `delivery`, then keep the event for people; with one of the channel, as often as that says', async () => {
    await using subscriber = await startSubscriber({ status: 503 })
    const delivery = 'spec: {delivery: {retry: 2, backoffPolicy: linear, backoffDelay: PT0.01S}}\n'
    const manifests = aSubscription('a', subscriber.url)
    await using once = await startTestRuntime(CHANNEL + manifests)
    await once.send(anEvent(), 'channels/default/c')
    await eventually(async () => (await once.channel('c')).deadLetters.waiting === 1, 'it is kept')
    assert.equal(subscriber.requests.length, 1)

    await using thrice = await startTestRuntime(CHANNEL + delivery + manifests)
    await thrice.send(anEvent(), 'channels/default/c')
    await eventually(async () => (await thrice.channel('c')).deadLetters.waiting === 1, 'it is kept')
    assert.equal(subscriber.requests.length, 4)
  })

  it('are no destination, and no channel of a subscription, while nothing does their work', async () => {
    const template = 'spec: {channelTemplate: {apiVersion: messaging.knative.dev/v1beta1, kind: NatssChannel}}\n'
    const foreign = `---\napiVersion: ${API_VERSION}\nkind: InMemoryChannel\nmetadata: {name: c}\n`
    const trigger = aTrigger('t', 'x').replace('uri: x', `ref: {apiVersion: ${API_VERSION}, kind: Channel, name: c}`)
    await using tidings = await startTestRuntime(
      CHANNEL + template + foreign + trigger + aSubscription('a', 'http://127.0.0.1:1/'),
    )

    const { ready, message } = await tidings.trigger('t')
    assert.equal(ready, 'False')
    assert.match(message ?? '', /^Channel default\/c is not ready: NatssChannel/)
    assert.equal(readyOf(tidings, 'Subscription', 'a')?.reason, 'ChannelReferenceFailed')
  })

  it('ask a subscriber once, though where its reply goes is away for a while', async () => {
    await using subscriber = await startSubscriber({ status: 200, headers: REPLY })
    await using other = await startSubscriber([{ status: 503 }, { status: 202 }])
    const handler = `---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: handler, annotations: {tidings.dev/url: '${other.url}'}}\nspec: {}\n`
    const spec =
      '  reply: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: handler}}\n' +
      '  delivery: {retry: 5, backoffPolicy: linear, backoffDelay: PT0.2S}\n'
    await using tidings = await startTestRuntime(CHANNEL + handler + aSubscription('a', subscriber.url, spec))
    await tidings.send(anEvent(), 'channels/default/c')
    await other.received(1)

    tidings.runtime.resources.delete(keyOf('serving.knative.dev/v1', 'Service', 'default', 'handler'))
    await tidings.runtime.settled()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await put(tidings, handler)
    await other.received(2)

    assert.equal(subscriber.requests.length, 1)
  })
})
