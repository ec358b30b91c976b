import assert from 'node:assert/strict'
import { codeOf } from '../../../src/core/errors.ts'
import { eventBytes } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { aSpec, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, nextTurn } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeLifecycle(backend: Backend): void {
  describe('pause, close, removal', () => {
    afterEach(closeRigs)

    it('C26 G8 G14 nothing is handed out after `pause` returned, under load', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const slowly = async () => {
        await nextTurn()
        return { kind: 'settled', outcome: 'delivered' } as const
      }
      const paused = await subscribe('paused', slowly, { maxInFlight: 8 })
      const other = await subscribe('other')
      await sendAll(events(400, 'a'))
      await eventually(() => paused.ids.length > 20, 'it is under way')

      channel.pause('paused')
      const handedOut = paused.ids.length
      await sendAll(events(400, 'b'))

      await eventually(() => other.settledIds.length === 800, 'the other one goes on')
      await calm()
      assert.equal(paused.ids.length, handedOut)
    })

    it('C26 `resume` goes on where it stopped: nothing lost, nothing repeated', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a')
      const random = [3, 50, 7, 120, 1, 400]
      for (const [round, count] of random.entries()) {
        await sendAll(events(count, `r${round}-`))
        channel.pause('a')
        await sendAll(events(count, `p${round}-`))
        channel.resume('a')
        await advance(10)
      }

      await eventually(() => subscriber.settledIds.length === 2 * 581, 'all settle')
      assert.equal(new Set(subscriber.ids).size, 2 * 581)
      assert.equal(subscriber.ids.length, 2 * 581)
    })

    it('C26 a paused one that waits for a retry is not attempted when it is due, but after `resume`', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) => (nth === 1 ? waits(2_000) : settles)(delivery, nth))
      await sendAll(events(3))
      await eventually(() => subscriber.ids.length === 3, 'all are attempted')

      channel.pause('a')
      await advance(60_000)
      assert.equal(subscriber.ids.length, 3)
      channel.resume('a')
      await advance(10)

      await eventually(() => subscriber.settledIds.length === 3, 'all settle')
    })

    it('C26 G9 a paused one gives back the bodies of what has not begun', async () => {
      const { channel, subscribe, sendAll, budget } = await openRig(backend)
      const subscriber = await subscribe('a', hangs, { maxInFlight: 2 })
      const sent = events(50, 'e', { data: Buffer.alloc(1_024) })
      await sendAll(sent)
      await eventually(() => channel.subscription('a')?.unsettled === 50, 'all are taken')

      channel.pause('a')

      await eventually(() => subscriber.running === 2, 'two run')
      const running = sent.filter(({ attributes }) => subscriber.ids.includes(attributes['id'] ?? ''))
      assert.equal(
        budget.heldBytes,
        running.reduce((sum, event) => sum + eventBytes(event), 0),
      )
    })

    it('what runs when it is paused may finish, and counts', async () => {
      const { channel, subscribe, sendAll, restart } = await openRig(backend)
      const gate = aGate()
      const before = await subscribe('a', settlesAfter(gate))
      await sendAll(events(5))
      await eventually(() => before.running === 5, 'five run')

      channel.pause('a')
      gate.open()
      await eventually(() => before.settledIds.length === 5, 'they finish')

      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await calm()
      assert.deepEqual(after.ids, [])
    })

    it('a hundred attempts that listen for their end cause no warning', async () => {
      const warnings: string[] = []
      const note = (warning: Error): void => void warnings.push(warning.name)
      process.on('warning', note)
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', hangs, { maxInFlight: 100 })

      await sendAll(events(100))

      await eventually(() => subscriber.running === 100, 'all run')
      await calm()
      process.off('warning', note)
      assert.deepEqual(warnings, [])
    })

    it('a held one is handed nothing, and says why', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll([anEvent({ id: 'first' })])
      await eventually(() => subscriber.settledIds.length === 1, 'the first settles')

      channel.change('a', aSpec(subscriber.deliver, { held: 'no such Service' }))
      await sendAll(events(5))
      await calm()

      assert.deepEqual(subscriber.ids, ['first'])
      assert.equal(channel.subscription('a')?.held, 'no such Service')
    })

    it('pause and hold are apart: both must end', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a')
      channel.pause('a')
      channel.change('a', aSpec(subscriber.deliver, { held: 'no such Service' }))
      await sendAll(events(5))

      channel.resume('a')
      await calm()
      assert.deepEqual(subscriber.ids, [])
      channel.change('a', aSpec(subscriber.deliver))

      await eventually(() => subscriber.settledIds.length === 5, 'all settle')
    })

    it('C27 G14 a close lets what runs finish within its drain time, and repeats nothing of it', async () => {
      const { channel, subscribe, sendAll, advance, restart } = await openRig(backend)
      const gate = aGate()
      const before = await subscribe('a', settlesAfter(gate), { maxInFlight: 10 })
      await sendAll(events(10))
      await eventually(() => before.running === 10, 'ten run')
      const closing = channel.close({ drainMs: 10_000 })
      await advance(3_000)

      gate.open()
      await advance(1_000)
      await closing

      assert.equal(before.settledIds.length, 10)
      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await calm()
      assert.deepEqual(after.ids, [])
    })

    it('C27 G14 a close ends what runs longer within a second more, and it is delivered later', async () => {
      const { channel, subscribe, sendAll, clock, whileTicking, restart } = await openRig(backend)
      const before = await subscribe('a', hangs, { maxInFlight: 10 })
      await sendAll(events(30))
      await eventually(() => before.running === 10, 'ten run')
      const closedAt = clock.now()

      await whileTicking(channel.close({ drainMs: 2_000 }))

      assert.ok(clock.now() - closedAt <= 3_000, `${clock.now() - closedAt} ms`)
      assert.ok(before.attempts.every(({ delivery }) => delivery.signal.aborted))
      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await restarted.advance(2_000)
      await eventually(() => after.settledIds.length === 30, 'all are delivered')
    })

    it('G14 an idle channel closes at once', async () => {
      const { channel, subscribe, sendAll, clock, whileTicking } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll(events(5))
      await eventually(() => subscriber.settledIds.length === 5, 'all settle')
      const closedAt = clock.now()

      await whileTicking(channel.close({ drainMs: 60_000 }))

      assert.ok(clock.now() - closedAt <= 100, `${clock.now() - closedAt} ms`)
    })

    it('G14 nothing is handed out after a close began, and no timer is left after it', async () => {
      const { channel, subscribe, sendAll, advance, whileTicking, timers } = await openRig(backend)
      const gate = aGate()
      const subscriber = await subscribe('a', settlesAfter(gate), { maxInFlight: 2 })
      await subscribe('waiting', waits(30_000))
      await sendAll(events(10))
      await eventually(() => subscriber.running === 2, 'two run')

      const closing = whileTicking(channel.close({ drainMs: 5_000 }))
      gate.open()
      await closing
      await advance(60_000)

      assert.equal(subscriber.ids.length, 2)
      assert.equal(timers(), 0)
    })

    it('G14 a close waits no longer than a second for a log that does not answer', async () => {
      const { channel, subscribe, sendAll, faults, clock, whileTicking } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll(events(5))
      await eventually(() => subscriber.settledIds.length === 5, 'all settle')
      const disk = aGate()
      faults.delay('save', disk.opened)
      const closedAt = clock.now()

      await Promise.race([whileTicking(channel.close({ drainMs: 1_000 })), clock.sleep(10_000)])

      disk.open()
      assert.ok(clock.now() - closedAt <= 2_100, `${clock.now() - closedAt} ms`)
    })

    it('G14 closing twice is closing once', async () => {
      const { channel, whileTicking } = await openRig(backend)

      await whileTicking(channel.close({ drainMs: 0 }))
      await whileTicking(channel.close({ drainMs: 0 }))
    })

    it('C30 a log that is removed under load: senders get LOG_GONE, and the channel still closes', async () => {
      const { channel, store, ref, subscribe, whileTicking, advance } = await openRig(backend)
      const subscriber = await subscribe('a')
      const codes: (string | undefined)[] = []
      let accepted = 0
      const sender = async (): Promise<void> => {
        // Until it is refused, however long the removal takes, and on for a while.
        for (let sent = 0; codes.length < 100; sent++) {
          await channel.send(anEvent()).then(
            () => accepted++,
            (error: unknown) => codes.push(codeOf(error)),
          )
          if (sent % 10 === 0) await nextTurn()
        }
      }
      const senders = [sender(), sender(), sender()]
      await eventually(() => subscriber.ids.length > 50, 'it is under load')

      await store.remove(ref)
      await Promise.all(senders)
      await advance(5_000)

      assert.deepEqual([...new Set(codes)], ['LOG_GONE'])
      assert.ok(accepted > 0)
      await whileTicking(channel.close({ drainMs: 1_000 }))
    })

    it('C30 nothing is handed out of a removed log', async () => {
      const { store, ref, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', waits(10_000), { maxInFlight: 5 })
      await sendAll(events(50))
      await eventually(() => subscriber.ids.length === 50, 'all are attempted')

      await store.remove(ref)
      await advance(60_000)

      assert.equal(subscriber.ids.length, 50)
    })
  })
}
