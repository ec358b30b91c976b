import assert from 'node:assert/strict'
import type { LaneId, OwnedLane, Position } from '../../../src/channel/log.ts'
import type { Backend } from '../backend.ts'
import { anEvent, events, idOf } from '../support.ts'
import { type Bench, closeBenches, openBench, recordAt, settleAll, storedIn } from './support.ts'

export function describeTrimming(backend: Backend): void {
  describe('trim', () => {
    afterEach(closeBenches)

    it('G10 keeps every entry that a stored cursor has not passed, whatever it is told', async () => {
      const { bench, lane, positions } = await laneOf(backend, 10)
      await bench.log.createCursor('slow', 'earliest')
      const end = endOf(positions)
      await lane.save({ base: end, put: new Map([['slow', recordAt(at(positions, 4))]]), covered: [] })

      await lane.trim(end)

      const ids = (await storedIn(bench.log)).map(({ event }) => idOf(event))
      assert.deepEqual(ids.slice(-6), ['k5', 'k6', 'k7', 'k8', 'k9', 'k10'])
    })

    it('G10 keeps every entry that the base has not passed', async () => {
      const { bench, lane, positions } = await laneOf(backend, 10)
      await lane.save({ base: at(positions, 7), put: new Map(), covered: [] })

      await lane.trim(endOf(positions))

      const ids = (await storedIn(bench.log)).map(({ event }) => idOf(event))
      assert.deepEqual(ids.slice(-3), ['k8', 'k9', 'k10'])
    })

    it('G10 keeps every entry that a cursor created a moment ago may still want', async () => {
      const { bench, lane, positions } = await laneOf(backend, 10)
      await lane.save({ base: endOf(positions), put: new Map(), covered: [] })
      await bench.log.createCursor('new', 'earliest')

      await lane.trim(endOf(positions))

      assert.equal((await storedIn(bench.log)).length, 10)
    })

    it('C17 follows the slowest of three cursors, and shrinks when it settles', async () => {
      const { bench, lane, positions } = await laneOf(backend, 300)
      for (const id of ['a', 'b', 'c']) await bench.log.createCursor(id, 'earliest')
      const save = (put: Record<string, Position>): Promise<void> =>
        lane.save({
          base: endOf(positions),
          put: new Map(Object.entries(put).map(([id, floor]) => [id, recordAt(floor)])),
          covered: [],
        })
      const full = bench.log.size().bytes

      await save({ a: at(positions, 200), b: at(positions, 100), c: at(positions, 10) })
      await lane.trim(endOf(positions))
      const held = await storedIn(bench.log)
      await save({ c: at(positions, 299) })
      await save({ b: at(positions, 299), a: at(positions, 299) })
      await lane.trim(endOf(positions))

      assert.ok(held.length >= 290)
      assert.ok(bench.log.size().bytes < full / 2, `${bench.log.size().bytes} of ${full} bytes`)
      assert.equal(
        (await storedIn(bench.log)).some(({ event }) => idOf(event) === 'k300'),
        true,
      )
    })

    it('C17 a dropped cursor holds nothing any more', async () => {
      const { bench, lane, positions } = await laneOf(backend, 300)
      await bench.log.createCursor('slow', 'earliest')
      await lane.save({ base: endOf(positions), put: new Map(), covered: [] })
      await bench.log.dropCursor('slow')
      const full = bench.log.size().bytes

      await lane.trim(endOf(positions))

      assert.ok(bench.log.size().bytes < full / 2, `${bench.log.size().bytes} of ${full} bytes`)
    })

    it('G17 goes on with new positions after everything was trimmed', async () => {
      const bench = await openBench(backend)
      const first = await bench.log.append(anEvent({ key: 'k' }))
      await settleAll(bench)

      const second = await bench.log.append(anEvent({ key: 'k' }))

      assert.equal(second.lane, first.lane)
      assert.ok(second.position > first.position)
    })
  })
}

/** A log whose events all stand on one lane, `k1` to `k<count>`, and that lane as its owner. */
async function laneOf(
  backend: Backend,
  count: number,
): Promise<{ bench: Bench; lane: OwnedLane; positions: readonly Position[] }> {
  const bench = await openBench(backend)
  const places: { lane: LaneId; position: Position }[] = []
  for (const event of events(count, 'k', { key: 'k', data: Buffer.alloc(1_024) }))
    places.push(await bench.log.append(event))
  const lane = (await bench.ownAll()).find(({ id }) => id === places[0]?.lane)
  assert.ok(lane)
  return { bench, lane, positions: places.map(({ position }) => position) }
}

function at(positions: readonly Position[], index: number): Position {
  const position = positions[index]
  assert.ok(position !== undefined)
  return position
}

function endOf(positions: readonly Position[]): Position {
  return at(positions, positions.length - 1) + 1
}
