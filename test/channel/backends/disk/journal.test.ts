import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { anEvent } from '../../../support/builders.ts'
import { aFaultyDisk, openStore } from './support.ts'

/** Each append begins a file of the journal. */
const EACH_IN_ITS_FILE = { segmentBytes: 1, journalBytes: 2 ** 20 }
const REF = { uid: 'u', name: 'ns/log' }
const CONFIG = { capBytes: 2 ** 20 }

describe('a journal whose disk', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-rolls-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  for (const [operation, code, what] of [
    ['create', 'EMFILE', 'opens no file'],
    ['create', 'EIO', 'makes no file'],
    ['syncFolder', 'EIO', 'does not keep the name of a file'],
    ['write', 'EIO', 'writes half of a file'],
  ] as const) {
    it(`${what} (${code}) refuses what it cannot store, and goes on once it can`, async () => {
      const disk = aFaultyDisk()
      const dir = path.join(folder, 'data')
      const { store, faults } = await openStore(dir, { disk, recentBytes: 0, ...EACH_IN_ITS_FILE })
      const log = await store.open(REF, CONFIG)
      await log.append(anEvent({ id: 'before' }))
      disk.fail(operation, code, { part: 'journal', times: 2 })

      for (const id of ['refused', 'refused-too']) {
        await assert.rejects(log.append(anEvent({ id })), { code: 'LOG_UNAVAILABLE', retryable: true })
      }

      assert.equal(faults.length, 2)
      assert.deepEqual(await log.append(anEvent({ id: 'after' })), { lane: '0', position: 1 })
      await store.close()
      const again = await openStore(dir)
      const { end } = (await (await again.store.open(REF, CONFIG)).lanes())[0] ?? assert.fail('no lane')
      assert.deepEqual([end, again.faults], [2, []])
      await again.store.close()
    })
  }
})
