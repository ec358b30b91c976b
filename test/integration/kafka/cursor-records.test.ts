// What is written to a cursor topic of a real cluster, counted there.
import assert from 'node:assert/strict'
import { createClock } from '../../../src/core/clock.ts'
import { type Answer, aSpec, aSubscriber } from '../../conformance/subscriber.ts'
import { anEvent, typeIs } from '../../conformance/support.ts'
import { eventually } from '../../support/eventually.ts'
import { kafkaClient } from '../../support/servers/kafka-client.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import { openRig } from './rig.ts'

const clock = createClock()
const IDLE = 10_000
const EVENTS = 1_000
const PAUSE_MS = 10
/** As a subscriber over HTTP: something is under way whenever cursors are saved. */
const ANSWER_MS = 20
const CALM_MS = 3_000

const answers: Answer = async () => {
  await clock.sleep(ANSWER_MS)
  return { kind: 'settled', outcome: 'delivered' }
}

describe('the cursor topic of a log', function () {
  this.timeout(180_000)

  itUsing(
    ['kafka'],
    'with 10,000 idle subscriptions gets at most 10 records a second for 1,000 events that match one more',
    async () => {
      const brokers = await sharedBrokers()
      await using rig = await openRig(brokers, { partitions: 10, answer: answers })
      const { channel, subscriber, uid } = rig
      const records = (): Promise<number> => recordsIn(brokers, `tidings-cursors.${uid}`)
      const idle = { filter: typeIs('never') }
      const subscribing = Array.from({ length: IDLE }, (_, i) =>
        channel.subscribe(`idle-${i}`, aSpec(aSubscriber(clock).deliver, idle)),
      )
      await Promise.all(subscribing)
      const before = await calm(records)

      const startedAt = clock.now()
      for (let sent = 0; sent < EVENTS; sent++) {
        await channel.send(anEvent())
        await clock.sleep(PAUSE_MS)
      }
      await eventually(() => subscriber.settledIds.length === EVENTS, 'all settle')
      const seconds = (clock.now() - startedAt) / 1_000
      const written = (await records()) - before

      assert.ok(before >= 10 * IDLE, `${before} records before`)
      assert.ok(written > 0, 'what settled is stored')
      assert.ok(written <= 10 * seconds, `${written} records in ${seconds} s`)
    },
  )
})

/** Where its partitions end, together: nothing that was compacted is missing. */
async function recordsIn(brokers: readonly string[], topic: string): Promise<number> {
  const ends = await kafkaClient(brokers).withAdmin((admin) => admin.fetchTopicOffsets(topic))
  return ends.reduce((sum, { high }) => sum + Number(high), 0)
}

/** Resolves with the count once it stays the same. */
async function calm(count: () => Promise<number>): Promise<number> {
  for (let last = -1; ; ) {
    const now = await count()
    if (now === last) return now
    last = now
    await clock.sleep(CALM_MS)
  }
}
