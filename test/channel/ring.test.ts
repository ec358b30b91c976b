import assert from 'node:assert/strict'
import type { Entry } from '../../src/channel/log.ts'
import { Ring } from '../../src/channel/ring.ts'
import { anEvent } from '../support/builders.ts'

const entryAt = (position: number): Entry => ({ position, event: anEvent(), bytes: 10 })

function positions(ring: Ring, from: number): readonly number[] | undefined {
  return ring.from(from, 10_000)?.map(({ position }) => position)
}

describe('the ring of a lane', () => {
  it('keeps as many bytes as it may, the newest, also when it may keep fewer than before', () => {
    let limitBytes = 40
    const ring = new Ring(() => limitBytes, 0)
    for (let at = 0; at < 10; at++) ring.add(entryAt(at))
    const before = positions(ring, 6)

    limitBytes = 20
    ring.add(entryAt(10))

    assert.deepEqual(before, [6, 7, 8, 9])
    assert.deepEqual(positions(ring, 9), [9, 10])
    assert.equal(positions(ring, 8), undefined)
  })

  it('lets go of what is settled', () => {
    const ring = new Ring(() => 1_000_000, 0)
    for (let at = 0; at < 5_000; at++) ring.add(entryAt(at))

    ring.dropBefore(4_998)

    assert.deepEqual(positions(ring, 4_998), [4_998, 4_999])
    assert.equal(positions(ring, 4_997), undefined)
    ring.dropBefore(6_000)
    assert.deepEqual(positions(ring, 5_000), [])
    assert.equal(positions(ring, 4_999), undefined)
  })
})
