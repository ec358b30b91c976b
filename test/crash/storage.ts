// How often each event is stored, where the logs still have all of it. Once, whatever happens to the program; a cluster that
// was not whole may have stored what it did not say that it had, and what is sent again after that a second time.
import type { Published } from './ledger.ts'

export interface StorageTally {
  /** Beyond the first time, of what was published: requests to the cluster that were sent again. */
  readonly storedAgain: number
  /** Told to the publisher that it was not, and stored. */
  readonly refusedAndStored: number
}

export type Stored = ReadonlyMap<string, ReadonlyMap<string, number>>

/** `isDoubtful`: whether the cluster was not whole when an event was published. */
export function judgeStorage(
  stored: Stored,
  published: Iterable<Published>,
  isDoubtful: (event: Published) => boolean,
): StorageTally & { readonly wrong: readonly string[] } {
  const wrong: string[] = []
  let storedAgain = 0
  let refusedAndStored = 0
  for (const event of published) {
    const { id, target, outcome, round, replyTo } = event
    // A reply is stored once for each time that it was given: its deliveries say whether that was too often.
    if (replyTo) continue
    const times = stored.get(target)?.get(id) ?? 0
    if (outcome === 'accepted' && times === 0)
      wrong.push(`${target}: LOST ${id}: accepted in round ${round}, not stored`)
    if (times > 1) storedAgain += times - 1
    if (times > 0 && outcome === 'refused') refusedAndStored++
    const most = outcome === 'refused' ? 0 : 1
    if (times > most && !isDoubtful(event)) wrong.push(`${target}: ${id} is stored ${times} times, and was ${outcome}`)
  }
  return { storedAgain, refusedAndStored, wrong }
}
