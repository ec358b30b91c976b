import assert from 'node:assert/strict'
import { nextTtl } from '../../src/broker/ttl.ts'

describe('nextTtl', () => {
  const cases: readonly (readonly [name: string, value: string | undefined, next: number])[] = [
    ['starts an event without TTL at the limit', undefined, 255],
    ['counts down', '255', 254],
    ['lets 2 pass as 1', '2', 1],
    ['spends 1', '1', 0],
    ['keeps 0 at 0', '0', 0],
    ['keeps a negative TTL at 0', '-7', 0],
    ['counts down from above the limit', '300', 299],
    ['takes a sign', '+3', 2],
    ['counts down from the largest integer', '2147483647', 2_147_483_646],
    ['resets what is beyond 32 bits', '2147483648', 255],
    ['resets what is beneath 32 bits', '-2147483649', 255],
    ['resets a word', 'ten', 255],
    ['resets a fraction', '1.5', 255],
    ['resets an exponent', '1e1', 255],
    ['resets a number with space', ' 3', 255],
    ['resets an empty text', '', 255],
  ]
  for (const [name, value, next] of cases) {
    it(name, () => assert.equal(nextTtl(value, 255), next))
  }

  it('starts at the limit it is given', () => {
    assert.equal(nextTtl(undefined, 10), 10)
  })
})
