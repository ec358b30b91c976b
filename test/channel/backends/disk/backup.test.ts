import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { backupDirectory } from '../../../../src/channel/backends/disk/backup.ts'
import { type Disk, nodeDisk, readOnlyDisk } from '../../../../src/channel/backends/disk/disk.ts'
import type { Report } from '../../../../src/channel/backends/disk/report.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { createClock } from '../../../../src/core/clock.ts'
import { anEvent } from '../../../support/builders.ts'
import { longMark, roundsOf } from '../../../support/long.ts'
import { aFaultyDisk, aFolder, laneOf, openStore, removeFolders } from './support.ts'

const KiB = 1_024
const SMALL = { segmentBytes: 32 * KiB, journalBytes: 64 * KiB, recentBytes: 0 }
/** Many changes while one copy is made, as no real directory sees them, and yet slower than files can be opened. */
const CHURNING = { segmentBytes: 128 * KiB, journalBytes: 256 * KiB, recentBytes: 0 }
const lazy = { uid: 'u-lazy', name: 'default/lazy' }
const busy = { uid: 'u-busy', name: 'default/busy' }
const config = { capBytes: 2 ** 26 }

describe('a copy of a data directory', () => {
  after(removeFolders)

  it(`has all that was acknowledged before, while files come and go${longMark}`, async function () {
    const rounds = roundsOf({ short: 6, long: 40 })
    this.timeout(10_000 + 5_000 * rounds)
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, CHURNING)
    const [lagging, settling] = [await store.open(lazy, config), await store.open(busy, config)]
    await lagging.createCursor('slow', 'earliest')
    const acknowledged: string[] = []
    let isDone = false
    const publishing = publish(lagging, settling, acknowledged, () => isDone)
    try {
      for (let round = 0; round < rounds; round++) {
        const before = [...acknowledged]
        await store.values.put('round', String(round))

        const { problems, to } = await backup(dir)

        const copy = await openStore(to, CHURNING)
        assert.deepEqual([problems, copy.faults], [[], []])
        const found = new Set(await idsIn(await copy.store.open(lazy, config)))
        assert.deepEqual(
          before.filter((id) => !found.has(id)),
          [],
        )
        assert.equal(copy.store.values.get('round'), String(round))
        await copy.store.close()
      }
    } finally {
      isDone = true
      await publishing
    }
    assert.ok(readdirSync(path.join(dir, 'backlog')).length > 0)
    await store.close()
  })

  it('leaves the directory as it was, and takes nothing that is no part of it', async () => {
    const dir = await aDirectory()
    writeFileSync(path.join(dir, 'backlog/9-0-1.backlog'), 'nobody names it')
    const before = namesIn(dir)

    const { to, problems } = await backup(dir)

    assert.deepEqual(problems, [])
    assert.deepEqual(namesIn(dir), before)
    const left = before.filter((name) => name !== 'reserve' && !name.startsWith('backlog/9-'))
    assert.deepEqual(namesIn(to), left)
  })

  it('is not made where anything else is, and not over a copy unless that is asked for', async () => {
    const dir = await aDirectory()
    const to = path.join(await aFolder(), 'copy')
    await backup(dir, { to })

    await assert.rejects(backup(dir, { to }), { code: 'LOG_CONFLICT', message: /it is not empty/ })
    assert.deepEqual((await backup(dir, { to, replaces: true })).problems, [])

    for (const name of ['mine.txt', 'x.lock', 'journal/mine.txt']) {
      writeFileSync(path.join(to, name), '')
      const before = namesIn(to)
      await assert.rejects(backup(dir, { to, replaces: true }), { code: 'LOG_CONFLICT', message: new RegExp(name) })
      assert.deepEqual(namesIn(to), before)
      rmSync(path.join(to, name))
    }
  })

  it('is made in a folder that is empty', async () => {
    const to = await aFolder()

    assert.deepEqual((await backup(await aDirectory(), { to })).problems, [])
  })

  it('that was not finished is taken by no start', async () => {
    const dir = await aDirectory()
    const to = path.join(await aFolder(), 'copy')
    const disk = aFaultyDisk()
    disk.fail('write', 'ENOSPC', { part: '.backlog' })

    await assert.rejects(backup(dir, { to, disk }), { code: 'ENOSPC' })

    await assert.rejects(openStore(to), { code: 'LOG_CORRUPT', message: /not a checkpoint/ })
    assert.deepEqual((await backup(dir, { to, replaces: true })).problems, [])
  })

  it('of what is damaged is made, and says so', async () => {
    const dir = await aDirectory()
    const name = readdirSync(path.join(dir, 'backlog'))[0] ?? ''
    const file = path.join(dir, 'backlog', name)
    const bytes = readFileSync(file)
    bytes[100] = ~(bytes[100] as number)
    writeFileSync(file, bytes)

    const { problems, to } = await backup(dir)

    assert.equal(problems[0]?.file, path.join(to, 'backlog', name))
  })

  it('is on the disk, names too, before it is told of', async () => {
    const dir = await aDirectory()
    const to = path.join(await aFolder(), 'copy')
    const disk = aFaultyDisk()
    for (const part of ['/copy/journal', '/copy/backlog', '/copy']) {
      disk.fail('syncFolder', 'EIO', { part })

      await assert.rejects(backup(dir, { to, disk, replaces: true }), { code: 'EIO' })

      disk.heal()
    }
    disk.fail('sync', 'EIO', { part: '.journal' })
    await assert.rejects(backup(dir, { to, disk, replaces: true }), { code: 'EIO' })
  })

  it('of what is no data directory is not begun', async () => {
    const to = path.join(await aFolder(), 'copy')
    mkdirSync(to)

    await assert.rejects(backup(await aFolder(), { to }), { code: 'LOG_LOST' })

    assert.ok(existsSync(to))
    assert.deepEqual(namesIn(to), [])
  })
})

async function backup(
  dir: string,
  given: { readonly to?: string; readonly disk?: Disk; readonly replaces?: boolean } = {},
): Promise<Report & { readonly to: string }> {
  const { to = path.join(await aFolder(), 'copy'), disk = nodeDisk(), replaces = false } = given
  return { ...(await backupDirectory({ from: readOnlyDisk(), dir, disk, to, replaces, clock: createClock() })), to }
}

/** With a journal and a backlog. */
async function aDirectory(): Promise<string> {
  const dir = path.join(await aFolder(), 'data')
  const { store } = await openStore(dir, { ...SMALL, reserveBytes: 4 * KiB })
  const lagging = await store.open(lazy, config)
  await lagging.createCursor('slow', 'earliest')
  const data = Buffer.alloc(KiB)
  for (let i = 0; i < 200; i++) await lagging.append(anEvent({ id: String(i) }, { data }))
  await store.close()
  assert.ok(readdirSync(path.join(dir, 'backlog')).length > 0)
  return dir
}

/** One log lags, another settles all it gets, so that journal and backlog files come and go. */
async function publish(
  lagging: EventLog,
  settling: EventLog,
  acknowledged: string[],
  isDone: () => boolean,
): Promise<void> {
  const data = Buffer.alloc(KiB)
  const lane = await laneOf(settling)
  for (let i = 0; !isDone(); i++) {
    const id = String(i)
    await Promise.all([lagging.append(anEvent({ id })), settling.append(anEvent({ id }, { data }))])
    acknowledged.push(id)
    if (i % 20 > 0) continue
    const end = settling.end('0')
    await lane.save({ base: end, put: new Map(), covered: [] })
    await lane.trim(end)
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

function namesIn(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => path.relative(dir, path.join(parentPath, name))).sort()
}
