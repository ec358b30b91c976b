// What a Kafka does to a log that is in use: it goes away and comes back, comes back empty, loses a topic or a node, gets partitions.
import assert from 'node:assert/strict'
import { createClock } from '../../../src/core/clock.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { anEvent } from '../../conformance/support.ts'
import { eventually } from '../../support/eventually.ts'
import { isLong, longMark } from '../../support/long.ts'
import { startKafka } from '../../support/servers/kafka.ts'
import { kafkaClient } from '../../support/servers/kafka-client.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import {
  assertRepeatsOnlyFrom,
  disorder,
  missing,
  openRig,
  openStore,
  type Rig,
  repetitions,
  startStream,
} from './rig.ts'

const clock = createClock()
/** As the list of conformance has it: how soon after an outage all goes on. */
const BACK_WITHIN_MS = 10_000

export function describeOutages(): void {
  describe('a Kafka that is not always there', function () {
    this.timeout(240_000)

    const awayMs = isLong ? 60_000 : 5_000
    const title = `C19 G11 is waited for, ${awayMs / 1_000} s, and nothing is lost or begins anew${longMark}`
    itUsing(['own kafka'], title, async () => {
      await using kafka = await startKafka()
      const before = openSockets()
      let uid: string
      {
        await using rig = await openRig(kafka.brokers)
        uid = rig.uid
        const stream = startStream(rig.channel)
        await eventually(() => stream.accepted.length >= 300, 'events are accepted', 30_000)

        const killedAt = clock.now()
        await kafka.nodes[0]?.kill()
        await clock.sleep(awayMs)
        await kafka.nodes[0]?.start()

        const already = stream.accepted.length
        await eventually(() => stream.accepted.length >= already + 100, 'events are accepted again', BACK_WITHIN_MS)
        await stream.stop()
        await allArrive(stream.accepted, rig)
        assert.deepEqual([...stream.refused.keys()], ['LOG_UNAVAILABLE'])
        assertRepeatsOnlyFrom(killedAt, rig.subscriber)
      }
      await eventually(() => openSockets() <= before, 'no connection is left behind')

      await using next = await openRig(kafka.brokers, { uid })
      await next.channel.send(anEvent({ id: 'after' }))
      await eventually(() => next.subscriber.ids.includes('after'), 'a new event arrives', 30_000)
      assert.deepEqual(next.subscriber.ids, ['after'])
    })

    itUsing(['own kafka'], 'C20 that comes back empty is told of, and gets no topics', async () => {
      await using kafka = await startKafka()
      const node = kafka.nodes[0] ?? assert.fail()
      await using rig = await openRig(kafka.brokers)
      await rig.channel.send(anEvent())

      await node.kill()
      await node.wipe()
      await node.start()

      assert.equal(await codeWhile(() => rig.channel.send(anEvent()), 'LOG_UNAVAILABLE'), 'LOG_LOST')
      const { uid, topic } = rig
      const next = await openStore(kafka.brokers)
      const opening = next.store.open({ uid, name: `default/${uid}` }, { capBytes: 1e6 }, { ...topic, wasThere: true })
      await assert.rejects(opening, { code: 'LOG_LOST' })
      await next.store.close()
      assert.ok(!(await kafkaClient(kafka.brokers).topics()).includes(topic.name))
    })

    itUsing(['kafka'], 'C20 a topic that somebody deleted is told of, and not made again', async () => {
      const brokers = await sharedBrokers()
      const client = kafkaClient(brokers)
      let lost: Rig
      {
        await using rig = await openRig(brokers)
        lost = rig
        await rig.channel.send(anEvent())
      }
      await client.withAdmin((admin) => admin.deleteTopics({ topics: [lost.topic.name] }))
      await eventually(async () => !(await client.topics()).includes(lost.topic.name), 'the topic is gone', 30_000)

      const { store } = await openStore(brokers)
      const { uid, topic } = lost
      await assert.rejects(store.open({ uid, name: `default/${uid}` }, { capBytes: 1e6 }, topic), { code: 'LOG_LOST' })
      await store.close()
      assert.ok(!(await client.topics()).includes(topic.name))
    })

    itUsing(['kafka'], 'C20 a topic that somebody made anew is not taken for the old one', async () => {
      const brokers = await sharedBrokers()
      const client = kafkaClient(brokers)
      await using rig = await openRig(brokers, { partitions: 1 })
      await rig.channel.send(anEvent())
      await rig.channel.send(anEvent())
      await eventually(() => rig.subscriber.settledIds.length === 2, 'both are delivered')

      await client.withAdmin((admin) => admin.deleteTopics({ topics: [rig.topic.name] }))
      await eventually(async () => !(await client.topics()).includes(rig.topic.name), 'the topic is gone', 30_000)
      await client.createTopic(rig.topic.name)

      assert.equal(await codeWhile(() => rig.channel.send(anEvent()), 'LOG_UNAVAILABLE'), 'LOG_LOST')
    })

    itUsing(['own kafka'], 'C22 G2 goes on with two nodes of three, in order', async () => {
      await using kafka = await startKafka({ nodes: 3 })
      const replicated = { replicationFactor: 3, partitions: 3 }
      await using rig = await openRig(kafka.brokers, replicated)
      const stream = startStream(rig.channel)
      await eventually(() => stream.accepted.length >= 300, 'events are accepted', 60_000)

      const leader = await leaderOf(kafka.brokers, rig.topic.name)
      const node = kafka.nodes.find(({ id }) => id === leader) ?? assert.fail()
      const killedAt = clock.now()
      await node.kill()

      const before = stream.accepted.length
      await eventually(() => stream.accepted.length >= before + 300, 'events are accepted again', 60_000)
      await node.start()
      await stream.stop()
      await allArrive(stream.accepted, rig)
      for (const code of stream.refused.keys()) assert.equal(code, 'LOG_UNAVAILABLE')
      assertRepeatsOnlyFrom(killedAt, rig.subscriber)
      assert.deepEqual(disorder(rig.subscriber), [])
    })

    itUsing(['kafka'], 'C23 partitions that are added are read from their first record', async () => {
      const brokers = await sharedBrokers()
      await using rig = await openRig(brokers)
      const stream = startStream(rig.channel)
      await eventually(() => stream.accepted.length >= 100, 'events are accepted', 30_000)

      const theirs = await addPartitions(brokers, rig.topic.name, [2, 3])

      await allArrive(theirs, rig)
      await stream.stop()
      await allArrive(stream.accepted, rig)
      assert.deepEqual(repetitions(rig.subscriber), [])
    })

    itUsing(
      ['kafka'],
      'C23 partitions that were added while nobody was there are read from their first record',
      async () => {
        const brokers = await sharedBrokers()
        let before: Rig
        {
          await using rig = await openRig(brokers)
          before = rig
          await rig.channel.send(anEvent({ id: 'a' }))
          await allArrive(['a'], rig)
        }

        const theirs = await addPartitions(brokers, before.topic.name, [2])

        await using rig = await openRig(brokers, { uid: before.uid })
        await allArrive(theirs, rig)
        assert.deepEqual(repetitions(rig.subscriber), [])
        assert.deepEqual(missing(rig.subscriber.ids, { ...rig.subscriber, ids: theirs }), [])
      },
    )
  })
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
}

