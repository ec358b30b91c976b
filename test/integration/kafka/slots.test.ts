import assert from 'node:assert/strict'
import { createClock } from '../../../src/core/clock.ts'
import type { Answer } from '../../conformance/subscriber.ts'
import { aGate, anEvent, eventually } from '../../conformance/support.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import { openRig } from './rig.ts'

const clock = createClock()
const EVENTS = 2_000
const LANES = 10
/** `delivery.maxInFlight`. */
const MOST = 64
const ANSWER_MS = 5

describe('a subscription on a log with ten lanes', function () {
  this.timeout(60_000)

  itUsing(['kafka'], 'runs at most `maxInFlight` attempts at once on all of them, and serves each', async () => {
    const gate = aGate()
    const answer: Answer = async () => {
      await gate.opened
      await clock.sleep(ANSWER_MS)
      return { kind: 'settled', outcome: 'delivered' }
    }
    await using rig = await openRig(await sharedBrokers(), { partitions: LANES, answer })
    const { channel, subscriber } = rig

    await Promise.all(Array.from({ length: EVENTS }, (_, i) => channel.send(anEvent({ key: `k${i}` }))))
    await eventually(() => subscriber.running === MOST, 'all slots are taken')
    gate.open()
    await eventually(() => subscriber.settledIds.length === EVENTS, 'all settle', 30_000)

    assert.equal(subscriber.mostRunning, MOST)
    assert.equal(new Set(subscriber.attempts.map(({ delivery }) => delivery.lane)).size, LANES)
  })
})
