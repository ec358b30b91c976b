import assert from 'node:assert/strict'
import { murmur2, partitionOf } from '../../../../src/channel/backends/kafka/murmur2.ts'

describe('murmur2', () => {
  // Of Java's own test: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  const known: readonly (readonly [string, number])[] = [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ]

  for (const [text, hash] of known) {
    it(`of '${text}' is what Java has`, () => {
      assert.equal(murmur2(Buffer.from(text)), hash)
    })
  }

  it('puts a key on the partition where Java’s producer puts it', () => {
    // toPositive(murmur2(key)) % partitions
    assert.equal(partitionOf('foobar', 10), (-790_332_482 & 0x7fffffff) % 10)
    assert.equal(partitionOf('abc', 3), 479_470_107 % 3)
  })
})
