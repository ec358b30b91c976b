// The whole runtime with its Brokers and channels in a real cluster.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openKafkaStore } from '../../../src/channel/backends/kafka/store.ts'
import { conditionOf } from '../../../src/resource/conditions.ts'
import { keyOf } from '../../../src/store/resource-store.ts'
import { anEvent } from '../../support/builders.ts'
import { eventually } from '../../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../../support/runtime.ts'
import { kafkaClient } from '../../support/servers/kafka-client.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import { startSubscriber } from '../../support/subscriber.ts'

/** Names of this run: the cluster may be one that stays. */
const RUN = Date.now().toString(36)

const brokerKey = (name: string) => keyOf('eventing.knative.dev/v1', 'Broker', 'default', name)
const aBroker = (name: string): string => `---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: ${name}, annotations: {eventing.knative.dev/broker.class: Kafka}}
spec: {config: {apiVersion: v1, kind: ConfigMap, name: kafka-broker-config}}
`
const aConfigMap = (servers: string): string => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: kafka-broker-config}
data: {bootstrap.servers: '${servers}', default.topic.partitions: '3', default.topic.replication.factor: '1'}
`

/** A module that is imported while tests run would be another one, with error classes of its own. */
const start = (manifests: string, settings: Record<string, string>) =>
  startTestRuntime(manifests, settings, undefined, openKafkaStore)

function ready({ runtime }: TestRuntime, key: string): Promise<void> {
  const status = () => conditionOf(runtime.resources.get(key)?.status?.conditions ?? [], 'Ready')?.status
  return eventually(() => status() === 'True', `${key} is ready`)
}

describe('a runtime with a Kafka cluster', function () {
  this.timeout(60_000)
  let settings: Record<string, string>

  beforeEach(async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'tidings-kafka-'))
    settings = { 'data-dir': dir, 'retention.deleted': 'PT0S', 'kafka.replicationFactor': '1' }
  })
  afterEach(() => rm(settings['data-dir'] ?? '', { recursive: true }))

  itUsing(
    ['kafka'],
    'delivers from a Broker of class Kafka what waited over a restart, and removes it at last',
    async () => {
      await using subscriber = await startSubscriber({ status: 503 })
      const name = `orders-${RUN}`
      const brokers = (await sharedBrokers()).join()
      const delivery = '  delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.2S}'
      const trigger = aTrigger('t', subscriber.url, delivery).replace('broker: default', `broker: ${name}`)
      const manifests = aBroker(name) + aConfigMap(brokers) + trigger
      const ids = Array.from({ length: 50 }, (_, i) => String(i))
      {
        await using before = await start(manifests, settings)
        await ready(before, brokerKey(name))
        await eventually(
          async () => (await before.send(anEvent({ id: 'first' }), `default/${name}`)).status === 202,
          'it is open',
        )
        for (const id of ids) assert.equal((await before.send(anEvent({ id }), `default/${name}`)).status, 202)
      }

      subscriber.script({ status: 200 })
      const earlier = subscriber.requests.length
      await using tidings = await start(manifests, settings)
      await ready(tidings, brokerKey(name))
      await eventually(
        async () => (await tidings.trigger('t')).waiting === 0 && (await tidings.trigger('t')).delivered > 0,
        'all is delivered',
      )
      tidings.runtime.resources.delete(brokerKey(name))
      await tidings.runtime.settled()
      const topics = await kafkaClient(await sharedBrokers()).topics()

      assert.deepEqual(
        topics.filter((topic) => topic.includes(name)),
        [],
      )
      const delivered = subscriber.requests.slice(earlier).map(({ headers }) => String(headers['ce-id']))
      assert.deepEqual([...new Set(delivered)].sort(), [...ids, 'first'].sort())
    },
  )

  itUsing(['kafka'], 'replays no more in a second than it is told, whatever the partitions', async () => {
    await using subscriber = await startSubscriber()
    const name = `paced-${RUN}`
    const manifests = aBroker(name) + aConfigMap((await sharedBrokers()).join())
    const trigger = aTrigger('t', subscriber.url).replace('broker: default', `broker: ${name}`)
    await using tidings = await start(manifests + trigger, settings)
    await ready(tidings, brokerKey(name))
    const isTaken = async () => (await tidings.send(anEvent({ id: 'first' }), `default/${name}`)).status === 202
    await eventually(isTaken, 'it is open')
    for (let id = 0; id < 39; id++) {
      await tidings.send(anEvent({ id: String(id), partitionkey: String(id) }), `default/${name}`)
    }
    await eventually(async () => (await tidings.trigger('t')).delivered === 40, 'all is delivered')
    const startedAt = performance.now()

    await tidings.runtime.triggers.replay('default', 't', { fromMs: 0, ratePerSecond: 20, isDry: false })
    await eventually(() => subscriber.requests.length >= 80, 'all is delivered again', 20_000)

    assert.ok(performance.now() - startedAt > 1_800, `${performance.now() - startedAt} ms`)
  })

  itUsing(['kafka'], 'has all in it with --channel kafka, channels, replies and dead letters too', async () => {
    await using subscriber = await startSubscriber((request) =>
      request.headers['ce-type'] === 'answer'
        ? { status: 400 }
        : { status: 200, headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'answer' } },
    )
    const brokers = (await sharedBrokers()).join()
    const all = {
      ...settings,
      channel: 'kafka',
      'kafka.bootstrapServers': brokers,
      'kafka.partitions': '2',
      'kafka.brokerTopic': `${RUN}-{{ .Namespace }}-{{ .Name }}`,
    }
    await using tidings = await start(aTrigger('t', subscriber.url), all)
    await ready(tidings, brokerKey('default'))

    await eventually(async () => (await tidings.send(anEvent({ id: '1' }))).status === 202, 'it is open')
    await eventually(async () => (await tidings.broker()).deadLetters.waiting === 1, 'the reply is a dead letter')
    await eventually(async () => (await tidings.broker()).settled === 2, 'both are settled')

    assert.equal((await tidings.broker()).accepted, 2)
    tidings.runtime.resources.delete(brokerKey('default'))
    await tidings.runtime.settled()
  })

  itUsing(
    ['kafka'],
    'shares its Brokers with others of its installation, and nothing is lost when one of them goes',
    async () => {
      await using subscriber = await startSubscriber()
      const name = `shared-${RUN}`
      const broker = aBroker(name) + aConfigMap((await sharedBrokers()).join())
      const manifests = broker + aTrigger('t', subscriber.url).replace('broker: default', `broker: ${name}`)
      const shared = { installation: RUN, 'kafka.sessionTimeoutMs': '6000' }
      const [one, other] = [await start(manifests, shared), await start(manifests, shared)]
      const accepted: string[] = []
      const send = async (to: TestRuntime, from: number): Promise<void> => {
        for (let id = from; id < from + 50; id++) {
          const { status } = await to.send(anEvent({ id: String(id) }), `default/${name}`)
          if (status === 202) accepted.push(String(id))
        }
      }
      for (const each of [one, other]) await ready(each, brokerKey(name))
      const isTaken = async (to: TestRuntime) =>
        (await to.send(anEvent({ id: 'first' }), `default/${name}`)).status === 202
      for (const each of [one, other]) await eventually(() => isTaken(each), 'both take events')

      await Promise.all([send(one, 0), send(other, 50)])
      await one[Symbol.asyncDispose]()
      await send(other, 100)
      const got = () => new Set(subscriber.requests.map(({ headers }) => String(headers['ce-id'])))
      await eventually(() => accepted.every((id) => got().has(id)), 'all that was accepted came', 20_000)

      assert.equal(accepted.length, 150)
      other.runtime.resources.delete(brokerKey(name))
      await other.runtime.settled()
      await other[Symbol.asyncDispose]()
    },
  )
})
