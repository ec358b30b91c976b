import assert from 'node:assert/strict'
import { cameToHead, mayStart, type Starter, turnToRead } from '../../src/channel/turns.ts'
import { type Clock, createClock, type Timers } from '../../src/core/clock.ts'

const nextTurn = (): Promise<void> => new Promise(setImmediate)

let times = 1e9

/** After all times that shares were given at: there is one clock in a process. */
function aTime(): { ms: number } {
  times += 1e6
  return { ms: times }
}

/** Begins what it has to begin, each taking so long. */
function aStarter(clock: { ms: number }, attemptMs: number, ready: number): Starter & { started: number } {
  const reading = clockOf(clock)
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

function clockOf(clock: { ms: number }): Clock {
  const timers = { setTimeout, clearTimeout, Date, performance: { now: () => clock.ms } }
  return createClock(timers as unknown as Timers)
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
    const clock = aTime()
    const starter = aStarter(clock, 0.02, 10)

    starter.pump()
    const first = starter.started
    for (let turn = 0; turn < 10; turn++) await nextTurn()

    assert.ok(first >= 2 && first <= 4, `${first} began`)
    assert.equal(starter.started, 10)
  })

  it('each have a share, however much one of them has to begin', async () => {
    const clock = aTime()
    const [busy, other] = [aStarter(clock, 1, 1_000), aStarter(clock, 1, 3)]
    busy.pump()
    other.pump()

    for (let turn = 0; turn < 8; turn++) await nextTurn()

    assert.equal(other.started, 3)
    assert.ok(busy.started < 10)
  })

  it('leave the event loop to itself for a while where something comes to heads', async () => {
    const clock = aTime()
    cameToHead(clockOf(clock))
    const starter = aStarter(clock, 0.02, 10)

    starter.pump()
    const first = starter.started
    for (let turn = 0; turn < 3; turn++) await nextTurn()
    const inTurns = starter.started
    for (const until = Date.now() + 2_000; Date.now() < until && starter.started < 10; clock.ms++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }

    assert.ok(first < 10)
    assert.deepEqual([inTurns, starter.started], [first, 10])
  })
})
