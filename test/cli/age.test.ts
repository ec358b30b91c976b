import assert from 'node:assert/strict'
import { formatAge } from '../../src/cli/age.ts'

describe('an age', () => {
  const cases: readonly (readonly [seconds: number, age: string])[] = [
    [0, '0s'],
    [5, '5s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [12_000, '3h20m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [172_800, '2d'],
    [180_000, '2d2h'],
    [691_200, '8d'],
    [86_400_000, '1000d'],
    [-1, '0s'],
    [-60, '<invalid>'],
  ]
  for (const [seconds, age] of cases) {
    it(`of ${seconds} s is ${age}`, () => {
      assert.equal(formatAge('2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5) + seconds * 1_000), age)
    })
  }

  it('of what is no time is none', () => {
    assert.equal(formatAge('yesterday', 0), '<invalid>')
  })
})
