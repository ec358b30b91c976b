import assert from 'node:assert/strict'
import type { EventLog, Room } from '../../../src/channel/log.ts'
import { codeOf, EventingError } from '../../../src/core/errors.ts'
import { eventBytes } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { roundTrips } from '../round-trips.ts'
import { anEvent, events, idOf } from '../support.ts'
import { closeBenches, openBench, settleAll, storedIn } from './support.ts'

const CAP_BYTES = 200_000

export function describeAppending(backend: Backend): void {
  describe('append', () => {
    afterEach(closeBenches)

    for (const { what, event } of roundTrips(backend.traits.maxEventBytes)) {
      it(`C1 G15 keeps ${what} exactly`, async () => {
        const { log } = await openBench(backend)

        await log.append(event)

        const [stored] = await storedIn(log)
        assert.deepEqual(stored?.event.attributes, event.attributes)
        assert.deepEqual(stored?.event.data, event.data)
        assert.deepEqual(stored?.event.headers, event.headers)
        assert.equal(stored?.event.arrivedAt, event.arrivedAt)
      })
    }

    it('C2 refuses an event over the largest size, and stores its neighbours in the same group', async () => {
      const { log } = await openBench(backend)
      const large = anEvent({ data: Buffer.alloc(backend.traits.maxEventBytes + 1) })

      const [before, refused, after] = await Promise.allSettled([
        log.append(anEvent({ id: 'before' })),
        log.append(large),
        log.append(anEvent({ id: 'after' })),
      ])

      assert.equal(before?.status, 'fulfilled')
      assert.equal(after?.status, 'fulfilled')
      assert.ok(refused?.status === 'rejected')
      assert.equal(codeOf(refused.reason), 'EVENT_TOO_LARGE')
      const ids = (await storedIn(log)).map(({ event }) => idOf(event))
      assert.deepEqual(ids.sort(), ['after', 'before'])
    })

    it('says that a refused size will never fit', async () => {
      const { log } = await openBench(backend)
      const large = anEvent({ data: Buffer.alloc(backend.traits.maxEventBytes + 1) })

      await assert.rejects(log.append(large), { code: 'EVENT_TOO_LARGE', retryable: false })
    })

    it('C2 says that an event larger than the whole log will never fit, however empty it gets', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      const larger = anEvent({ data: Buffer.alloc(2 * CAP_BYTES) })

      for (const room of ['publish', 'internal', 'drain'] as const) {
        await assert.rejects(log.append(larger, room), { code: 'EVENT_TOO_LARGE', retryable: false }, room)
      }
    })

    it('C2 tells a publisher so of an event that only a reply or a dead letter has room for', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      const large = anEvent({ data: Buffer.alloc(0.95 * CAP_BYTES) })

      await assert.rejects(log.append(large, 'publish'), { code: 'EVENT_TOO_LARGE', retryable: false })

      await log.append(large, 'internal')
    })

    it('G17 gives each of 500 events that are appended at once a position of its own', async () => {
      const { log } = await openBench(backend)

      const places = await Promise.all(events(500).map((event) => log.append(event)))

      assert.equal(new Set(places.map(({ lane, position }) => `${lane}/${position}`)).size, 500)
    })

    it('returns the place where the event then stands', async () => {
      const { log } = await openBench(backend)

      const places = await Promise.all(
        events(50).map(async (event) => ({ id: idOf(event), ...(await log.append(event)) })),
      )

      const stored = (await storedIn(log)).map(({ lane, position, event }) => ({ id: idOf(event), lane, position }))
      const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id)
      assert.deepEqual(stored.sort(byId), places.sort(byId))
    })

    it('G7 keeps events of one partitionkey on one lane, in the order in which their appends resolved', async () => {
      const { log } = await openBench(backend)
      const lanes = new Set<string>()

      for (const event of events(20, 'k', { key: 'customer-7' })) lanes.add((await log.append(event)).lane)

      const stored = await storedIn(log)
      assert.equal(lanes.size, 1)
      assert.deepEqual(
        stored.map(({ event }) => idOf(event)),
        Array.from({ length: 20 }, (_, i) => `k${i + 1}`),
      )
    })

    it('G9 refuses publishers at 90 % of the cap', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })

      const refusal = await fill(log, 'publish')

      assert.equal(refusal.code, 'LOG_FULL')
      assert.equal(refusal.retryable, true)
      assertFilled(log, 0.8 * CAP_BYTES, 0.9 * CAP_BYTES)
    })

    it('G9 gives replies, hops and dead letters the rest of the cap', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      await fill(log, 'publish')

      const refusal = await fill(log, 'internal')

      assert.equal(refusal.code, 'LOG_FULL')
      assertFilled(log, 0.9 * CAP_BYTES, CAP_BYTES)
    })

    it('G9 gives the reply that drains the log up to twice the cap, and no more', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      await fill(log, 'internal')

      const refusal = await fill(log, 'drain')

      assert.equal(refusal.code, 'LOG_FULL')
      assertFilled(log, 1.9 * CAP_BYTES, 2 * CAP_BYTES)
    })

    it('C18 a full log takes events again once what it holds is settled and trimmed', async () => {
      const bench = await openBench(backend, { capBytes: CAP_BYTES })
      await fill(bench.log, 'publish')

      await settleAll(bench)

      await bench.log.append(anEvent({ id: 'next' }))
    })

    it('stores nothing of a refused event', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      await fill(log, 'publish')
      const { entries } = log.size()

      await assert.rejects(log.append(anEvent({ id: 'refused', data: Buffer.alloc(40_000) })))

      assert.equal(log.size().entries, entries)
      assert.ok((await storedIn(log)).every(({ event }) => idOf(event) !== 'refused'))
    })

    it('counts the entries and the bytes it holds', async () => {
      const { log } = await openBench(backend, { capBytes: CAP_BYTES })
      const event = anEvent({ data: Buffer.alloc(1_000) })

      await log.append(event)

      const { entries, bytes, capBytes } = log.size()
      assert.equal(entries, 1)
      assert.equal(capBytes, CAP_BYTES)
      // What a record takes is the backend's own affair; that it is about the event's size is not.
      assert.ok(bytes >= 1_000 && bytes <= 2 * eventBytes(event), `${bytes} bytes`)
    })
  })
}

/** Appends events of a kilobyte until one is refused, and returns the refusal. */
async function fill(log: EventLog, room: Room): Promise<EventingError> {
  for (;;) {
    try {
      await log.append(anEvent({ data: Buffer.alloc(1_024) }), room)
    } catch (error) {
      assert.ok(error instanceof EventingError)
      return error
    }
  }
}

function assertFilled(log: EventLog, atLeast: number, atMost: number): void {
  const { bytes } = log.size()
  assert.ok(bytes >= atLeast && bytes <= atMost, `${bytes} bytes, expected ${atLeast} to ${atMost}`)
}
