import assert from 'node:assert/strict'
import { encodeCursor } from '../../../src/channel/cursor.ts'
import type { Cursor, CursorId, EventLog, Position } from '../../../src/channel/log.ts'
import { type FloorHolder, LowestFloor } from '../../../src/channel/lowest-floor.ts'
import { EventingError } from '../../../src/core/errors.ts'
import type { Backend } from '../backend.ts'
import { unavailable } from '../faulty.ts'
import { type Answer, answersFor, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

const HOUR_MS = 3_600_000

/** Faults that were found by reading: each stays mended. */
export function describeMended(backend: Backend): void {
  describe('mended faults', () => {
    afterEach(closeRigs)

    it('G2 a backlog waits for its subscription however late it is placed after a restart', async () => {
      const { subscribe, sendAll, advance, restart, channel } = await openRig(backend)
      const before = await subscribe('a')
      await sendAll(events(1))
      await eventually(() => before.settledIds.length === 1, 'it settles')
      await advance(2_000)
      channel.pause('a')
      await sendAll(events(5, 'late'))
      await advance(2_000)

      const restarted = await restart('crash')
      await restarted.advance(5_000)
      const after = await restarted.subscribe('a')

      await eventually(() => after.settledIds.length === 5, 'the backlog is handed out')
    })

    it('C14 G8 a poisoned key holds up no other key when half of the bound waits for it', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const poisoned: Answer = answersFor(['A0'], waits(HOUR_MS))
      const subscriber = await subscribe('a', poisoned, { ordered: true, maxUnsettled: 10 })

      await sendAll(Array.from({ length: 6 }, (_, i) => anEvent({ id: `A${i}`, key: 'A' })))
      await sendAll(Array.from({ length: 20 }, (_, i) => anEvent({ id: `B${i}`, key: 'B' })))

      await eventually(() => subscriber.settledIds.length === 20, 'all of the other key settle')
    })

    it('G9 events blocked by their key hold no bodies', async () => {
      const { subscribe, sendAll, budget } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['A0'], waits(HOUR_MS)), { ordered: true })

      await sendAll(Array.from({ length: 50 }, (_, i) => anEvent({ id: `A${i}`, key: 'A' })))
      await eventually(() => subscriber.ids.length === 1, 'the first is tried')
      await calm()

      assert.equal(budget.heldBytes, 0)
    })

    it('G9 a holder that let go of its floor while it was looked at is seen again', () => {
      const floors = new LowestFloor<FloorHolder & { at: Position }>()
      const holder = (at: Position) => ({ at, inFloors: false, floor: () => floorOf.get(at) ?? Infinity })
      const floorOf = new Map<Position, Position>([[2, 2]])
      const [a, b] = [holder(1), holder(2)]
      floors.add(b)
      floors.add(a) // holds nothing yet
      floorOf.set(1, 1)

      floors.add(a)

      assert.equal(floors.lowest(), a)
    })

    it('G11 goes on when the lane’s start cannot be asked for after a gap', async () => {
      const { channel, subscribe, sendAll, faults, advance, log } = await openRig(backend)
      const subscriber = await subscribe('a')
      const [lane] = await log.lanes()
      assert.ok(lane)
      faults.fail('lanes', unavailable(), 2)
      faults.fail('read', new EventingError('POSITION_GONE', 'cut'), 3)
      await sendAll(events(3))

      for (let turn = 0; turn < 10; turn++) await advance(1_000)

      await eventually(() => subscriber.settledIds.length === 3, 'all are handed out')
      assert.equal(channel.status().waiting, 0)
    })

    it('G2 a record that knows entries beyond the head neither stops nor skips anything', async () => {
      const { log, channel, advance } = await openRig(backend, { startsLater: true })
      await log.createCursor('a', 'now')
      const [lane] = await log.lanes()
      assert.ok(lane)
      const end = lane.end
      const unsettled = [{ position: end, attempt: 3, waitMs: 0, dueAt: 0 }]
      await saveRecord(log, 'a', end, encodeCursor({ next: end + 1, unsettled, ahead: [] }))

      const handedOut: number[] = []
      await channel.subscribe('a', {
        filter: { matches: () => true, covers: [] },
        ordered: false,
        maxInFlight: 4,
        maxUnsettled: 10,
        deliver: async ({ progress }) => {
          handedOut.push(progress.attempt)
          return { kind: 'settled', outcome: 'delivered' }
        },
      })
      channel.start()
      await advance(1_000)
      await channel.send(anEvent())
      await channel.send(anEvent())

      await eventually(() => handedOut.length === 2, 'both are handed out')
      assert.deepEqual(handedOut.toSorted(), [0, 3])
    })

    it('G2 a record that cannot be read costs repetitions, not events, and no other subscription', async () => {
      const { log, channel, sendAll, subscribe } = await openRig(backend, { startsLater: true })
      await log.createCursor('bad', 'now')
      const [lane] = await log.lanes()
      assert.ok(lane)
      await saveRecord(log, 'bad', lane.end, { floor: lane.end, state: Uint8Array.of(99, 1, 2) })
      await sendAll(events(3))

      const bad = await subscribe('bad')
      const good = await subscribe('good', settles, {}, 'earliest')

      await eventually(() => bad.settledIds.length === 3 && good.settledIds.length === 3, 'both get all')
      assert.equal(channel.status().waiting, 0)
    })

    it('C12 subscribing again waits for the cursor that is being dropped', async () => {
      const { channel, subscribe, sendAll, faults, log } = await openRig(backend)
      await subscribe('a')
      const gate = aGate()
      faults.delay('dropCursor', gate.opened)
      const dropping = channel.unsubscribe('a')
      const again = subscribe('a')
      await calm()
      gate.open()
      await dropping
      const subscriber = await again
      await sendAll(events(2))

      await eventually(() => subscriber.settledIds.length === 2, 'both are handed out')
      await channel.save()
      assert.ok((await log.lanes()).length > 0)
    })

    it('a close does not wait for what is held, nor for a retry it will not make', async () => {
      const { channel, subscribe, sendAll, clock, whileTicking } = await openRig(backend)
      await subscribe('held', settles, { held: 'no subscriber' })
      const subscriber = await subscribe('failing', waits(4_900))
      await sendAll(events(1))
      await eventually(() => subscriber.ids.length === 1, 'it is tried')
      const startedAt = clock.now()

      await whileTicking(channel.close({ drainMs: 10_000 }))

      assert.ok(clock.now() - startedAt < 1_000, `${clock.now() - startedAt} ms`)
    })

    it('leaves no timer behind', async () => {
      const { channel, subscribe, sendAll, whileTicking, timers } = await openRig(backend)
      await subscribe('a', waits(HOUR_MS))
      await sendAll(events(3))
      await calm()

      await whileTicking(channel.close({ drainMs: 0 }))

      assert.equal(timers(), 0)
    })

    it('says what it still delivers, and nothing of what waits long or is held', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('held', settles, { held: 'no subscriber' })
      const gate = aGate()
      const subscriber = await subscribe('a', settlesAfter(gate))
      await subscribe('patient', waits(HOUR_MS))
      await sendAll(events(3))
      await eventually(() => subscriber.running === 3, 'they run')

      assert.equal(channel.isDelivering(), true)
      gate.open()
      await eventually(() => !channel.isDelivering(), 'nothing more comes')
      assert.ok(channel.status().waiting > 0)
    })

    it('C29 counts what is read again for a subscription that begins behind', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const first = await subscribe('first')
      const keeper = await subscribe('keeper', hangs)
      await sendAll(events(4))
      await eventually(() => first.settledIds.length === 4 && keeper.running === 4, 'one has all')
      const late = await subscribe('late', answersFor([first.ids[0] ?? ''], hangs), {}, 'earliest')
      await eventually(() => late.settledIds.length === 3, 'the late one has all but one')

      const { accepted, unmatched, settled, waiting } = channel.status()
      assert.deepEqual({ accepted, unmatched, settled, waiting }, { accepted: 4, unmatched: 0, settled: 0, waiting: 4 })
    })

    it('G8 a subscription nearly at the head waits for one round, not for the whole of a long backlog', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend, { settings: { sliceEntries: 100 } })
      const long = await subscribe('long')
      const near = await subscribe('near')
      channel.pause('long')
      await sendAll(events(5_000, 'old'))
      await eventually(() => near.settledIds.length === 5_000, 'one is at the head')
      channel.pause('near')
      await sendAll(events(1, 'new'))

      channel.resume('long')
      channel.resume('near')
      await eventually(() => near.settledIds.length === 5_001, 'it has the new one')

      assert.ok(long.ids.length < 2_500, `${long.ids.length} were handed out to the other by then`)
      await eventually(() => long.settledIds.length === 5_001, 'the other gets all')
    })

    it('G10 counts what was gone before it was read', async () => {
      const { channel, subscribe, sendAll, faults, log, advance } = await openRig(backend, { startsLater: true })
      const [lane] = await log.lanes()
      assert.ok(lane)
      await sendAll(events(6))
      faults.cutBefore(lane.id, lane.end + 5)
      const subscriber = await subscribe('a')
      for (let turn = 0; turn < 5; turn++) await advance(1_000)
      await sendAll(events(1, 'next'))

      await eventually(() => subscriber.settledIds.length >= 1, 'it goes on')
      assert.equal(channel.status().expired, 5)
    })
  })
}

/** Stores a record as an owner before this process did. */
async function saveRecord(log: EventLog, id: CursorId, base: Position, record: Cursor): Promise<void> {
  const stop = new AbortController()
  const owned = log.own(async (lane) => {
    await lane.save({ base, put: new Map([[id, record]]), covered: [] })
    stop.abort()
  }, stop.signal)
  await owned
}
