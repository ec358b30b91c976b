import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Few } from '../../src/core/few.ts'

describe('a map of few entries', () => {
  it('does what a Map does', () => {
    const operation = fc.record({ key: fc.nat(9), value: fc.option(fc.nat(), { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const few = new Few<number, number>()
        const map = new Map<number, number>()
        for (const { key, value } of operations) {
          if (value === undefined) assert.equal(few.delete(key), map.delete(key))
          else few.set(key, value) && map.set(key, value)
          assert.deepEqual([few.has(key), few.get(key), few.size], [map.has(key), map.get(key), map.size])
        }
        assert.deepEqual([few.keys(), few.values()], [[...map.keys()], [...map.values()]])
      }),
    )
  })

  it('tells of those that were there, whatever is done meanwhile', () => {
    const few = new Few<string, number>().set('a', 1).set('b', 2)
    const told: unknown[] = []

    few.forEach((value, key) => {
      told.push(key, value)
      few.clear()
    })

    assert.deepEqual([told, few.size], [['a', 1, 'b', 2], 0])
  })
})
