import assert from 'node:assert/strict'
import { Recent, RecentOfLog } from '../../../../src/channel/backends/disk/recent.ts'
import { anEvent } from '../../../support/builders.ts'

const event = anEvent()

describe('recent entries', () => {
  it('go when there are too many bytes of them, the oldest of all logs first', () => {
    const { add, positions } = aRecent(30)
    add('a', 0)
    add('b', 0)
    add('a', 1)

    add('b', 1)

    assert.deepEqual(positions(), { a: [1], b: [0, 1] })
  })

  it('of which a log let some go make room for those of others', () => {
    const { recent, logs, add, positions } = aRecent(30)
    add('b', 0)
    add('a', 0)
    add('a', 1)

    recent.dropBefore(logs.a, 1)
    add('b', 1)

    assert.deepEqual(positions(), { a: [1], b: [0, 1] })
  })

  it('go in order after some were let go before their turn', () => {
    const { recent, logs, add, positions } = aRecent(60)
    for (const position of [0, 1, 2]) {
      add('a', position)
      add('b', position)
    }

    recent.dropBefore(logs.a, 1)
    for (const position of [3, 4]) add('a', position)

    assert.deepEqual(positions(), { a: [1, 2, 3, 4], b: [1, 2] })
  })

  it('are all gone from a log that let go of all, and what it appends then is there', () => {
    const { recent, logs, add, positions } = aRecent(1_000_000)
    for (let position = 0; position < 3_000; position++) add('a', position)

    recent.dropBefore(logs.a, Infinity)
    assert.equal(logs.a.from(2_999, 1), undefined)
    add('a', 3_000)

    assert.deepEqual(positions(), { a: [3_000], b: [] })
  })
})

/** Each entry counts as 10 bytes. */
function aRecent(limitBytes: number) {
  const recent = new Recent(limitBytes)
  const logs = { a: new RecentOfLog(), b: new RecentOfLog() }
  const positionsOf = (log: RecentOfLog): readonly number[] =>
    (log.first && log.from(log.first.position, Infinity)?.map(({ position }) => position)) ?? []
  return {
    recent,
    logs,
    add: (name: 'a' | 'b', position: number) => recent.add(logs[name], { position, event, bytes: 10 }),
    positions: () => ({ a: positionsOf(logs.a), b: positionsOf(logs.b) }),
  }
}
