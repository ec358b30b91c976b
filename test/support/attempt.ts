import type { Deliver } from '../../src/channel/subscription.ts'
import type { Step } from '../../src/core/delivery-spec.ts'
import type { Attempt } from '../../src/delivery/deliver.ts'

/** One attempt as a promise of what it comes to. */
export function attemptBy(deliver: Deliver, about: Omit<Attempt, 'done' | 'failed'>): Promise<Step> {
  return new Promise((done, failed) => deliver({ lane: '0', position: 0, ...about, done, failed }))
}
