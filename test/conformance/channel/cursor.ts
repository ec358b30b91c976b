import assert from 'node:assert/strict'
import { decodeCursor, encodeCursor, mergeCursors } from '../../../src/channel/cursor.ts'
import type { Backend } from '../backend.ts'
import { answersFor, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, idOf, seeded } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

/** Longest time after which a settled delivery is on record. */
const SAVED_MS = 1_000

export function describeCursorKeeping(backend: Backend): void {
  describe('cursors', () => {
    afterEach(closeRigs)

    it('G4 what settled a second ago is on record: a crash repeats nothing of it', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a')
      await sendAll(events(500))
      await eventually(() => before.settledIds.length === 500, 'all settle')
      await advance(SAVED_MS)
      await calm()

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await restarted.advance(2_000)
      await calm()

      assert.deepEqual(after.ids, [])
    })

    it('G4 what settled before a close is on record, however short ago', async () => {
      const { subscribe, sendAll, restart } = await openRig(backend)
      const before = await subscribe('a')
      await sendAll(events(500))
      await eventually(() => before.settledIds.length === 500, 'all settle')

      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await restarted.advance(2_000)
      await calm()

      assert.deepEqual(after.ids, [])
    })

    it('`save` puts everything on record now', async () => {
      const { channel, subscribe, sendAll, restart, whileTicking } = await openRig(backend)
      const before = await subscribe('a')
      await sendAll(events(50))
      await eventually(() => before.settledIds.length === 50, 'all settle')
      await whileTicking(channel.save())

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await calm()

      assert.deepEqual(after.ids, [])
    })

    it('C7 out-of-order settling: all but the first of 10,000, a crash, and only the first is handed out again', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a', answersFor(['e1'], hangs))
      await sendAll(events(10_000))
      for (let turn = 0; turn < 2_000 && before.settledIds.length < 9_999; turn++) await advance(5)
      assert.equal(before.settledIds.length, 9_999)
      await advance(2 * SAVED_MS)
      await calm()

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await eventually(() => after.ids.length > 0, 'the first is handed out again')
      await restarted.advance(2_000)
      await calm()

      assert.deepEqual(after.ids, ['e1'])
    })

    it('C7 G6 a crash in the midst of random settling skips nothing that was not settled', async () => {
      const random = seeded(3)
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a', (delivery, nth) => (random() < 0.7 ? settles : hangs)(delivery, nth), {
        maxInFlight: 1_000,
      })
      await sendAll(events(600, 'a'))
      await eventually(() => before.ids.length === 600, 'all are handed out')
      await advance(SAVED_MS)
      await sendAll(events(300, 'b'))
      await eventually(() => before.ids.length === 900, 'more are handed out')

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')

      const unsettled = before.ids.filter((id) => !before.settledIds.includes(id))
      await eventually(() => unsettled.every((id) => after.ids.includes(id)), 'all that was not settled comes again')
    })

    it('C4 C7 G4 a crash repeats at most what was in flight and what settled since the last save', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a', answersFor(['old7', 'new9'], hangs))
      await sendAll(events(400, 'old'))
      await eventually(() => before.settledIds.length === 399, 'the old ones settle')
      await advance(SAVED_MS)
      await calm()
      await sendAll(events(50, 'new'))
      await eventually(() => before.settledIds.length === 448, 'the new ones settle')

      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')

      await eventually(() => after.ids.includes('old7') && after.ids.includes('new9'), 'what was in flight comes again')
      await calm()
      assert.deepEqual(
        after.ids.filter((id) => id.startsWith('old')),
        ['old7'],
      )
    })

    it('C15 a restart keeps the attempt number of what waits', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const before = await subscribe('a', waits(6_000))
      await sendAll([anEvent({ id: 'x' })])
      await eventually(() => before.attempts.length === 1, 'the first attempt is made')
      for (let turn = 0; turn < 15; turn++) await advance(1_000)
      assert.deepEqual(
        before.attempts.map(({ attempt }) => attempt),
        [0, 1, 2],
      )

      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await restarted.advance(7_000)

      await eventually(() => after.attempts.length > 0, 'the next attempt is made')
      assert.equal(after.attempts[0]?.attempt, 3)
    })

    it('a restart in the midst of a wait does not begin it anew', async () => {
      const minute = 60_000
      const { subscribe, sendAll, advance, clock, restart } = await openRig(backend)
      const before = await subscribe('a', waits(60 * minute))
      await sendAll([anEvent()])
      await eventually(() => before.attempts.length === 1, 'the first attempt is made')
      const dueAt = (before.attempts[0]?.at ?? 0) + 60 * minute
      await advance(40 * minute)

      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await restarted.advance(dueAt - clock.now() - 1_000)
      await calm()
      assert.deepEqual(after.ids, [])
      await restarted.advance(2_000)

      await eventually(() => after.ids.length === 1, 'it is attempted when it was due')
    })

    it('a wait that ended while nothing ran is attempted at once', async () => {
      const { subscribe, sendAll, advance, jumpWall, restart } = await openRig(backend)
      const before = await subscribe('a', waits(3_600_000))
      await sendAll([anEvent()])
      await eventually(() => before.attempts.length === 1, 'the first attempt is made')
      await advance(1_500)

      jumpWall(7_200_000)
      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await restarted.advance(10)

      await eventually(() => after.settledIds.length === 1, 'it is attempted')
    })

    it('five restarts in a row lose nothing and settle everything once each at most', async () => {
      let rig = await openRig(backend)
      const random = seeded(5)
      const settled: string[] = []
      const sent: string[] = []
      for (let round = 0; round < 5; round++) {
        const subscriber = await rig.subscribe('a', (delivery, nth) =>
          (random() < 0.5 ? settles : waits(7_000))(delivery, nth),
        )
        const batch = events(200, `r${round}-`)
        sent.push(...batch.map(idOf))
        await rig.sendAll(batch)
        await rig.advance(10_000)
        rig = await rig.restart('close')
        settled.push(...subscriber.settledIds)
      }

      const last = await rig.subscribe('a')
      for (let turn = 0; turn < 100 && settled.length + last.settledIds.length < 1_000; turn++) await rig.advance(1_000)

      assert.deepEqual([...settled, ...last.settledIds].sort(), sent.sort())
    })

    it('a paused one keeps its place across a restart', async () => {
      const { channel, subscribe, sendAll, restart } = await openRig(backend)
      const before = await subscribe('a')
      await sendAll(events(10, 'a'))
      await eventually(() => before.settledIds.length === 10, 'the first settle')
      channel.pause('a')
      await sendAll(events(10, 'b'))

      const restarted = await restart('close')
      const after = await restarted.subscribe('a')

      await eventually(() => after.settledIds.length === 10, 'the rest is handed out')
      assert.ok(after.ids.every((id) => id.startsWith('b')))
    })

    it('G10 a subscription that is gone holds nothing: the log shrinks', async () => {
      const { channel, log, subscribe, sendAll, advance } = await openRig(backend)
      const quick = await subscribe('quick')
      await subscribe('stuck', hangs)
      await sendAll(events(500, 'e', { data: Buffer.alloc(1_024) }))
      await eventually(() => quick.settledIds.length === 500, 'the quick one is through')
      await advance(3_000)
      assert.equal(log.size().entries, 500)

      await channel.unsubscribe('stuck')
      await advance(3_000)
      await sendAll([anEvent()])
      await advance(3_000)

      await eventually(() => log.size().entries < 250, 'what is settled goes')
    })

    it('what one subscription settled says nothing about another', async () => {
      const { subscribe, sendAll, advance, restart } = await openRig(backend)
      const gate = aGate()
      const quick = await subscribe('quick')
      await subscribe('slow', settlesAfter(gate))
      await sendAll(events(100))
      await eventually(() => quick.settledIds.length === 100, 'the quick one is through')
      await advance(2 * SAVED_MS)

      const restarted = await restart('crash')
      const slow = await restarted.subscribe('slow')

      await eventually(() => slow.settledIds.length === 100, 'the slow one gets all again')
    })

    it('those at the head share one position: a record of its own only has who is behind, paused or unsettled', async () => {
      const { channel, subscribe, subscribeMany, sendAll, advance, faults } = await openRig(backend)
      const atHead = await subscribeMany(5, 'head')
      await subscribe('unsettled', answersFor(['e1'], hangs))
      await subscribe('behind', hangs, { maxUnsettled: 1 })
      await subscribe('paused')
      channel.pause('paused')
      await sendAll(events(20))
      await eventually(
        () => atHead.every(({ settledIds }) => settledIds.length === 20),
        'those at the head are through',
      )
      await advance(3 * SAVED_MS)

      const own = new Set<string>()
      for (const { put, covered } of faults.saves) {
        for (const id of put) own.add(id)
        for (const id of covered) own.delete(id)
      }
      assert.deepEqual([...own].sort(), ['behind', 'paused', 'unsettled'])
    })

    it('G2 no save stores a cursor’s record and covers it in one step', async () => {
      const { subscribe, sendAll, advance, faults, restart } = await openRig(backend)
      const before = await subscribe('a', hangs)
      await sendAll([anEvent({ id: 'x' })])
      await eventually(() => before.running === 1, 'it runs')
      await advance(2 * SAVED_MS)
      await calm()

      for (const { put, covered } of faults.saves) {
        assert.deepEqual(
          put.filter((id) => covered.includes(id)),
          [],
        )
      }
      const restarted = await restart('crash')
      const after = await restarted.subscribe('a')
      await eventually(() => after.ids.length === 1, 'it is handed out again')
    })

    it('what waited before a restart is shown as waiting after it', async () => {
      const { subscribe, sendAll, restart } = await openRig(backend)
      const before = await subscribe('a', answersFor(['e1', 'e2', 'e3'], hangs))
      await sendAll(events(10))
      await eventually(() => before.settledIds.length === 7, 'seven settle')

      const restarted = await restart('close')
      await restarted.subscribe('a', hangs)

      await eventually(() => restarted.channel.subscription('a')?.unsettled === 3, 'three are unsettled')
      assert.equal(restarted.channel.status().waiting, 3)
    })

    it('C4 two records of one cursor merge by union, in either order', () => {
      const entry = (position: number, attempt: number) => ({ position, attempt, waitMs: 0, dueAt: 0 })
      const stretch = (from: number, to: number) => ({ from, to })
      const old = encodeCursor({
        next: 20,
        unsettled: [entry(3, 1), entry(8, 4), entry(15, 0), entry(16, 0)],
        ahead: [stretch(22, 24)],
      })
      const late = encodeCursor({
        next: 12,
        unsettled: [entry(3, 5), entry(10, 0)],
        ahead: [stretch(16, 17), stretch(20, 21), stretch(24, 26)],
      })
      // 8 is settled in the one, 10, 16 and 20 in the other; 3 in neither; the other has not come to 15.
      const union = { next: 21, unsettled: [entry(3, 5), entry(15, 0)], ahead: [stretch(22, 26)] }

      assert.deepEqual(decodeCursor(mergeCursors(old, late)), union)
      assert.deepEqual(decodeCursor(mergeCursors(late, old)), union)
    })
  })
}
