import assert from 'node:assert/strict'
import type { Position } from '../../../src/channel/log.ts'
import { eventBytes } from '../../../src/core/event.ts'
import { createFakeClock } from '../../support/clock.ts'
import { type Backend, itWith } from '../backend.ts'
import { eventually, goesOnUntil } from '../support.ts'
import { aLetter, fill, idsBetween, idsIn } from './retention.ts'
import { type Bench, closeBenches, openBench, recordAt, settleAll, storedFrom, storedIn } from './support.ts'

const HOUR_MS = 3_600_000
const EVENT_BYTES = eventBytes(aLetter('e10'))

/** What is given up though nobody settled it. */
export function describeExpiry(backend: Backend): void {
  describe('expiry', () => {
    afterEach(closeBenches)

    it('gives up the oldest events, settled or not, beyond its bytes', async () => {
      const bench = await openBench(backend, { expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })
      await bench.log.createCursor('slow', 'earliest')

      await fill(bench, 30)

      await eventually(() => bench.log.size().entries === 10, 'the oldest are gone')
      assert.deepEqual(await idsIn(bench), idsBetween(30, 40))
    })

    it('C18 never refuses for want of room what it makes room for', async () => {
      const capBytes = 20 * EVENT_BYTES
      const bench = await openBench(backend, { capBytes, expiry: { bytes: 0.9 * capBytes, ms: HOUR_MS } })

      for (let from = 10; from < 90; from += 10) {
        await Promise.all(idsBetween(from, from + 10).map((id) => bench.log.append(aLetter(id))))
      }

      await eventually(() => bench.log.size().bytes <= 0.9 * capBytes, 'it is within its bytes')
      assert.equal((await idsIn(bench)).at(-1), 'e89')
    })

    it('gives settled events up first', async () => {
      const bench = await openBench(backend, {
        retention: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS },
        expiry: { bytes: 20 * EVENT_BYTES, ms: HOUR_MS },
      })
      await fill(bench, 20)
      await settleAll(bench)
      const told = await listenTo(bench)

      await fill(bench, 10, 30)

      await eventually(() => bench.log.size().entries === 20, 'ten settled ones are gone')
      assert.deepEqual(await idsIn(bench), idsBetween(20, 40))
      assert.deepEqual(told, [])
    })

    it('gives up events that are too old, while nothing else happens', async () => {
      const clock = createFakeClock(1_000 * HOUR_MS)
      const bench = await openBench(backend, { clock, expiry: { bytes: Infinity, ms: HOUR_MS } })
      await bench.log.createCursor('slow', 'earliest')
      await fill(bench, 10, 10, clock.wall() - HOUR_MS / 2)
      await fill(bench, 10, 20, clock.wall())

      await clock.advance(0.75 * HOUR_MS)

      await goesOnUntil(clock, () => bench.log.size().entries === 10, 'the older half is gone')
      assert.deepEqual(await idsIn(bench), idsBetween(20, 30))
    })

    it('tells its owner where the log starts then', async () => {
      const bench = await openBench(backend, { expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })
      const told = await listenTo(bench)

      await fill(bench, 30)

      const [lane] = await bench.log.lanes()
      await eventually(() => told.at(-1) === lane?.start, 'the last that was told is where it starts')
      assert.deepEqual(
        [...told].sort((a, b) => a - b),
        told,
      )
    })

    it('says so to who reads what is gone, and leaves a cursor where it is', async () => {
      const bench = await openBench(backend, { expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })
      await bench.log.createCursor('slow', 'earliest')
      const [before] = await bench.log.lanes()
      await fill(bench, 30)
      await eventually(() => bench.log.size().entries === 10, 'the oldest are gone')
      const [owned] = await bench.ownAll()
      assert.ok(before && owned)

      const { start, own } = await owned.cursors()

      await assert.rejects(storedFrom(bench.log, before.id, before.start, Infinity), { code: 'POSITION_GONE' })
      assert.equal(own.get('slow')?.floor, before.start)
      assert.equal(start, (await bench.log.lanes())[0]?.start)
    })

    it('begins for a log that is open with the config that has it', async () => {
      const bench = await openBench(backend)
      await fill(bench, 30)

      await bench.store.open(bench.ref, { capBytes: 2 ** 26, expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })

      await eventually(() => bench.log.size().entries === 10, 'the oldest are gone')
      assert.deepEqual(await idsIn(bench), idsBetween(30, 40))
    })

    it('G17 goes on with new positions after everything expired', async () => {
      const clock = createFakeClock(1_000 * HOUR_MS)
      const bench = await openBench(backend, { clock, expiry: { bytes: Infinity, ms: HOUR_MS } })
      const first = await bench.log.append(aLetter('e10', clock.wall()))
      await clock.advance(2 * HOUR_MS)
      await goesOnUntil(clock, () => bench.log.size().entries === 0, 'it is gone')

      const second = await bench.log.append(aLetter('e11', clock.wall()))

      assert.ok(second.position > first.position)
      assert.deepEqual(await idsIn(bench), ['e11'])
    })

    it('G10 settles nothing: cursors that come later are as they were saved', async () => {
      const bench = await openBench(backend, { expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 30)
      await eventually(() => bench.log.size().entries === 10, 'the oldest are gone')
      await bench.log.createCursor('slow', 'earliest')
      const [lane] = await bench.ownAll()
      const [range] = await bench.log.lanes()
      assert.ok(lane && range)

      await lane.save({ base: range.end, put: new Map([['slow', recordAt(range.start + 4)]]), covered: [] })
      await lane.trim(range.end)

      assert.deepEqual(await idsIn(bench), idsBetween(34, 40))
    })

    for (const after of ['close', 'kill'] as const) {
      itWith(backend, 'durable')(`what was given up is not there after a ${after}, and not missed`, async () => {
        assert.ok(backend.reopen)
        const config = { capBytes: 2 ** 20, expiry: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } }
        const bench = await openBench(backend, config)
        await bench.log.createCursor('slow', 'earliest')
        await fill(bench, 30)
        await eventually(() => bench.log.size().entries === 10, 'the oldest are gone')

        const again = await backend.reopen(bench.store, after)

        const log = await again.open(bench.ref, config)
        assert.deepEqual(
          (await storedIn(log)).map(({ event }) => event.attributes['id']),
          idsBetween(30, 40),
        )
        await again.close()
      })
    }
  })
}

async function listenTo(bench: Bench): Promise<Position[]> {
  const told: Position[] = []
  for (const lane of await bench.ownAll()) lane.onExpired((start) => told.push(start))
  return told
}
