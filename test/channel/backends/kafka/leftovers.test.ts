import assert from 'node:assert/strict'
import type { KafkaLane } from '../../../../src/channel/backends/kafka/kafka-lane.ts'
import { createLeftovers } from '../../../../src/channel/backends/kafka/leftovers.ts'
import type { Fetched } from '../../../../src/channel/backends/kafka/wire.ts'

describe('what was fetched and not used', () => {
  it('is for whoever goes on within it, once', () => {
    const leftovers = createLeftovers(1_000)
    const [lane, answer] = [aLane(), fetched(10, 20)]

    for (const from of [9, 20]) {
      leftovers.keep(lane, answer)
      assert.equal(leftovers.take(lane, from), undefined)
    }
    for (const from of [10, 15, 19]) {
      leftovers.keep(lane, answer)
      assert.equal(leftovers.take(lane, from), answer)
      assert.equal(leftovers.take(lane, from), undefined)
    }
  })

  it('is no more than it may be for all lanes: the oldest goes', () => {
    const leftovers = createLeftovers(250)
    const lanes = [aLane(), aLane(), aLane()] as const
    for (const lane of lanes) leftovers.keep(lane, fetched(0, 10))
    leftovers.keep(lanes[1], fetched(0, 10)) // once more, so that it is counted once

    const left = lanes.map((lane) => leftovers.take(lane, 0) !== undefined)

    assert.deepEqual(left, [false, true, true])
  })

  it('goes with its lane', () => {
    const leftovers = createLeftovers(1_000)
    const lane = aLane()
    leftovers.keep(lane, fetched(0, 10))

    leftovers.drop(lane)

    assert.equal(leftovers.take(lane, 0), undefined)
  })
})

function aLane(): KafkaLane {
  return {} as KafkaLane
}

function fetched(first: number, next: number): Fetched {
  return { records: { first, next, sizeBytes: 100, from: () => [] }, start: 0, end: next }
}
