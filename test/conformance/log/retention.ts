import assert from 'node:assert/strict'
import type { LogConfig } from '../../../src/channel/log.ts'
import { eventBytes } from '../../../src/core/event.ts'
import { createFakeClock } from '../../support/clock.ts'
import { type Backend, itWith } from '../backend.ts'
import { anEvent, events, goesOnUntil, idOf, idsOf } from '../support.ts'
import { type Bench, closeBenches, openBench, recordAt, settleAll, storedIn } from './support.ts'

const HOUR_MS = 3_600_000
/** Every event of these tests counts as so much. */
const EVENT_BYTES = eventBytes(aLetter('e10'))

/** What is kept of settled events. Events are of one key, so they stand on one lane. */
export function describeRetention(backend: Backend): void {
  describe('retention', () => {
    afterEach(closeBenches)

    it('keeps settled events up to its bytes, the last ones', async () => {
      const bench = await openBench(backend, { retention: { bytes: 5 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 20)

      await settleAll(bench)

      assert.deepEqual(await idsIn(bench), idsBetween(25, 30))
      assert.equal(bench.log.size().retainedBytes, bench.log.size().bytes)
    })

    it('keeps nothing that is settled unless it is told to', async () => {
      const bench = await openBench(backend)
      await fill(bench, 20)

      await settleAll(bench)

      assert.deepEqual(await idsIn(bench), [])
    })

    for (const retention of [
      { bytes: 0, ms: HOUR_MS },
      { bytes: 100 * EVENT_BYTES, ms: 0 },
    ]) {
      it(`keeps nothing that is settled for ${retention.ms} ms or up to ${retention.bytes} bytes`, async () => {
        const bench = await openBench(backend, { retention })
        await fill(bench, 20)

        await settleAll(bench)

        assert.deepEqual(await idsIn(bench), [])
      })
    }

    it('G10 is no reason to give up what is not settled', async () => {
      const bench = await openBench(backend, { retention: { bytes: 2 * EVENT_BYTES, ms: 1 } })
      await fill(bench, 20)
      await bench.log.createCursor('slow', 'earliest')

      await settleAll(bench)

      assert.equal((await idsIn(bench)).length, 20)
      assert.equal(bench.log.size().retainedBytes, 0)
    })

    it('C18 gives settled events up, the oldest first, as soon as an append needs the room', async () => {
      const capBytes = Math.ceil((10 * EVENT_BYTES) / 0.9)
      const bench = await openBench(backend, { capBytes, retention: { bytes: capBytes, ms: HOUR_MS } })
      await fill(bench, 10)
      await settleAll(bench)

      await fill(bench, 4, 20)

      assert.deepEqual(await idsIn(bench), idsBetween(14, 24))
      await fill(bench, 6, 24)
      await assert.rejects(bench.log.append(aLetter('e99')), { code: 'LOG_FULL', retryable: true })
    })

    it('gives settled events up that are too old, while nothing else happens', async () => {
      const clock = createFakeClock(1_000 * HOUR_MS)
      const bench = await openBench(backend, { clock, retention: { bytes: 100 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 10, 10, clock.wall() - HOUR_MS / 2)
      await fill(bench, 10, 20, clock.wall())
      await settleAll(bench)
      await clock.advance(HOUR_MS / 4)
      assert.equal((await idsIn(bench)).length, 20)

      await clock.advance(HOUR_MS / 2)

      await goesOnUntil(clock, () => bench.log.size().entries === 10, 'the older half is gone')
      assert.deepEqual(await idsIn(bench), idsBetween(20, 30))
      await clock.advance(HOUR_MS)
      await goesOnUntil(clock, () => bench.log.size().entries === 0, 'all are gone')
    })

    it('G10 gives nothing up for its age that is not settled', async () => {
      const clock = createFakeClock(1_000 * HOUR_MS)
      const bench = await openBench(backend, { clock, retention: { bytes: 100 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 20, 10, clock.wall())
      const [lane] = await bench.ownAll()
      assert.ok(lane)
      const half = (await storedIn(bench.log))[10]?.position ?? 0
      await lane.save({ base: half, put: new Map(), covered: [] })

      await clock.advance(2 * HOUR_MS)

      await goesOnUntil(clock, () => bench.log.size().entries === 10, 'what is settled is gone')
      assert.deepEqual(await idsIn(bench), idsBetween(20, 30))
    })

    it('has a new length at once for a log that is open', async () => {
      const bench = await openBench(backend, { retention: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 20)
      await settleAll(bench)

      await reopen(bench, { retention: { bytes: 3 * EVENT_BYTES, ms: HOUR_MS } })

      assert.deepEqual(await idsIn(bench), idsBetween(27, 30))
      await reopen(bench, { retention: { bytes: 100 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 20, 30)
      await settleAll(bench)
      assert.deepEqual(await idsIn(bench), idsBetween(27, 50))
    })

    it('has a new cap at once for a log that is open', async () => {
      const bench = await openBench(backend, { capBytes: 12 * EVENT_BYTES })
      await fill(bench, 10)
      await assert.rejects(bench.log.append(aLetter('e20')), { code: 'LOG_FULL' })

      await reopen(bench, { capBytes: 24 * EVENT_BYTES })

      await fill(bench, 10, 20)
      assert.equal(bench.log.size().capBytes, 24 * EVENT_BYTES)
    })

    it('G10 is over for what a new cursor begins with: it is unsettled again', async () => {
      const capBytes = Math.ceil((20 * EVENT_BYTES) / 0.9)
      const bench = await openBench(backend, { capBytes, retention: { bytes: capBytes, ms: HOUR_MS } })
      await fill(bench, 10)
      await settleAll(bench)
      const fifth = (await storedIn(bench.log))[4]
      assert.ok(fifth)

      await bench.log.createCursor('replay', { timeMs: fifth.event.arrivedAt })
      await settleAll(bench)
      await fill(bench, 14, 20)

      await assert.rejects(bench.log.append(aLetter('e99')), { code: 'LOG_FULL' })
      assert.deepEqual(await idsIn(bench), idsBetween(14, 34))
    })

    it('goes on for what a cursor that was made for it has settled', async () => {
      const bench = await openBench(backend, { retention: { bytes: 100 * EVENT_BYTES, ms: HOUR_MS } })
      await fill(bench, 10)
      await settleAll(bench)
      await bench.log.createCursor('replay', 'earliest')
      const [lane] = await bench.ownAll()
      const end = (await bench.log.lanes())[0]?.end ?? 0
      assert.ok(lane)
      assert.equal(bench.log.size().retainedBytes, 0)

      await lane.save({ base: end, put: new Map([['replay', recordAt(end)]]), covered: [] })
      await lane.trim(end)

      assert.equal(bench.log.size().retainedBytes, 10 * EVENT_BYTES)
    })

    for (const after of ['close', 'kill'] as const) {
      itWith(backend, 'durable')(`what it kept is there after a ${after}`, async () => {
        assert.ok(backend.reopen)
        const config = { capBytes: 2 ** 20, retention: { bytes: 5 * EVENT_BYTES, ms: HOUR_MS } }
        const bench = await openBench(backend, config)
        await fill(bench, 20)
        await settleAll(bench)
        await bench.release()

        const again = await backend.reopen(bench.store, after)

        const log = await again.open(bench.ref, config)
        assert.deepEqual(idsOf((await storedIn(log)).map(({ event }) => event)), idsBetween(25, 30))
        await again.close()
      })
    }
  })
}

/** Ids have two digits, so that all events count alike. */
export function aLetter(id: string, arrivedAt = Date.now()) {
  return anEvent({ id, key: 'k', data: Buffer.alloc(1_000), arrivedAt })
}

/** `count` events, `e<from>` and so on. Each arrives a millisecond after the one before. */
export async function fill(bench: Bench, count: number, from = 10, arrivedAt = Date.now()): Promise<void> {
  for (const [i] of events(count).entries()) await bench.log.append(aLetter(`e${from + i}`, arrivedAt + i))
}

export function idsBetween(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `e${from + i}`)
}

export async function idsIn(bench: Bench): Promise<string[]> {
  return (await storedIn(bench.log)).map(({ event }) => idOf(event))
}

async function reopen({ store, ref }: Bench, config: Partial<LogConfig>): Promise<void> {
  await store.open(ref, { capBytes: 2 ** 26, ...config })
}
