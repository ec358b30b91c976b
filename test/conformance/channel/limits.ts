import assert from 'node:assert/strict'
import { eventBytes } from '../../../src/core/event.ts'
import { residentBytes } from '../../support/garbage.ts'
import { type Backend, itWith } from '../backend.ts'
import { aSpec, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, MiB, nextTurn } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

const KiB = 1_024

export function describeLimits(backend: Backend): void {
  describe('limits', () => {
    afterEach(closeRigs)

    it('never runs more attempts at once than a subscription allows', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const turnTaking = async () => {
        await nextTurn()
        return { kind: 'settled', outcome: 'delivered' } as const
      }
      const subscriber = await subscribe('a', turnTaking, { maxInFlight: 5 })

      await sendAll(events(300))

      await eventually(() => subscriber.settledIds.length === 300, 'all settle')
      assert.equal(subscriber.mostRunning, 5)
    })

    it('running attempts and unsettled entries have bounds of their own', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('a', hangs, { maxInFlight: 4, maxUnsettled: 50 })

      await sendAll(events(200))

      await eventually(() => channel.subscription('a')?.unsettled === 50, 'fifty are taken')
      await calm()
      const { unsettled, inFlight } = channel.subscription('a') ?? {}
      assert.deepEqual({ unsettled, inFlight }, { unsettled: 50, inFlight: 4 })
    })

    it('G8 the bound of one subscription is no bound of another', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      await subscribe('full', hangs, { maxInFlight: 1, maxUnsettled: 1 })
      const other = await subscribe('other')

      await sendAll(events(500))

      await eventually(() => other.settledIds.length === 500, 'the other one gets all')
    })

    it('G9 bodies in memory stay within the budget, but for one per subscription', async () => {
      const event = anEvent({ data: Buffer.alloc(10 * KiB) })
      const limit = 20 * eventBytes(event)
      const { channel, subscribeMany, sendAll, budget } = await openRig(backend, { budgetBytes: limit })
      const gate = aGate()
      const subscribers = await subscribeMany(10, 's', settlesAfter(gate))
      await sendAll(events(300, 'e', { data: Buffer.alloc(10 * KiB) }))
      await eventually(() => subscribers.every(({ running }) => running > 0), 'each has something to do')
      await calm()
      assert.ok(budget.heldBytes <= limit + 10 * eventBytes(event), `${budget.heldBytes} of ${limit} bytes`)

      gate.open()

      await eventually(() => subscribers.every(({ settledIds }) => settledIds.length === 300), 'all settle')
      await eventually(() => channel.status().waiting === 0, 'nothing waits')
      assert.equal(budget.heldBytes, 0)
    })

    it('G9 a subscription can always hold one event, however small the budget', async () => {
      const { subscribe, sendAll, budget } = await openRig(backend, { budgetBytes: 1 })
      const subscribers = [await subscribe('a'), await subscribe('b'), await subscribe('c')]

      await sendAll(events(40))

      for (const { settledIds } of subscribers) await eventually(() => settledIds.length === 40, 'each gets all')
      assert.equal(budget.heldBytes, 0)
    })

    it('G9 one event larger than the whole budget is delivered', async () => {
      const { subscribe, sendAll } = await openRig(backend, { budgetBytes: KiB })
      const subscriber = await subscribe('a')

      await sendAll([anEvent({ data: Buffer.alloc(100 * KiB) })])

      await eventually(() => subscriber.settledIds.length === 1, 'it settles')
    })

    it('G8 G9 waits that gave their bodies back make room for the events behind them', async () => {
      const { subscribe, sendAll } = await openRig(backend, { budgetBytes: 4 * KiB })
      const subscriber = await subscribe('a', (delivery, nth) =>
        (delivery.event.attributes['type'] === 'poison' ? waits(3_600_000) : settles)(delivery, nth),
      )

      await sendAll(Array.from({ length: 60 }, (_, i) => anEvent({ type: i < 20 ? 'poison' : 'good' })))

      await eventually(() => subscriber.settledIds.length === 40, 'all the good ones settle')
    })

    it('a raised bound counts at once', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', hangs, { maxUnsettled: 10, maxInFlight: 100 })
      await sendAll(events(50))
      await eventually(() => subscriber.ids.length === 10, 'ten are taken')

      channel.change('a', aSpec(subscriber.deliver, { maxUnsettled: 40, maxInFlight: 100 }))

      await eventually(() => subscriber.ids.length === 40, 'forty are taken')
    })

    it('G9 a body that ten subscriptions hold is counted once', async () => {
      const { subscribeMany, sendAll, budget } = await openRig(backend)
      const subscribers = await subscribeMany(10, 's', hangs)
      const event = anEvent({ data: Buffer.alloc(10 * KiB) })

      await sendAll([event])

      await eventually(() => subscribers.every(({ running }) => running === 1), 'all ten hold it')
      assert.equal(budget.heldBytes, eventBytes(event))
    })

    it('C24 G9 a backlog of 20,000 events costs the budget, not the backlog', async () => {
      const rig = await openRig(backend, { budgetBytes: 2 * MiB })
      const { channel, budget } = rig
      await rig.subscribe('slow', hangs)

      for (let round = 0; round < 20; round++) {
        await rig.sendAll(events(1_000, `r${round}-`, { data: Buffer.alloc(KiB) }))
        assert.ok(budget.heldBytes <= 2 * MiB + 2 * KiB, `${budget.heldBytes} bytes of bodies`)
      }

      await eventually(() => channel.status().waiting === 20_000, 'all wait')
      assert.ok(budget.heldBytes <= 2 * MiB + 2 * KiB, `${budget.heldBytes} bytes of bodies`)
    })

    itWith(
      backend,
      'durable',
      'long',
    )('C24 500,000 events of 1 KiB behind a slow subscriber', async function (this: Mocha.Context) {
      this.timeout(1_800_000)
      const boundBytes = 32 * MiB
      const rig = await openRig(backend, { capBytes: 2_048 * MiB, budgetBytes: boundBytes })
      await rig.subscribe('slow', hangs)
      const before = await residentBytes()
      let most = 0

      // What only waits to be collected says how busy the machine is.
      for (let round = 0; round < 500; round++) {
        await rig.sendAll(events(1_000, `r${round}-`, { data: Buffer.alloc(KiB) }))
        if (round % 10 === 9) most = Math.max(most, (await residentBytes()) - before)
      }

      console.log(`        ${Math.round(most / MiB)} MiB more than before the first event`)
      assert.ok(most <= boundBytes + 64 * MiB, `${Math.round(most / MiB)} MiB more`)
    })
  })
}
