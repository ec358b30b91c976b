// Loop protection: how many more brokers an event may pass. A reply carries on the count of the event it answers, so a
// subscriber that always replies cannot keep an event going for ever.

const INTEGER = /^[+-]?\d{1,10}$/
const INT32_LIMIT = 2 ** 31

/**
 * The TTL an event has after this pass; 0 means that it is spent and must be refused. An event without a TTL, or whose
 * TTL is no integer of 32 bits, starts at `maxTtl`: this pass is not counted then. A higher TTL than `maxTtl` is kept.
 * @see knative/eventing pkg/broker/ttl.go
 */
export function nextTtl(value: string | undefined, maxTtl: number): number {
  if (value === undefined || !INTEGER.test(value)) return maxTtl
  const ttl = Number(value)
  if (ttl < -INT32_LIMIT || ttl >= INT32_LIMIT) return maxTtl
  return Math.max(ttl - 1, 0)
}
