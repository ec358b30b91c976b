// What was fetched behind a head and not used: who was served for a while goes on there. Bounded for all logs of a cluster
// together; of what is too much the oldest goes, and is fetched again.
import { Few } from '../../../core/few.ts'
import type { Position } from '../../log.ts'
import type { KafkaLane } from './kafka-lane.ts'
import { NO_RECORDS } from './records.ts'
import type { Fetched } from './wire.ts'

export interface Leftovers {
  keep(lane: KafkaLane, fetched: Fetched): void
  /** What has the record at `from`, which is then the caller's. What does not have it is let go of. */
  take(lane: KafkaLane, from: Position): Fetched | undefined
  /** Of a lane that nobody reads any more. */
  drop(lane: KafkaLane): void
}

export function createLeftovers(limitBytes: number): Leftovers {
  const kept = new Few<KafkaLane, Fetched>()
  let heldBytes = 0

  function remove(lane: KafkaLane): Fetched | undefined {
    const fetched = kept.get(lane)
    kept.delete(lane)
    heldBytes -= fetched?.records.sizeBytes ?? 0
    return fetched
  }

  return {
    keep(lane, fetched) {
      remove(lane)
      kept.set(lane, fetched)
      heldBytes += fetched.records.sizeBytes
      for (const oldest of kept.keys()) {
        if (heldBytes <= limitBytes) return
        remove(oldest)
      }
    },
    take(lane, from) {
      const fetched = remove(lane)
      const { first, next } = fetched?.records ?? NO_RECORDS
      return first <= from && from < next ? fetched : undefined
    },
    drop: (lane) => void remove(lane),
  }
}
