import assert from 'node:assert/strict'
import { type DiskStore, openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock, type FakeClock } from '../../../support/clock.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'
import { laneOf } from './support.ts'

const KiB = 1_024
const ref = { uid: 'u1', name: 'default/one' }

describe('a disk that is full', () => {
  it('refuses events with LOG_FULL, and nothing that was accepted is missing', async () => {
    const { disk, log } = await fullDisk()

    await assert.rejects(log.append(anEvent()), { code: 'LOG_FULL', retryable: true })

    assert.equal(await countIn(log), log.end('0'))
    const again = await open(disk.cut(() => 0))
    assert.equal(await countIn(await again.store.open(ref, { capBytes: 2 ** 30 })), log.end('0'))
  })

  it('still stores cursors, hundreds of times', async () => {
    const { log } = await fullDisk()
    const lane = await laneOf(log)
    await log.createCursor('a', 'now')

    for (let floor = 1; floor <= 300; floor++) {
      await lane.save({ base: 0, put: new Map([['a', { floor, state: new Uint8Array(8) }]]), covered: [] })
    }

    assert.equal((await lane.cursors()).own.get('a')?.floor, 300)
  })

  it('still deletes values and stores small ones, hundreds of times, and no large ones', async () => {
    const { disk, store } = await fullDisk()

    for (let round = 1; round <= 300; round++) {
      await store.values.put('small', String(round))
      await store.values.delete('other')
    }
    await assert.rejects(store.values.put('large', 'x'.repeat(8 * KiB)), { code: 'LOG_FULL', retryable: true })

    assert.equal(store.values.get('small'), '300')
    assert.equal((await open(disk.cut(() => 0))).store.values.get('small'), '300')
  })

  it('takes events again after what it held is settled', async () => {
    const { log, clock, store } = await fullDisk()
    const lane = await laneOf(log)
    const before = log.end('0')

    await lane.save({ base: before, put: new Map(), covered: [] })
    await lane.trim(before)

    await untilTaken(log, clock)
    assert.equal(log.end('0'), before + 1)
    await store.close()
  })

  it('gives up what is settled and only kept, before anything else is refused for good', async () => {
    const { disk, store, clock } = await openSmall()
    const log = await store.open(ref, { capBytes: 2 ** 30, retention: { bytes: 2 ** 30, ms: 3_600_000 } })
    const lane = await laneOf(log)

    for (let sent = 0; sent < 3_000; sent++) {
      await untilTaken(log, clock, KiB)
      const end = log.end('0')
      if (sent % 20 === 0) await lane.save({ base: end, put: new Map(), covered: [] })
      if (sent % 20 === 0) await lane.trim(end)
    }

    // An event counts as more than it takes there.
    assert.ok(log.size().bytes < 2 * disk.limitBytes, `${log.size().bytes} bytes`)
    assert.ok(log.size().retainedBytes > 0)
    await store.close()
  })

  it('takes events again after somebody else made room', async () => {
    const { disk, log, clock } = await fullDisk()
    disk.limitBytes += 200 * KiB

    await untilTaken(log, clock)
  })

  it('is no reason not to start', async () => {
    const { disk } = await fullDisk()
    const left = disk.cut(() => 0)
    left.limitBytes = disk.limitBytes

    const { store } = await open(left)

    assert.ok((await countIn(await store.open(ref, { capBytes: 2 ** 30 }))) > 0)
  })
})

async function open(disk: PowerCutDisk): Promise<{ store: DiskStore; clock: FakeClock }> {
  const clock = createFakeClock()
  const store = await openDiskStore({
    dir: '/data',
    disk,
    clock,
    segmentBytes: 32 * KiB,
    journalBytes: 64 * KiB,
    recentBytes: 0,
    reserveBytes: 64 * KiB,
    onFault: () => undefined,
  })
  return { store, clock }
}

async function openSmall(): Promise<{ disk: PowerCutDisk; store: DiskStore; clock: FakeClock }> {
  const disk = aPowerCutDisk()
  disk.limitBytes = 512 * KiB
  return { disk, ...(await open(disk)) }
}

/** A log on a disk of half a megabyte, filled until an event was refused. */
async function fullDisk(): Promise<{ disk: PowerCutDisk; store: DiskStore; log: EventLog; clock: FakeClock }> {
  const { disk, store, clock } = await openSmall()
  const log = await store.open(ref, { capBytes: 2 ** 30 })
  for (;;) {
    try {
      await log.append(anEvent({}, { data: Buffer.alloc(KiB) }))
    } catch (error) {
      assert.equal(codeOf(error), 'LOG_FULL')
      return { disk, store, log, clock }
    }
  }
}

/** As a publisher does that comes back when it is told to. */
async function untilTaken(log: EventLog, clock: FakeClock, dataBytes = 0): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      await log.append(anEvent({}, { data: Buffer.alloc(dataBytes) }))
      return
    } catch (error) {
      assert.equal(codeOf(error), 'LOG_FULL')
      await clock.advance(2_000)
    }
  }
  assert.fail('refused ten times')
}

async function countIn(log: EventLog): Promise<number> {
  const [lane] = await log.lanes()
  let count = 0
  if (!lane || lane.start >= lane.end) return count
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
    count += entries.length
    if (next >= lane.end) break
  }
  return count
}
