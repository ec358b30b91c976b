// What of one log is given up because it is too old, or too much: what is settled goes without a word, what is not is
// first said to go in the journal, so that no start takes it for lost.
import type { Batch, Bounds, LogConfig, Position } from '../../log.ts'
import { delayOf, expireAtOnce } from '../retention.ts'
import { firstArrivedFrom } from './disk-cursors.ts'
import type { LogState } from './log-state.ts'
import type { LogRecord } from './record.ts'

export interface DiskExpiry {
  /** Of what is given up once the records that say so are on the disk. */
  expiringBytes(): number
  /** Gives up the oldest events so that no more bytes are there than the bounds have, with those that are coming. */
  keepWithin(bounds: Bounds, comingBytes: number): void
  /** Never rejects. */
  dropOld(config: LogConfig, nowMs: number): Promise<void>
  /** The entry that the log begins with now arrived then. */
  isOldest(arrivedAt: number): void
  onExpired(told: (start: Position) => void, signal: AbortSignal): void
}

export function openDiskExpiry(options: {
  readonly state: LogState
  /** Resolves once the record is on the disk and applied. */
  readonly store: (record: LogRecord) => Promise<void>
  /** What stands at a position, or the next after it that is not lost. */
  readonly entryAt: (position: Position) => Promise<Batch>
  readonly isEnding: () => boolean
  readonly fault: (what: string, error: unknown) => void
}): DiskExpiry {
  const { state, store, entryAt } = options
  const listeners = new Set<(start: Position) => void>()
  /** All before it is given up once what was queued is on the disk. */
  let expiringBefore: Position = 0
  let expiringBytes = 0
  /** No entry of the log arrived before (epoch ms). Spares looking. */
  let oldestMs = -Infinity

  async function expire(before: Position, bytes: number): Promise<void> {
    expiringBefore = before
    expiringBytes += bytes
    try {
      await store({ kind: 'expire', log: state.number, before })
      for (const told of listeners) told(state.start)
    } catch {
      // The journal has told why. The next append, or the next look at the clock, tries again.
      expiringBefore = state.start
    } finally {
      expiringBytes -= bytes
    }
  }

  /** The first position that is not too old, looked for as seldom as possible. */
  async function firstYoungEnough(nowMs: number, { ms }: Bounds, end: Position): Promise<Position> {
    const oldest = nowMs - ms
    const { start } = state
    if (start >= end || oldestMs >= oldest - delayOf(ms)) return start
    const [first] = (await entryAt(start)).entries
    oldestMs = first?.event.arrivedAt ?? oldestMs
    if (oldestMs >= oldest - delayOf(ms)) return start
    const found = await firstArrivedFrom(oldest, start, end, entryAt)
    if (found < end) oldestMs = oldest
    return found
  }

  async function dropOld({ retention, expiry }: LogConfig, nowMs: number): Promise<void> {
    if (retention) state.freeSettledBefore(await firstYoungEnough(nowMs, retention, state.floor()))
    if (!expiry) return
    const before = await firstYoungEnough(nowMs, expiry, state.end)
    if (before <= state.floor()) state.freeSettledBefore(before)
    else if (before > expiringBefore) await expire(before, 0)
  }

  return {
    expiringBytes: () => expiringBytes,
    keepWithin(bounds, comingBytes) {
      const excess = state.bytes - expiringBytes + comingBytes - bounds.bytes
      if (excess <= 0) return
      const { to, bytes } = state.reach(expiringBefore, expireAtOnce(excess, bounds))
      if (to <= state.settledBefore) state.freeSettledBefore(to)
      else if (bytes > 0) void expire(to, bytes)
    },
    async dropOld(config, nowMs) {
      try {
        await dropOld(config, nowMs)
      } catch (error) {
        if (!options.isEnding()) options.fault('look for old events', error)
      }
    },
    isOldest(arrivedAt) {
      oldestMs = arrivedAt
    },
    onExpired(told, signal) {
      listeners.add(told)
      signal.addEventListener('abort', () => listeners.delete(told), { once: true })
    },
  }
}
