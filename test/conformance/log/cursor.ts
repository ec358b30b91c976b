import assert from 'node:assert/strict'
import type { Backend } from '../backend.ts'
import { itWith } from '../backend.ts'
import { anEvent, events } from '../support.ts'
import { closeBenches, floorOf, openBench, recordAt, settleAll } from './support.ts'

export function describeCursors(backend: Backend): void {
  describe('cursor', () => {
    afterEach(closeBenches)

    it('G5 `now` is after every append that resolved before the call, on every lane', async () => {
      const bench = await openBench(backend)
      await Promise.all(events(100).map((event) => bench.log.append(event)))
      const ends = new Map((await bench.log.lanes()).map(({ id, end }) => [id, end]))

      await bench.log.createCursor('a', 'now')

      for (const lane of await bench.ownAll()) {
        assert.ok((await floorOf(lane, 'a')) >= (ends.get(lane.id) ?? 0))
      }
    })

    it('G1 `now` is before every append that starts after the call resolved', async () => {
      const bench = await openBench(backend)
      await Promise.all(events(100).map((event) => bench.log.append(event)))
      await bench.log.createCursor('a', 'now')

      const { lane, position } = await bench.log.append(anEvent())

      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      assert.ok(owned)
      assert.ok((await floorOf(owned, 'a')) <= position)
    })

    it('`earliest` is at the first entry that is still there', async () => {
      const bench = await openBench(backend)
      await Promise.all(events(30).map((event) => bench.log.append(event)))

      await bench.log.createCursor('a', 'earliest')

      const starts = new Map((await bench.log.lanes()).map(({ id, start }) => [id, start]))
      for (const lane of await bench.ownAll()) assert.equal(await floorOf(lane, 'a'), starts.get(lane.id))
    })

    it('a time is at the first entry that arrived then or later', async () => {
      const bench = await openBench(backend)
      const hour = 3_600_000
      const now = Date.now()
      await bench.log.append(anEvent({ key: 'k', arrivedAt: now - 2 * hour }))
      const { lane, position } = await bench.log.append(anEvent({ key: 'k', arrivedAt: now - hour }))
      await bench.log.append(anEvent({ key: 'k', arrivedAt: now }))

      await bench.log.createCursor('a', { timeMs: now - hour })

      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      assert.ok(owned)
      assert.equal(await floorOf(owned, 'a'), position)
    })

    it('a time to come is at the head', async () => {
      const bench = await openBench(backend)
      await bench.log.append(anEvent({ arrivedAt: Date.now() }))

      await bench.log.createCursor('a', { timeMs: Date.now() + 3_600_000 })

      const ends = new Map((await bench.log.lanes()).map(({ id, end }) => [id, end]))
      for (const lane of await bench.ownAll()) assert.equal(await floorOf(lane, 'a'), ends.get(lane.id))
    })

    it('G13 creating a cursor that exists changes nothing', async () => {
      const bench = await openBench(backend)
      const { lane } = await bench.log.append(anEvent({ key: 'k' }))
      await bench.log.append(anEvent({ key: 'k' }))
      await bench.log.createCursor('a', 'earliest')
      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      assert.ok(owned)
      const before = await floorOf(owned, 'a')

      await bench.log.createCursor('a', 'now')

      assert.equal(await floorOf(owned, 'a'), before)
    })

    it('G13 creating a cursor that is covered changes nothing', async () => {
      const bench = await openBench(backend)
      await bench.log.createCursor('a', 'now')
      const { lane } = await bench.log.append(anEvent())
      await settleAll(bench, ['a'])
      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      assert.ok(owned)
      const { base } = await owned.cursors()

      await bench.log.createCursor('a', 'earliest')

      const again = await owned.cursors()
      assert.equal(again.own.has('a'), false)
      assert.equal(again.base, base)
    })

    it('keeps the floor and the exact state of a record', async () => {
      const bench = await openBench(backend)
      await bench.log.createCursor('a', 'now')
      const [lane] = await bench.ownAll()
      assert.ok(lane)
      const every = Array.from({ length: 256 }, (_, i) => i)

      await lane.save({ base: 0, put: new Map([['a', recordAt(7, every)]]), covered: [] })

      const record = (await lane.cursors()).own.get('a')
      assert.equal(record?.floor, 7)
      assert.deepEqual([...(record?.state ?? [])], every)
    })

    it('a covered cursor stands at the base and goes on with it', async () => {
      const bench = await openBench(backend)
      await Promise.all(events(8, 'k', { key: 'k' }).map((event) => bench.log.append(event)))
      await bench.log.createCursor('a', 'earliest')
      const [lane] = await bench.ownAll()
      assert.ok(lane)

      await lane.save({ base: 3, put: new Map(), covered: ['a'] })
      assert.equal(await floorOf(lane, 'a'), 3)
      await lane.save({ base: 5, put: new Map(), covered: [] })

      assert.equal(await floorOf(lane, 'a'), 5)
    })

    it('a cursor that falls behind again gets a record of its own back', async () => {
      const bench = await openBench(backend)
      await bench.log.createCursor('a', 'earliest')
      const [lane] = await bench.ownAll()
      assert.ok(lane)
      await lane.save({ base: 3, put: new Map(), covered: ['a'] })

      await lane.save({ base: 9, put: new Map([['a', recordAt(4)]]), covered: [] })

      assert.equal(await floorOf(lane, 'a'), 4)
    })

    it('stores base, records and covered cursors in one step', async () => {
      const bench = await openBench(backend)
      for (const id of ['a', 'b', 'c']) await bench.log.createCursor(id, 'earliest')
      const [lane] = await bench.ownAll()
      assert.ok(lane)

      await lane.save({ base: 6, put: new Map([['b', recordAt(2, [1])]]), covered: ['a', 'c'] })

      const { base, own } = await lane.cursors()
      assert.equal(base, 6)
      assert.deepEqual([...own.keys()], ['b'])
    })

    it('C12 a dropped cursor is gone, and a late save does not bring it back', async () => {
      const bench = await openBench(backend)
      await bench.log.createCursor('a', 'earliest')
      const [lane] = await bench.ownAll()
      assert.ok(lane)

      await bench.log.dropCursor('a')
      await bench.log.dropCursor('a')
      await lane.save({ base: 0, put: new Map([['a', recordAt(1)]]), covered: [] })

      assert.equal((await lane.cursors()).own.has('a'), false)
    })

    it('C12 a cursor created again after it was dropped starts where it is told', async () => {
      const bench = await openBench(backend)
      const { lane } = await bench.log.append(anEvent({ key: 'k' }))
      await bench.log.createCursor('a', 'earliest')
      await bench.log.dropCursor('a')

      await bench.log.createCursor('a', 'now')

      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      const end = (await bench.log.lanes()).find(({ id }) => id === lane)?.end
      assert.ok(owned)
      assert.equal(await floorOf(owned, 'a'), end)
    })

    it('shows a cursor that was created after the lane was taken', async () => {
      const bench = await openBench(backend)
      const { lane } = await bench.log.append(anEvent({ key: 'k' }))
      const owned = (await bench.ownAll()).find(({ id }) => id === lane)
      assert.ok(owned)

      await bench.log.createCursor('late', 'now')

      assert.equal((await owned.cursors()).own.has('late'), true)
    })

    itWith(backend, 'shared')('C22 G16 a save rejects with LANE_LOST once another process owns the lane', async () => {
      const first = await openBench(backend)
      const [lane] = await first.ownAll()
      assert.ok(lane)
      await first.release()
      const second = await first.store.open(first.ref, { capBytes: 2 ** 26 })
      const stop = new AbortController()
      const owning = second.own(async () => {}, stop.signal)

      await assert.rejects(lane.save({ base: 1, put: new Map(), covered: [] }), { code: 'LANE_LOST' })

      stop.abort()
      await owning
    })
  })
}
