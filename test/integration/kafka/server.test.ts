// The Kafka that tests start is one: what the tests of the store build on.
import assert from 'node:assert/strict'
import { startKafka } from '../../support/servers/kafka.ts'
import { type KafkaClient, kafkaClient } from '../../support/servers/kafka-client.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'

describe("the tests' Kafka", function () {
  this.timeout(120_000)

  itUsing(['kafka'], 'gives back what was produced', async () => {
    const client = kafkaClient(await sharedBrokers())
    await client.createTopic('tests-produce')

    await client.send('tests-produce', [{ value: 'a' }])

    assert.deepEqual(await valuesOf(client, 'tests-produce', 1), ['a'])
  })

  itUsing(['own kafka'], 'has the same after it was killed, and nothing after it was wiped', async () => {
    await using kafka = await startKafka()
    const client = kafkaClient(kafka.brokers)
    await client.createTopic('kept')
    await client.send('kept', [{ value: 'a' }])

    await kafka.nodes[0]?.kill()
    await kafka.nodes[0]?.start()

    await client.send('kept', [{ value: 'b' }])
    assert.deepEqual(await valuesOf(client, 'kept', 2), ['a', 'b'])

    await kafka.nodes[0]?.stop()
    await kafka.nodes[0]?.wipe()
    await kafka.nodes[0]?.start()

    assert.deepEqual(await client.topics(), [])
  })
})

async function valuesOf(client: KafkaClient, topic: string, count: number): Promise<readonly string[]> {
  return (await client.read(topic, count)).map(({ value }) => String(value))
}
