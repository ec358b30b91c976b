import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ranges } from '../../src/channel/ranges.ts'

describe('ranges', () => {
  it('joins neighbours and overlaps', () => {
    const ranges = new Ranges()
    for (const [from, to] of [
      [10, 12],
      [20, 21],
      [12, 14],
      [13, 19],
    ] as const) {
      ranges.add(from, to)
    }

    assert.deepEqual(
      [...ranges],
      [
        { from: 10, to: 19 },
        { from: 20, to: 21 },
      ],
    )
  })

  it('passes what is in it, and forgets what it passed', () => {
    const ranges = new Ranges([
      { from: 3, to: 5 },
      { from: 7, to: 9 },
    ])

    assert.equal(ranges.pass(2), 2)
    assert.equal(ranges.pass(3), 5)
    assert.deepEqual([...ranges], [{ from: 7, to: 9 }])
    assert.equal(ranges.pass(8), 9)
    assert.ok(ranges.isEmpty)
  })

  it('is the set of what was added to it', () => {
    const stretch = fc.tuple(fc.nat(60), fc.nat(8))
    fc.assert(
      fc.property(fc.array(stretch), (stretches) => {
        const ranges = new Ranges()
        const expected = new Set<number>()
        for (const [from, length] of stretches) {
          ranges.add(from, from + length)
          for (let at = from; at < from + length; at++) expected.add(at)
        }
        for (let at = 0; at < 80; at++) assert.equal(ranges.has(at), expected.has(at))
        assert.equal(ranges.countFrom(0), expected.size)
        const all = [...ranges]
        for (const [i, { from, to }] of all.entries()) {
          assert.ok(from < to)
          if (i > 0) assert.ok((all[i - 1]?.to ?? 0) < from)
        }
      }),
    )
  })
})
