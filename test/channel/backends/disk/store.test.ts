import assert from 'node:assert/strict'
import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { cursorAt } from '../../../../src/channel/cursor.ts'
import type { EventLog, LogStore, Position } from '../../../../src/channel/log.ts'
import { anEvent } from '../../../support/builders.ts'
import { eventually } from '../../../support/eventually.ts'
import { aFaultyDisk, aFolder, laneOf, leftBehind, openStore, removeFolders } from './support.ts'

const KiB = 1_024
/** Journal segments of about thirty events each, two of them kept. */
const SMALL = { segmentBytes: 32 * KiB, journalBytes: 64 * KiB, recentBytes: 0 }
const lazy = { uid: 'u-lazy', name: 'default/lazy' }
const busy = { uid: 'u-busy', name: 'default/busy' }
const config = { capBytes: 2 ** 26 }

describe('the disk log', () => {
  after(removeFolders)

  it('copies what a lagging log needs out of the journal, and the journal stays short', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store, faults } = await openStore(dir, SMALL)
    const lagging = await store.open(lazy, config)
    await fill(lagging, 10, 'lazy')

    await passEvents(store, 300)

    await eventually(() => journalBytes(dir) <= 3 * SMALL.segmentBytes, 'the journal is short')
    assert.deepEqual(namesIn(dir, 'backlog'), ['1-0-10.backlog'])
    assert.deepEqual(await idsIn(lagging), ids(10, 'lazy'))
    assert.deepEqual(faults, [])
    await store.close()
  })

  it('says what it takes of the disk, in the journal and outside of it', async () => {
    const dir = path.join(await aFolder(), 'data')
    const first = await openStore(dir, SMALL)
    await fill(await first.store.open(lazy, config), 10, 'lazy')
    const inJournal = first.store.usedBytes()
    await passEvents(first.store, 300)
    await first.store.close()

    const { store } = await openStore(dir, SMALL)
    const withBacklog = store.usedBytes()
    await store.remove(lazy)

    assert.ok(inJournal > 10 * KiB && inJournal < 20 * KiB, `${inJournal} bytes`)
    const inBacklog = withBacklog - store.usedBytes()
    assert.ok(inBacklog > 10 * KiB && inBacklog < 20 * KiB, `${inBacklog} bytes`)
    await store.close()
  })

  it('writes nothing twice that settled in time', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)

    await passEvents(store, 300)

    await eventually(() => journalBytes(dir) <= 3 * SMALL.segmentBytes, 'the journal is short')
    assert.deepEqual(namesIn(dir, 'backlog'), [])
    await store.close()
  })

  for (const after of ['close', 'kill'] as const) {
    it(`has everything after a ${after}, from checkpoint, backlog and journal`, async () => {
      const dir = path.join(await aFolder(), 'data')
      const first = await openStore(dir, SMALL)
      const lagging = await first.store.open(lazy, config)
      await lagging.createCursor('slow', 'earliest')
      await fill(lagging, 100, 'lazy')
      await passEvents(first.store, 200)
      await fill(lagging, 5, 'late')
      const { bytes } = lagging.size()
      const left = after === 'kill' ? await leftBehind(dir) : dir
      await first.store.close()

      const { store, faults } = await openStore(left, SMALL)

      const again = await store.open(lazy, config)
      assert.deepEqual(await idsIn(again), [...ids(100, 'lazy'), ...ids(5, 'late')])
      assert.equal(again.size().bytes, bytes)
      assert.deepEqual(
        [...(await (await laneOf(again)).cursors()).own],
        [['slow', { floor: 0, state: Buffer.alloc(0) }]],
      )
      assert.deepEqual(faults, [])
      await store.close()
    })
  }

  it('frees a backlog file once its last event is settled, and knows after a kill that nothing is missing', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    const lagging = await store.open(lazy, config)
    await fill(lagging, 70, 'lazy')
    await passEvents(store, 200)
    assert.ok(namesIn(dir, 'backlog').length > 0)

    await settle(lagging, 70)

    await eventually(() => namesIn(dir, 'backlog').length === 0, 'the files are gone')
    assert.equal(lagging.size().bytes, 0)
    const again = await openStore(await leftBehind(dir), SMALL)
    assert.equal((await again.store.open(lazy, config)).end('0'), 70)
    assert.deepEqual(again.faults, [])
    await again.store.close()
    await store.close()
  })

  it('removes the files of a removed log', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    const lagging = await store.open(lazy, config)
    await fill(lagging, 70, 'lazy')
    await passEvents(store, 200)

    await store.remove(lazy)

    assert.deepEqual(namesIn(dir, 'backlog'), [])
    await store.close()
    const again = await openStore(dir, SMALL)
    assert.deepEqual(await idsIn(await again.store.open(lazy, config)), [])
    await again.store.close()
  })

  it('misses nothing of a log that was removed before a kill', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    await fill(await store.open(lazy, config), 70, 'lazy')
    await passEvents(store, 200)
    await store.remove(lazy)

    const again = await openStore(await leftBehind(dir))

    assert.deepEqual(again.faults, [])
    await again.store.close()
    await store.close()
  })

  it('says LOG_LOST of a log whose files are gone, until it is removed', async () => {
    const dir = path.join(await aFolder(), 'data')
    const first = await openStore(dir, SMALL)
    await fill(await first.store.open(lazy, config), 20, 'lazy')
    await passEvents(first.store, 200)
    await first.store.close()
    for (const name of namesIn(dir, 'backlog')) rmSync(path.join(dir, 'backlog', name))

    for (let round = 0; round < 2; round++) {
      const { store } = await openStore(dir, SMALL)
      await assert.rejects(store.open(lazy, config), { code: 'LOG_LOST', retryable: false })
      await store.close()
    }

    const { store } = await openStore(dir, SMALL)
    await store.remove(lazy)
    assert.deepEqual(await idsIn(await store.open(lazy, config)), [])
    await store.close()
  })

  it('refuses a directory whose newest journal file is gone', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir)
    await fill(await store.open(lazy, config), 3, 'e')
    await store.close()
    for (const name of namesIn(dir, 'journal')) rmSync(path.join(dir, 'journal', name))

    await assert.rejects(openStore(dir), { code: 'LOG_LOST' })
  })

  it('does not use a position again that a cursor claims, though the end of the log was lost', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir)
    const log = await store.open(lazy, config)
    await log.createCursor('a', 'earliest')
    await (await laneOf(log)).save({ base: 0, put: new Map([['a', cursorAt(500)]]), covered: [] })
    await store.close()

    const again = await openStore(dir)

    const { position } = await (await again.store.open(lazy, config)).append(anEvent())
    assert.equal(position, 500)
    await again.store.close()
  })

  it('hands out at the head what was just appended without reading a file', async () => {
    const disk = aFaultyDisk()
    const { store } = await openStore(path.join(await aFolder(), 'data'), { disk })
    const log = await store.open(lazy, config)
    await fill(log, 100, 'e')
    const before = disk.count('read')

    assert.equal((await idsIn(log)).length, 100)

    assert.equal(disk.count('read'), before)
    await store.close()
  })

  it('reads what is behind in blocks', async () => {
    const disk = aFaultyDisk()
    const { store } = await openStore(path.join(await aFolder(), 'data'), { disk, recentBytes: 0 })
    const log = await store.open(lazy, config)
    await fill(log, 500, 'e')
    const before = disk.count('read')

    assert.equal((await idsIn(log)).length, 500)

    assert.ok(disk.count('read') - before <= 4, `${disk.count('read') - before} reads`)
    await store.close()
  })

  it('stores a save of thousands of cursors, whatever they hold', async () => {
    const dir = path.join(await aFolder(), 'data')
    const first = await openStore(dir)
    const log = await first.store.open(lazy, config)
    const names = Array.from({ length: 3_000 }, (_, i) => `cursor-${i}`)
    await Promise.all(names.map((id) => log.createCursor(id, 'now')))
    const state = new Uint8Array(1_000).fill(7)
    const put = new Map(names.slice(1).map((id) => [id, { floor: 3, state }]))

    await (await laneOf(log)).save({ base: 9, put, covered: ['cursor-0'] })
    await first.store.close()

    const { store } = await openStore(dir)
    const { base, own } = await (await laneOf(await store.open(lazy, config))).cursors()
    assert.equal(base, 9)
    assert.equal(own.size, 2_999)
    assert.deepEqual(own.get('cursor-2999'), { floor: 3, state: Buffer.from(state) })
    await store.close()
  })
})

