import assert from 'node:assert/strict'
import type { Backend } from '../backend.ts'
import { roundTrips } from '../round-trips.ts'
import { answersFor, aSpec, aSubscriber, hangs, settles, waits } from '../subscriber.ts'
import { anEvent, calm, events, eventually, idsOf, MiB, typeIs } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeFanOut(backend: Backend): void {
  describe('fan-out', () => {
    afterEach(closeRigs)

    it('G1 hands every event to every subscription', async () => {
      const { channel, subscribe } = await openRig(backend)
      const subscribers = [await subscribe('a'), await subscribe('b'), await subscribe('c')]
      const sent = events(200)

      await Promise.all(sent.map((event) => channel.send(event)))

      for (const { ids } of subscribers) await eventually(() => ids.length === 200, 'all 200 are handed out')
      for (const { ids } of subscribers) assert.deepEqual([...ids].sort(), idsOf(sent).sort())
    })

    it('C1 G15 hands out exactly what was sent', async () => {
      const { channel, subscribe } = await openRig(backend)
      const subscriber = await subscribe('a')
      const sent = roundTrips(backend.traits.maxEventBytes).map(({ event }) => event)

      for (const event of sent) await channel.send(event)

      await eventually(() => subscriber.attempts.length === sent.length, 'all are handed out')
      const byId = new Map(subscriber.attempts.map(({ id, event }) => [id, event]))
      for (const { attributes, data, headers, arrivedAt } of sent) {
        const got = byId.get(attributes['id'] ?? '')
        assert.deepEqual(got?.attributes, attributes)
        assert.deepEqual(got?.data, data)
        assert.deepEqual(got?.headers, headers)
        assert.equal(got?.arrivedAt, arrivedAt)
      }
    })

    it('C2 passes the refusal of an over-size event on to the sender', async () => {
      const { channel, subscribe } = await openRig(backend)
      const subscriber = await subscribe('a')
      const large = anEvent({ id: 'large', data: Buffer.alloc(backend.traits.maxEventBytes + 1) })

      await assert.rejects(channel.send(large), { code: 'EVENT_TOO_LARGE' })

      await channel.send(anEvent({ id: 'small' }))
      await eventually(() => subscriber.ids.length > 0, 'the next event is handed out')
      assert.deepEqual(subscriber.ids, ['small'])
    })

    it('says where an event was stored', async () => {
      const { channel, log } = await openRig(backend)

      const { lane, position } = await channel.send(anEvent())

      const found = (await log.lanes()).find(({ id }) => id === lane)
      assert.ok(found && position >= found.start && position < found.end)
    })

    it('G3 hands an event that settled out once, however long it runs', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll(events(100))
      await eventually(() => subscriber.ids.length === 100, 'all are handed out')

      await advance(60_000)
      await calm()

      assert.equal(subscriber.ids.length, 100)
    })

    it('G2 hands an event out again until it settles', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) =>
        nth < 4 ? waits(100)(delivery, nth) : settles(delivery, nth),
      )
      await sendAll([anEvent({ id: 'x' })])
      await eventually(() => subscriber.running === 0 && subscriber.ids.length === 1, 'the first attempt is over')

      await advance(2_000)

      assert.deepEqual(subscriber.ids, ['x', 'x', 'x', 'x'])
      assert.deepEqual(subscriber.settledIds, ['x'])
    })

    it('G2 hands an event out again a second after its handler rejected', async () => {
      const { subscribe, sendAll, advance, clock } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) => {
        if (nth === 1) throw new Error('a fault of ours')
        return settles(delivery, nth)
      })
      await sendAll([anEvent({ id: 'x' })])
      await eventually(() => subscriber.running === 0 && subscriber.ids.length === 1, 'the first attempt is over')
      const failedAt = clock.now()

      await advance(3_000)

      assert.equal(subscriber.attempts[1]?.at, failedAt + 1_000)
      assert.deepEqual(subscriber.settledIds, ['x'])
    })

    it('hands a subscription only what its filter passes', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const paid = await subscribe('paid', settles, { filter: typeIs('order.paid') })
      const sent = await subscribe('sent', settles, { filter: typeIs('order.sent') })

      await sendAll([...events(10, 'p', { type: 'order.paid' }), ...events(5, 's', { type: 'order.sent' })])

      await eventually(() => paid.ids.length + sent.ids.length === 15, 'all are handed out')
      assert.ok(paid.ids.length === 10 && paid.ids.every((id) => id.startsWith('p')))
      assert.ok(sent.ids.length === 5 && sent.ids.every((id) => id.startsWith('s')))
    })

    it('G8 a subscription that hangs and one that always fails hold up nobody', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      await subscribe('hanging', hangs)
      await subscribe('failing', waits(60_000))
      const good = await subscribe('good')

      await sendAll(events(3_000))

      await eventually(() => good.settledIds.length === 3_000, 'the good one gets everything')
    })

    it('G8 one event that hangs holds up no other event', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['e1'], hangs))

      await sendAll(events(900))

      await eventually(() => subscriber.settledIds.length === 899, 'all others settle')
    })

    it('a changed filter keeps the cursor: what settled stays settled, what comes is judged anew', async () => {
      const { channel, subscribe, sendAll, restart, clock } = await openRig(backend)
      const before = await subscribe('a', settles, { filter: typeIs('old') })
      await sendAll([anEvent({ id: 'old1', type: 'old' }), anEvent({ id: 'new1', type: 'new' })])
      await eventually(() => before.settledIds.length === 1, 'the first is handed out')
      await eventually(() => channel.status().unmatched === 1, 'the other one is passed')
      const after = aSubscriber(clock)

      channel.change('a', aSpec(after.deliver, { filter: typeIs('new') }))
      await sendAll([anEvent({ id: 'old2', type: 'old' }), anEvent({ id: 'new2', type: 'new' })])

      await eventually(() => after.ids.length > 0, 'the new filter counts')
      const restarted = await restart('close')
      const again = await restarted.subscribe('a')
      await calm()
      assert.deepEqual([after.ids, again.ids], [['new2'], []])
    })

    it('a changed handler makes the next attempt of what waits', async () => {
      const { channel, subscribe, sendAll, advance, clock } = await openRig(backend)
      const before = await subscribe('a', waits(1_000))
      await sendAll([anEvent({ id: 'x' })])
      await eventually(() => before.ids.length === 1 && before.running === 0, 'the first attempt is over')
      const after = aSubscriber(clock)

      channel.change('a', aSpec(after.deliver))
      await advance(1_500)

      assert.deepEqual(before.ids, ['x'])
      assert.deepEqual(
        after.attempts.map(({ id, attempt }) => [id, attempt]),
        [['x', 1]],
      )
    })

    it('accepted = unmatched + settled + waiting, in events', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const paid = await subscribe('paid', settles, { filter: typeIs('order.paid') })
      await subscribe('both', answersFor(['p1', 'p2', 'p3'], hangs), { filter: typeIs('order.paid') })
      await sendAll([...events(10, 'p', { type: 'order.paid' }), ...events(4, 'x', { type: 'other' })])
      await eventually(() => paid.settledIds.length === 10, 'all are handed out')

      await eventually(() => channel.status().settled === 7, 'seven settled everywhere')
      const { accepted, unmatched, settled, waiting } = channel.status()

      assert.deepEqual(
        { accepted, unmatched, settled, waiting },
        { accepted: 14, unmatched: 4, settled: 7, waiting: 3 },
      )
    })

    it('matched = delivered + dead-lettered + kept + unsettled, per subscription', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const outcomes = ['dead-lettered', 'kept'] as const
      const subscriber = await subscribe('a', (delivery, nth) => {
        const outcome = outcomes[Number(delivery.event.attributes['turn'])]
        if (outcome) return { kind: 'settled', outcome }
        return delivery.event.attributes['turn'] === 'never' ? hangs(delivery, nth) : settles(delivery, nth)
      })
      const turns = ['0', '0', '1', 'never', 'ok', 'ok', 'ok']

      await sendAll(turns.map((turn) => anEvent({ extensions: { turn } })))

      await eventually(() => subscriber.settledIds.length === 6, 'six settle')
      await eventually(() => channel.subscription('a')?.unsettled === 1, 'one is left')
      const { matched, delivered, deadLettered, kept } = channel.subscription('a')?.stats ?? {}
      assert.deepEqual(
        { matched, delivered, deadLettered, kept },
        { matched: 7, delivered: 3, deadLettered: 2, kept: 1 },
      )
    })

    it('knows its subscriptions, and of a stranger nothing', async () => {
      const { channel, subscribe } = await openRig(backend)
      await subscribe('a')
      await subscribe('b')

      assert.deepEqual([...channel.subscriptionIds()].sort(), ['a', 'b'])
      assert.equal(channel.subscription('c'), undefined)
    })

    it('an event that nobody wants takes no room for long', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend, { capBytes: 0.5 * MiB })
      await subscribe('a', settles, { filter: typeIs('never') })

      for (let round = 0; round < 5; round++) {
        await sendAll(events(150, `r${round}-`, { data: Buffer.alloc(1_024) }))
        await eventually(() => channel.status().unmatched === (round + 1) * 150, 'all are passed')
        await advance(2_000)
      }

      assert.equal(channel.status().accepted, 750)
    })

    it('a channel without subscriptions accepts and keeps nothing', async () => {
      const { channel, sendAll, advance } = await openRig(backend, { capBytes: 0.5 * MiB })

      for (let round = 0; round < 5; round++) {
        await sendAll(events(150, `r${round}-`, { data: Buffer.alloc(1_024) }))
        await eventually(() => channel.status().unmatched === (round + 1) * 150, 'all are passed')
        await advance(2_000)
      }

      assert.equal(channel.status().waiting, 0)
    })
  })
}
