// What retention does to files. What it promises is in test/conformance/log/retention.ts.
import assert from 'node:assert/strict'
import { readdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { readOnlyDisk } from '../../../../src/channel/backends/disk/disk.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import type { EventLog, LogConfig, LogStore, Position } from '../../../../src/channel/log.ts'
import { createClock } from '../../../../src/core/clock.ts'
import { eventBytes } from '../../../../src/core/event.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { eventually } from '../../../support/eventually.ts'
import { aFaultyDisk, aFolder, aPromptDisk, laneOf, leftBehind, openStore, removeFolders } from './support.ts'

const KiB = 1_024
const HOUR_MS = 3_600_000
/** Journal segments of about thirty events each, two of them kept. */
const SMALL = { segmentBytes: 32 * KiB, journalBytes: 64 * KiB, recentBytes: 0 }
const quiet = { uid: 'u-quiet', name: 'default/quiet' }
const busy = { uid: 'u-busy', name: 'default/busy' }
const EVENT_BYTES = eventBytes(aLetter('q100'))
const capBytes = 2 ** 26
const KEEPS_ALL: LogConfig = { capBytes, retention: { bytes: capBytes, ms: HOUR_MS } }

describe('retention on disk', () => {
  after(removeFolders)

  it('keeps settled events whose part of the journal goes', async () => {
    const dir = await aDirectory()
    const { store, faults } = await openStore(dir, SMALL)
    const log = await store.open(quiet, KEEPS_ALL)
    await fill(log, 'q', 100, 110)
    await settle(log)

    await passEvents(store, 300)

    await eventually(() => journalBytes(dir) <= 3 * SMALL.segmentBytes, 'the journal is short')
    assert.deepEqual(await idsIn(log), idsBetween('q', 100, 110))
    assert.equal(log.size().retainedBytes, 10 * EVENT_BYTES)
    const again = await openStore(await leftBehind(dir), SMALL)
    assert.deepEqual(await idsIn(await again.store.open(quiet, KEEPS_ALL)), idsBetween('q', 100, 110))
    assert.deepEqual([...faults, ...again.faults], [])
    await again.store.close()
    await store.close()
  })

  it('copies nothing of what is beyond it', async () => {
    const dir = await aDirectory()
    const { store } = await openStore(dir, SMALL)

    await passEvents(store, 300, { capBytes, retention: { bytes: 10 * EVENT_BYTES, ms: HOUR_MS } })

    await eventually(() => journalBytes(dir) <= 3 * SMALL.segmentBytes, 'the journal is short')
    assert.deepEqual(backlogOf(dir), [])
    await store.close()
  })

  it('keeps what is left of a file as long as there is room for it, and frees it then', async () => {
    const dir = await aDirectory()
    const { store } = await openStore(dir, SMALL)
    const log = await store.open(quiet, KEEPS_ALL)
    await fill(log, 'q', 100, 170)
    await settle(log)
    await passEvents(store, 200)
    assert.ok(backlogOf(dir).length > 0)

    await store.open(quiet, { capBytes })

    await eventually(() => backlogOf(dir).length === 0, 'the files are gone')
    assert.deepEqual(log.size(), { entries: 0, bytes: 0, retainedBytes: 0, capBytes })
    const again = await openStore(await leftBehind(dir), SMALL)
    assert.deepEqual(again.faults, [])
    await again.store.close()
    await store.close()
  })

  it('joins the files of a log that gets little at a time', async () => {
    const dir = await aDirectory()
    const { store, faults } = await openStore(dir, SMALL)
    const log = await store.open(quiet, KEEPS_ALL)
    let most = 0
    for (let at = 100; at < 160; at++) {
      await log.append(anEvent({ id: `q${at}` }))
      await settle(log)
      await passEvents(store, 30)
      most = Math.max(most, backlogOf(dir).length)
    }

    assert.ok(most <= 10, `${most} files`)
    assert.deepEqual(await idsIn(log), idsBetween('q', 100, 160))
    await store.close()
    const again = await openStore(dir, SMALL)
    assert.deepEqual(await idsIn(await again.store.open(quiet, KEEPS_ALL)), idsBetween('q', 100, 160))
    assert.deepEqual([...faults, ...again.faults], [])
    await again.store.close()
  })

  it('joins files while they are read', async () => {
    const dir = await aDirectory()
    const { store, faults } = await openStore(dir, SMALL)
    const log = await store.open(quiet, KEEPS_ALL)
    const stop = new AbortController()
    const found: string[] = []
    const reading = (async () => {
      for await (const { entries } of log.read('0', 0, stop.signal)) {
        found.push(...entries.map(({ event }) => event.attributes['id'] ?? ''))
        await passEvents(store, 20)
      }
    })()
    for (let at = 100; at < 160; at++) {
      await fill(log, 'q', at, at + 1)
      await passEvents(store, 20)
    }

    await eventually(() => found.length === 60, 'all are read')
    stop.abort()
    await reading

    assert.deepEqual(found, idsBetween('q', 100, 160))
    assert.deepEqual(faults, [])
    await store.close()
  })

  it('finds files by the name that they had before', async () => {
    const dir = await aDirectory()
    const { store } = await openStore(dir, SMALL)
    await fill(await store.open(quiet, KEEPS_ALL), 'q', 100, 110)
    await passEvents(store, 200)
    await store.close()
    for (const name of backlogOf(dir)) {
      renameSync(path.join(dir, 'backlog', name), path.join(dir, 'backlog', name.replace(/-\d+\.backlog$/, '.backlog')))
    }

    assert.deepEqual(await problemsIn(dir), [])
    const again = await openStore(dir, SMALL)

    assert.deepEqual(await idsIn(await again.store.open(quiet, KEEPS_ALL)), idsBetween('q', 100, 110))
    assert.deepEqual(again.faults, [])
    await again.store.close()
  })

  it('takes files of expired events for given up, not for lost, though no checkpoint says so', async () => {
    const dir = await aDirectory()
    const { store } = await openStore(dir, SMALL)
    const log = await store.open(quiet, KEEPS_ALL)
    await log.createCursor('slow', 'earliest')
    await fill(log, 'q', 100, 170)
    await passEvents(store, 200)
    assert.ok(backlogOf(dir).length > 0)

    await store.open(quiet, { ...KEEPS_ALL, expiry: { bytes: 0, ms: HOUR_MS } })

    await eventually(() => backlogOf(dir).length === 0, 'the files are gone')
    const left = await leftBehind(dir)
    assert.deepEqual(await problemsIn(left), [])
    const again = await openStore(left, SMALL)
    assert.deepEqual(again.faults, [])
    assert.equal((await again.store.open(quiet, KEEPS_ALL)).end('0'), 70)
    await again.store.close()
    await store.close()
  })

  for (const bounds of ['retention', 'expiry'] as const) {
    it(`goes by the age of each event, where many ages stand in one file: ${bounds}`, async () => {
      const dir = await aDirectory()
      const clock = createFakeClock(1_000 * HOUR_MS)
      const { store } = await openStore(dir, { ...SMALL, clock, disk: aPromptDisk() })
      const log = await store.open(quiet, { capBytes, [bounds]: { bytes: capBytes, ms: 20 * HOUR_MS } })
      for (let hour = 0; hour < 10; hour++) await log.append(aLetter(`q${100 + hour}`, clock.wall() + hour * HOUR_MS))
      if (bounds === 'retention') await settle(log)
      await passEvents(store, 200)
      await eventually(() => backlogOf(dir).length === 1, 'they are in a file')

      await clock.advance(24.5 * HOUR_MS)

      await eventually(() => log.size().entries === 5, 'half of them are gone')
      assert.deepEqual(await idsIn(log), idsBetween('q', 105, 110))
      await store.close()
      const again = await openStore(dir, SMALL)
      const left = await idsIn(await again.store.open(quiet, { capBytes, retention: { bytes: capBytes, ms: HOUR_MS } }))
      assert.deepEqual(left, idsBetween('q', 105, 110))
      assert.deepEqual(again.faults, [])
      await again.store.close()
    })
  }

  it('reads nothing for a log in which nothing is old', async () => {
    const disk = aFaultyDisk(aPromptDisk())
    const clock = createFakeClock(1_000 * HOUR_MS)
    const { store } = await openStore(await aDirectory(), { disk, clock, recentBytes: 0 })
    const log = await store.open(quiet, KEEPS_ALL)
    await fill(log, 'q', 100, 200, clock.wall())
    await settle(log)
    const before = disk.count('read')

    await clock.advance(0.9 * HOUR_MS)

    assert.equal(disk.count('read'), before)
    await store.close()
  })

  it('finds what is old in few reads, and looks again only when the next may be', async () => {
    const disk = aFaultyDisk(aPromptDisk())
    const clock = createFakeClock(1_000 * HOUR_MS)
    const { store } = await openStore(await aDirectory(), { disk, clock, recentBytes: 0 })
    const log = await store.open(quiet, KEEPS_ALL)
    await Promise.all(idsBetween('q', 1_000, 2_000).map((id, i) => log.append(aLetter(id, clock.wall() + i * 1_000))))
    await settle(log)
    await clock.advance(HOUR_MS)
    const before = disk.count('read')

    for (let minute = 0; minute < 10; minute++) await clock.advance(60_000)

    await eventually(() => log.size().entries < 500, 'ten minutes of events are gone')
    assert.ok(log.size().entries > 350, `${log.size().entries} are left`)
    assert.ok(disk.count('read') - before <= 20 * 15, `${disk.count('read') - before} reads`)
    await store.close()
  })
})

function aDirectory(): Promise<string> {
  return aFolder().then((folder) => path.join(folder, 'data'))
}

function aLetter(id: string, arrivedAt = Date.now()) {
  return anEvent({ id }, { data: Buffer.alloc(KiB), arrivedAt })
}

function idsBetween(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`)
}

async function fill(log: EventLog, prefix: string, from: number, to: number, arrivedAt = Date.now()): Promise<void> {
  await Promise.all(idsBetween(prefix, from, to).map((id) => log.append(aLetter(id, arrivedAt))))
}

async function settle(log: EventLog, before: Position = log.end('0')): Promise<void> {
  const lane = await laneOf(log)
  await lane.save({ base: before, put: new Map(), covered: [] })
  await lane.trim(before)
}

/** Another log of the store takes events and settles them at once, so that the journal moves on. */
async function passEvents(store: LogStore, count: number, config: LogConfig = { capBytes }): Promise<void> {
  const log = await store.open(busy, config)
  for (let done = 0; done < count; done += 10) {
    await fill(log, 'b', 100, 110)
    await settle(log)
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

async function problemsIn(dir: string) {
  return (await verifyDirectory(readOnlyDisk(), dir, createClock())).problems
}

function backlogOf(dir: string): string[] {
  return readdirSync(path.join(dir, 'backlog')).sort()
}

function journalBytes(dir: string): number {
  return readdirSync(path.join(dir, 'journal')).reduce((sum, name) => {
    const stat = statSync(path.join(dir, 'journal', name), { throwIfNoEntry: false })
    return sum + (stat?.size ?? 0)
  }, 0)
}
