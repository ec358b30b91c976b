import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Disk, nodeDisk } from '../../../../src/channel/backends/disk/disk.ts'
import { acquireLock, type Owner } from '../../../../src/channel/backends/disk/lock.ts'
import { createClock } from '../../../../src/core/clock.ts'
import { createFakeClock, type FakeClock } from '../../../support/clock.ts'
import { aFolder, removeFolders } from './support.ts'

const disk = nodeDisk()
const clock = createClock()
const hasProc = readdirSync('/').includes('proc')

describe('the lock of a data directory', () => {
  after(removeFolders)

  it('is refused while this process holds it, with the holder’s pid and the file’s name', async () => {
    const folder = await aFolder()
    const lock = await acquireLock(disk, folder, clock)

    const [name = ''] = readdirSync(folder)
    await assert.rejects(acquireLock(disk, folder, clock), {
      code: 'LOG_CONFLICT',
      message: `${folder}: in use by process ${process.pid}; a data directory has one owner (${path.join(folder, name)})`,
    })
    assert.deepEqual(readdirSync(folder), [name])

    await lock.release()
  })

  it('is free once it was released, and releasing twice is releasing once', async () => {
    const folder = await aFolder()
    const first = await acquireLock(disk, folder, clock)

    await first.release()
    await first.release()

    await (await acquireLock(disk, folder, clock)).release()
    assert.deepEqual(readdirSync(folder), [])
  })

  const whenSeen = hasProc ? it : it.skip
  whenSeen('of a process that is gone is taken over at once', async () => {
    const folder = await aFolder()
    await leave(folder, (self) => ({ ...self, pid: 2 ** 22 + 1 }))

    const lock = await acquireLock(disk, folder, createFakeClock())

    await lock.release()
  })

  whenSeen('of a process whose pid is another’s now is taken over at once', async () => {
    const folder = await aFolder()
    await leave(folder, (self) => ({ ...self, startedAt: '1' }))

    const lock = await acquireLock(disk, folder, createFakeClock())

    await lock.release()
  })

  for (const [where, change] of [
    ['in another container', (self: Owner) => ({ ...self, pidNamespace: 'pid:[1]' })],
    ['before the machine started again', (self: Owner) => ({ ...self, bootId: 'another' })],
    ['on a machine without /proc', (self: Owner) => ({ ...self, bootId: '', pidNamespace: '', startedAt: '' })],
  ] as const) {
    it(`left ${where} is taken over after it was not touched for six seconds`, async () => {
      const folder = await aFolder()
      await leave(folder, change)
      const time = createFakeClock()

      const lock = await whileTicking(time, acquireLock(disk, folder, time))

      assert.ok(time.now() >= 6_000, `${time.now()} ms`)
      await lock.release()
    })

    it(`left ${where} is refused when it is touched`, async () => {
      const folder = await aFolder()
      await leave(folder, change)
      const time = createFakeClock()
      const touched: Disk = { ...disk, touchedAt: async () => Math.floor(time.now() / 2_000) }

      await assert.rejects(whileTicking(time, acquireLock(touched, folder, time)), { code: 'LOG_CONFLICT' })

      assert.ok(time.now() <= 3_000, `${time.now()} ms`)
    })
  }

  it('that nobody can read is taken over once it was not touched', async () => {
    const folder = await aFolder()
    writeFileSync(path.join(folder, 'left.lock'), '{"pid":')
    const time = createFakeClock()

    const lock = await whileTicking(time, acquireLock(disk, folder, time))

    await lock.release()
  })

  it('is touched every two seconds while it is held, and not afterwards', async () => {
    const folder = await aFolder()
    const time = createFakeClock()
    let touches = 0
    const counted: Disk = { ...disk, touch: async () => void touches++ }
    const lock = await acquireLock(counted, folder, time)

    await time.advance(10_000)
    assert.equal(touches, 5)
    await lock.release()
    await time.advance(10_000)

    assert.equal(touches, 5)
    assert.equal(time.pending(), 0)
  })

  it('goes to one at most of many that find it left behind, and then to the next who asks', async () => {
    const folder = await aFolder()
    for (let round = 0; round < 20; round++) {
      await leave(folder, (self) => ({ ...self, startedAt: '1' }))

      const all = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(disk, folder, clock)))

      const got = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      assert.ok(got.length <= 1, `${got.length} hold it`)
      for (const lock of got) await lock.release()
      await (await acquireLock(disk, folder, clock)).release()
    }
  })
})

/** A lock file as a process like this one wrote it, but for a change. */
async function leave(folder: string, change: (self: Owner) => Owner): Promise<void> {
  const other = await aFolder()
  const lock = await acquireLock(disk, other, clock)
  const [name = ''] = readdirSync(other)
  const self: Owner = JSON.parse(readFileSync(path.join(other, name), 'utf8'))
  await lock.release()
  writeFileSync(path.join(folder, 'left.lock'), JSON.stringify(change({ ...self, token: 'left' })))
}

async function whileTicking<T>(time: FakeClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const done = promise.finally(() => {
    isSettled = true
  })
  done.catch(() => undefined) // the caller awaits it below
  while (!isSettled) {
    await time.advance(100)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return done
}
