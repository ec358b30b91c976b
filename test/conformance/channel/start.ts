import assert from 'node:assert/strict'
import { type Backend, itWith } from '../backend.ts'
import { answersFor, aSpec, aSubscriber, hangs } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, idOf, idsOf, MiB, nextTurn } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeStart(backend: Backend): void {
  describe('start', () => {
    afterEach(closeRigs)

    it('G5 a new subscription gets nothing that was sent before', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      await sendAll(events(20, 'before'))

      const subscriber = await subscribe('a')
      await sendAll(events(3, 'after'))

      await eventually(() => subscriber.ids.length >= 3, 'what came after is handed out')
      await calm()
      assert.deepEqual([...subscriber.ids].sort(), ['after1', 'after2', 'after3'])
    })

    it('G1 a new subscription is on record when `subscribe` resolves', async () => {
      const { subscribe, sendAll, restart } = await openRig(backend)
      await subscribe('a', hangs)
      await sendAll([anEvent({ id: 'x' })])

      const restarted = await restart('crash')
      const again = await restarted.subscribe('a')

      await eventually(() => again.ids.length === 1, 'the event after the subscription is handed out')
      assert.deepEqual(again.ids, ['x'])
    })

    it('`earliest` gets all that is still there', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      await subscribe('holds-all', hangs)
      await sendAll(events(50))

      const subscriber = await subscribe('a', undefined, {}, 'earliest')
      await sendAll([anEvent({ id: 'next' })])

      await eventually(() => subscriber.ids.length === 51, 'old and new are handed out')
      assert.equal(new Set(subscriber.ids).size, 51)
    })

    it('a time gets what arrived then or later', async () => {
      const { subscribe, channel } = await openRig(backend)
      await subscribe('holds-all', hangs)
      const now = Date.now()
      const minutes = [50, 40, 30, 20, 10]
      for (const ago of minutes) await channel.send(anEvent({ id: `${ago}`, key: 'k', arrivedAt: now - ago * 60_000 }))

      const subscriber = await subscribe('a', undefined, {}, { timeMs: now - 30 * 60_000 })

      await eventually(() => subscriber.ids.length >= 3, 'the last three are handed out')
      await calm()
      assert.deepEqual([...subscriber.ids].sort(), ['10', '20', '30'])
    })

    it('C11 a subscription that is held for ten seconds then gets what came meanwhile', async () => {
      const { channel, clock, whileTicking, sendAll, advance } = await openRig(backend)
      const subscriber = aSubscriber(clock)
      await whileTicking(channel.subscribe('a', aSpec(subscriber.deliver, { held: 'the subscriber is not resolved' })))
      await sendAll(events(40))
      await advance(10_000)
      assert.deepEqual(subscriber.ids, [])

      channel.change('a', aSpec(subscriber.deliver))

      await eventually(() => subscriber.settledIds.length === 40, 'all 40 are handed out')
    })

    it('C12 G13 the same uid resumes after a restart', async () => {
      const { subscribe, sendAll, restart } = await openRig(backend)
      const before = await subscribe('uid-1')
      await sendAll(events(5, 'a'))
      await eventually(() => before.settledIds.length === 5, 'the first five settle')

      const restarted = await restart('close')
      await restarted.sendAll(events(2, 'b'))
      const after = await restarted.subscribe('uid-1')

      await eventually(() => after.ids.length === 2, 'it goes on where it stood')
      assert.deepEqual([...after.ids].sort(), ['b1', 'b2'])
    })

    it('G2 a subscription that is away for a run gets then what was accepted before', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a', answersFor(['x1', 'x2', 'x3'], hangs))
      await subscribe('other')
      await sendAll(events(3, 'settled'))
      await eventually(() => before.settledIds.length === 3, 'three settle')
      await advance(2_000)
      await sendAll(events(3, 'x'))
      const without = await restart('crash')
      const other = await without.subscribe('other')
      await eventually(() => other.settledIds.length === 3, 'the other one gets them')
      await without.advance(5_000)
      await without.sendAll(events(3, 'meanwhile'))
      await without.advance(5_000)

      const restarted = await without.restart('crash')
      const again = await restarted.subscribe('a')

      await eventually(() => again.ids.length >= 6, 'they are handed out')
      await calm()
      assert.deepEqual([...again.ids].sort(), ['meanwhile1', 'meanwhile2', 'meanwhile3', 'x1', 'x2', 'x3'])
    })

    itWith(backend, 'alone')('a subscription that had read all and never comes back holds nothing', async () => {
      const { subscribe, sendAll, restart } = await openRig(backend, { capBytes: MiB })
      const before = await subscribe('a')
      await subscribe('other')
      await sendAll(events(3))
      await eventually(() => before.settledIds.length === 3, 'it gets all')
      const without = await restart('close')
      const other = await without.subscribe('other')

      await calm()
      await without.sendAll(events(500))

      await eventually(() => other.settledIds.length === 500, 'the other one gets all')
      for (let turn = 0; turn < 5; turn++) await without.advance(1_000)
      await eventually(() => without.log.size().entries < 250, 'what is settled goes')
    })

    itWith(backend, 'shared')(
      'G1 C28 a subscription that had read all, in another process, gets what comes while the lane is with one that lacks it',
      async () => {
        const { subscribe, sendAll, restart } = await openRig(backend)
        const before = await subscribe('a')
        await subscribe('other')
        await sendAll(events(3))
        await eventually(() => before.settledIds.length === 3, 'it gets all')
        const without = await restart('close')
        const other = await without.subscribe('other')
        await calm()
        await without.sendAll(events(3, 'meanwhile'))
        await eventually(() => other.settledIds.length === 3, 'the other one gets them')
        await without.advance(5_000)

        const restarted = await without.restart('close')
        const again = await restarted.subscribe('a')

        await eventually(() => again.ids.length >= 3, 'they are handed out')
        await calm()
        assert.deepEqual([...again.ids].sort(), ['meanwhile1', 'meanwhile2', 'meanwhile3'])
      },
    )

    it('C12 G13 a subscription that is created again with a new uid starts now', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('uid-1', hangs)
      await sendAll(events(5, 'a'))

      await channel.unsubscribe('uid-1')
      const after = await subscribe('uid-2')
      await sendAll([anEvent({ id: 'next' })])

      await eventually(() => after.ids.length > 0, 'the next event is handed out')
      await calm()
      assert.deepEqual(after.ids, ['next'])
    })

    it('C12 an unsubscribed one is handed nothing more, and forgotten', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll(events(3))
      await eventually(() => subscriber.settledIds.length === 3, 'three are handed out')

      await channel.unsubscribe('a')
      await sendAll(events(3))
      await advance(5_000)

      assert.equal(subscriber.ids.length, 3)
      assert.equal(channel.subscription('a'), undefined)
      assert.deepEqual([...channel.subscriptionIds()], [])
    })

    it('C12 unsubscribing ends what waits for a retry', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', ({ progress }) => ({
        kind: 'wait',
        delayMs: 60_000,
        progress: { attempt: progress.attempt + 1 },
        reason: 'HTTP 503',
      }))
      await sendAll(events(3))
      await eventually(() => channel.subscription('a')?.waiting === 3, 'three wait')

      await channel.unsubscribe('a')
      await advance(120_000)

      assert.equal(subscriber.ids.length, 3)
    })

    it('C12 an unsubscribe that overtakes its own subscribe leaves nothing behind', async () => {
      const { channel, log, subscribe, sendAll, faults, clock, advance, whileTicking } = await openRig(backend)
      const quick = await subscribe('quick')
      const disk = aGate()
      faults.delay('createCursor', disk.opened)
      const overtaken = aSubscriber(clock)
      const subscribing = channel.subscribe('a', aSpec(overtaken.deliver))

      const unsubscribing = channel.unsubscribe('a')
      disk.open()
      await whileTicking(Promise.allSettled([subscribing, unsubscribing]))
      await sendAll(events(500))
      await eventually(() => quick.settledIds.length === 500, 'the other one gets all')
      for (let turn = 0; turn < 5; turn++) await advance(1_000)

      assert.deepEqual(overtaken.ids, [])
      await eventually(() => log.size().entries < 250, 'what is settled goes')
    })

    it('C10 G1 G5 a subscription among sends misses nothing after it and gets nothing before it: 20 rounds', async () => {
      await subscribeAmongSends(20)
    })

    itWith(backend, 'long')(
      'C10 G1 G5 a subscription among sends misses nothing after it and gets nothing before it: 100 rounds',
      async function (this: Mocha.Context) {
        this.timeout(300_000)
        await subscribeAmongSends(100)
      },
    )

    async function subscribeAmongSends(rounds: number): Promise<void> {
      const { channel, whileTicking, clock, subscribe } = await openRig(backend)
      await subscribe('other')
      for (let round = 0; round < rounds; round++) {
        const before: string[] = []
        const after: string[] = []
        let state: 'before' | 'during' | 'after' = 'before'
        const sendOne = async (): Promise<void> => {
          const event = anEvent()
          const startedIn = state
          await channel.send(event)
          if (startedIn === 'after') after.push(idOf(event))
          else if (state === 'before') before.push(idOf(event))
        }
        const subscriber = aSubscriber(clock)
        const sending: Promise<void>[] = []
        for (let sent = 0; sent < 60; sent++) {
          sending.push(sendOne())
          if (sent % 3 === 0) await nextTurn()
          if (sent !== 20) continue
          state = 'during'
          sending.push(
            whileTicking(channel.subscribe(`round-${round}`, aSpec(subscriber.deliver))).then(() => {
              state = 'after'
            }),
          )
        }
        await Promise.all(sending)
        const last = events(5, `last${round}-`)
        await Promise.all(last.map((event) => channel.send(event)))
        const due = [...after, ...idsOf(last)]
        await eventually(() => due.every((id) => subscriber.ids.includes(id)), 'all after the subscription arrive')
        assert.deepEqual(
          before.filter((id) => subscriber.ids.includes(id)),
          [],
        )
        assert.equal(new Set(subscriber.ids).size, subscriber.ids.length)
        await channel.unsubscribe(`round-${round}`)
      }
    }
  })
}
