// What a log on Kafka holds and may hold. Kafka has no cap that refuses, so this process does: over all lanes, counting
// exactly what it wrote or read itself, and the rest as an average.
import { EventingError } from '../../../core/errors.ts'
import { type LogConfig, type LogSize, limitOf, type Room as RoomKind } from '../../log.ts'
import { expireAtOnce, retainableBytes } from '../retention.ts'
import type { KafkaLane } from './kafka-lane.ts'

export interface Room {
  configure(config: LogConfig): void
  /** Takes the bytes of an append until `release`, or throws LOG_FULL or EVENT_TOO_LARGE. Gives up what stands in its way. */
  take(bytes: number, kind: RoomKind): void
  release(bytes: number): void
  /** Gives up what is settled and more than is to be kept. */
  retain(): void
  size(): LogSize
  readonly config: LogConfig
}

export function createRoom(name: string, first: LogConfig, lanes: () => readonly KafkaLane[]): Room {
  let config = first
  /** Of appends that are under way. */
  let taken = 0

  const stored = (): number => sum((lane) => lane.ledger.bytes)
  const settled = (): number => sum((lane) => lane.ledger.settledBytes)

  function sum(of: (lane: KafkaLane) => number): number {
    let total = 0
    for (const lane of lanes()) total += of(lane)
    return total
  }

  function freeSettled(bytes: number): void {
    free(bytes, (lane) => lane.ledger.settledBefore)
  }

  function expire(): void {
    const { expiry } = config
    if (!expiry) return
    const over = stored() + taken - expiry.bytes
    if (over > 0) free(expireAtOnce(over, expiry), (lane) => lane.ledger.end)
  }

  /** The oldest entries of so many bytes, from each lane its share. */
  function free(bytes: number, limitIn: (lane: KafkaLane) => number): void {
    const all = stored()
    for (const lane of lanes()) {
      const share = bytes * (all > 0 ? lane.ledger.bytes / all : 1)
      if (share > 0) lane.giveUpBefore(lane.ledger.startWithout(share, limitIn(lane)))
    }
  }

  return {
    get config() {
      return config
    },
    configure(next) {
      config = next
      expire()
    },
    take(bytes, kind) {
      const limit = limitOf(config, kind)
      // No waiting makes room for it, so it is not told to come back.
      if (bytes > limit) throw largerThanLog(name, bytes, limit, kind)
      taken += bytes
      expire()
      const over = stored() + taken - limit
      if (over > 0) freeSettled(over)
      if (stored() + taken <= limit) return
      taken -= bytes
      throw full(name, stored() + taken, limit, kind)
    },
    release(bytes) {
      taken -= bytes
    },
    retain() {
      const over = settled() - retainableBytes(config)
      if (over > 0) freeSettled(over)
    },
    size: () => ({
      entries: sum((lane) => lane.ledger.end - lane.keptFrom),
      bytes: stored(),
      retainedBytes: settled(),
      capBytes: config.capBytes,
    }),
  }
}

function largerThanLog(name: string, bytes: number, limit: number, kind: RoomKind): EventingError {
  const text = `${name}: ${bytes} bytes, in a log where ${kind} may fill ${Math.floor(limit)} at most`
  return new EventingError('EVENT_TOO_LARGE', text)
}

function full(name: string, bytes: number, limit: number, kind: RoomKind): EventingError {
  const text = `${name}: ${Math.floor(bytes)} bytes are waiting, ${kind} may fill ${Math.floor(limit)}`
  return new EventingError('LOG_FULL', text, { retryable: true })
}
