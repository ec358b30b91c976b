// Records as other programs write and read them, over a real Kafka: kcat, and the CloudEvents SDK in upstream's binary form.
import assert from 'node:assert/strict'
import { CloudEvent, Kafka as CloudEventsForKafka } from 'cloudevents'
import { decodeRecord } from '../../../src/channel/backends/kafka/record.ts'
import { anEvent } from '../../support/builders.ts'
import { eventually } from '../../support/eventually.ts'
import { type KafkaClient, kafkaClient } from '../../support/servers/kafka-client.ts'
import { kcatRead, kcatWrite } from '../../support/servers/kcat.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import { openRig } from './rig.ts'

describe('records of Kafka', function () {
  this.timeout(120_000)

  itUsing(['kafka', 'kcat'], 'are events as kcat writes them', async () => {
    const { brokers, client, topic } = await aTopic('kcat-writes')
    const headers = ['ce_specversion=1.0', 'ce_id=k-1', 'ce_source=/kcat', 'ce_type=greeting', 'ce_lang=ä', 'x-other=1']
    const typed = [...headers, 'content-type=text/plain', 'ce_partitionkey=a', 'traceparent=00-1']

    await kcatWrite(brokers, topic, { key: 'a', headers: typed, value: 'hello' })
    await kcatWrite(brokers, topic, { headers, value: '' })

    const [first, second] = (await client.read(topic, 2)).map((message) => decodeRecord(message))
    const attributes = { specversion: '1.0', id: 'k-1', source: '/kcat', type: 'greeting', lang: 'ä' }
    assert.deepEqual(first?.attributes, { ...attributes, datacontenttype: 'text/plain', partitionkey: 'a' })
    assert.equal(String(first?.data), 'hello')
    assert.deepEqual(first?.headers, ['traceparent', '00-1'])
    assert.deepEqual(second?.attributes, attributes)
    assert.equal(second?.data, undefined)
  })

  itUsing(['kafka'], 'are events as the CloudEvents SDK writes them', async () => {
    const { client, topic } = await aTopic('sdk-writes')
    const event = new CloudEvent({
      id: 's-1',
      source: '/sdk',
      type: 'order.paid',
      subject: '7',
      partitionkey: 'customer-7',
      datacontenttype: 'application/json',
      data: { total: 12 },
    })

    for (const { key, headers, value } of [CloudEventsForKafka.binary(event), CloudEventsForKafka.structured(event)]) {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      await client.send(topic, [{ key: String(key), headers: stringsOf(headers), value: text }])
    }

    const read = (await client.read(topic, 2)).map((message) => decodeRecord(message))
    for (const each of read) {
      assert.equal(each?.attributes['id'], 's-1')
      assert.equal(each?.attributes['type'], 'order.paid')
      assert.equal(each?.attributes['subject'], '7')
      assert.equal(each?.attributes['partitionkey'], 'customer-7')
      assert.deepEqual(JSON.parse(String(each?.data)), { total: 12 })
    }
  })

  itUsing(['kafka'], 'are no events where attributes are missing', async () => {
    const { client, topic } = await aTopic('plain-records')

    await client.send(topic, [{ value: 'plain' }, { value: null }, { headers: { ce_id: '1' }, value: 'x' }])

    const read = (await client.read(topic, 3)).map((message) => decodeRecord(message))
    assert.deepEqual(read, [undefined, undefined, undefined])
  })

  itUsing(['kafka', 'kcat'], "of somebody else's topic are a log's events, and what is none is passed", async () => {
    const { brokers, client, topic } = await aTopic('external')
    await using rig = await openRig(brokers, { topic: { name: topic, isExternal: true } })
    const headers = (id: string) => ['ce_specversion=1.0', `ce_id=${id}`, 'ce_source=/kcat', 'ce_type=greeting']

    await kcatWrite(brokers, topic, { headers: headers('k-1'), value: 'hello' })
    await client.send(topic, [{ value: 'plain' }])
    await kcatWrite(brokers, topic, { headers: headers('k-2'), value: 'again' })

    await eventually(() => rig.subscriber.ids.length === 2, 'both events arrive', 30_000)
    assert.deepEqual(rig.subscriber.ids, ['k-1', 'k-2'])
    assert.equal(String(rig.subscriber.attempts[0]?.event.data), 'hello')
    await rig.store.remove({ uid: rig.uid, name: `default/${rig.uid}` })
    assert.ok((await client.topics()).includes(topic))
  })

  itUsing(['kafka', 'kcat'], 'are to kcat what those of upstream are', async () => {
    const brokers = await sharedBrokers()
    const extensions = {
      subject: '7',
      partitionkey: 'customer-7',
      datacontenttype: 'application/json',
      comexample: 'ü',
    }
    const event = anEvent(extensions, { data: '{"total":12}', headers: ['traceparent', '00-1'] })
    const plain = anEvent({ id: 'a-2' })

    await using rig = await openRig(brokers, { partitions: 1 })

    await rig.channel.send(event)
    await rig.channel.send(plain)

    const [first, second] = await kcatRead(brokers, rig.topic.name)
    assert.equal(first?.key, 'customer-7')
    assert.equal(first?.payload, '{"total":12}')
    assert.equal(first?.ts, event.arrivedAt)
    assert.deepEqual(pairsOf(first?.headers), [
      'ce_comexample: ü',
      'ce_id: a-1',
      'ce_partitionkey: customer-7',
      'ce_source: /orders',
      'ce_specversion: 1.0',
      'ce_subject: 7',
      'ce_type: order.created',
      'content-type: application/json',
      'traceparent: 00-1',
    ])
    assert.equal(second?.key, null)
    assert.equal(second?.payload, null)
    assert.deepEqual(pairsOf(second?.headers), [
      'ce_id: a-2',
      'ce_source: /orders',
      'ce_specversion: 1.0',
      'ce_type: order.created',
    ])
  })
})

/** Of its own on the shared Kafka. */
async function aTopic(name: string): Promise<{ brokers: readonly string[]; client: KafkaClient; topic: string }> {
  const brokers = await sharedBrokers()
  const client = kafkaClient(brokers)
  const topic = `${name}-${Date.now()}`
  await client.createTopic(topic)
  return { brokers, client, topic }
}

/** As a Java client would: every value is text. */
function stringsOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}

/** Sorted: the order of attributes says nothing. */
function pairsOf(headers: readonly string[] | undefined): readonly string[] {
  const all = headers ?? []
  return all.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [])).sort()
}
