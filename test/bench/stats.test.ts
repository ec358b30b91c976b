import assert from 'node:assert/strict'
import { median, medianInterval, quantile } from './stats.ts'

describe('bench statistics', () => {
  it('takes the middle of an odd number of samples, in any order', () => {
    assert.equal(median([9, 1, 5]), 5)
  })

  it('takes the mean of the two in the middle of an even number', () => {
    assert.equal(median([4, 1, 10, 2]), 3)
  })

  it('leaves the samples in their order', () => {
    const samples = [3, 1, 2]

    median(samples)

    assert.deepEqual(samples, [3, 1, 2])
  })

  it('interpolates a quantile between its neighbours', () => {
    assert.equal(quantile([10, 20, 30, 40, 50], 0.9), 46)
  })

  it('gives the smallest and the largest sample as the outermost quantiles', () => {
    assert.deepEqual([quantile([7, 3, 5], 0), quantile([7, 3, 5], 1)], [3, 7])
  })

  it('refuses to take a quantile of nothing', () => {
    assert.throws(() => quantile([], 0.5), { message: 'no samples' })
  })

  it('is sure of a median when all samples agree', () => {
    assert.deepEqual(medianInterval([1.5, 1.5, 1.5, 1.5]), { low: 1.5, high: 1.5 })
  })

  it('bounds the median of nine rounds by the order statistics that binomial odds give', () => {
    // A resampled median is the k-th of nine or less with the odds that five of nine draws are: 2.7 % at k = 2, 14.5 %
    // at k = 3. So the 5 % point is the third, and the 95 % point the seventh.
    assert.deepEqual(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9]), { low: 3, high: 7 })
  })

  it('widens with the level', () => {
    assert.deepEqual(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.99), { low: 2, high: 8 })
  })

  it('is not moved by one wild round', () => {
    assert.deepEqual(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 900]), { low: 3, high: 7 })
  })

  it('gives the same interval for the same samples', () => {
    const samples = [1.31, 1.42, 1.28, 1.55, 1.39, 1.4, 1.33, 1.47, 1.36]

    assert.deepEqual(medianInterval(samples), medianInterval(samples))
  })
})
