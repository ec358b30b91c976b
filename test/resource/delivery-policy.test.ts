import assert from 'node:assert/strict'
import type { DeliveryManifest } from '../../src/resource/delivery.ts'
import { deadLetterSinkOf, deliveryOf } from '../../src/resource/delivery-policy.ts'

const defaults = { timeoutMs: 600_000, backoffMaxMs: 86_400_000, retryAfterMaxMs: 300_000 }
const having = (delivery: DeliveryManifest | undefined) => ({ spec: delivery ? { delivery } : {} })

interface Row {
  readonly rule: string
  readonly trigger?: DeliveryManifest
  readonly broker?: DeliveryManifest
  /** retries, policy, delay, longest wait, cap of Retry-After, timeout (all ms), format */
  readonly expected: readonly [number, string, number, number, number, number, string]
}

const rows: readonly Row[] = [
  {
    rule: 'neither has a delivery: the Broker default',
    expected: [10, 'exponential', 200, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: "no delivery on the Trigger: the Broker's in full",
    broker: {
      retry: 3,
      backoffPolicy: 'linear',
      backoffDelay: 'PT1S',
      timeout: 'PT5S',
      retryAfterMax: 'PT1M',
      format: 'json',
    },
    expected: [3, 'linear', 1_000, 86_400_000, 60_000, 5_000, 'json'],
  },
  {
    rule: 'a delivery on the Trigger replaces all of it',
    trigger: { retry: 1 },
    broker: {
      retry: 3,
      backoffPolicy: 'linear',
      backoffDelay: 'PT1S',
      timeout: 'PT5S',
      retryAfterMax: 'PT1M',
      format: 'json',
    },
    expected: [1, 'exponential', 200, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'an empty delivery on the Trigger means no retries',
    trigger: {},
    broker: { retry: 3 },
    expected: [0, 'exponential', 200, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'an empty delivery on the Broker is one, too',
    broker: {},
    expected: [0, 'exponential', 200, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'a policy without delay waits from PT0.2S',
    trigger: { retry: 2, backoffPolicy: 'linear' },
    expected: [2, 'linear', 200, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'a delay without policy grows exponentially',
    trigger: { retry: 2, backoffDelay: 'PT3S' },
    expected: [2, 'exponential', 3_000, 86_400_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'a delay above the longest wait raises it',
    trigger: { retry: 2, backoffDelay: 'P2D' },
    expected: [2, 'exponential', 172_800_000, 172_800_000, 300_000, 600_000, 'binary'],
  },
  {
    rule: 'PT0S ignores Retry-After',
    trigger: { retryAfterMax: 'PT0S' },
    expected: [0, 'exponential', 200, 86_400_000, 0, 600_000, 'binary'],
  },
]

describe('deliveryOf', () => {
  for (const { rule, trigger, broker, expected } of rows) {
    it(rule, () => {
      const { retry, timeoutMs, format } = deliveryOf(having(trigger), having(broker), defaults)

      const { retries, backoff, backoffMaxMs, retryAfterMaxMs } = retry
      const found = [retries, backoff.policy, backoff.delayMs, backoffMaxMs, retryAfterMaxMs, timeoutMs, format]
      assert.deepEqual(found, expected)
    })
  }
})

describe('deadLetterSinkOf', () => {
  const mine = { uri: 'http://mine/' }
  const theirs = { uri: 'http://theirs/' }

  it("takes the Trigger's own", () => {
    assert.equal(deadLetterSinkOf(having({ deadLetterSink: mine }), having({ deadLetterSink: theirs })), mine)
  })

  it("falls back to the Broker's although the Trigger has a delivery", () => {
    assert.equal(deadLetterSinkOf(having({ retry: 1 }), having({ deadLetterSink: theirs })), theirs)
  })

  it('is none when nobody names one', () => {
    assert.equal(deadLetterSinkOf(having(undefined), having(undefined)), undefined)
  })
})
