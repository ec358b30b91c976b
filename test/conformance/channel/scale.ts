import assert from 'node:assert/strict'
import type { CompiledFilter } from '../../../src/filter/filter.ts'
import { type Backend, itWith } from '../backend.ts'
import { type Answer, aSpec, aSubscriber, hangs, type Subscriber, settles, waits } from '../subscriber.ts'
import { anEvent, events, eventually, idsOf, nextTurn, seeded, typeIs } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

const TYPES = ['order.paid', 'order.sent', 'order.lost', 'user.added', 'user.gone']

export function describeScale(backend: Backend): void {
  // Where each send waits for a server, fewer say as much.
  const sends = backend.traits.shared ? 600 : 3_000

  describe('scale', () => {
    afterEach(closeRigs)

    it('10,000 idle subscriptions and 1,000 events that match one: at most 10 cursor records a second', async () => {
      const { subscribeMany, subscribe, channel, advance, faults, clock } = await openRig(backend)
      await subscribeMany(10_000, 'idle', settles, { filter: typeIs('never') })
      const busy = await subscribe('busy', settles, { filter: typeIs('order.paid') })
      await advance(5_000)
      const savesBefore = faults.saves.length
      const startedAt = clock.now()

      for (let sent = 0; sent < 1_000; sent++) {
        await channel.send(anEvent())
        await advance(10)
      }
      await eventually(() => busy.settledIds.length === 1_000, 'all settle')
      await advance(1_000)

      const seconds = (clock.now() - startedAt) / 1_000
      const records = faults.saves.slice(savesBefore).reduce((sum, { put }) => sum + put.length, 0)
      assert.ok(records <= 10 * seconds, `${records} records in ${seconds} s`)
    })

    it('10,000 subscriptions that pause keep one record each, written once', async () => {
      const { subscribeMany, channel, advance, faults } = await openRig(backend)
      await subscribeMany(10_000, 'idle', settles, { filter: typeIs('never') })
      await advance(5_000)
      for (const id of channel.subscriptionIds()) channel.pause(id)
      await advance(5_000)
      const savesBefore = faults.saves.length

      for (let sent = 0; sent < 100; sent++) {
        await channel.send(anEvent())
        await advance(100)
      }

      const records = faults.saves.slice(savesBefore).reduce((sum, { put }) => sum + put.length, 0)
      assert.equal(records, 0)
    })

    it('an event asks the filters it may match, not all 10,000', async () => {
      const { channel, subscribe, whileTicking, clock, sendAll } = await openRig(backend)
      let asked = 0
      const counted = (type: string): CompiledFilter => ({
        ...typeIs(type),
        matches: (attributes) => {
          asked++
          return typeIs(type).matches(attributes)
        },
      })
      const { deliver } = aSubscriber(clock)
      const subscribing = Array.from({ length: 10_000 }, (_, i) =>
        channel.subscribe(`s${i}`, aSpec(deliver, { filter: counted(`type-${i}`) })),
      )
      await whileTicking(Promise.all(subscribing))
      const wanted = await subscribe('wanted', settles, { filter: counted('order.paid') })
      asked = 0

      await sendAll(events(500))

      await eventually(() => wanted.settledIds.length === 500, 'all settle')
      assert.ok(asked <= 1_000, `${asked} filters asked`)
    })

    it('C31 an idle channel with 1,000 subscriptions does nothing: no read, no save, no timer of their own', async () => {
      const { subscribeMany, sendAll, advance, faults, timers } = await openRig(backend)
      const subscribers = await subscribeMany(1_000, 's')
      await sendAll(events(3))
      await eventually(() => subscribers.every(({ settledIds }) => settledIds.length === 3), 'all settle')
      await advance(5_000)
      const before = [faults.saves.length, faults.calls('read'), faults.calls('trim')]

      await advance(60_000)

      assert.deepEqual([faults.saves.length, faults.calls('read'), faults.calls('trim')], before)
      assert.ok(timers() <= 2, `${timers()} timers`)
    })

    itWith(backend, 'long')(
      'C31 1,000 idle subscriptions cost at most 1 % of a core over a minute',
      async function (this: Mocha.Context) {
        this.timeout(120_000)
        const { subscribeMany, clock } = await openRig(backend, { realTime: true })
        await subscribeMany(1_000, 's')
        await clock.sleep(2_000)
        const before = process.cpuUsage()

        await clock.sleep(60_000)

        const { user, system } = process.cpuUsage(before)
        assert.ok((user + system) / 1_000 <= 600, `${(user + system) / 1_000} ms of CPU`)
      },
    )

    it('C8 G8 twenty subscriptions with random filters, one blocked, one failing: the others get exactly their set', async () => {
      const random = seeded(21)
      const { subscribe, channel } = await openRig(backend)
      const wanted = new Map<string, string[]>()
      const subscribers = new Map<string, Subscriber>()
      for (let i = 0; i < 18; i++) {
        const types = TYPES.filter(() => random() < 0.4)
        wanted.set(`s${i}`, types)
        subscribers.set(`s${i}`, await subscribe(`s${i}`, settles, { filter: oneOf(types) }))
      }
      await subscribe('blocked', hangs)
      await subscribe('failing', waits(6_000))
      const sent = Array.from({ length: 3_000 }, () =>
        anEvent({ type: TYPES[Math.floor(random() * TYPES.length)] ?? '' }),
      )

      await Promise.all(sent.map((event) => channel.send(event)))

      await eventually(() => channel.status().accepted === 3_000, 'all are stored')
      for (const [id, subscriber] of subscribers) {
        const types = wanted.get(id) ?? []
        const due = idsOf(sent.filter(({ attributes }) => types.includes(attributes['type'] ?? ''))).sort()
        await eventually(() => subscriber.settledIds.length === due.length, `${id} gets ${due.length}`)
        assert.deepEqual([...subscriber.ids].sort(), due)
      }
    })

    it('C8 G8 a blocked and a failing subscription make the others at most 3 times slower', async () => {
      await compareDelays(3, 3)
    })

    it('C9 G8 a blocked subscription makes a send at most 3 times slower', async () => {
      await compareSends(3, 3)
    })

    itWith(backend, 'long')(
      'C8 G8 a blocked and a failing subscription make the others at most 20 % slower',
      async function (this: Mocha.Context) {
        this.timeout(300_000)
        await compareDelays(15, 1.2)
      },
    )

    itWith(backend, 'long')(
      'C9 G8 a blocked subscription makes a send at most 20 % slower',
      async function (this: Mocha.Context) {
        this.timeout(300_000)
        await compareSends(15, 1.2)
      },
    )

    async function compareDelays(rounds: number, factor: number): Promise<void> {
      await compare(rounds, factor, async (bad) => {
        const rig = await openRig(backend, { realTime: true })
        await subscribeBad(rig.subscribe, bad)
        const delays: number[] = []
        const sentAt = new Map<string, number>()
        const timed: Answer = (delivery, nth) => {
          delays.push(performance.now() - (sentAt.get(delivery.event.attributes['id'] ?? '') ?? 0))
          return settles(delivery, nth)
        }
        for (let i = 0; i < 18; i++) await rig.subscribe(`s${i}`, timed)
        for (let sent = 0; sent < sends / 2; sent++) {
          const event = anEvent()
          sentAt.set(event.attributes['id'] ?? '', performance.now())
          await rig.channel.send(event)
          if (sent % 5 === 0) await nextTurn()
        }
        await eventually(() => delays.length === (18 * sends) / 2, 'all are delivered')
        await closeRigs()
        return p99(delays)
      })
    }

    async function compareSends(rounds: number, factor: number): Promise<void> {
      await compare(rounds, factor, async (bad) => {
        const rig = await openRig(backend, { realTime: true })
        await subscribeBad(rig.subscribe, bad)
        const good = await rig.subscribe('good')
        const took: number[] = []
        for (let sent = 0; sent < sends; sent++) {
          const startedAt = performance.now()
          await rig.channel.send(anEvent())
          took.push(performance.now() - startedAt)
          if (sent % 5 === 0) await nextTurn()
        }
        await eventually(() => good.settledIds.length === sends, 'all are delivered')
        await closeRigs()
        return p99(took)
      })
    }
  })
}

async function subscribeBad(
  subscribe: (id: string, answer: Answer) => Promise<Subscriber>,
  bad: boolean,
): Promise<void> {
  // Good ones take their places, so that both runs serve as many subscriptions.
  await subscribe('blocked', bad ? hangs : settles)
  await subscribe('failing', bad ? waits(60_000) : settles)
}

/** Runs both ways in turn, and compares the medians. Half a millisecond is below what the machine can tell apart. */
async function compare(rounds: number, factor: number, run: (bad: boolean) => Promise<number>): Promise<void> {
  const good: number[] = []
  const bad: number[] = []
  await run(true)
  for (let round = 0; round < rounds; round++) {
    good.push(await run(false))
    bad.push(await run(true))
  }
  const [without, withBad] = [median(good), median(bad)]
  assert.ok(withBad <= factor * without + 0.5, `p99 ${withBad.toFixed(2)} ms against ${without.toFixed(2)} ms`)
}

function p99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function oneOf(types: readonly string[]): CompiledFilter {
  return {
    matches: (attributes) => types.includes(attributes['type'] ?? ''),
    covers: [types.map((value) => ({ kind: 'exact', attribute: 'type', value }))],
  }
}
