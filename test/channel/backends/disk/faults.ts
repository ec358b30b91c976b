// What disks and people do to files, and what the disk log makes of it. Run within the conformance suite, whose list of
// guarantees these cases answer.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { HEADER_BYTES } from '../../../../src/channel/backends/disk/segment.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { anEvent } from '../../../support/builders.ts'
import { aFaultyDisk, aFolder, endOfRecords, laneOf, leftBehind, openStore } from './support.ts'

const ref = { uid: 'u1', name: 'default/one' }
const config = { capBytes: 2 ** 26 }

export function describeDiskFaults(): void {
  describe('faults of the disk', () => {
    it('C5 every length to which the last record is cut: what came before is there, and nothing is reported', async () => {
      const { left, file, ends } = await threeEvents()
      const [, secondEnd = 0, thirdEnd = 0] = ends

      for (let length = secondEnd; length < thirdEnd; length++) {
        const dir = await leftBehind(left)
        truncateSync(path.join(dir, file), length)

        assert.deepEqual(await reopened(dir), { ids: ['e1', 'e2'], faults: [] }, `cut to ${length}`)
      }
    })

    it('C5 every byte of the last record garbled: what came before is there, and nothing is reported', async () => {
      const { left, file, ends } = await threeEvents()
      const [, secondEnd = 0, thirdEnd = 0] = ends

      for (let at = secondEnd; at < thirdEnd; at++) {
        const dir = await leftBehind(left)
        flip(path.join(dir, file), at)

        assert.deepEqual(await reopened(dir), { ids: ['e1', 'e2'], faults: [] }, `byte ${at}`)
      }
    })

    it('C5 damage in the middle is reported by file and place, and all around it is kept', async () => {
      const { left, file, ends } = await threeEvents()
      const [firstEnd = 0, secondEnd = 0] = ends
      const dir = await leftBehind(left)
      flip(path.join(dir, file), firstEnd + 40)

      const { ids, faults } = await reopened(dir)

      assert.deepEqual(ids, ['e1', 'e3'])
      assert.deepEqual(faults, [
        `recover the data directory: ${path.join(dir, file)}: damaged from ${firstEnd} to ${secondEnd}`,
      ])
    })

    it('C5 positions go on after damage as if nothing were missing', async () => {
      const { left, file, ends } = await threeEvents()
      const dir = await leftBehind(left)
      flip(path.join(dir, file), (ends[0] ?? 0) + 40)
      const { store } = await openStore(dir)

      const { position } = await (await store.open(ref, config)).append(anEvent())

      assert.equal(position, 3)
      await store.close()
    })

    it('C5 an event that is damaged later is reported when it is read, and passed', async () => {
      const dir = path.join(await aFolder(), 'data')
      const { store, faults } = await openStore(dir, { recentBytes: 0 })
      const log = await store.open(ref, config)
      const ends = await appendThree(log, dir)
      const [file = ''] = journalFiles(dir)
      flip(path.join(dir, file), (ends[0] ?? 0) + 40)

      assert.deepEqual(await idsIn(log), ['e1', 'e3'])

      assert.equal(faults.length, 1)
      assert.match(faults[0] ?? '', /^read the journal: .*no entry at \d+, lost: 1$/)
      assert.deepEqual(await idsIn(log), ['e1', 'e3'])
      await store.close()
    })

    it('C5 a journal file whose header is damaged is set aside, and the rest goes on', async () => {
      const { left, file } = await threeEvents()
      const dir = await leftBehind(left)
      flip(path.join(dir, file), 3)

      const { store, faults } = await openStore(dir)

      assert.match(faults.join(), /journal: damaged at 0, set aside/)
      await (await store.open(ref, config)).append(anEvent())
      await store.close()
      const again = await openStore(dir)
      assert.deepEqual(again.faults, [])
      await again.store.close()
    })

    it('C5 a journal file that was only being created is none', async () => {
      const { left } = await threeEvents()
      const dir = await leftBehind(left)
      writeFileSync(path.join(dir, 'journal', '0000000002.journal'), Buffer.alloc(7))

      assert.deepEqual(await reopened(dir), { ids: ['e1', 'e2', 'e3'], faults: [] })
    })

    it('C5 a checkpoint that is damaged is refused, not made anew', async () => {
      const { left } = await threeEvents()
      const dir = await leftBehind(left)
      flip(path.join(dir, 'checkpoint'), 12)

      await assert.rejects(openStore(dir), { code: 'LOG_CORRUPT', message: /checkpoint/ })
    })

    it('C6 a failed sync rejects its appends, is not tried again on that file, and the next append goes on in another', async () => {
      const disk = aFaultyDisk()
      const dir = path.join(await aFolder(), 'data')
      const { store, faults } = await openStore(dir, { disk, recentBytes: 0 })
      const log = await store.open(ref, config)
      await log.append(anEvent({ id: 'before' }))
      disk.fail('sync', 'EIO', { part: '.journal' })

      const refused = await Promise.allSettled(['x1', 'x2'].map((id) => log.append(anEvent({ id }))))

      for (const one of refused) {
        assert.ok(one.status === 'rejected')
        assert.equal(one.reason.code, 'LOG_UNAVAILABLE')
        assert.equal(one.reason.retryable, true)
      }
      assert.equal(faults.length, 1)
      const { position } = await log.append(anEvent({ id: 'after' }))
      assert.equal(position, 1)
      assert.deepEqual(await idsIn(log), ['before', 'after'])
      assert.deepEqual(journalFiles(dir).length, 2)
      assert.deepEqual(await reopened(await leftBehind(dir)), { ids: ['before', 'after'], faults: [] })
      await store.close()
    })

    it('C6 as long as no file can be written nothing is accepted, and what was is read', async () => {
      const disk = aFaultyDisk()
      const { store } = await openStore(path.join(await aFolder(), 'data'), { disk, recentBytes: 0 })
      const log = await store.open(ref, config)
      await log.append(anEvent({ id: 'before' }))
      disk.fail('sync', 'EIO', { part: '.journal', times: 4 })

      for (let round = 0; round < 3; round++) {
        await assert.rejects(log.append(anEvent()), { code: 'LOG_UNAVAILABLE' })
        assert.deepEqual(await idsIn(log), ['before'])
      }
      disk.heal()

      await log.append(anEvent({ id: 'after' }))
      assert.deepEqual(await idsIn(log), ['before', 'after'])
      await store.close()
    })

    it('C6 a save whose sync failed rejects, and the cursor stands where it stood', async () => {
      const disk = aFaultyDisk()
      const dir = path.join(await aFolder(), 'data')
      const { store } = await openStore(dir, { disk })
      const log = await store.open(ref, config)
      await log.append(anEvent())
      const lane = await laneOf(log)
      disk.fail('sync', 'EIO', { part: '.journal' })

      await assert.rejects(lane.save({ base: 1, put: new Map(), covered: [] }), { code: 'LOG_UNAVAILABLE' })

      assert.equal((await lane.cursors()).base, 0)
      await lane.save({ base: 1, put: new Map(), covered: [] })
      assert.equal((await lane.cursors()).base, 1)
      await store.close()
    })

    it('a full disk refuses with LOG_FULL, keeps reading, and takes events again once there is room', async () => {
      const disk = aFaultyDisk()
      const dir = path.join(await aFolder(), 'data')
      const { store } = await openStore(dir, { disk, recentBytes: 0 })
      const log = await store.open(ref, config)
      await log.append(anEvent({ id: 'before' }))
      // Without the zeros that are written ahead, the second is tried once more.
      disk.fail('write', 'ENOSPC', { part: '.journal', times: 3 })

      for (let round = 0; round < 2; round++) {
        await assert.rejects(log.append(anEvent({ id: 'refused' }, { data: Buffer.alloc(5_000) })), {
          code: 'LOG_FULL',
          retryable: true,
        })
        assert.deepEqual(await idsIn(log), ['before'])
      }

      await log.append(anEvent({ id: 'after' }))
      assert.deepEqual(await reopened(await leftBehind(dir)), { ids: ['before', 'after'], faults: [] })
      await store.close()
    })

    it('a disk without room for the zeros that are written ahead takes the event, and tries no more of them', async () => {
      const disk = aFaultyDisk()
      const dir = path.join(await aFolder(), 'data')
      const { store, faults } = await openStore(dir, { disk })
      disk.fail('write', 'ENOSPC', { part: '.journal' })
      const log = await store.open(ref, config)
      const sizes: number[] = []

      for (const id of ['e1', 'e2']) {
        await log.append(anEvent({ id }))
        sizes.push(readFileSync(path.join(dir, journalFiles(dir)[0] ?? '')).length)
      }

      assert.ok((sizes[0] ?? 0) < (sizes[1] ?? 0), sizes.join())
      assert.ok((sizes[1] ?? 0) < 2_000, sizes.join())
      assert.deepEqual(await reopened(await leftBehind(dir)), { ids: ['e1', 'e2'], faults: [] })
      assert.deepEqual(faults, [])
      await store.close()
    })

    it('a read that the disk refuses is LOG_UNAVAILABLE, and loses nothing', async () => {
      const disk = aFaultyDisk()
      const { store } = await openStore(path.join(await aFolder(), 'data'), { disk, recentBytes: 0 })
      const log = await store.open(ref, config)
      await log.append(anEvent({ id: 'e1' }))
      disk.fail('read', 'EIO')

      await assert.rejects(idsIn(log), { code: 'LOG_UNAVAILABLE', retryable: true })

      assert.deepEqual(await idsIn(log), ['e1'])
      await store.close()
    })

    it('a checkpoint that cannot be stored loses nothing', async () => {
      const disk = aFaultyDisk()
      const dir = path.join(await aFolder(), 'data')
      const { store, faults } = await openStore(dir, { disk })
      await (await store.open(ref, config)).append(anEvent({ id: 'e1' }))
      disk.fail('rename', 'EIO')

      await store.close()

      assert.equal(faults.length, 1)
      assert.deepEqual(await reopened(dir), { ids: ['e1'], faults: [] })
    })

    it('C28 a second opener of the directory is refused, and the first goes on', async () => {
      const dir = path.join(await aFolder(), 'data')
      const { store } = await openStore(dir)
      const log = await store.open(ref, config)

      await assert.rejects(openStore(dir), {
        code: 'LOG_CONFLICT',
        message: new RegExp(`in use by process ${process.pid}`),
      })

      await log.append(anEvent())
      await store.close()
    })
  })
}

