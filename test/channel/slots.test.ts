import assert from 'node:assert/strict'
import { Slots, type Taker } from '../../src/channel/slots.ts'

const MOST = 2

/** Takes one slot for each of `ready`, as a window does. */
function aTaker(slots: Slots, ready: number, holders: Taker[] = []): Taker & { taken: number; ready: number } {
  const taker = {
    taken: 0,
    ready,
    pump() {
      while (taker.ready > 0 && slots.isFree(taker, MOST)) {
        slots.take()
        holders.push(taker)
        taker.ready--
        taker.taken++
      }
    },
  }
  return taker
}

describe('slots of a subscription', () => {
  it('are so many for all lanes together', () => {
    const slots = new Slots()
    const [one, other] = [aTaker(slots, 5), aTaker(slots, 5)]

    one.pump()
    other.pump()

    assert.deepEqual([one.taken, other.taken], [2, 0])
  })

  it('go to the lanes in turns, however much one of them has ready', () => {
    const slots = new Slots()
    const holders: Taker[] = []
    const takers = [100, 50, 50].map((ready) => aTaker(slots, ready, holders))
    for (const taker of takers) taker.pump()

    for (let freed = 0; freed < 60; freed++) {
      const from = holders.shift()
      assert.ok(from)
      slots.give(from)
      from.pump()
    }

    for (const { taken } of takers) assert.ok(taken >= 20 && taken <= 22, `${taken}`)
  })

  it('are taken by the next in turn when the one that gives has nothing more', () => {
    const slots = new Slots()
    const [one, other] = [aTaker(slots, 2), aTaker(slots, 1)]
    one.pump()
    other.pump()

    slots.give(one)

    assert.equal(other.taken, 1)
  })

  it('pass over a lane that waited and has nothing more', () => {
    const slots = new Slots()
    const [one, idle, other] = [aTaker(slots, 2), aTaker(slots, 1), aTaker(slots, 1)]
    for (const taker of [one, idle, other]) taker.pump()
    idle.ready = 0

    slots.give(one)

    assert.deepEqual([idle.taken, other.taken], [0, 1])
  })

  it('come back all at once from a lane that is given up', () => {
    const slots = new Slots()
    const [one, other] = [aTaker(slots, 9), aTaker(slots, 9)]
    one.pump()
    other.pump()

    slots.leave(one, 2)
    slots.give(other)

    assert.deepEqual([one.taken, other.taken], [2, 2])
  })
})
