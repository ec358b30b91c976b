import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ledger } from '../../../../src/channel/backends/kafka/ledger.ts'

describe('the bytes of a lane', () => {
  it('are exact where entries are known', () => {
    const ledger = new Ledger(0, 0)
    for (let at = 0; at < 10; at++) ledger.learn(at, 100 + at)

    ledger.giveUpBefore(4)

    assert.equal(ledger.bytes, 104 + 105 + 106 + 107 + 108 + 109)
  })

  it('are the average of those that are known for those that are not', () => {
    const ledger = new Ledger(100, 200)

    ledger.learn(200, 50)
    ledger.learn(201, 150)

    assert.equal(ledger.bytes, 100 * 100 + 200)
  })

  it('are settled up to a floor, and unsettled again before a lower one', () => {
    const ledger = new Ledger(0, 0)
    for (let at = 0; at < 10; at++) ledger.learn(at, 10)

    ledger.settleBefore(7)
    assert.equal(ledger.settledBytes, 70)
    ledger.settleBefore(3)

    assert.equal(ledger.settledBytes, 30)
  })

  it('count an entry once, however often it is read', () => {
    const ledger = new Ledger(0, 0)
    ledger.learn(0, 10)
    ledger.learn(0, 10)

    assert.equal(ledger.bytes, 10)
  })

  it('are none after a start far ahead', () => {
    const ledger = new Ledger(0, 5)
    for (let at = 0; at < 5; at++) ledger.learn(at, 10)

    ledger.giveUpBefore(10_000_000)

    assert.equal(ledger.bytes, 0)
    assert.equal(ledger.settledBytes, 0)
    assert.equal(ledger.start, 10_000_000)
  })

  it('are what a list of all entries says, whatever happens to them', () => {
    const step = fc.oneof(
      fc.nat(500).map((bytes) => ({ what: 'append' as const, value: bytes + 1 })),
      fc.nat(3_000).map((at) => ({ what: 'settle' as const, value: at })),
      fc.nat(3_000).map((at) => ({ what: 'give up' as const, value: at })),
    )
    fc.assert(
      fc.property(fc.nat(2_000), fc.array(step, { maxLength: 60 }), (first, steps) => {
        const ledger = new Ledger(first, first)
        const sizes = new Map<number, number>()
        let settled = first
        for (const { what, value } of steps) {
          if (what === 'append') {
            sizes.set(ledger.end, value)
            ledger.learn(ledger.end, value)
          } else if (what === 'settle') {
            ledger.settleBefore(value)
            settled = Math.max(ledger.start, Math.min(value, ledger.end))
          } else if (value <= ledger.end) {
            ledger.giveUpBefore(value)
            settled = Math.max(settled, ledger.start)
          }
        }
        const sum = (keep: (at: number) => boolean): number =>
          [...sizes].reduce((total, [at, size]) => (at >= ledger.start && keep(at) ? total + size : total), 0)

        assert.equal(
          ledger.bytes,
          sum(() => true),
        )
        assert.equal(
          ledger.settledBytes,
          sum((at) => at < settled),
        )
      }),
    )
  })
})
