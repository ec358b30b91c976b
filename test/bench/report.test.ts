import assert from 'node:assert/strict'
import { claim, type Limits, row, times, type Verdict } from './report.ts'

interface Case {
  readonly name: string
  readonly samples: readonly number[]
  readonly limits: Limits
  readonly verdict: Verdict
}

const LIMITS = { must: 1.7, aim: 1.4 }

/** The interval of nine different samples is from the third to the seventh. */
const CASES: readonly Case[] = [
  {
    name: 'fails when the whole interval is over the limit',
    samples: [1.6, 1.65, 1.71, 1.8, 1.8, 1.8, 1.9, 1.9, 1.9],
    limits: LIMITS,
    verdict: 'FAILED',
  },
  {
    name: 'is unclear when only the median is over it',
    samples: [1.6, 1.65, 1.69, 1.8, 1.8, 1.8, 1.9, 1.9, 1.9],
    limits: LIMITS,
    verdict: 'unclear',
  },
  {
    name: 'meets the must at the limit itself',
    samples: [1.7, 1.7, 1.7],
    limits: LIMITS,
    verdict: 'must met',
  },
  {
    name: 'meets the aim at the limit itself',
    samples: [1.4, 1.4, 1.4],
    limits: LIMITS,
    verdict: 'aim met',
  },
  {
    name: 'fails a least when the whole interval is under it',
    samples: [0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.7, 0.79, 0.9],
    limits: { must: 0.8, isLeast: true },
    verdict: 'FAILED',
  },
  {
    name: 'meets a least above it',
    samples: [0.81, 0.81, 0.81],
    limits: { must: 0.8, aim: 1, isLeast: true },
    verdict: 'must met',
  },
  {
    name: 'misses an aim without a must in silence',
    samples: [1.5],
    limits: { aim: 1.4 },
    verdict: '',
  },
  {
    name: 'says nothing without limits',
    samples: [99],
    limits: {},
    verdict: '',
  },
]

describe('bench verdicts', () => {
  for (const { name, samples, limits, verdict } of CASES) {
    it(name, () => {
      assert.equal(row('any', samples, times, limits).verdict, verdict)
    })
  }

  it('has a case for each verdict', () => {
    const all: readonly Verdict[] = ['', 'FAILED', 'aim met', 'must met', 'unclear']

    assert.deepEqual([...new Set(CASES.map(({ verdict }) => verdict))].sort(), all)
  })

  it('fails a claim that does not hold', () => {
    assert.equal(claim('any', '3 lost', false).verdict, 'FAILED')
  })

  it('shows the interval of several samples and none of a single one', () => {
    const shown = [row('any', [1, 1, 1], times).interval, row('any', [1], times).interval]

    assert.deepEqual(shown, ['1.00 x .. 1.00 x', ''])
  })
})
