// The seam without a channel above it: a log that a test owns, and everything that stands in it.
import { randomUUID } from 'node:crypto'
import type {
  Cursor,
  CursorId,
  EventLog,
  LaneId,
  LogConfig,
  LogRef,
  LogStore,
  OwnedLane,
  Position,
} from '../../../src/channel/log.ts'
import type { Clock } from '../../../src/core/clock.ts'
import type { Event } from '../../../src/core/event.ts'
import type { Backend } from '../backend.ts'
import { eventually, MiB } from '../support.ts'

export interface Stored {
  readonly lane: LaneId
  readonly position: Position
  readonly event: Event
  readonly bytes: number
}

export interface Bench {
  readonly store: LogStore
  readonly ref: LogRef
  readonly log: EventLog
  /** Every lane, as its owner. Owning goes on until the test ends. */
  ownAll(): Promise<readonly OwnedLane[]>
  release(): Promise<void>
}

const benches = new Set<Bench>()

export async function openBench(
  backend: Backend,
  { clock, ...config }: Partial<LogConfig> & { readonly clock?: Clock } = {},
): Promise<Bench> {
  const store = await backend.open(clock)
  const ref = aRef()
  const log = await store.open(ref, { capBytes: 64 * MiB, ...config })
  const stop = new AbortController()
  let owning: Promise<void> | undefined
  const lanes: OwnedLane[] = []
  const bench: Bench = {
    store,
    ref,
    log,
    async ownAll() {
      owning ??= log.own(async (lane) => {
        lanes.push(lane)
        await untilAborted(lane.signal)
      }, stop.signal)
      const { length } = await log.lanes()
      await eventually(() => lanes.length === length, `all ${length} lanes are owned`)
      return lanes
    },
    async release() {
      stop.abort()
      await owning
      benches.delete(bench)
    },
  }
  benches.add(bench)
  return bench
}

export async function closeBenches(): Promise<void> {
  for (const bench of benches) {
    await bench.release()
    await bench.store.close()
  }
}

export function aRef(name = `default/${randomUUID().slice(0, 8)}`): LogRef {
  return { uid: randomUUID(), name }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Everything the log holds now, lane by lane in order. */
export async function storedIn(log: EventLog): Promise<Stored[]> {
  const all: Stored[] = []
  for (const { id, start, end } of await log.lanes()) all.push(...(await storedFrom(log, id, start, end)))
  return all
}

/** What stands in one lane from `from` to before `end`. */
export async function storedFrom(log: EventLog, lane: LaneId, from: Position, end: Position): Promise<Stored[]> {
  const all: Stored[] = []
  if (from >= end) return all
  const stop = new AbortController()
  for await (const { entries, next } of log.read(lane, from, stop.signal)) {
    all.push(...entries.map(({ position, event, bytes }) => ({ lane, position, event, bytes })))
    if (next >= end) break
  }
  stop.abort()
  return all
}

/** Where a cursor stands on a lane: its own record's floor, else the lane's base. */
export async function floorOf(lane: OwnedLane, id: CursorId): Promise<Position> {
  const { base, own } = await lane.cursors()
  return own.get(id)?.floor ?? base
}

export function recordAt(floor: Position, state: readonly number[] = []): Cursor {
  return { floor, state: Uint8Array.from(state) }
}

/** Settles everything on every lane as its owner would: base to the end, nobody with a record of its own, then trim. */
export async function settleAll(bench: Bench, covered: readonly CursorId[] = []): Promise<void> {
  const ends = new Map((await bench.log.lanes()).map(({ id, end }) => [id, end]))
  for (const lane of await bench.ownAll()) {
    const end = ends.get(lane.id) ?? 0
    await lane.save({ base: end, put: new Map(), covered })
    await lane.trim(end)
  }
}
