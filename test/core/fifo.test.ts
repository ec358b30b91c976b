import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Fifo } from '../../src/core/fifo.ts'

describe('a first-in first-out list', () => {
  it('does what an array does', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined, freq: 2 }), { maxLength: 500 }), (operations) => {
        const fifo = new Fifo<number>()
        const array: number[] = []
        for (const operation of operations) {
          if (operation === undefined) {
            assert.equal(fifo.shift(), array.shift())
          } else {
            fifo.push(operation)
            array.push(operation)
          }
          assert.equal(fifo.peek(), array[0])
          assert.equal(fifo.size, array.length)
        }
        assert.deepEqual([...fifo], array)
      }),
    )
  })

  it('is empty once cleared', () => {
    const fifo = new Fifo<number>()
    for (let i = 0; i < 200; i++) fifo.push(i)
    for (let i = 0; i < 150; i++) fifo.shift()

    fifo.clear()

    assert.deepEqual([...fifo], [])
    assert.equal(fifo.shift(), undefined)
  })
})
