// What subscriptions know of events that the log gave up before they had settled them.
import assert from 'node:assert/strict'
import { eventBytes } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { answersFor, aSpec, aSubscriber, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, eventually, typeIs } from '../support.ts'
import { closeRigs, openRig, type Rig } from './rig.ts'

const HOUR_MS = 3_600_000
const EVENT_BYTES = eventBytes(aLetter(1_000))
/** The log keeps a hundred. */
const EXPIRY = { expiry: { bytes: 100 * EVENT_BYTES, ms: HOUR_MS } }

export function describeExpired(backend: Backend): void {
  describe('expired events', () => {
    afterEach(closeRigs)

    it('are counted by a paused subscription at once, and the rest is delivered when it goes on', async () => {
      const rig = await openRig(backend, EXPIRY)
      const subscriber = await rig.subscribe('a')
      rig.channel.pause('a')

      await send(rig, 400)

      await eventually(() => statusOf(rig).stats.expired > 0, 'it is told')
      await settledDown(rig)
      const { stats, behind, exact } = statusOf(rig)
      assert.equal(stats.expired, 300)
      assert.deepEqual([behind, exact], [100, true])
      rig.channel.resume('a')
      await eventually(() => subscriber.settledIds.length === 100, 'the rest settles')
      assert.deepEqual(subscriber.ids, idsBetween(1_300, 1_400))
      assert.equal(statusOf(rig).stats.expired, 300)
    })

    it('are no matter of a subscription whose filter they did not pass', async () => {
      const rig = await openRig(backend, EXPIRY)
      await rig.subscribe('a', settles, { filter: typeIs('other') })
      await rig.subscribe('all')
      rig.channel.pause('a')

      await send(rig, 400)

      await settledDown(rig)
      assert.equal(statusOf(rig).stats.expired, 0)
    })

    it('are counted by their share where a filter passes some', async () => {
      const rig = await openRig(backend, EXPIRY)
      const subscriber = await rig.subscribe('a', settles, { filter: typeIs('odd') })
      rig.channel.pause('a')

      await send(rig, 400, (i) => (i % 2 === 1 ? 'odd' : 'even'))

      await settledDown(rig)
      const { stats, behind } = statusOf(rig)
      assert.equal(stats.expired + behind, 200)
      assert.ok(Math.abs(stats.expired - 150) <= 5, `${stats.expired} expired`)
      rig.channel.resume('a')
      await eventually(() => subscriber.settledIds.length === 50, 'the rest settles')
    })

    it('are counted where they wait for a retry, and not where they are being delivered', async () => {
      const rig = await openRig(backend, EXPIRY)
      const gate = aGate()
      const answer = answersFor(idsBetween(1_000, 1_010), waits(HOUR_MS), settlesAfter(gate))
      const subscriber = await rig.subscribe('a', answer, { maxInFlight: 20 })
      await send(rig, 20)
      await eventually(() => statusOf(rig).waiting === 10, 'ten wait')
      await eventually(() => subscriber.running === 10, 'ten run')
      rig.channel.pause('a')

      await send(rig, 400, undefined, 1_020)
      await settledDown(rig)
      const { stats, waiting } = statusOf(rig)
      gate.open()

      await eventually(() => subscriber.settledIds.length === 10, 'the ten that ran settle')
      assert.equal(waiting, 0)
      assert.equal(stats.expired, 310)
    })

    it('keep no later one of their key from being delivered', async () => {
      const rig = await openRig(backend, EXPIRY)
      const subscriber = await rig.subscribe('a', answersFor(['e1000'], waits(HOUR_MS)), { ordered: true })
      await send(rig, 2)
      await eventually(() => statusOf(rig).waiting === 1, 'the first of the key waits')

      await send(rig, 400, undefined, 1_002)

      await eventually(() => subscriber.settledIds.at(-1) === 'e1401', 'the last settles')
      assert.ok(statusOf(rig).stats.expired > 0)
      assert.equal(subscriber.ids.filter((id) => id === 'e1000').length, 1)
    })

    it('are counted once for the channel, whoever had not settled them', async () => {
      const rig = await openRig(backend, EXPIRY)
      for (const id of ['a', 'b']) await rig.subscribe(id)
      const quick = await rig.subscribe('quick')
      rig.channel.pause('a')
      rig.channel.pause('b')

      await send(rig, 400)
      await eventually(() => quick.settledIds.length === 400, 'the quick one is through')
      await settledDown(rig)

      const { accepted, unmatched, settled, waiting, expired } = rig.channel.status()
      assert.deepEqual(
        { accepted, unmatched, settled, waiting, expired },
        {
          accepted: 400,
          unmatched: 0,
          settled: 0,
          waiting: 100,
          expired: 300,
        },
      )
    })

    it('are known to who comes back after them', async () => {
      const rig = await openRig(backend, EXPIRY)
      await rig.subscribe('a')
      rig.channel.pause('a')
      await send(rig, 50)
      const restarted = await rig.restart('close')
      const late = aSubscriber(rig.clock)
      await restarted.subscribe('other')
      await send(restarted, 400, undefined, 1_050)
      await settledDown(restarted)

      await restarted.whileTicking(restarted.channel.subscribe('a', aSpec(late.deliver)))

      await eventually(() => late.settledIds.length === 100, 'what is left is delivered')
      assert.equal(restarted.channel.subscription('a')?.stats.expired, 350)
    })

    it('leave nothing behind that a later pause would hold', async () => {
      const rig = await openRig(backend, EXPIRY)
      const subscriber = await rig.subscribe('a')
      for (let round = 0; round < 5; round++) {
        rig.channel.pause('a')
        await send(rig, 200, undefined, 1_000 + round * 200)
        await settledDown(rig)
        rig.channel.resume('a')
        await eventually(() => subscriber.settledIds.length === 100 * (round + 1), `round ${round} settles`)
      }

      await rig.advance(5_000)

      const { stats, unsettled, behind } = statusOf(rig)
      assert.deepEqual([stats.expired, stats.delivered, unsettled, behind], [500, 500, 0, 0])
      assert.equal(rig.channel.status().waiting, 0)
      assert.equal(rig.channel.status().floorHolder, undefined)
    })
  })
}

function aLetter(number: number, type = 'order.paid') {
  return anEvent({ id: `e${number}`, key: 'k', type, data: Buffer.alloc(500) })
}

function idsBetween(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `e${from + i}`)
}

/** Ids have four digits, so that all events count alike; slowly enough for the head to see each. */
async function send(rig: Rig, count: number, typeOf = (_: number) => 'order.paid', from = 1_000): Promise<void> {
  for (let i = 0; i < count; i++) {
    await rig.channel.send(aLetter(from + i, typeOf(i)))
    if (i % 20 === 19) await calm(3)
  }
}

async function settledDown(rig: Rig): Promise<void> {
  await calm()
  await eventually(() => rig.log.size().entries <= 100, 'the log has given up what is too much')
  await calm()
}

function statusOf(rig: Rig) {
  return rig.channel.subscription('a') ?? assert.fail('subscribed')
}
