// Brokers and channels whose logs are in a Kafka cluster, with a cluster that needs no server.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EventingError } from '../../src/core/errors.ts'
import { conditionOf } from '../../src/resource/conditions.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { textAt } from '../../src/resource/rules.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { startTestCluster, type TestCluster, UNREACHABLE } from '../support/kafka-cluster.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

const EXTERNAL = 'kafka.eventing.knative.dev/external.topic'
const KEYS = {
  'bootstrap.servers': 'k-1:9092, k-2:9092',
  'default.topic.partitions': '4',
  'default.topic.replication.factor': '2',
  'default.topic.config.retention.ms': '3600000',
}
const LOGIN = {
  protocol: 'SASL_PLAINTEXT',
  'sasl.mechanism': 'SCRAM-SHA-256',
  user: 'u-1',
  password: 'a secret of mine',
}

const aBroker = (name = 'default', annotations = ''): string => `---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: ${name}, annotations: {eventing.knative.dev/broker.class: Kafka${annotations}}}
spec: {config: {apiVersion: v1, kind: ConfigMap, name: kafka-broker-config}}
`
const aConfigMap = (
  keys: Readonly<Record<string, string>> = KEYS,
  name = 'kafka-broker-config',
  namespace = 'default',
) =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata: ${JSON.stringify(keys)}\n`
const aSecret = (keys: Readonly<Record<string, string>> = LOGIN): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: ${JSON.stringify(keys)}\n`

const start = (manifests: string, cluster: TestCluster, settings: Record<string, string> = {}) =>
  startTestRuntime(manifests, settings, undefined, cluster.open)
const brokerKey = (name = 'default') => keyOf('eventing.knative.dev/v1', 'Broker', 'default', name)
const statusOf = ({ runtime }: TestRuntime, key = brokerKey()) => runtime.resources.get(key)?.status
const condition = (tidings: TestRuntime, type: string, key = brokerKey()) =>
  conditionOf(statusOf(tidings, key)?.conditions ?? [], type)
const isReady = (tidings: TestRuntime, key = brokerKey()) => condition(tidings, 'Ready', key)?.status === 'True'
const ready = (tidings: TestRuntime, key = brokerKey()) => eventually(() => isReady(tidings, key), `${key} is ready`)
const saysFalse = (tidings: TestRuntime, type: string, key = brokerKey()) =>
  eventually(() => condition(tidings, type, key)?.status === 'False', `${type} is False`)
const apply = async ({ runtime }: TestRuntime, manifests: string): Promise<void> => {
  for (const { resource } of loadManifests(manifests, 'later.yaml').resources) runtime.resources.put(resource, 'later')
  await runtime.settled()
}

