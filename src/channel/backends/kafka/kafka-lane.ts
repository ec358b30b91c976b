// One partition of an events topic: what it holds, what of that may go, and what Kafka was told to remove.
import type { EventingError } from '../../../core/errors.ts'
import type { Position } from '../../log.ts'
import type { CursorPartition } from './cursor-partition.ts'
import { Ledger } from './ledger.ts'

export interface KafkaLane {
  readonly partition: number
  readonly ledger: Ledger
  readonly cursors: CursorPartition
  /** Where the partition starts in Kafka, as far as this process knows. */
  keptFrom: Position
  /** Of those who own it here. */
  readonly tellExpired: Set<(start: Position) => void>
  /** All that every stored cursor has passed, up to `before`, may go. */
  settle(before: Position): void
  /** Nobody gets what is before it any more. */
  giveUpBefore(start: Position): void
  /** What Kafka said of the partition. */
  seen(start: Position, end: Position): void
}

export function createKafkaLane(
  partition: number,
  cursors: CursorPartition,
  range: { readonly start: Position; readonly end: Position },
  trim: (lane: KafkaLane) => void,
): KafkaLane {
  const ledger = new Ledger(range.start, range.end)
  let isTelling = false

  /** Once for all that goes in one turn of the event loop. */
  function tell(): void {
    if (isTelling || lane.tellExpired.size === 0) return
    isTelling = true
    setImmediate(() => {
      isTelling = false
      for (const told of lane.tellExpired) told(ledger.start)
    })
  }

  const lane: KafkaLane = {
    partition,
    ledger,
    cursors,
    keptFrom: range.start,
    tellExpired: new Set(),
    settle(before) {
      ledger.settleBefore(Math.min(before, cursors.table.floor()))
    },
    giveUpBefore(start) {
      if (start <= ledger.start) return
      const isExpired = start > ledger.settledBefore
      ledger.giveUpBefore(start)
      if (isExpired) tell()
      trim(lane)
    },
    seen(start, end) {
      ledger.reached(end)
      if (start <= lane.keptFrom) return
      lane.keptFrom = start
      lane.giveUpBefore(start)
    },
  }
  return lane
}

export interface Trimmer {
  wants(lane: KafkaLane): void
  close(): Promise<void>
}

/** Asks Kafka to remove what was given up: at once, and then no more often than so. */
const TRIM_INTERVAL_MS = 100

export function createTrimmer(
  removeBefore: (before: ReadonlyMap<number, Position>) => Promise<void>,
  sleep: (ms: number) => Promise<void>,
  fault: (error: EventingError | unknown) => void,
): Trimmer {
  const wanted = new Set<KafkaLane>()
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    while (wanted.size > 0) {
      const lanes = [...wanted]
      wanted.clear()
      const before = new Map(lanes.map(({ partition, ledger }) => [partition, ledger.start]))
      try {
        await removeBefore(before)
        for (const lane of lanes) lane.keptFrom = Math.max(lane.keptFrom, before.get(lane.partition) ?? 0)
      } catch (error) {
        fault(error)
      }
      await sleep(TRIM_INTERVAL_MS)
    }
    running = undefined
  }

  return {
    wants(lane) {
      if (lane.keptFrom >= lane.ledger.start) return
      wanted.add(lane)
      running ??= run()
    },
    async close() {
      await running
    },
  }
}
