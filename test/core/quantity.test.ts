import assert from 'node:assert/strict'
import { codeOf } from '../../src/core/errors.ts'
import { parseByteQuantity } from '../../src/core/quantity.ts'

describe('parseByteQuantity', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['104857600', 104_857_600],
    ['1k', 1_000],
    ['1Ki', 1_024],
    ['100M', 100_000_000],
    ['100Mi', 104_857_600],
    ['5G', 5_000_000_000],
    ['1.5Gi', 1_610_612_736],
    ['0.5k', 500],
    ['1e9', 1_000_000_000],
    ['1E3', 1_000],
    ['2Ti', 2_199_023_255_552],
    ['1Pi', 2 ** 50],
  ] as const) {
    it(`reads ${text} as ${bytes}`, () => {
      assert.equal(parseByteQuantity(text), bytes)
    })
  }

  for (const text of [
    '',
    '1K',
    '100MB',
    '100mi',
    '100 Mi',
    '-1',
    '+1',
    '1.5',
    '100m',
    'Mi',
    '1.Gi',
    '1e',
    '9Ei',
    '0x10',
  ]) {
    it(`refuses '${text}'`, () => {
      assert.throws(
        () => parseByteQuantity(text),
        (error) => codeOf(error) === 'MANIFEST_INVALID',
      )
    })
  }
})
