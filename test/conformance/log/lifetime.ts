import assert from 'node:assert/strict'
import { type Backend, itWith } from '../backend.ts'
import { aGate, anEvent, events, eventually, idOf, MiB } from '../support.ts'
import { aRef, closeBenches, floorOf, openBench, settleAll, storedFrom, storedIn, untilAborted } from './support.ts'

export function describeLifetime(backend: Backend): void {
  describe('lifetime', () => {
    afterEach(closeBenches)

    it('opens again what a uid owns', async () => {
      const { store, ref, log } = await openBench(backend)
      await log.append(anEvent({ id: 'kept' }))

      const again = await store.open(ref, { capBytes: MiB })

      assert.deepEqual(
        (await storedIn(again)).map(({ event }) => idOf(event)),
        ['kept'],
      )
    })

    it('refuses a name that is another uid’s', async () => {
      const { store, ref } = await openBench(backend)

      await assert.rejects(store.open(aRef(ref.name), { capBytes: MiB }), { code: 'LOG_CONFLICT' })
    })

    it('keeps the logs of a store apart', async () => {
      const { store, log } = await openBench(backend)
      const other = await store.open(aRef(), { capBytes: MiB })

      await log.append(anEvent({ id: 'mine' }))

      assert.deepEqual(await storedIn(other), [])
    })

    it('C30 every append to a removed log rejects with LOG_GONE, for good', async () => {
      const { store, ref, log } = await openBench(backend)
      await log.append(anEvent())

      await store.remove(ref)

      await assert.rejects(log.append(anEvent()), { code: 'LOG_GONE', retryable: false })
    })

    it('C30 removing twice is removing once', async () => {
      const { store, ref, log } = await openBench(backend)

      await store.remove(ref)
      await store.remove(ref)

      await assert.rejects(log.append(anEvent()), { code: 'LOG_GONE' })
    })

    it('C30 removing a log that never was changes nothing', async () => {
      const { store, log } = await openBench(backend)

      await store.remove(aRef())

      await log.append(anEvent())
    })

    it('C30 a removed log holds no bytes, and its readers end', async () => {
      const { store, ref, log } = await openBench(backend)
      await Promise.all(events(20).map((event) => log.append(event)))
      const [lane] = await log.lanes()
      assert.ok(lane)
      let ended = false
      const reading = storedFrom(log, lane.id, lane.end, Infinity)
        .catch(() => {}) // ending and rejecting are both an end
        .finally(() => {
          ended = true
        })

      await store.remove(ref)

      await eventually(() => ended, 'the reader ends')
      await reading
      assert.equal(log.size().bytes, 0)
    })

    it('C30 the name of a removed log is free for a new uid, which finds it empty', async () => {
      const { store, ref, log } = await openBench(backend)
      await log.append(anEvent())
      await store.remove(ref)

      const next = await store.open(aRef(ref.name), { capBytes: MiB })

      assert.deepEqual(await storedIn(next), [])
      await next.append(anEvent())
    })

    it('C30 creating a cursor on a removed log rejects with LOG_GONE', async () => {
      const { store, ref, log } = await openBench(backend)

      await store.remove(ref)

      await assert.rejects(log.createCursor('a', 'now'), { code: 'LOG_GONE' })
    })

    it('G14 giving a lane up waits for whoever serves it', async () => {
      const { log } = await openBench(backend)
      const gate = aGate()
      const stop = new AbortController()
      let serving = 0
      let released = false
      const owning = log
        .own(async (lane) => {
          serving++
          await untilAborted(lane.signal)
          await gate.opened
        }, stop.signal)
        .then(() => {
          released = true
        })
      const { length } = await log.lanes()
      await eventually(() => serving === length, 'every lane is served')

      stop.abort()
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(released, false)
      gate.open()

      await owning
      assert.equal(released, true)
    })

    // These are one tidy round each. The storms of C3 and C4, with a process of their own to kill, are the backend's.
    for (const after of ['close', 'kill'] as const) {
      itWith(backend, 'durable')(`what was appended is there after a ${after}`, async () => {
        assert.ok(backend.reopen)
        const { store, ref, log } = await openBench(backend)
        await Promise.all(events(50).map((event) => log.append(event)))

        const again = await backend.reopen(store, after)

        assert.equal((await storedIn(await again.open(ref, { capBytes: MiB }))).length, 50)
        await again.close()
      })

      itWith(backend, 'durable')(
        `G17 no position is used again after everything was trimmed and a ${after}`,
        async () => {
          assert.ok(backend.reopen)
          const bench = await openBench(backend)
          const first = await bench.log.append(anEvent({ key: 'k' }))
          await settleAll(bench)
          await bench.release()

          const again = await backend.reopen(bench.store, after)

          const log = await again.open(bench.ref, { capBytes: MiB })
          const second = await log.append(anEvent({ key: 'k' }))
          assert.ok(second.position > first.position)
          await again.close()
        },
      )

      itWith(backend, 'durable')(`a created cursor is there after a ${after}`, async () => {
        assert.ok(backend.reopen)
        const bench = await openBench(backend)
        const { lane, position } = await bench.log.append(anEvent({ key: 'k' }))
        await bench.log.createCursor('a', 'now')

        const again = await backend.reopen(bench.store, after)

        const log = await again.open(bench.ref, { capBytes: MiB })
        const stop = new AbortController()
        let floor = 0
        await log.own(async (owned) => {
          if (owned.id === lane) floor = await floorOf(owned, 'a')
          stop.abort()
        }, stop.signal)
        assert.ok(floor > position)
        await again.close()
      })
    }
  })
}
