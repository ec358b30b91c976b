import assert from 'node:assert/strict'
import type { Event } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { type Answer, answersFor, aSpec, aSubscriber, hangs, type Subscriber, settles, waits } from '../subscriber.ts'
import { anEvent, calm, events, eventually, seeded } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeOrdering(backend: Backend): void {
  describe('ordered by key', () => {
    afterEach(closeRigs)

    it('C13 G7 hands the events of a key out one after the other, in the order sent', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const perKey = countPerKey()
      const subscriber = await subscribe('a', perKey.around(settles), { ordered: true })

      await sendAll(keyed(20, 20))

      await eventually(() => subscriber.settledIds.length === 400, 'all settle')
      assertOrderedByKey(subscriber, 20, 20)
      assert.equal(perKey.most, 1)
    })

    it('C13 G7 keeps to it under random failures: 100 keys of 20', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const perKey = countPerKey()
      const random = seeded(7)
      const flaky: Answer = (delivery, nth) => (random() < 0.2 ? waits(random() * 8_000) : settles)(delivery, nth)
      const subscriber = await subscribe('a', perKey.around(flaky), { ordered: true })

      await sendAll(keyed(100, 20))

      await eventually(() => subscriber.ids.length > 0, 'it begins')
      for (let turn = 0; turn < 400 && subscriber.settledIds.length < 2_000; turn++) await advance(1_000)
      assert.equal(subscriber.settledIds.length, 2_000)
      assertOrderedByKey(subscriber, 100, 20)
      assert.equal(perKey.most, 1)
    })

    it('C13 G7 keeps to it across a crash', async () => {
      const rig = await openRig(backend)
      const random = seeded(11)
      const flaky: Answer = (delivery, nth) => (random() < 0.3 ? waits(2_000) : settles)(delivery, nth)
      const before = await rig.subscribe('a', flaky, { ordered: true })
      await rig.sendAll(keyed(20, 20))
      await eventually(() => before.ids.length > 0, 'it begins')
      await rig.advance(3_000)
      assert.ok(before.settledIds.length < 400)

      const restarted = await rig.restart('crash')
      const after = await restarted.subscribe('a', settles, { ordered: true })

      for (let turn = 0; turn < 100 && settledOfBoth(before, after).size < 400; turn++) await restarted.advance(1_000)
      assert.equal(settledOfBoth(before, after).size, 400)
      assertOrderedByKey(after, 20, 20)
    })

    it('C14 a key whose first event is blocked holds up no other key', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['k0-1'], hangs), { ordered: true })

      await sendAll(keyed(10, 10))

      await eventually(() => subscriber.settledIds.length === 90, 'nine keys go on')
      await calm()
      assert.deepEqual(
        subscriber.ids.filter((id) => id.startsWith('k0-')),
        ['k0-1'],
      )
    })

    it('C14 a key that waits for hours holds up no other key, slot or body', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['k0-1'], waits(7_200_000)), { ordered: true, maxInFlight: 1 })

      await sendAll(keyed(10, 10))

      await eventually(() => subscriber.settledIds.length === 90, 'nine keys go on')
      assert.equal(channel.subscription('a')?.inFlight, 0)
    })

    it('events without a key are one key', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) => (nth === 1 ? waits(1_000) : settles)(delivery, nth), {
        ordered: true,
      })

      await sendAll(events(3, 'n'))

      await eventually(() => subscriber.ids.length === 1, 'it begins')
      await advance(10_000)
      assert.deepEqual(subscriber.ids, ['n1', 'n1', 'n2', 'n2', 'n3', 'n3'])
    })

    it('a subscription that is not ordered goes on past a blocked event of the same key', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['k0-1'], hangs))

      await sendAll(keyed(1, 50))

      await eventually(() => subscriber.settledIds.length === 49, 'all others settle')
    })

    it('stays in order while it is behind', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', settles, { ordered: true, maxUnsettled: 7 })

      await sendAll(keyed(5, 300))

      for (let turn = 0; turn < 2_000 && subscriber.settledIds.length < 1_500; turn++) await advance(5)
      assertOrderedByKey(subscriber, 5, 300)
    })

    it('C13 is in order when it is placed after a restart, where another stands in the midst of what it has not settled', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      await subscribe('other', hangs, { maxUnsettled: 5 })
      await subscribe('a', hangs, { ordered: true, maxUnsettled: 10 })
      await sendAll(keyed(1, 20))
      await advance(2_000)
      const restarted = await restart('crash')
      const other = await restarted.subscribe('other', hangs, { maxUnsettled: 5 })
      await eventually(() => other.ids.length === 5, 'the other one has all that it may have')

      const subscriber = await restarted.subscribe('a', settles, { ordered: true, maxUnsettled: 20 })

      await eventually(() => subscriber.settledIds.length === 20, 'all settle')
      assertOrderedByKey(subscriber, 1, 20)
    })

    it('can be switched on while events wait: each of them still takes one slot', async () => {
      const { channel, subscribe, sendAll, advance, clock } = await openRig(backend)
      const before = await subscribe('a', waits(10_000), { maxInFlight: 2 })
      await sendAll(keyed(6, 1))
      await eventually(() => channel.subscription('a')?.waiting === 6, 'six wait')
      const after = aSubscriber(clock)

      channel.change('a', aSpec(after.deliver, { ordered: true, maxInFlight: 2 }))
      await advance(11_000)

      await eventually(() => after.settledIds.length === 6, 'all settle')
      assert.equal(before.ids.length, 6)
      assert.equal(channel.subscription('a')?.inFlight, 0)
    })

    it('can be switched off while events are blocked by their key', async () => {
      const { channel, subscribe, sendAll, clock } = await openRig(backend)
      const before = await subscribe('a', hangs, { ordered: true })
      await sendAll(keyed(1, 10))
      await eventually(() => before.ids.length === 1, 'the first runs')
      const after = aSubscriber(clock)

      channel.change('a', aSpec(after.deliver))
      await sendAll([anEvent({ id: 'next', key: 'customer-0' })])

      await eventually(() => after.ids.includes('next'), 'the next one is not blocked')
    })

    it('can be switched on while events come', async () => {
      const { channel, subscribe, sendAll, clock } = await openRig(backend)
      const unordered = await subscribe('a')
      await sendAll(keyed(5, 5, 'x'))
      await eventually(() => unordered.settledIds.length === 25, 'the first are through')
      const ordered = aSubscriber(clock)

      channel.change('a', aSpec(ordered.deliver, { ordered: true }))
      await sendAll(keyed(5, 20))

      await eventually(() => ordered.settledIds.length === 100, 'all settle')
      assertOrderedByKey(ordered, 5, 20)
    })
  })
}

