import assert from 'node:assert/strict'
import { RecentTypes } from '../../src/broker/recent-types.ts'

describe('the types that a broker saw lately', () => {
  it('are told once each, and once as new', () => {
    const types = new RecentTypes()
    for (const type of ['a', 'b', 'a', 'b', 'b']) types.see(type)

    assert.deepEqual([...types], ['a', 'b'])
    assert.deepEqual(types.takeFresh(), ['a', 'b'])
    assert.deepEqual(types.takeFresh(), [])
  })

  it('are one where only digits differ', () => {
    const types = new RecentTypes()
    for (let i = 0; i < 1_000; i++) types.see(`order.${i}`)

    assert.deepEqual([...types], ['order.0'])
  })

  it('are bounded, in number and length, and the oldest go', () => {
    const types = new RecentTypes()
    const letters = (i: number): string => String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))
    for (let i = 0; i < 300; i++) types.see(letters(i))
    types.see('x'.repeat(300))

    assert.equal([...types].length, 100)
    assert.equal([...types].at(-1), letters(299))
    assert.ok(types.takeFresh().length <= 20)
  })
})
