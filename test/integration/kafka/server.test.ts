// The Kafka that tests start is one: what the tests of the store build on.
import assert from 'node:assert/strict'
import { Kafka as Client, logLevel } from 'kafkajs'
import { eventually } from '../../support/eventually.ts'
import { startKafka } from '../../support/servers/kafka.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'

describe("the tests' Kafka", function () {
  this.timeout(120_000)

  itUsing(['kafka'], 'gives back what was produced', async () => {
    const client = clientOf(await sharedBrokers())
    await createTopic(client, 'tests-produce', 1)

    await produce(client, 'tests-produce', 'a')

    assert.deepEqual(await valuesOf(client, 'tests-produce', 1), ['a'])
  })

  itUsing(['own kafka'], 'has the same after it was killed and started again', async () => {
    await using kafka = await startKafka()
    const client = clientOf(kafka.brokers)
    await createTopic(client, 'kept', 1)
    await produce(client, 'kept', 'a')

    await kafka.nodes[0]?.kill()
    await kafka.nodes[0]?.start()

    await produce(client, 'kept', 'b')
    assert.deepEqual(await valuesOf(client, 'kept', 2), ['a', 'b'])
  })

  itUsing(['own kafka'], 'has nothing after it was wiped', async () => {
    await using kafka = await startKafka()
    const client = clientOf(kafka.brokers)
    await createTopic(client, 'gone', 1)

    await kafka.nodes[0]?.stop()
    await kafka.nodes[0]?.wipe()
    await kafka.nodes[0]?.start()

    assert.deepEqual(await topicsOf(client), [])
  })

  itUsing(['own kafka'], 'goes on with two of three nodes, and takes the third back', async () => {
    await using kafka = await startKafka({ nodes: 3 })
    const client = clientOf(kafka.brokers)
    await createTopic(client, 'replicated', 3)
    await produce(client, 'replicated', 'a')

    await kafka.nodes[0]?.kill()
    await produce(client, 'replicated', 'b')
    await kafka.nodes[0]?.start()

    assert.deepEqual(await valuesOf(client, 'replicated', 2), ['a', 'b'])
  })
})

function clientOf(brokers: readonly string[]): Client {
  return new Client({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 15, maxRetryTime: 1_000 } })
}

async function createTopic(client: Client, topic: string, replicationFactor: number): Promise<void> {
  const admin = client.admin()
  await admin.connect()
  // Waiting for leaders fails where the node that is asked has not heard of the topic yet.
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor }], waitForLeaders: false })
  await admin.disconnect()
}

async function topicsOf(client: Client): Promise<readonly string[]> {
  const admin = client.admin()
  await admin.connect()
  const topics = await admin.listTopics()
  await admin.disconnect()
  return topics
}

async function produce(client: Client, topic: string, value: string): Promise<void> {
  const producer = client.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  await producer.send({ topic, acks: -1, messages: [{ value }] })
  await producer.disconnect()
}

/** The first `count` values of its one partition. */
async function valuesOf(client: Client, topic: string, count: number): Promise<readonly string[]> {
  const consumer = client.consumer({ groupId: `${topic}-readers` })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value))
    },
  })
  await eventually(() => values.length >= count, `${count} values in ${topic}`, 60_000)
  await consumer.disconnect()
  return values
}
