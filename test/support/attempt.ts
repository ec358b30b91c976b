import type { Step } from '../../src/core/delivery-spec.ts'
import type { Attempt } from '../../src/delivery/deliver.ts'

/** One attempt as a promise of what it comes to. */
export function attemptBy(deliver: (attempt: Attempt) => void, about: Omit<Attempt, 'done' | 'failed'>): Promise<Step> {
  return new Promise((done, failed) => deliver({ ...about, done, failed }))
}