describe('a Broker of class Kafka', () => {
  it('has its events in a topic of the cluster that its ConfigMap names, as that says', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    await using tidings = await start(aBroker() + aConfigMap() + aTrigger('t', subscriber.url), cluster)
    await ready(tidings)

    assert.equal((await tidings.send(anEvent({ id: '1' }))).status, 202)
    await subscriber.received(1)

    assert.deepEqual(cluster.attempts[0]?.bootstrapServers, ['k-1:9092', 'k-2:9092'])
    assert.deepEqual(cluster.topic('knative-broker-default-default'), {
      name: 'knative-broker-default-default',
      partitions: 4,
      replicationFactor: 2,
      config: { 'retention.ms': '3600000' },
      isExternal: false,
    })
    assert.deepEqual(cluster.topics(), ['knative-broker-default-default', 'knative-broker-default-default_dead-letter'])
    assert.deepEqual(statusOf(tidings)?.['annotations'], {
      ...{ ...KEYS, 'bootstrap.servers': 'k-1:9092,k-2:9092' },
      'default.topic': 'knative-broker-default-default',
    })
    assert.equal(condition(tidings, 'TopicReady')?.reason, 'Topic knative-broker-default-default created')
  })

  it('shares its connection with those of the same cluster and user, and ends it with the last', async () => {
    const cluster = startTestCluster()
    {
      await using tidings = await start(aBroker() + aBroker('other') + aConfigMap(), cluster)
      await ready(tidings)
      await ready(tidings, brokerKey('other'))

      assert.equal(cluster.connections(), 1)
      tidings.runtime.resources.delete(brokerKey('other'))
      await tidings.runtime.settled()
      assert.equal(cluster.connections(), 1)
      assert.equal(cluster.topics().length, 2)
    }
    assert.equal(cluster.connections(), 0)
  })

  it('logs in as the Secret says that its ConfigMap names, and anew once that changes', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster(LOGIN.password)
    const config = aConfigMap({ ...KEYS, 'auth.secret.ref.name': 'login' })
    const wrong = aSecret({ ...LOGIN, password: 'not it' })
    await using tidings = await start(aBroker() + config + wrong + aTrigger('t', subscriber.url), cluster)
    await saysFalse(tidings, 'ConfigParsed')
    const refused = condition(tidings, 'ConfigParsed')

    await apply(tidings, aSecret())
    await ready(tidings)
    await tidings.send(anEvent())
    await subscriber.received(1)

    assert.equal(refused?.reason, 'cannot obtain Kafka cluster admin, AUTH_FAILED')
    assert.deepEqual(cluster.attempts.at(-1)?.auth.sasl, {
      mechanism: 'scram-sha-256',
      username: 'u-1',
      password: LOGIN.password,
    })
    assert.equal(cluster.attempts.length, 2, 'nobody tries again what was refused')
    const told = JSON.stringify([tidings.logged, statusOf(tidings)])
    assert.ok(!told.includes('not it') && !told.includes(LOGIN.password))
  })

  it('goes on where it stood when it logs in as another user', async () => {
    await using subscriber = await startSubscriber({ status: 503 })
    const cluster = startTestCluster(LOGIN.password)
    const config = aConfigMap({ ...KEYS, 'auth.secret.ref.name': 'login' })
    const trigger = aTrigger(
      't',
      subscriber.url,
      '  delivery: {retry: 1000, backoffPolicy: linear, backoffDelay: PT0.05S}',
    )
    await using tidings = await start(aBroker() + config + aSecret() + trigger, cluster)
    await ready(tidings)
    await tidings.send(anEvent({ id: 'waits' }))
    await subscriber.received(1)

    await apply(tidings, aSecret({ ...LOGIN, user: 'u-2' }))
    subscriber.script({ status: 200 })
    await eventually(async () => (await tidings.trigger('t')).delivered === 1 && isReady(tidings), 'it is delivered')

    assert.equal(cluster.attempts.at(-1)?.auth.sasl?.username, 'u-2')
    assert.equal(cluster.connections(), 1)
  })

  it('is not ready while an open log refuses its login, and takes events as soon as it does not', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    await using tidings = await start(aBroker() + aConfigMap() + aTrigger('t', subscriber.url), cluster)
    await ready(tidings)

    cluster.fail(new EventingError('AUTH_FAILED', 'not for you'))
    const refused = await tidings.send(anEvent())
    await saysFalse(tidings, 'Ready')
    cluster.fail(undefined)
    await tidings.send(anEvent({ id: 'taken' }))
    await subscriber.received(1)

    assert.deepEqual([refused.status, refused.retryAfter], [503, '1'])
    assert.equal(condition(tidings, 'ConfigParsed')?.reason, 'cannot obtain Kafka cluster admin, AUTH_FAILED')
  })

  it('is in the cluster of Knative’s own ConfigMap when it names none', async () => {
    const cluster = startTestCluster()
    const config = aConfigMap(KEYS, 'kafka-broker-config', 'knative-eventing')
    await using tidings = await start(aBroker().replace(/spec: .*/, '') + config, cluster)
    await ready(tidings)

    assert.deepEqual(cluster.attempts[0]?.bootstrapServers, ['k-1:9092', 'k-2:9092'])
  })

  const refusals: readonly { readonly what: string; readonly manifests: string; readonly reason: string }[] = [
    {
      what: 'without its ConfigMap',
      manifests: aBroker(),
      reason: 'failed to get configmap default/kafka-broker-config: not found',
    },
    {
      what: 'with a ConfigMap that names no server',
      manifests: aBroker() + aConfigMap({ ...KEYS, 'bootstrap.servers': ' , ' }),
      reason:
        'unable to build topic config from configmap: key bootstrap.servers is " , ", expected host:port, or several with commas between',
    },
    {
      what: 'with a ConfigMap without partitions',
      manifests: aBroker() + aConfigMap({ 'bootstrap.servers': 'k:1' }),
      reason:
        'unable to build topic config from configmap: key default.topic.partitions is missing, expected a whole number from 1 to 99999',
    },
    {
      what: 'with something else for a ConfigMap',
      manifests: aBroker().replace('kind: ConfigMap', 'kind: RabbitmqBrokerConfig'),
      reason: 'supported config Kind: ConfigMap - got RabbitmqBrokerConfig',
    },
    {
      what: 'without the Secret that its ConfigMap names',
      manifests: aBroker() + aConfigMap({ ...KEYS, 'auth.secret.ref.name': 'login' }),
      reason: 'failed to get secret default/login: not found',
    },
    {
      what: 'with a Secret that lacks a key',
      manifests:
        aBroker() + aConfigMap({ ...KEYS, 'auth.secret.ref.name': 'login' }) + aSecret({ protocol: 'SASL_SSL' }),
      reason: 'error getting cluster admin config: Secret default/login: key user is missing, expected a value',
    },
    {
      what: 'with neither a ConfigMap nor a cluster in the settings',
      manifests: aBroker().replace(/spec: .*/, ''),
      reason:
        'unable to build topic config from configmap: neither it nor the setting kafka.bootstrapServers names a Kafka cluster',
    },
    {
      what: 'with a name that makes no topic',
      manifests: aBroker('a'.repeat(240)) + aConfigMap(),
      reason: `Failed to create topic: knative-broker-default-${'a'.repeat(240)}`,
    },
  ]

  for (const { what, manifests, reason } of refusals) {
    it(`is not ready ${what}, and says so`, async () => {
      const cluster = startTestCluster()
      await using tidings = await start(
        manifests + aBroker('good').replace('name: kafka-broker-config', 'name: good') + aConfigMap(KEYS, 'good'),
        cluster,
      )
      const key = manifests.includes('aaa') ? brokerKey('a'.repeat(240)) : brokerKey()

      assert.deepEqual(
        [condition(tidings, 'Ready', key)?.status, condition(tidings, 'ConfigParsed', key)?.reason],
        ['False', reason],
      )
      await ready(tidings, brokerKey('good'))
    })
  }

  it('keeps nobody waiting while its cluster does not answer, and is there once it does', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    let answer = (): void => undefined
    cluster.hang(
      new Promise((resolve) => {
        answer = resolve
      }),
    )
    const others = '---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: plain}\n'
    await using tidings = await start(aBroker() + others + aConfigMap() + aTrigger('t', subscriber.url), cluster)

    const sent = await tidings.send(anEvent())
    const plain = await tidings.send(anEvent(), 'default/plain')
    const trigger = conditionOf(
      statusOf(tidings, keyOf('eventing.knative.dev/v1', 'Trigger', 'default', 't'))?.conditions ?? [],
      'BrokerReady',
    )
    answer()
    await ready(tidings)
    await eventually(async () => (await tidings.send(anEvent())).status === 202, 'it takes events')
    await subscriber.received(1)

    assert.deepEqual([sent.status, sent.retryAfter, plain.status], [503, '1', 202])
    assert.equal(trigger?.status, 'Unknown')
  })

  it('is tried again by itself while its cluster cannot be reached', async () => {
    const cluster = startTestCluster()
    cluster.refuse(UNREACHABLE)
    await using tidings = await start(aBroker() + aConfigMap(), cluster)
    await saysFalse(tidings, 'ConfigParsed')
    const { reason, message } = condition(tidings, 'Ready') ?? {}
    const { status } = await tidings.send(anEvent())
    const told = (await tidings.runtime.status()).problems.join('\n')

    cluster.refuse(undefined)
    await ready(tidings)

    assert.equal(status, 503)
    assert.equal(reason, 'cannot obtain Kafka cluster admin, LOG_UNAVAILABLE')
    assert.equal(message, 'no answer (LOG_UNAVAILABLE)')
    assert.match(told, /Broker default\/default: not ready \(cannot obtain Kafka cluster admin/)
  })

  it('is opened as its ConfigMap says, once that was mended', async () => {
    const cluster = startTestCluster()
    cluster.refuse(UNREACHABLE)
    await using tidings = await start(aBroker() + aConfigMap(), cluster)
    await saysFalse(tidings, 'ConfigParsed')

    await apply(
      tidings,
      aConfigMap({ ...KEYS, 'default.topic.replication.factor': '1', 'default.topic.partitions': '7' }),
    )
    cluster.refuse(undefined)
    await ready(tidings)

    assert.equal(cluster.attempts.at(-1)?.replicationFactor, 1)
    assert.equal(cluster.topic('knative-broker-default-default')?.partitions, 7)
  })

  it('does not take a topic that is another’s', async () => {
    const cluster = startTestCluster()
    const template = { 'kafka.brokerTopic': 'x-{{ .Namespace }}-{{ .Name }}' }
    const [a, b] = [aBroker('b-c'), aBroker('c').replace('name: c,', 'name: c, namespace: default-b,')]
    const inThere = aConfigMap(KEYS, 'kafka-broker-config', 'default-b')
    await using tidings = await start(a + aConfigMap(), cluster, template)
    await ready(tidings, brokerKey('b-c'))

    await apply(tidings, b + inThere)
    const key = keyOf('eventing.knative.dev/v1', 'Broker', 'default-b', 'c')
    await saysFalse(tidings, 'TopicReady', key)

    assert.equal(condition(tidings, 'TopicReady', key)?.reason, 'Failed to create topic: x-default-b-c')
    assert.match(condition(tidings, 'TopicReady', key)?.message ?? '', /another uid.*\(LOG_CONFLICT\)$/)
  })

  it('may use a topic of somebody else, with its dead letters beside', async () => {
    const cluster = startTestCluster()
    await using tidings = await start(aBroker('default', `, ${EXTERNAL}: theirs`) + aConfigMap(), cluster)
    await ready(tidings)

    assert.equal(cluster.topic('theirs')?.isExternal, true)
    assert.equal(cluster.topic('knative-broker-default-default_dead-letter')?.isExternal, false)
    assert.equal(textAt(statusOf(tidings), ['annotations', 'default.topic']), 'theirs')
  })

  describe('with a data directory', () => {
    let settings: Record<string, string>

    beforeEach(async () => {
      settings = { 'data-dir': await mkdtemp(path.join(tmpdir(), 'tidings-kafka-')), 'retention.deleted': 'PT0S' }
    })
    afterEach(() => rm(settings['data-dir'] ?? '', { recursive: true }))

    it('stays in its topic when names are made otherwise, or its ConfigMap is gone', async () => {
      const cluster = startTestCluster()
      {
        await using before = await start(aBroker() + aConfigMap(), cluster, settings)
        await ready(before)
      }
      await using tidings = await start(aBroker(), cluster, { ...settings, 'kafka.brokerTopic': 'other-{{ .UID }}' })
      await ready(tidings)

      assert.equal(cluster.topics()[0], 'knative-broker-default-default')
      assert.equal(cluster.topics().length, 2)
      assert.equal(cluster.attempts.length, 2)
    })

    it('is lost where its cluster came back empty, until it is deleted and added again', async () => {
      {
        await using before = await start(aBroker() + aConfigMap(), startTestCluster(), settings)
        await ready(before)
      }
      const empty = startTestCluster()
      await using tidings = await start(aBroker() + aConfigMap(), empty, settings)
      await saysFalse(tidings, 'Ready')
      const lost = condition(tidings, 'Ready')
      assert.deepEqual(empty.topics(), [])

      tidings.runtime.resources.delete(brokerKey())
      await tidings.runtime.settled()
      await apply(tidings, aBroker())
      await ready(tidings)

      assert.match(lost?.message ?? '', /LOG_LOST|nothing is known/)
      assert.equal(empty.topics().length, 2)
    })

    it('says that its log is lost when that turns out while it is open, until it is added again', async () => {
      await using subscriber = await startSubscriber()
      const cluster = startTestCluster()
      await using tidings = await start(aBroker() + aConfigMap() + aTrigger('t', subscriber.url), cluster, settings)
      await ready(tidings)

      cluster.fail(new EventingError('LOG_LOST', 'the topic is gone'))
      const answer = await tidings.send(anEvent())
      await saysFalse(tidings, 'Ready')
      const lost = condition(tidings, 'TopicReady')
      cluster.fail(undefined)
      tidings.runtime.resources.delete(brokerKey())
      await tidings.runtime.settled()
      assert.deepEqual(cluster.topics(), [], 'nothing is kept of it')
      await apply(tidings, aBroker())
      await ready(tidings)
      await tidings.send(anEvent({ id: 'anew' }))
      await subscriber.received(1)

      assert.equal(answer.status, 500)
      assert.equal(lost?.message, 'the topic is gone (LOG_LOST)')
    })

    it('has its topics removed with it, also when it is deleted while nothing runs, or its cluster is away', async () => {
      const cluster = startTestCluster()
      {
        await using before = await start(aBroker('b') + aConfigMap(), cluster, settings)
        await ready(before, brokerKey('b'))
        cluster.refuse(UNREACHABLE)
        before.runtime.resources.delete(brokerKey('b'))
        await before.runtime.settled()
        assert.equal(cluster.topics().length, 2)
      }
      cluster.refuse(undefined)
      await using _tidings = await start('', cluster, settings)

      await eventually(() => cluster.topics().length === 0, 'the topics are gone')
    })
  })
})

