// Entries that are settled without being delivered: skipped for a subscription, or taken off a list.
import assert from 'node:assert/strict'
import type { Channel } from '../../../src/channel/channel.ts'
import type { Backend } from '../backend.ts'
import { unavailable } from '../faulty.ts'
import { type Answer, answersFor, aSpec, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, everything, idOf, idsOf, seeded, typeIs } from '../support.ts'
import { closeRigs, openRig, type Rig } from './rig.ts'

const HOUR_MS = 3_600_000

export function describeSkipping(backend: Backend): void {
  describe('skipping', () => {
    afterEach(closeRigs)

    it('what is skipped while paused is never handed out, and the rest is, once each', async () => {
      const rig = await openRig(backend)
      const subscriber = await rig.subscribe('a')
      rig.channel.pause('a')
      const all = events(300)
      await sendAndSee(rig, all)

      const skipped = await rig.whileTicking(rig.channel.skip('a', ({ entry }) => numberOf(entry.event) % 3 === 0))
      rig.channel.resume('a')

      const rest = all.filter((event) => numberOf(event) % 3 !== 0)
      await eventually(() => subscriber.settledIds.length === rest.length, 'the rest settles')
      assert.equal(skipped, 100)
      assert.deepEqual(subscriber.ids, idsOf(rest))
      assert.equal(rig.channel.subscription('a')?.stats.skipped, 100)
      await eventually(() => rig.channel.status().waiting === 0, 'nothing waits')
    })

    it('holds across a crash once `skip` resolved', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('a')
      rig.channel.pause('a')
      const all = events(30)
      await sendAndSee(rig, all)
      await rig.whileTicking(rig.channel.skip('a', ({ entry }) => numberOf(entry.event) > 10))

      const restarted = await rig.restart('crash')
      const subscriber = await restarted.subscribe('a')

      await eventually(() => subscriber.settledIds.length === 10, 'the others settle')
      await calm()
      assert.deepEqual(subscriber.ids, idsOf(all.slice(0, 10)))
    })

    it('holds across a crash for what runs and never ends', async () => {
      const rig = await openRig(backend)
      const first = await rig.subscribe('a', answersFor(['e1'], hangs))
      await rig.sendAll(events(2))
      await eventually(() => first.settledIds.length === 1, 'the other settles')
      assert.equal(await rig.whileTicking(rig.channel.skip('a', () => true)), 1)

      const restarted = await rig.restart('crash')
      const subscriber = await restarted.subscribe('a')
      await restarted.sendAll([anEvent({ id: 'later' })])

      await eventually(() => subscriber.settledIds.includes('later'), 'what comes later settles')
      assert.deepEqual(subscriber.ids, ['later'])
    })

    it('says so when what is skipped could not be stored, and stores it with the next save', async () => {
      const rig = await openRig(backend)
      const subscriber = await rig.subscribe('a')
      rig.channel.pause('a')
      await sendAndSee(rig, events(3))
      rig.faults.fail('save', unavailable(), 1)

      const skipping = rig.channel.skip('a', () => true)
      await assert.rejects(rig.whileTicking(skipping), { code: 'LOG_UNAVAILABLE', retryable: true })
      await rig.advance(2_000)
      await eventually(() => rig.faults.saves.some(({ put }) => put.includes('a')), 'it is stored')

      const restarted = await rig.restart('crash')
      const again = await restarted.subscribe('a')
      await calm()
      assert.deepEqual([...subscriber.ids, ...again.ids], [])
    })

    it('ends the retries of a poisonous event, and no other’s', async () => {
      const rig = await openRig(backend)
      const subscriber = await rig.subscribe('a', answersFor(['e1', 'e2'], waits(HOUR_MS)))
      await rig.sendAll(events(3))
      await eventually(() => subscriber.ids.length === 3, 'each is tried')

      const skipped = await rig.whileTicking(rig.channel.skip('a', ({ entry }) => idOf(entry.event) === 'e1'))

      assert.equal(skipped, 1)
      assert.equal(rig.channel.subscription('a')?.unsettled, 1)
      await rig.advance(HOUR_MS)
      await eventually(() => subscriber.ids.length === 4, 'the other is tried again')
      assert.equal(subscriber.ids[3], 'e2')
    })

    it('ends a wait that keeps its slot, and gives the slot to the next', async () => {
      const rig = await openRig(backend)
      const subscriber = await rig.subscribe('a', answersFor(['e1'], waits(4_000)), { maxInFlight: 1 })
      await rig.sendAll(events(2))
      await eventually(() => subscriber.ids.length === 1, 'the first waits')

      await rig.whileTicking(rig.channel.skip('a', ({ entry }) => idOf(entry.event) === 'e1'))

      await eventually(() => subscriber.settledIds.includes('e2'), 'the second is taken')
    })

    it('what runs may finish, and is not attempted again', async () => {
      const rig = await openRig(backend)
      const gate = aGate()
      const answer: Answer = async (delivery, nth) => {
        await gate.opened
        return waits(1_000)(delivery, nth)
      }
      const subscriber = await rig.subscribe('a', answer)
      await rig.sendAll(events(1))
      await eventually(() => subscriber.running === 1, 'it runs')

      assert.equal(await rig.whileTicking(rig.channel.skip('a', () => true)), 1)
      gate.open()
      await eventually(() => rig.channel.subscription('a')?.unsettled === 0, 'it is over')
      await rig.advance(10_000)

      assert.equal(subscriber.ids.length, 1)
      assert.equal(rig.channel.subscription('a')?.stats.skipped, 1)
    })

    it('of an ordered one: the next of the key follows a skipped one, whichever it was', async () => {
      const rig = await openRig(backend)
      const subscriber = await rig.subscribe('a', answersFor(['k1'], waits(HOUR_MS)), { ordered: true })
      await rig.sendAll(['k1', 'k2', 'k3', 'k4'].map((id) => anEvent({ id, key: 'K' })))
      await eventually(() => subscriber.ids.length === 1, 'the first blocks its key')

      const names = ['k1', 'k3']
      await rig.whileTicking(rig.channel.skip('a', ({ entry }) => names.includes(idOf(entry.event))))

      await eventually(() => subscriber.settledIds.length === 2, 'the others settle')
      assert.deepEqual(subscriber.settledIds, ['k2', 'k4'])
    })

    it('while the sweep rides: what is skipped ahead of it is passed', async () => {
      const rig = await openRig(backend)
      const gate = aGate()
      const subscriber = await rig.subscribe('a', settlesAfter(gate), { maxUnsettled: 10, maxInFlight: 10 })
      const all = events(2_000)
      await sendAndSee(rig, all)

      const skipped = await rig.whileTicking(rig.channel.skip('a', ({ entry }) => numberOf(entry.event) > 100))
      gate.open()

      await eventually(() => subscriber.settledIds.length === 100, 'the first hundred settle')
      await calm()
      assert.equal(skipped, 1_900)
      assert.equal(subscriber.ids.length, 100)
    })

    it('under load and random choice nothing is lost that was not skipped', async () => {
      const rig = await openRig(backend)
      const random = seeded(7)
      const subscriber = await rig.subscribe('a', (delivery, nth) => {
        return nth < 3 && random() < 0.2 ? waits(50)(delivery, nth) : settles(delivery, nth)
      })
      const skippedIds = new Set<string>()
      const all = events(3_000)
      for (let at = 0; at < all.length; at += 300) {
        const sending = rig.sendAll(all.slice(at, at + 300))
        await rig.whileTicking(
          rig.channel.skip('a', ({ entry }) => {
            const chosen = random() < 0.3
            if (chosen) skippedIds.add(idOf(entry.event))
            return chosen
          }),
        )
        await sending
      }

      const done = () => new Set([...subscriber.settledIds, ...skippedIds]).size === all.length
      for (let tick = 0; tick < 50 && !done(); tick++) await rig.advance(50)
      await eventually(done, 'each is settled or skipped')
      await eventually(() => rig.channel.subscription('a')?.unsettled === 0, 'nothing is left')
      assert.equal(new Set(subscriber.settledIds).size, subscriber.settledIds.length)
    })

    it('a list: a held one keeps all, what is settled leaves it, and the log shrinks with it', async () => {
      const rig = await openRig(backend)
      await rig.whileTicking(rig.channel.subscribe('list', aSpec(hangsNot, { held: 'listed' }), 'earliest'))
      rig.channel.start()
      await sendAndSee(rig, events(100))
      assert.equal((await listed(rig.channel)).length, 100)

      for await (const { lane, entry } of rig.channel.unsettled('list')) {
        if (numberOf(entry.event) <= 40) rig.channel.settle('list', lane, entry)
      }
      const status = rig.channel.subscription('list')
      assert.equal(status?.unread, 60)
      assert.equal((await listed(rig.channel))[0], 'e41')

      const restarted = await afterSave(rig)
      assert.deepEqual(await listed(restarted.channel), idsOf(events(100)).slice(40))
    })

    it('a list goes on over holes after a crash', async () => {
      const rig = await openRig(backend)
      await rig.whileTicking(rig.channel.subscribe('list', aSpec(hangsNot, { held: 'listed' }), 'earliest'))
      rig.channel.start()
      await sendAndSee(rig, events(90))
      await rig.whileTicking(rig.channel.skip('list', ({ entry }) => numberOf(entry.event) % 2 === 0))

      const restarted = await rig.restart('crash')
      await restarted.whileTicking(restarted.channel.subscribe('list', aSpec(hangsNot, { held: 'listed' }), 'earliest'))
      restarted.channel.start()
      await eventually(() => restarted.channel.subscription('list')?.unread === 45, 'the lane is taken up')

      assert.equal((await listed(restarted.channel)).length, 45)
      assert.equal(restarted.channel.subscription('list')?.unread, 45)
    })

    it('passes what the filter does not let by only where a whole stretch is skipped', async () => {
      for (const isStretch of [false, true]) {
        const rig = await openRig(backend)
        const subscriber = await rig.subscribe('a', settles, { filter: typeIs('wanted') })
        rig.channel.pause('a')
        const types = ['wanted', 'other', 'wanted']
        await sendAndSee(
          rig,
          types.map((type, i) => anEvent({ id: `${type}${i}`, type })),
        )

        await rig.whileTicking(rig.channel.skip('a', () => true, { isStretch }))
        rig.channel.change('a', aSpec(subscriber.deliver))
        rig.channel.resume('a')
        await rig.sendAll([anEvent({ id: 'later' })])

        await eventually(() => subscriber.ids.includes('later'), 'it goes on')
        assert.deepEqual(subscriber.ids, isStretch ? ['later'] : ['other1', 'later'])
      }
    })

    it('only what matches counts as skipped', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('a', hangs, { filter: typeIs('wanted') })
      await rig.subscribe('b', settles, { filter: everything })
      rig.channel.pause('a')
      await sendAndSee(rig, [...events(10, 'x', { type: 'wanted' }), ...events(10, 'y')])

      assert.equal(await rig.whileTicking(rig.channel.skip('a', () => true)), 10)
      await eventually(() => rig.channel.status().waiting === 0, 'nothing waits')
      assert.equal(rig.channel.status().accepted, 20)
    })
  })
}

async function sendAndSee({ channel, sendAll, advance }: Rig, list: Parameters<Rig['sendAll']>[0]): Promise<void> {
  const seen = channel.status().accepted + list.length
  await sendAll(list)
  await advance(10)
  await eventually(() => channel.status().accepted === seen && channel.status().waiting >= 0, 'all are accepted')
  await calm()
}

async function afterSave(rig: Rig): Promise<Rig> {
  await rig.whileTicking(rig.channel.save())
  const restarted = await rig.restart('crash')
  await restarted.whileTicking(restarted.channel.subscribe('list', aSpec(hangsNot, { held: 'listed' }), 'earliest'))
  restarted.channel.start()
  await eventually(() => (restarted.channel.subscription('list')?.unread ?? 0) > 0, 'the lane is taken up')
  return restarted
}

/** What is held is never handed out. */
function hangsNot(): never {
  throw new Error('it is only listed')
}

async function listed(channel: Channel): Promise<string[]> {
  const ids: string[] = []
  for await (const { entry } of channel.unsettled('list')) ids.push(idOf(entry.event))
  return ids
}

function numberOf(event: Parameters<typeof idOf>[0]): number {
  return Number(idOf(event).replace(/\D/g, ''))
}