/** Ids `<prefix><key>-<number>`, numbers of each key from 1 on, keys in turn. */
function keyed(keys: number, perKey: number, prefix = 'k'): Event[] {
  return Array.from({ length: keys * perKey }, (_, i) => {
    const key = i % keys
    return anEvent({ id: `${prefix}${key}-${Math.floor(i / keys) + 1}`, key: `customer-${key}` })
  })
}

function assertOrderedByKey({ ids }: Subscriber, keys: number, perKey: number): void {
  for (let key = 0; key < keys; key++) {
    const firstDeliveries = [...new Set(ids.filter((id) => id.startsWith(`k${key}-`)))]
    const numbers = firstDeliveries.map((id) => Number(id.split('-')[1]))
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, i) => perKey - numbers.length + i + 1),
      `key ${key}`,
    )
  }
}

function settledOfBoth(a: Subscriber, b: Subscriber): Set<string> {
  return new Set([...a.settledIds, ...b.settledIds])
}

/** Notes the most unsettled deliveries of one key at once, waits between attempts included. */
function countPerKey(): { readonly most: number; around(answer: Answer): Answer } {
  const unsettled = new Map<string, Set<string>>()
  let most = 0
  return {
    get most() {
      return most
    },
    around: (answer) => async (delivery, nth) => {
      const { id = '', partitionkey = '' } = delivery.event.attributes
      const ids = unsettled.get(partitionkey) ?? new Set()
      unsettled.set(partitionkey, ids.add(id))
      most = Math.max(most, ids.size)
      const step = await answer(delivery, nth)
      if (step.kind === 'settled') ids.delete(id)
      return step
    },
  }
}