describe('a KafkaChannel', () => {
  const channelKey = keyOf('messaging.knative.dev/v1beta1', 'KafkaChannel', 'default', 'c')
  const spec = 'spec: {numPartitions: 3, replicationFactor: 2, retentionDuration: PT1H}\n'
  const CHANNEL = `---\napiVersion: messaging.knative.dev/v1beta1\nkind: KafkaChannel\nmetadata: {name: c}\n${spec}`
  const aSubscription = (uri: string, channel = 'messaging.knative.dev/v1beta1, kind: KafkaChannel') => `---
apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata: {name: s}
spec:
  channel: {apiVersion: ${channel}, name: c}
  subscriber: {uri: '${uri}'}
`

  it('has its events in a topic of the cluster of the settings', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    const settings = { 'kafka.bootstrapServers': 'k:9092' }
    await using tidings = await start(CHANNEL + aSubscription(subscriber.url), cluster, settings)
    await ready(tidings, channelKey)

    await eventually(
      async () => (await tidings.send(anEvent(), 'channels/default/c')).status === 202,
      'it takes events',
    )
    await subscriber.received(1)

    assert.deepEqual(cluster.topic('knative-messaging-kafka.default.c'), {
      name: 'knative-messaging-kafka.default.c',
      partitions: 3,
      replicationFactor: 2,
      config: { 'retention.ms': '3600000' },
      isExternal: false,
    })
    assert.equal((await tidings.channel('c')).accepted, 1)
  })

  it('is in the cluster that upstream’s ConfigMap names, as its Secret says', async () => {
    const cluster = startTestCluster(LOGIN.password)
    const keys = { 'bootstrap.servers': 'k:9', 'auth.secret.ref.name': 'login', 'auth.secret.ref.namespace': 'default' }
    const legacy = aSecret({ username: 'u-1', password: LOGIN.password, saslType: 'SCRAM-SHA-256' })
    const config = aConfigMap(keys, 'kafka-channel-config', 'knative-eventing')
    await using tidings = await start(CHANNEL + config + legacy, cluster)
    await ready(tidings, channelKey)

    assert.deepEqual(cluster.attempts[0]?.bootstrapServers, ['k:9'])
    assert.equal(cluster.attempts[0]?.auth.sasl?.mechanism, 'scram-sha-256')
  })

  it('is not ready while nothing names a cluster', async () => {
    await using tidings = await start(CHANNEL, startTestCluster())

    const { status, message } = condition(tidings, 'ConfigurationReady', channelKey) ?? {}
    assert.equal(status, 'False')
    assert.match(message ?? '', /kafka\.bootstrapServers/)
    assert.equal((await tidings.send(anEvent(), 'channels/default/c')).status, 503)
  })

  it('does the work of a Channel that says so', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    const template = '{apiVersion: messaging.knative.dev/v1beta1, kind: KafkaChannel, spec: {numPartitions: 2}}'
    const channel = `---\napiVersion: messaging.knative.dev/v1\nkind: Channel\nmetadata: {name: c}\nspec: {channelTemplate: ${template}}\n`
    const subscription = aSubscription(subscriber.url, 'messaging.knative.dev/v1, kind: Channel')
    await using tidings = await start(channel + subscription, cluster, { 'kafka.bootstrapServers': 'k:9092' })
    const key = keyOf('messaging.knative.dev/v1', 'Channel', 'default', 'c')
    await ready(tidings, key)

    await eventually(
      async () => (await tidings.send(anEvent(), 'channels/default/c')).status === 202,
      'it takes events',
    )
    await eventually(async () => (await tidings.channel('c')).settled === 1, 'it is delivered')
    tidings.runtime.resources.delete(key)
    await eventually(() => tidings.runtime.resources.get(channelKey) === undefined, 'it goes with the Channel')

    await eventually(() => cluster.topics().length === 0, 'its topics go with it')
  })
})