async function fill(log: EventLog, count: number, prefix: string): Promise<void> {
  const data = Buffer.alloc(KiB)
  await Promise.all(ids(count, prefix).map((id) => log.append(anEvent({ id }, { data }))))
}

function ids(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)
}

async function settle(log: EventLog, before: Position): Promise<void> {
  const lane = await laneOf(log)
  await lane.save({ base: before, put: new Map(), covered: [] })
  await lane.trim(before)
}

/** Another log of the store takes events and settles them at once, so that the journal moves on. */
async function passEvents(store: LogStore, count: number): Promise<void> {
  const log = await store.open(busy, config)
  for (let done = 0; done < count; done += 10) {
    await fill(log, 10, `busy-${done}-`)
    await settle(log, log.end('0'))
  }
}

async function idsIn(log: EventLog): Promise<string[]> {
  const found: string[] = []
  const [lane] = await log.lanes()
  if (!lane || lane.start >= lane.end) return found
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
    found.push(...entries.map(({ event }) => event.attributes['id'] ?? ''))
    if (next >= lane.end) break
  }
  return found
}

function namesIn(dir: string, folder: string): string[] {
  return readdirSync(path.join(dir, folder)).sort()
}

function journalBytes(dir: string): number {
  return namesIn(dir, 'journal').reduce((sum, name) => {
    const stat = statSync(path.join(dir, 'journal', name), { throwIfNoEntry: false })
    return sum + (stat?.size ?? 0)
  }, 0)
}