async function allArrive(accepted: readonly string[], { subscriber }: Rig): Promise<void> {
  try {
    await eventually(() => missing(accepted, subscriber).length === 0, 'all that was accepted arrives', 30_000)
  } catch (error) {
    const lacking = missing(accepted, subscriber)
    throw new Error(`${lacking.length} of ${accepted.length} did not: ${lacking.slice(0, 5).join(', ')}`, {
      cause: error,
    })
  }
}

/** How the call fails once it no longer fails with `code`. */
async function codeWhile(call: () => Promise<unknown>, code: string): Promise<string> {
  for (const startedAt = clock.now(); clock.now() - startedAt < 60_000; await clock.sleep(200)) {
    const now = await call().then(
      () => 'accepted',
      (error) => codeOf(error) ?? String(error),
    )
    if (now !== code) return now
  }
  return code
}

/** Adds these partitions to a topic and writes two events to each; resolves with their ids. */
async function addPartitions(
  brokers: readonly string[],
  topic: string,
  added: readonly number[],
): Promise<readonly string[]> {
  const client = kafkaClient(brokers)
  const count = Math.max(...added) + 1
  await client.withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }))
  const isThere = async (): Promise<boolean> => {
    const { topics } = await client.withAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }))
    return topics[0]?.partitions.length === count && topics[0].partitions.every(({ leader }) => leader >= 0)
  }
  await eventually(isThere, 'the partitions are there', 30_000)
  const theirs = added.flatMap((partition) => [1, 2].map((number) => ({ partition, id: `new-${partition}-${number}` })))
  const headers = { ce_specversion: '1.0', ce_source: '/other', ce_type: 'order.paid' }
  const messages = theirs.map(({ partition, id }) => ({ partition, headers: { ...headers, ce_id: id }, value: null }))
  await client.send(topic, messages)
  return theirs.map(({ id }) => id)
}

/** The node that leads partition 0. */
async function leaderOf(brokers: readonly string[], topic: string): Promise<number> {
  const { topics } = await kafkaClient(brokers).withAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }))
  const partition = topics[0]?.partitions.find(({ partitionId }) => partitionId === 0)
  return partition?.leader ?? assert.fail()
}