describe('channel.backend kafka', () => {
  const settings = { 'kafka.bootstrapServers': 'k:9092', 'kafka.partitions': '2', 'kafka.replicationFactor': '1' }
  const PING = `---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: p}
spec:
  schedule: "0 0 1 1 *"
  data: '{}'
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}
`
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'tidings-kafka-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('has every Broker, channel and source in the cluster of the settings', async () => {
    await using subscriber = await startSubscriber()
    const cluster = startTestCluster()
    const channel = '---\napiVersion: messaging.knative.dev/v1\nkind: Channel\nmetadata: {name: c}\n'
    const all = { ...settings, channel: 'kafka', 'data-dir': dir }
    await using tidings = await start(aTrigger('t', subscriber.url) + channel + PING, cluster, all)
    await ready(tidings)
    const pingKey = keyOf('sources.knative.dev/v1', 'PingSource', 'default', 'p')
    await ready(tidings, pingKey)

    const fired = await tidings.runtime.fireSource('PingSource', 'default', 'p')
    await subscriber.received(1)

    assert.equal(fired.kind, 'fired')
    assert.deepEqual(cluster.topics().toSorted(), [
      ...['knative-broker-default-default', 'knative-broker-default-default_dead-letter'],
      ...['tidings.inmemorychannel.default.c', 'tidings.inmemorychannel.default.c_dead-letter'],
      ...['tidings.pingsource.default.p', 'tidings.pingsource.default.p_dead-letter'],
    ])
    assert.equal(cluster.topic('knative-broker-default-default')?.partitions, 2)
    assert.equal(cluster.topic('tidings.pingsource.default.p')?.partitions, 1)
    assert.equal(cluster.connections(), 1)
  })

  it('logs in with what stands in a folder, as Kubernetes mounts a Secret', async () => {
    const cluster = startTestCluster(LOGIN.password)
    const authDir = path.join(dir, 'auth')
    await mkdir(authDir)
    for (const [key, value] of Object.entries(LOGIN)) await writeFile(path.join(authDir, key), value)
    const all = { ...settings, channel: 'kafka', 'data-dir': path.join(dir, 'data'), 'kafka.authDir': authDir }
    await using tidings = await start('', cluster, all)
    await ready(tidings)

    assert.equal(cluster.attempts[0]?.auth.sasl?.username, 'u-1')
    assert.equal((await tidings.broker()).log.backend, 'kafka')
  })

  it('starts, and answers 503, while that cannot be reached', async () => {
    const cluster = startTestCluster()
    cluster.refuse(UNREACHABLE)
    await using tidings = await start(PING, cluster, { ...settings, channel: 'kafka', 'data-dir': dir })

    assert.equal((await tidings.send(anEvent())).status, 503)
    await eventually(() => condition(tidings, 'Ready')?.reason === 'LogNotOpen', 'it says so')
    assert.equal(condition(tidings, 'Ready')?.message, 'no answer (LOG_UNAVAILABLE)')
    cluster.refuse(undefined)
    await ready(tidings)
  })
})
