import assert from 'node:assert/strict'
import { Outstanding } from '../../src/channel/outstanding.ts'

describe('what is outstanding', () => {
  it('is settled by the last of those who matched it, once', () => {
    const outstanding = new Outstanding()
    outstanding.add(7, 3)

    const settled = [outstanding.settle(7), outstanding.settle(7), outstanding.settle(7), outstanding.settle(7)]

    assert.deepEqual(settled, [false, false, true, false])
    assert.equal(outstanding.waiting, 0)
  })

  it('is never settled by an entry that was not added, or was trimmed', () => {
    const outstanding = new Outstanding()
    outstanding.add(7, 1)
    outstanding.trim(8)

    assert.deepEqual([outstanding.settle(7), outstanding.settle(9_000)], [false, false])
  })
})
