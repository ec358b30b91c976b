import assert from 'node:assert/strict'
import type { Backend } from '../backend.ts'
import { hangs, type Subscriber, settles, settlesAfter } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, typeIs } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeReaders(backend: Backend): void {
  describe('readers', () => {
    afterEach(closeRigs)

    it('reads each entry of a lane once for 50 subscriptions at the head', async () => {
      const { subscribeMany, sendAll, log, faults } = await openRig(backend)
      const subscribers = await subscribeMany(50, 's')

      await sendAll(events(500))

      for (const { settledIds } of subscribers) await eventually(() => settledIds.length === 500, 'all are handed out')
      assert.equal(faults.entriesRead, 500)
      assert.equal(faults.mostReaders, (await log.lanes()).length)
    })

    it('never runs more than two readers per lane, however many subscriptions are behind', async () => {
      const { subscribe, subscribeMany, sendAll, log, faults, advance } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribeMany(30, 'slow', settlesAfter(gate), { maxUnsettled: 20 })
      const quick = await subscribe('quick')
      await sendAll(events(3_000))
      await eventually(() => quick.settledIds.length === 3_000, 'the quick one is at the head')

      gate.open()

      await untilSettled(slow, 3_000, advance)
      assert.ok(faults.mostReaders <= 2 * (await log.lanes()).length, `${faults.mostReaders} readers`)
    })

    it('reads for many that are behind together, not for each', async () => {
      const { subscribeMany, sendAll, faults, advance } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribeMany(30, 'slow', settlesAfter(gate), { maxUnsettled: 500 })
      await sendAll(events(3_000))
      await eventually(() => slow.every(({ running }) => running > 0), 'all are busy')

      gate.open()

      await untilSettled(slow, 3_000, advance)
      // Each pass of a sweep can serve all of them half a window further: 30 readers of their own would read 90,000.
      assert.ok(faults.entriesRead <= 30_000, `${faults.entriesRead} entries read`)
    })

    it('reads together what one that was paused had taken, not one by one', async () => {
      const { channel, subscribe, sendAll, faults, advance } = await openRig(backend, { settings: { ringBytes: 0 } })
      const gate = aGate()
      const subscriber = await subscribe('a', settlesAfter(gate), { maxInFlight: 8 })
      await sendAll(events(800))
      await eventually(() => channel.subscription('a')?.unsettled === 800, 'it has taken all')
      channel.pause('a')
      gate.open()
      await eventually(() => subscriber.settledIds.length === 8, 'what ran is over')
      const [reads, read] = [faults.calls('read'), faults.entriesRead]

      channel.resume('a')

      await untilSettled([subscriber], 800, advance)
      assert.ok(faults.calls('read') - reads <= 100, `${faults.calls('read') - reads} reads`)
      assert.ok(faults.entriesRead - read <= 8_000, `${faults.entriesRead - read} entries read`)
    })

    it('G3 a subscription that falls far behind catches up without gap or repetition', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate))
      await sendAll(events(5_000))
      await eventually(() => slow.running === 64, 'it is busy')

      gate.open()

      await untilSettled([slow], 5_000, advance)
      assert.equal(slow.ids.length, 5_000)
    })

    it('a subscription that caught up stands at the head again: nothing is read twice for it', async () => {
      const { channel, subscribe, sendAll, faults, advance } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate))
      await sendAll(events(5_000))
      await eventually(() => slow.running === 64, 'it is busy')
      gate.open()
      await untilSettled([slow], 5_000, advance)
      await eventually(() => channel.subscription('slow')?.unread === 0, 'it is at the head')
      const read = faults.entriesRead

      await sendAll(events(100, 'new'))

      await eventually(() => slow.settledIds.length === 5_100, 'the new ones are handed out')
      assert.equal(faults.entriesRead - read, 100)
    })

    it('while one is behind, those at the head get what comes at once', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('behind', hangs)
      const quick = await subscribe('quick')
      await sendAll(events(3_000))
      await eventually(() => quick.settledIds.length === 3_000, 'the quick one is at the head')

      await channel.send(anEvent({ id: 'next' }))

      await eventually(() => quick.ids.at(-1) === 'next', 'it is handed out')
    })

    it('serves those just behind from memory where reading costs I/O', async () => {
      const { channel, subscribe, sendAll, faults, advance } = await openRig(backend, { readsCostIo: true })
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate))
      const quick = await subscribe('quick')
      await sendAll(events(4_000))
      await eventually(() => quick.settledIds.length === 4_000, 'the quick one is at the head')
      assert.ok((channel.subscription('slow')?.unread ?? 0) > 0)

      gate.open()

      await untilSettled([slow], 4_000, advance)
      assert.equal(faults.entriesRead, 4_000)
    })

    it('reads the log again for those further behind than memory reaches', async () => {
      const { subscribe, sendAll, faults, advance } = await openRig(backend, {
        readsCostIo: true,
        settings: { ringBytes: 100_000 },
      })
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate))
      const quick = await subscribe('quick')
      await sendAll(events(4_000))
      await eventually(() => quick.settledIds.length === 4_000, 'the quick one is at the head')

      gate.open()

      await untilSettled([slow], 4_000, advance)
      assert.equal(slow.ids.length, 4_000)
      assert.ok(faults.entriesRead > 4_000)
    })

    it('one that is behind gets only what its filter passes', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate), { filter: typeIs('even'), maxUnsettled: 10 })
      const quick = await subscribe('quick')
      await sendAll(Array.from({ length: 1_000 }, (_, i) => anEvent({ type: i % 2 === 0 ? 'even' : 'odd' })))
      await eventually(() => quick.settledIds.length === 1_000, 'the quick one is at the head')

      gate.open()

      await untilSettled([slow], 500, advance)
      await calm()
      assert.equal(slow.ids.length, 500)
    })

    it('several that stopped at different places all catch up', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscribers: Subscriber[] = []
      for (let i = 0; i < 10; i++) {
        subscribers.push(await subscribe(`s${i}`, settles))
        await sendAll(events(100, `r${i}-`))
        await eventually(() => (subscribers[i]?.settledIds.length ?? 0) === 100, 'it is at the head')
        channel.pause(`s${i}`)
      }

      for (let i = 0; i < 10; i++) channel.resume(`s${i}`)

      for (const [i, subscriber] of subscribers.entries()) await untilSettled([subscriber], (10 - i) * 100, advance)
      for (const { ids } of subscribers) assert.equal(new Set(ids).size, ids.length)
    })
  })
}

async function untilSettled(
  subscribers: readonly { settledIds: readonly string[] }[],
  count: number,
  advance: (ms: number) => Promise<void>,
): Promise<void> {
  for (const { settledIds } of subscribers) {
    for (let turn = 0; turn < 2_000 && settledIds.length < count; turn++) await advance(5)
    assert.equal(settledIds.length, count)
  }
}
