import assert from 'node:assert/strict'
import type { Channel } from '../../../src/channel/channel.ts'
import { codeOf } from '../../../src/core/errors.ts'
import type { Backend } from '../backend.ts'
import { unavailable } from '../faulty.ts'
import { hangs, settles, settlesAfter } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, MiB } from '../support.ts'
import { closeRigs, openRig, type Rig } from './rig.ts'

const KiB = 1_024

export function describeFullLog(backend: Backend): void {
  describe('full log', () => {
    afterEach(closeRigs)

    it('C18 publishers are refused at 90 % of the cap, and taken again once it drained', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB })
      const gate = aGate()
      const subscriber = await rig.subscribe('a', settlesAfter(gate))
      const accepted = await fill(rig.channel)
      await assert.rejects(rig.channel.send(kilobyte()), { code: 'LOG_FULL', retryable: true })

      gate.open()
      await eventually(() => subscriber.settledIds.length === accepted, 'all settle')
      await drained(rig)

      await rig.channel.send(anEvent({ id: 'next' }))
      await eventually(() => subscriber.ids.at(-1) === 'next', 'the next one is handed out')
    })

    it('C18 a trim that failed is made up for, although a full log takes nothing that would bring the next', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB })
      const gate = aGate()
      const subscriber = await rig.subscribe('a', settlesAfter(gate))
      const accepted = await fill(rig.channel)
      rig.faults.fail('trim', unavailable())

      gate.open()
      await eventually(() => subscriber.settledIds.length === accepted, 'all settle')
      await drained(rig)

      assert.ok(rig.log.size().bytes < 0.1 * MiB, `${rig.log.size().bytes} bytes are left`)
    })

    it('C18 a full log drains when the subscription that held it is deleted', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB })
      await rig.subscribe('stuck', hangs)
      await fill(rig.channel)
      await drained(rig)

      await rig.channel.unsubscribe('stuck')
      await drained(rig)

      assert.ok(rig.log.size().bytes < 0.1 * MiB, `${rig.log.size().bytes} bytes are left`)
    })

    it('C18 a full log drains when the paused subscription that held it is deleted', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB })
      await rig.subscribe('paused')
      rig.channel.pause('paused')
      await fill(rig.channel)
      await drained(rig)

      await rig.channel.unsubscribe('paused')
      await drained(rig)

      assert.ok(rig.log.size().bytes < 0.1 * MiB, `${rig.log.size().bytes} bytes are left`)
      assert.equal(rig.channel.status().floorHolder, undefined)
    })

    it('C18 replies, hops and dead letters still have room where publishers have none', async () => {
      const { channel, subscribe } = await openRig(backend, { capBytes: 0.5 * MiB })
      await subscribe('a', hangs)
      await fill(channel)

      await channel.send(kilobyte(), 'internal')
    })

    it('C18 the reply to what holds the floor has room in a full log, so that it drains by itself', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB })
      const { channel } = rig
      const begin = aGate()
      let stuck = false
      const subscriber = await rig.subscribe(
        'a',
        async (delivery) => {
          await begin.opened
          // Each event is answered with one more, until the answers: the shape that wedges a bounded log.
          while (delivery.event.attributes['type'] !== 'answer') {
            const sent = await channel.send(kilobyte('answer'), delivery.holdsFloor() ? 'drain' : 'internal').then(
              () => true,
              () => false,
            )
            if (sent) break
            stuck = true
            await rig.clock.sleep(100)
          }
          return { kind: 'settled', outcome: 'delivered' }
        },
        { maxInFlight: 8 },
      )
      const accepted = await fill(channel, 'internal')

      begin.open()

      for (let turn = 0; turn < 2_000 && subscriber.settledIds.length < 2 * accepted; turn++) await rig.advance(100)
      assert.equal(subscriber.settledIds.length, 2 * accepted)
      assert.equal(stuck, true, 'the log was full for a while')
    })

    it('only the oldest unsettled entry of a lane holds its floor', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', hangs)

      await sendAll(events(5, 'k', { key: 'one-lane' }))

      await eventually(() => subscriber.attempts.length === 5, 'all are running')
      const holders = subscriber.attempts.filter(({ delivery }) => delivery.holdsFloor())
      assert.deepEqual(
        holders.map(({ id }) => id),
        ['k1'],
      )
    })

    it('C17 G10 the log keeps what the slowest needs, names it, and shrinks when it settles', async () => {
      const rig = await openRig(backend)
      const { channel, log, subscribe, sendAll, advance } = rig
      const gate = aGate()
      const middle = await subscribe('middle')
      const slow = await subscribe('slow', settlesAfter(gate))
      const quick = await subscribe('quick')
      await sendAll(events(500, 'e', { data: Buffer.alloc(KiB) }))
      await eventually(() => quick.settledIds.length === 500 && middle.settledIds.length === 500, 'two are through')
      await advance(5_000)
      assert.equal(log.size().entries, 500)
      assert.equal(channel.status().floorHolder, 'slow')

      gate.open()
      await eventually(() => slow.settledIds.length === 500, 'the slow one is through')
      await drained(rig)

      await eventually(() => log.size().entries < 250, 'what is settled goes')
    })

    it('C25 G9 a publisher faster than its subscriber is refused, never kept in memory, and loses nothing', async () => {
      const rig = await openRig(backend, { capBytes: 0.5 * MiB, budgetBytes: 0.25 * MiB })
      const { channel, log, budget, advance } = rig
      const subscriber = await rig.subscribe('a', async (delivery, nth) => {
        await rig.clock.sleep(5)
        return settles(delivery, nth)
      })
      let refused = 0
      let largest = 0
      const accepted: string[] = []

      for (let sent = 0; sent < (backend.traits.shared ? 1_500 : 4_000); sent++) {
        const event = anEvent({ data: Buffer.alloc(KiB) })
        try {
          await channel.send(event)
          accepted.push(event.attributes['id'] ?? '')
        } catch (error) {
          assert.equal(codeOf(error), 'LOG_FULL')
          refused++
          await advance(20)
        }
        largest = Math.max(largest, log.size().bytes)
        assert.ok(budget.heldBytes <= 0.25 * MiB + 2 * KiB, `${budget.heldBytes} bytes of bodies`)
      }

      for (let turn = 0; turn < 4_000 && subscriber.settledIds.length < accepted.length; turn++) await advance(10)
      assert.deepEqual([...subscriber.settledIds].sort(), accepted.sort())
      assert.ok(refused > 0)
      assert.ok(largest <= 0.9 * 0.5 * MiB)
    })
  })
}

function kilobyte(type = 'question') {
  return anEvent({ type, data: Buffer.alloc(KiB) })
}

/** Sends until the log refuses, and says how many it took. */
async function fill(channel: Channel, room?: 'internal'): Promise<number> {
  for (let accepted = 0; ; accepted++) {
    try {
      await channel.send(kilobyte(), room)
    } catch (error) {
      assert.equal(codeOf(error), 'LOG_FULL')
      return accepted
    }
  }
}

/** Saves and trims come by the clock: a few seconds are enough for both. */
async function drained(rig: Rig): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await rig.advance(1_000)
    await calm()
  }
}
