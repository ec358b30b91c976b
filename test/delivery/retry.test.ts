import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RetryPolicy } from '../../src/core/delivery-spec.ts'
import { backoffDelayMs, isRetryable, parseRetryAfter, waitMs } from '../../src/delivery/retry.ts'
import type { Answer } from '../../src/http/client.ts'

const DAY = 86_400_000

describe('isRetryable', () => {
  // The table of knative/specs specs/eventing/data-plane.md: one case per status that it names or implies.
  const yes = [undefined, 404, 408, 409, 429, 500, 501, 502, 503, 504, 599]
  const no = [
    100, 101, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 405, 406, 410, 413, 415, 418, 422, 425, 431, 451,
  ]

  for (const status of yes) {
    it(`retries after ${status ?? 'no answer'}`, () => {
      assert.equal(isRetryable(status), true)
    })
  }
  for (const status of no) {
    it(`does not retry after ${status}`, () => {
      assert.equal(isRetryable(status), false)
    })
  }
})

describe('backoffDelayMs', () => {
  const cases: readonly {
    readonly title: string
    readonly policy: 'linear' | 'exponential'
    readonly delayMs: number
    readonly maxMs: number
    readonly expected: readonly number[]
  }[] = [
    { title: 'grows by the delay', policy: 'linear', delayMs: 200, maxMs: DAY, expected: [200, 400, 600, 800] },
    { title: 'doubles', policy: 'exponential', delayMs: 200, maxMs: DAY, expected: [400, 800, 1_600, 3_200] },
    { title: 'stops growing at the cap', policy: 'linear', delayMs: 200, maxMs: 500, expected: [200, 400, 500, 500] },
    {
      title: 'stops at the cap',
      policy: 'exponential',
      delayMs: 200,
      maxMs: 1_000,
      expected: [400, 800, 1_000, 1_000],
    },
    { title: 'is never below the delay', policy: 'linear', delayMs: 2_000, maxMs: 500, expected: [2_000, 2_000] },
    { title: 'is never below it', policy: 'exponential', delayMs: 2_000, maxMs: 500, expected: [2_000, 2_000] },
    { title: 'stays 0', policy: 'linear', delayMs: 0, maxMs: DAY, expected: [0, 0] },
    { title: 'stays 0', policy: 'exponential', delayMs: 0, maxMs: DAY, expected: [0, 0] },
  ]

  for (const { title, policy, delayMs, maxMs, expected } of cases) {
    it(`${policy} from ${delayMs} ms up to ${maxMs} ms ${title}`, () => {
      const retry = { retries: 4, backoff: { policy, delayMs }, backoffMaxMs: maxMs, retryAfterMaxMs: 0 }

      assert.deepEqual(
        expected.map((_, i) => backoffDelayMs(retry, i + 1)),
        expected,
      )
    })
  }

  it('is a time between the delay and the cap, however many retries there are', () => {
    const anyPolicy = fc.record({
      policy: fc.constantFrom('linear' as const, 'exponential' as const),
      delayMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    })
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (backoff, retry) => {
        const ms = backoffDelayMs({ retries: 0, backoff, backoffMaxMs: DAY, retryAfterMaxMs: 0 }, retry)

        assert.ok(ms >= backoff.delayMs && ms <= Math.max(DAY, backoff.delayMs), `${ms}`)
      }),
    )
  })
})

describe('parseRetryAfter', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5)
  const cases: readonly (readonly [text: string, expectedMs: number | undefined])[] = [
    ['0', 0],
    ['120', 120_000],
    [' 120 ', 120_000],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Friday, 02-Jan-26 03:05:05 GMT', 60_000],
    ['Fri Jan  2 03:05:05 2026', 60_000],
    ['Fri, 02 Jan 2026 03:04:05 GMT', undefined],
    ['Thu, 01 Jan 2026 03:04:05 GMT', undefined],
    ['Fri, 99 Jan 2026 03:05:05 GMT', undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['soon 2099', undefined],
    ['2099-01-01T00:00:00Z', undefined],
  ]

  for (const [text, expected] of cases) {
    it(`reads '${text}' as ${expected}`, () => {
      assert.equal(parseRetryAfter(text, now), expected)
    })
  }

  it('reads a number too long for a number as for ever', () => {
    assert.equal(parseRetryAfter('9'.repeat(400), now), Number.POSITIVE_INFINITY)
  })
})

describe('waitMs', () => {
  const policy: RetryPolicy = {
    retries: 10,
    backoff: { policy: 'linear', delayMs: 1_000 },
    backoffMaxMs: DAY,
    retryAfterMaxMs: 300_000,
  }
  const answer = (status: number, retryAfter?: string): Answer => ({
    kind: 'answer',
    status,
    rawHeaders: (retryAfter === undefined ? [] : ['Retry-After', retryAfter]).map((text) => Buffer.from(text)),
    body: Buffer.alloc(0),
  })
  const wait = (given: Answer, change: Partial<RetryPolicy> = {}): number =>
    waitMs({ ...policy, ...change }, 3, given, 0)

  for (const status of [429, 503]) {
    it(`is what a ${status} asks for`, () => {
      assert.equal(wait(answer(status, '60')), 60_000)
    })
  }
  for (const status of [404, 408, 409, 500, 502, 504]) {
    it(`is the backoff whatever a ${status} asks for`, () => {
      assert.equal(wait(answer(status, '60')), 3_000)
    })
  }
  it('is never shorter than the backoff', () => {
    assert.equal(wait(answer(503, '1')), 3_000)
  })
  it('is what a date asks for', () => {
    assert.equal(wait(answer(503, 'Thu, 01 Jan 1970 00:01:00 GMT')), 60_000)
  })
  it('is at most the cap', () => {
    assert.equal(wait(answer(503, '301')), 300_000)
    assert.equal(wait(answer(503, '9'.repeat(400))), 300_000)
  })
  it('is the backoff when that is longer than the cap', () => {
    assert.equal(wait(answer(503, '60'), { retryAfterMaxMs: 2_000 }), 3_000)
  })
  it('is the backoff with a cap of 0, which ignores the header', () => {
    assert.equal(wait(answer(503, '60'), { retryAfterMaxMs: 0 }), 3_000)
  })
  it('is the backoff without the header, and with one that says nothing', () => {
    assert.equal(wait(answer(503)), 3_000)
    assert.equal(wait(answer(503, 'soon')), 3_000)
  })
  it('is the backoff without an answer', () => {
    assert.equal(wait({ kind: 'none', reason: 'refused' }), 3_000)
  })
})
