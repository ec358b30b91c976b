import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { nodeDisk } from '../../../../src/channel/backends/disk/disk.ts'

describe('the disk of this machine', () => {
  let folder = ''
  let before = ''

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-disk-'))
    before = process.cwd()
    process.chdir(folder)
  })
  afterEach(async () => {
    process.chdir(before)
    await rm(folder, { recursive: true })
  })

  for (const name of ['d', 'd/e/f', './d', '/absolute']) {
    it(`makes a folder that is given as ${name}, and syncs what is above it, once each`, async () => {
      const given = name.startsWith('/') ? path.join(folder, name) : name
      const disk = nodeDisk()
      const synced: string[] = []

      await { ...disk, syncFolder: async (at: string) => void synced.push(at) }.makeFolder(given)

      const made = path.resolve(given)
      assert.ok((await stat(made)).isDirectory())
      assert.equal((await stat(made)).mode & 0o077, 0)
      assert.equal(synced.length, path.relative(folder, made).split(path.sep).length)
      assert.equal(synced.at(-1), folder)
    })
  }

  it('makes no folder where a file is, or where the file system has none', async () => {
    await writeFile('file', '')
    await symlink('nowhere', 'dangling')

    await assert.rejects(nodeDisk().makeFolder('file'), /EEXIST/)
    await assert.rejects(nodeDisk().makeFolder('file/a/b'), /ENOTDIR/)
    await assert.rejects(nodeDisk().makeFolder('dangling/a'), /EEXIST/)
    if (process.platform === 'linux') await assert.rejects(nodeDisk().makeFolder('/proc/nowhere/a'), /ENOENT/)
  })

  it('syncs nothing for a folder that is there', async () => {
    const synced: string[] = []

    await { ...nodeDisk(), syncFolder: async (at: string) => void synced.push(at) }.makeFolder('.')

    assert.deepEqual(synced, [])
  })
})
