import assert from 'node:assert/strict'
import { EventingError } from '../../../src/core/errors.ts'
import type { Backend } from '../backend.ts'
import { unavailable } from '../faulty.ts'
import { answersFor, aSpec, aSubscriber, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeFaults(backend: Backend): void {
  describe('faults of the log', () => {
    afterEach(closeRigs)

    it('G1 a failed append is the sender’s to know: nothing of it is handed out, and the next one goes', async () => {
      const { channel, subscribe, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      faults.fail('append', unavailable())

      await assert.rejects(channel.send(anEvent({ id: 'lost' })), { code: 'LOG_UNAVAILABLE', retryable: true })
      await channel.send(anEvent({ id: 'next' }))

      await eventually(() => subscriber.ids.length > 0, 'the next one is handed out')
      assert.deepEqual(subscriber.ids, ['next'])
      assert.equal(channel.status().accepted, 1)
    })

    it('G1 nothing is accepted before the log has it', async () => {
      const { channel, subscribe, faults } = await openRig(backend)
      await subscribe('a')
      const disk = aGate()
      faults.delay('append', disk.opened)
      let accepted = false

      const sending = channel.send(anEvent()).then(() => {
        accepted = true
      })
      await calm()
      assert.equal(accepted, false)
      disk.open()

      await sending
    })

    it('G1 `subscribe` rejects when its cursor cannot be stored, and can be tried again', async () => {
      const { channel, faults, subscribe, sendAll, clock } = await openRig(backend)
      faults.fail('createCursor', unavailable())
      const refused = aSubscriber(clock)

      await assert.rejects(channel.subscribe('a', aSpec(refused.deliver)), { code: 'LOG_UNAVAILABLE' })

      const subscriber = await subscribe('a')
      await sendAll(events(3))
      await eventually(() => subscriber.settledIds.length === 3, 'all are handed out')
      assert.deepEqual(refused.ids, [])
    })

    it('G4 a save that failed is made up for', async () => {
      const { subscribe, sendAll, advance, faults, restart } = await openRig(backend)
      const before = await subscribe('a', answersFor(['e7'], hangs))
      faults.fail('save', unavailable(), 3)
      await sendAll(events(100))
      await eventually(() => before.settledIds.length === 99, 'all but one settle')
      for (let turn = 0; turn < 10; turn++) await advance(1_000)
      assert.ok(faults.calls('save') > 3)

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await eventually(() => after.ids.length > 0, 'the one is handed out again')
      await calm()

      assert.deepEqual(after.ids, ['e7'])
    })

    it('G8 a save that takes long holds up no delivery', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      const disk = aGate()
      faults.delay('save', disk.opened)
      await sendAll(events(100, 'a'))
      await advance(5_000)

      await sendAll(events(100, 'b'))

      await eventually(() => subscriber.settledIds.length === 200, 'all settle')
      disk.open()
    })

    for (const downMs of [5_000, 60_000]) {
      it(`C19 G11 a log that cannot be read for ${downMs / 1_000} s: delivery resumes within 10 s, nothing lost or repeated`, async () => {
        const { channel, subscribe, sendAll, advance, faults } = await openRig(backend)
        const subscriber = await subscribe('a')
        await sendAll(events(50, 'a'))
        await eventually(() => subscriber.settledIds.length === 50, 'the first settle')
        let isDown = true
        const readFails = (async () => {
          while (isDown) {
            faults.fail('read', unavailable())
            faults.fail('save', unavailable())
            await advance(50)
          }
        })()
        for (let waited = 0; waited < downMs; waited += 1_000) {
          faults.fail('append', unavailable())
          await assert.rejects(channel.send(anEvent({ id: `down${waited}` })), { code: 'LOG_UNAVAILABLE' })
          await advance(1_000)
        }
        isDown = false
        await readFails
        faults.heal()

        await sendAll(events(50, 'b'))
        for (let turn = 0; turn < 10 && subscriber.settledIds.length < 100; turn++) await advance(1_000)

        assert.equal(subscriber.settledIds.length, 100)
        assert.equal(subscriber.ids.length, 100)
      })
    }

    it('C19 a read behind the head that fails is tried again', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const gate = aGate()
      const slow = await subscribe('slow', settlesAfter(gate), { maxUnsettled: 20 })
      const quick = await subscribe('quick')
      await sendAll(events(1_000))
      await eventually(() => quick.settledIds.length === 1_000, 'the quick one is through')
      faults.fail('read', unavailable(), 3)

      gate.open()

      for (let turn = 0; turn < 1_000 && slow.settledIds.length < 1_000; turn++) await advance(50)
      assert.equal(slow.ids.length, 1_000)
    })

    it('C22 G16 a lost lane: what runs is told to end, and nothing more is handed out', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const running = await subscribe('running', hangs, { maxInFlight: 3 })
      const waiting = await subscribe('waiting', waits(8_000))
      await sendAll(events(20))
      await eventually(() => running.running === 3 && waiting.ids.length === 20, 'both are under way')

      faults.loseLanes()
      await calm()
      const handedOut = [running.ids.length, waiting.ids.length]
      await sendAll(events(20))
      await advance(60_000)

      assert.ok(running.attempts.every(({ delivery }) => delivery.signal.aborted))
      assert.deepEqual([running.ids.length, waiting.ids.length], handedOut)
    })

    it('C22 G2 a lane that comes back is served from its cursors: duplicates at most what was in flight or not yet saved', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const gate = aGate()
      const subscriber = await subscribe('a', async (delivery, nth) => {
        if (delivery.event.attributes['type'] === 'slow') await gate.opened
        return settles(delivery, nth)
      })
      await sendAll(events(200, 'saved'))
      await eventually(() => subscriber.settledIds.length === 200, 'the first settle')
      await advance(2_000)
      await sendAll(events(10, 'flying', { type: 'slow' }))
      await eventually(() => subscriber.running === 10, 'ten are in flight')

      faults.loseLanes()
      await sendAll(events(30, 'meanwhile'))
      await advance(1_000)
      faults.regainLanes()
      gate.open()
      for (let turn = 0; turn < 20 && new Set(subscriber.settledIds).size < 240; turn++) await advance(500)

      assert.equal(new Set(subscriber.settledIds).size, 240)
      const repeated = subscriber.ids.filter((id, at) => subscriber.ids.indexOf(id) !== at)
      assert.ok(
        repeated.every((id) => id.startsWith('flying')),
        `repeated: ${repeated.join(' ')}`,
      )
    })

    it('C22 a lane that is handed over: what runs may end, what is settled is stored, nothing is repeated', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const gate = aGate()
      const subscriber = await subscribe('a', async (delivery, nth) => {
        if (delivery.event.attributes['type'] === 'slow') await gate.opened
        return settles(delivery, nth)
      })
      await sendAll(events(100, 'settled'))
      await sendAll(events(10, 'flying', { type: 'slow' }))
      await eventually(() => subscriber.settledIds.length === 100 && subscriber.running === 10, 'ten are in flight')

      faults.handOverLanes()
      await sendAll(events(30, 'meanwhile'))
      await advance(1_000)
      const handedOut = subscriber.ids.length
      gate.open()
      await advance(1_000)
      faults.regainLanes()
      for (let turn = 0; turn < 20 && new Set(subscriber.settledIds).size < 140; turn++) await advance(500)

      assert.equal(handedOut, 110)
      assert.deepEqual([subscriber.ids.length, new Set(subscriber.settledIds).size], [140, 140])
    })

    it('C22 what runs for too long does not keep a lane from being handed over', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const running = await subscribe('running', hangs, { maxInFlight: 3 })
      await sendAll(events(3))
      await eventually(() => running.running === 3, 'all are under way')

      faults.handOverLanes()
      await advance(2_000)
      const aborted = running.attempts.filter(({ delivery }) => delivery.signal.aborted).length
      await advance(2_500)

      assert.equal(aborted, 0)
      assert.ok(running.attempts.every(({ delivery }) => delivery.signal.aborted))
    })

    it('C22 a save that finds a newer owner ends the lane: nothing more is handed out', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a', waits(3_000))
      faults.fail('save', new EventingError('LANE_LOST', 'a newer owner'))
      await sendAll(events(5))
      await eventually(() => subscriber.ids.length === 5, 'all are attempted')
      await advance(1_500)
      const handedOut = subscriber.ids.length

      await advance(60_000)

      assert.equal(subscriber.ids.length, handedOut)
    })

    it('C22 lanes that come and go lose nothing', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      for (let round = 0; round < 6; round++) {
        await sendAll(events(50, `r${round}-`))
        faults.loseLanes()
        await sendAll(events(50, `s${round}-`))
        faults.regainLanes()
        await advance(300)
      }

      for (let turn = 0; turn < 20 && new Set(subscriber.settledIds).size < 600; turn++) await advance(500)

      assert.equal(new Set(subscriber.settledIds).size, 600)
    })

    it('C22 an unsubscribe while no lane is owned stays', async () => {
      const { channel, subscribe, sendAll, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      faults.loseLanes()
      await channel.unsubscribe('a')
      await sendAll(events(3))

      faults.regainLanes()
      await advance(5_000)

      assert.deepEqual(subscriber.ids, [])
    })

    it('C12 a subscription that is made while no lane is owned starts then', async () => {
      const { subscribe, sendAll, advance, faults } = await openRig(backend)
      await sendAll(events(5, 'before'))
      faults.loseLanes()
      await sendAll(events(5, 'lost'))
      const subscriber = await subscribe('a')
      await sendAll(events(5, 'after'))

      faults.regainLanes()
      for (let turn = 0; turn < 20 && subscriber.ids.length < 5; turn++) await advance(500)

      await calm()
      assert.deepEqual([...subscriber.ids].sort(), ['after1', 'after2', 'after3', 'after4', 'after5'])
    })

    it('C21 entries that a third party removed are passed, counted, and wedge nothing', async () => {
      const { channel, log, subscribe, sendAll, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      channel.pause('a')
      const places = []
      for (const event of events(400, 'k', { key: 'one-lane' })) places.push(await channel.send(event))
      await eventually(() => channel.subscription('a')?.unread === 400, 'all are behind')
      const { lane, position } = places[300] ?? assert.fail('400 places')
      faults.cutBefore(lane, position)

      channel.resume('a')
      for (let turn = 0; turn < 40 && subscriber.settledIds.length < 100; turn++) await advance(500)
      await sendAll([anEvent({ id: 'next', key: 'one-lane' })])

      await eventually(() => subscriber.ids.at(-1) === 'next', 'the next one is handed out')
      assert.equal(subscriber.settledIds.length, 101)
      assert.equal(channel.subscription('a')?.stats.expired, 300)
      assert.equal((await log.lanes()).find(({ id }) => id === lane)?.start, position)
    })

    it('C21 the head passes what was removed while the log was away', async () => {
      const { channel, subscribe, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      const { lane, position } = await channel.send(anEvent({ id: 'first', key: 'one-lane' }))
      await eventually(() => subscriber.settledIds.length === 1, 'the first settles')
      faults.fail('read', unavailable())
      faults.cutBefore(lane, position + 3)
      for (const event of events(5, 'k', { key: 'one-lane' })) await channel.send(event)

      for (let turn = 0; turn < 20 && !subscriber.ids.includes('k5'); turn++) await advance(500)

      await eventually(() => subscriber.ids.at(-1) === 'k5', 'the last one is handed out')
    })

    it('C21 what waits for a retry and is removed by a third party is counted, and frees its place', async () => {
      const { channel, subscribe, advance, faults } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) => (nth === 1 ? waits(30_000) : settles)(delivery, nth))
      const places = []
      for (const event of events(10, 'k', { key: 'one-lane' })) places.push(await channel.send(event))
      await eventually(() => channel.subscription('a')?.waiting === 10, 'ten wait')
      const { lane, position } = places[6] ?? assert.fail('10 places')
      faults.cutBefore(lane, position)

      for (let turn = 0; turn < 40; turn++) await advance(1_000)

      await eventually(() => subscriber.settledIds.length === 4, 'four are left and settle')
      const { stats, unsettled } = channel.subscription('a') ?? assert.fail('subscribed')
      assert.equal(stats.expired, 6)
      assert.equal(unsettled, 0)
    })

    it('C18 a publisher is refused while the log is full, and nothing that was accepted is missing', async () => {
      const { channel, subscribe, sendAll, faults } = await openRig(backend)
      const subscriber = await subscribe('a')
      await sendAll(events(5, 'a'))
      faults.fail('append', new EventingError('LOG_FULL', 'full', { retryable: true }))

      await assert.rejects(channel.send(anEvent({ id: 'refused' })), { code: 'LOG_FULL', retryable: true })
      await sendAll(events(5, 'b'))

      await eventually(() => subscriber.settledIds.length === 10, 'all others settle')
      assert.equal(subscriber.ids.includes('refused'), false)
    })
  })
}
