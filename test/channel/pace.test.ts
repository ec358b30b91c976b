import assert from 'node:assert/strict'
import { Pace } from '../../src/channel/pace.ts'
import { createFakeClock } from '../support/clock.ts'

describe('a pace', () => {
  it('is kept by all lanes together, each in its turn', async () => {
    const clock = createFakeClock(0)
    const pace = new Pace(clock, 10)
    const started: string[] = []
    for (const lane of ['a', 'b', 'c']) {
      const pump = (): void => {
        while (pace.take(pump)) started.push(lane)
      }
      pump()
    }

    await clock.advance(1_000)

    assert.ok('aabcabcabcab'.startsWith(started.join('')), started.join(''))
    assert.ok(started.length >= 10 && started.length <= 11, `${started.length} started`)
  })

  it('leaves the turn of one that has nothing to start, or has left, to the next', async () => {
    const clock = createFakeClock(0)
    const pace = new Pace(clock, 10)
    let started = 0
    const idle = (): void => undefined
    const gone = (): void => assert.fail('it left')
    const busy = (): void => {
      while (pace.take(busy)) started++
    }
    assert.ok(pace.take(idle))
    for (const refused of [gone, idle, busy]) pace.take(refused)
    pace.leave(gone)

    await clock.advance(150)

    assert.equal(started, 1)
  })
})
