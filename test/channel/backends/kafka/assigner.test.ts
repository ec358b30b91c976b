import assert from 'node:assert/strict'
import fc from 'fast-check'
import { assignLanes, type Candidate } from '../../../../src/channel/backends/kafka/assigner.ts'

describe('the lanes of a group', () => {
  it('are all one’s where there is one', () => {
    const assigned = assignLanes([{ memberId: 'a', serving: [] }], 3)

    assert.deepEqual([...assigned], [['a', [0, 1, 2]]])
  })

  it('change hands only as far as a new member needs', () => {
    const assigned = assignLanes(
      [
        { memberId: 'a', serving: [0, 1, 2] },
        { memberId: 'b', serving: [3, 4, 5] },
        { memberId: 'c', serving: [] },
      ],
      6,
    )

    assert.deepEqual(assigned.get('a'), [0, 1])
    assert.deepEqual(assigned.get('b'), [3, 4])
    assert.deepEqual(assigned.get('c'), [2, 5])
  })

  it('of a member that is gone go to the others, who keep theirs', () => {
    const assigned = assignLanes(
      [
        { memberId: 'a', serving: [0, 1] },
        { memberId: 'c', serving: [2, 5] },
      ],
      6,
    )

    assert.deepEqual(assigned.get('a'), [0, 1, 3])
    assert.deepEqual(assigned.get('c'), [2, 5, 4])
  })

  it('are nobody’s for some where there are more members than lanes', () => {
    const assigned = assignLanes(
      ['a', 'b', 'c'].map((memberId) => ({ memberId, serving: [] })),
      2,
    )

    assert.deepEqual([...assigned.values()].map((lanes) => lanes.length).sort(), [0, 1, 1])
  })

  it('are each somebody’s and nobody else’s, and even, whoever served what', () => {
    const candidates: fc.Arbitrary<Candidate[]> = fc.uniqueArray(
      fc.record({ memberId: fc.string({ minLength: 1 }), serving: fc.uniqueArray(fc.nat(30)) }),
      { minLength: 1, maxLength: 8, selector: ({ memberId }) => memberId },
    )
    fc.assert(
      fc.property(candidates, fc.nat(24), (members, lanes) => {
        const assigned = [...assignLanes(members, lanes).values()]

        assert.deepEqual(
          assigned.flat().sort((a, b) => a - b),
          Array.from({ length: lanes }, (_, lane) => lane),
        )
        const counts = assigned.map(({ length }) => length)
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
      }),
    )
  })
})
