import assert from 'node:assert/strict'
import { mayStart, type Starter, turnToRead } from '../../src/channel/turns.ts'
import type { Clock } from '../../src/core/clock.ts'

const nextTurn = (): Promise<void> => new Promise(setImmediate)

/** Begins what it has to begin, each taking so long. */
function aStarter(clock: { ms: number }, attemptMs: number, ready: number): Starter & { started: number } {
  const reading = { now: () => clock.ms } as Clock
  const starter = {
    started: 0,
    pump() {
      while (starter.started < ready && mayStart(starter, reading)) {
        starter.started++
        clock.ms += attemptMs
      }
    },
  }
  return starter
}

describe('those behind a head', () => {
  it('read in turns, one in each turn of the event loop', async () => {
    const went: string[] = []
    const reader = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await turnToRead()
        went.push(name)
      }
    }
    const readers = [reader('a'), reader('b'), reader('c')]
    for (let turn = 1; turn <= 9; turn++) {
      await nextTurn()
      assert.equal(went.length, turn)
    }
    await Promise.all(readers)

    assert.equal(went.join(''), 'abcabcabc')
  })

  it('begin as many attempts in a turn as their share has time for, and the rest in later turns', async () => {
    const clock = { ms: 0 }
    const starter = aStarter(clock, 0.02, 10)

    starter.pump()
    const first = starter.started
    for (let turn = 0; turn < 10; turn++) await nextTurn()

    assert.ok(first >= 1 && first < 10, `${first} began`)
    assert.equal(starter.started, 10)
  })

  it('each have a share, however much one of them has to begin', async () => {
    const clock = { ms: 0 }
    const [busy, other] = [aStarter(clock, 1, 1_000), aStarter(clock, 1, 3)]
    busy.pump()
    other.pump()

    for (let turn = 0; turn < 8; turn++) await nextTurn()

    assert.equal(other.started, 3)
    assert.ok(busy.started < 10)
  })
})
