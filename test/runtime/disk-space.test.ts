import assert from 'node:assert/strict'
import { createLogger } from '../../src/observe/logger.ts'
import { watchDiskSpace } from '../../src/runtime/disk-space.ts'
import { createFakeClock } from '../support/clock.ts'

describe('room on the disk', () => {
  async function watch(free: readonly (number | Error)[]) {
    const clock = createFakeClock()
    const logged: { level: number; freeBytes: number }[] = []
    let asked = 0
    const space = await watchDiskSpace({
      dir: '/data',
      lowBytes: 1_000,
      clock,
      logger: createLogger('info', { write: (line: string) => void logged.push(JSON.parse(line)) }),
      async askFree() {
        const answer = free[Math.min(asked++, free.length - 1)]
        if (typeof answer !== 'number') throw answer
        return answer
      },
    })
    return { clock, space, told: () => logged.map(({ level, freeBytes }) => [level, freeBytes]), asked: () => asked }
  }
  const [WARN, INFO] = [40, 30]

  it('is asked for at the start, and every five seconds until it is stopped', async () => {
    const { clock, space, asked } = await watch([5_000, 4_000])

    assert.equal(space.freeBytes(), 5_000)
    await clock.advance(4_999)
    assert.equal(asked(), 1)
    await clock.advance(1)
    assert.equal(space.freeBytes(), 4_000)
    space.stop()
    await clock.advance(60_000)
    assert.equal(asked(), 2)
  })

  it('is warned of once, and again only after there was clearly more', async () => {
    const { clock, space, told } = await watch([999, 998, 1_050, 997, 1_100, 996])

    for (let i = 0; i < 3; i++) await clock.advance(5_000)
    assert.deepEqual(told(), [[WARN, 999]])
    assert.equal(space.isLow(), true)
    await clock.advance(5_000)
    assert.equal(space.isLow(), false)
    await clock.advance(5_000)

    assert.deepEqual(told(), [
      [WARN, 999],
      [INFO, 1_100],
      [WARN, 996],
    ])
    space.stop()
  })

  it('is unknown while the file system does not say, and as low as it was', async () => {
    const { clock, space, told } = await watch([999, new Error('ESTALE'), 999])

    await clock.advance(5_000)
    assert.equal(space.freeBytes(), undefined)
    assert.equal(space.isLow(), true)
    await clock.advance(5_000)
    assert.equal(space.freeBytes(), 999)
    assert.equal(told().length, 1)
    space.stop()
  })
})
