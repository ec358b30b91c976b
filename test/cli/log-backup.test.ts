import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import { createClock } from '../../src/core/clock.ts'
import { anEvent } from '../support/builders.ts'
import { run } from '../support/command.ts'

describe('tidings log backup', () => {
  let folder = ''
  let dir = ''
  let to = ''

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-backup-'))
    dir = path.join(folder, 'data')
    to = path.join(folder, 'far/copy')
    const store = await openDiskStore({ dir, clock: createClock(), onFault: assert.fail, reserveBytes: 0 })
    const log = await store.open({ uid: 'u', name: 'shop/orders' }, { capBytes: 2 ** 20 })
    await log.append(anEvent({ id: '1' }))
    await store.close()
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('says what it copied, in a folder that it makes', async () => {
    const { code, out, err } = await run(['log', 'backup', dir, to])

    assert.deepEqual([code, err], [0, ''])
    assert.match(out, new RegExp(`^${to}: \\d+ B in 1 file, 1 event of 1 log\\n$`))
    assert.equal((await run(['log', 'verify', to])).code, 0)
  })

  it('says what helps where something is in the way', async () => {
    await mkdir(to, { recursive: true })
    await writeFile(path.join(to, 'mine.txt'), '')

    const { code, out, err } = await run(['log', 'backup', dir, to])

    assert.deepEqual([code, out], [1, ''])
    assert.equal(
      err,
      `${to}: it is not empty, ${to}/mine.txt is there
Name a folder that is empty or not there, or replace an earlier copy: --force
`,
    )
  })

  it('replaces an earlier copy when it is told to', async () => {
    await run(['log', 'backup', dir, to])

    assert.equal((await run(['log', 'backup', dir, to])).code, 1)
    assert.equal((await run(['log', 'backup', dir, to, '--force'])).code, 0)
  })

  it('copies nothing into what is copied, by whatever name', async () => {
    const link = path.join(folder, 'link')
    await symlink(dir, link)

    for (const target of [dir, link, path.join(link, 'copies/today')]) {
      const { code, err } = await run(['log', 'backup', dir, target, '--force'])

      assert.equal(code, 1)
      assert.equal(err, `${target}: it is within ${dir}; name a folder elsewhere, best on another disk\n`)
    }
  })

  it('has JSON for programs', async () => {
    const { out } = await run(['log', 'backup', dir, to, '-o', 'json'])

    const { dir: told, logs, problems } = JSON.parse(out)
    assert.deepEqual([told, logs.length, problems], [to, 1, []])
  })
})
