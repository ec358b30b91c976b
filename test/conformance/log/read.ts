import assert from 'node:assert/strict'
import type { EventLog, LaneId, Position } from '../../../src/channel/log.ts'
import { eventBytes } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { anEvent, calm, events, eventually, idOf } from '../support.ts'
import { closeBenches, openBench, settleAll, storedFrom, storedIn } from './support.ts'

export function describeReading(backend: Backend): void {
  describe('read', () => {
    afterEach(closeBenches)

    it('begins at any entry', async () => {
      const { log } = await openBench(backend)
      const places = []
      for (const event of events(5, 'k', { key: 'one-lane' })) places.push(await log.append(event))
      const [, , third, , last] = places
      assert.ok(third && last)

      const stored = await storedFrom(log, third.lane, third.position, last.position + 1)

      assert.deepEqual(
        stored.map(({ event }) => idOf(event)),
        ['k3', 'k4', 'k5'],
      )
    })

    it('hands each of 3,000 entries out once, in the order of its lane', async () => {
      const { log } = await openBench(backend)
      await Promise.all(events(3_000).map((event) => log.append(event)))

      const stored = await storedIn(log)

      assert.equal(new Set(stored.map(({ event }) => idOf(event))).size, 3_000)
      assert.equal(stored.length, 3_000)
      stored.reduce((before, entry) => {
        assert.ok(before.lane !== entry.lane || before.position < entry.position, 'positions grow')
        return entry
      })
    })

    it('goes on without gap or repetition from the `next` of any batch', async () => {
      const { log } = await openBench(backend)
      await Promise.all(events(700, 'k', { key: 'one-lane' }).map((event) => log.append(event)))
      const lane = (await log.lanes()).find(({ start, end }) => end > start)
      assert.ok(lane)
      const ids: string[] = []

      for (let from = lane.start; from < lane.end; ) {
        const batch = await firstBatch(log, lane.id, from)
        assert.ok(batch.next > from)
        ids.push(...batch.entries.map(({ event }) => idOf(event)))
        from = batch.next
      }

      assert.deepEqual(
        ids,
        Array.from({ length: 700 }, (_, i) => `k${i + 1}`),
      )
    })

    it('says of each entry what it counts as', async () => {
      const { log } = await openBench(backend)
      const event = anEvent({ data: Buffer.alloc(5_000) })
      await log.append(event)

      const [stored] = await storedIn(log)

      assert.equal(stored?.bytes, eventBytes(event))
    })

    it('waits at the head for what comes', async () => {
      const { log } = await openBench(backend)
      const reader = readAll(log)
      await eventually(() => reader.started, 'the readers wait')
      assert.deepEqual(reader.ids, [])

      await log.append(anEvent({ id: 'late' }))

      await eventually(() => reader.ids.length === 1, 'the event arrives')
      assert.deepEqual(reader.ids, ['late'])
      await reader.stop()
    })

    it('hands every reader the same', async () => {
      const { log } = await openBench(backend)
      const readers = [readAll(log), readAll(log)]

      await Promise.all(events(20).map((event) => log.append(event)))

      for (const reader of readers) await eventually(() => reader.ids.length === 20, 'each reader has all')
      for (const reader of readers) await reader.stop()
    })

    it('G14 hands nothing out after its signal aborted', async () => {
      const { log } = await openBench(backend)
      const reader = readAll(log)
      await eventually(() => reader.started, 'the readers wait')

      await reader.stop()
      await log.append(anEvent())
      await calm()

      assert.deepEqual(reader.ids, [])
    })

    it('C21 rejects with POSITION_GONE before the start of a lane, and lanes() names the new start', async () => {
      const bench = await openBench(backend)
      const { lane, position } = await bench.log.append(anEvent())
      await settleAll(bench)
      const now = (await bench.log.lanes()).find(({ id }) => id === lane)
      assert.ok(now && now.start > position)

      await assert.rejects(firstBatch(bench.log, lane, position), { code: 'POSITION_GONE' })

      await bench.log.append(anEvent({ id: 'next', key: 'k' }))
      assert.deepEqual(
        (await storedIn(bench.log)).map(({ event }) => idOf(event)),
        ['next'],
      )
    })
  })
}

async function firstBatch(log: EventLog, lane: LaneId, from: Position) {
  for await (const batch of log.read(lane, from, AbortSignal.timeout(5_000))) return batch
  return assert.fail(`nothing to read from ${from} on`)
}

interface Reader {
  readonly ids: readonly string[]
  readonly started: boolean
  stop(): Promise<void>
}

/** Reads every lane from its start until stopped. A reader may end or reject with the reason when its signal aborts. */
function readAll(log: EventLog): Reader {
  const stop = new AbortController()
  const ids: string[] = []
  let started = false
  const readLane = async (id: LaneId, start: Position): Promise<void> => {
    try {
      for await (const { entries } of log.read(id, start, stop.signal))
        ids.push(...entries.map(({ event }) => idOf(event)))
    } catch (error) {
      if (!stop.signal.aborted) throw error
    }
  }
  const reading = (async () => {
    const lanes = await log.lanes()
    const readers = lanes.map(({ id, start }) => readLane(id, start))
    started = true
    await Promise.all(readers)
  })()
  return {
    ids,
    get started() {
      return started
    },
    async stop() {
      stop.abort()
      await reading
    },
  }
}