/** What is left of a store in which three events were appended one by one, and where each record ends in its file. */
async function threeEvents(): Promise<{
  readonly left: string
  readonly file: string
  readonly ends: readonly number[]
}> {
  const dir = path.join(await aFolder(), 'data')
  const { store } = await openStore(dir)
  const ends = await appendThree(await store.open(ref, config), dir)
  const [file = ''] = journalFiles(dir)
  const left = await leftBehind(dir)
  // Of the zeros that were written ahead some are enough, and sooner copied.
  truncateSync(path.join(left, file), (ends.at(-1) ?? 0) + 4_096)
  await store.close()
  return { left, file, ends }
}

async function appendThree(log: EventLog, dir: string): Promise<readonly number[]> {
  const ends: number[] = []
  for (const id of ['e1', 'e2', 'e3']) {
    await log.append(anEvent({ id }, { data: 'some data' }))
    const [file = ''] = journalFiles(dir)
    ends.push(endOfRecords(readFileSync(path.join(dir, file))))
  }
  return ends
}

function journalFiles(dir: string): string[] {
  const files = readdirSync(path.join(dir, 'journal')).map((name) => path.join('journal', name))
  return files.filter((file) => readFileSync(path.join(dir, file)).length >= HEADER_BYTES).sort()
}

async function reopened(dir: string): Promise<{ readonly ids: string[]; readonly faults: readonly string[] }> {
  const { store, faults } = await openStore(dir, { recentBytes: 0 })
  const ids = await idsIn(await store.open(ref, config))
  await store.close()
  return { ids, faults }
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

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 0x55
  writeFileSync(file, bytes)
}
