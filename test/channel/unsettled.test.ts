import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Item } from '../../src/channel/item.ts'
import { Unsettled } from '../../src/channel/unsettled.ts'
import type { Window } from '../../src/channel/window.ts'

const NO_WINDOW = {} as Window

describe('what is not settled', () => {
  it('stands in order of position, however it came and whoever leaves first', () => {
    // Mostly as it is used: in order, the first ones leave first.
    const operation = fc.record({ position: fc.nat(300), leaves: fc.boolean() })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 600 }), (operations) => {
        const unsettled = new Unsettled()
        const known = new Map<number, Item>()
        for (const { position, leaves } of operations) {
          const item = known.get(position)
          if (item && leaves) {
            unsettled.delete(item)
            unsettled.delete(item)
            known.delete(position)
            assert.equal(item.isUnsettled, false)
          } else if (!item) {
            const added = new Item(NO_WINDOW, position)
            unsettled.add(added)
            known.set(position, added)
          }
          assert.equal(unsettled.get(position), known.get(position))
          assert.equal(unsettled.size, known.size)
          assert.equal(unsettled.lowest?.position, known.size === 0 ? undefined : Math.min(...known.keys()))
        }
        assert.deepEqual(
          unsettled.items().map(({ position }) => position),
          [...known.keys()].sort((a, b) => a - b),
        )
      }),
    )
  })

  it('is nothing once cleared', () => {
    const unsettled = new Unsettled()
    const items = Array.from({ length: 200 }, (_, position) => new Item(NO_WINDOW, position))
    for (const item of items) unsettled.add(item)
    for (const item of items.slice(0, 100)) unsettled.delete(item)

    unsettled.clear()

    assert.deepEqual([unsettled.size, unsettled.lowest, unsettled.get(150)], [0, undefined, undefined])
    assert.ok(items.every(({ isUnsettled }) => !isUnsettled))
  })
})
