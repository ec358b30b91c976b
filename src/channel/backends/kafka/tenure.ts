// The time for which this process owns one lane: it begins with a claim in the cursor topic, whose offset is the epoch,
// and ends when the group gives the lane to somebody else, when somebody claims it, or when this process may be too late
// to know of either.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { OwnedLane } from '../../log.ts'
import type { CursorPartition } from './cursor-partition.ts'
import { claimRecord, releaseRecord, snapshotRecords } from './cursor-table.ts'

export interface TenureOptions {
  readonly name: string
  readonly clock: Clock
  readonly cursors: CursorPartition
  readonly memberId: string
  /** Of the group, as it was last put together. */
  members(): ReadonlySet<string>
  /** The last tenure of this process on the lane: nobody serves a lane twice at once. */
  readonly after: Promise<void> | undefined
  /** How long somebody in the group is waited for who has been told to give the lane up. */
  readonly releaseMs: number
  serve(tenure: {
    readonly epoch: number
    readonly signal: AbortSignal
    readonly lost: AbortSignal
    check(): void
  }): Promise<void>
  fault(what: string, error: unknown): void
}

export interface Tenure {
  /** It serves, or may any moment. */
  readonly isServing: boolean
  /** Stops serving, and waits for whoever serves. `lost`: somebody else may own the lane already; may follow on without. */
  end(lost: boolean): Promise<void>
}

export type Serving = Parameters<TenureOptions['serve']>[0]
export type Serve = (lane: OwnedLane) => Promise<void>

const POLL_MS = 100
const RETRY_MS = 250
/** How long a lane that is given up waits for what runs. */
const GIVE_UP_MS = 5_000

export function startTenure(options: TenureOptions): Tenure {
  const { name, clock, cursors, memberId } = options
  const { table } = cursors
  const ending = new AbortController()
  const losing = new AbortController()
  let isServing = false
  const done = run()

  async function run(): Promise<void> {
    await options.after
    while (!ending.signal.aborted) {
      try {
        await untilFree()
        if (!ending.signal.aborted) await hold()
      } catch (error) {
        if (ending.signal.aborted) return
        options.fault('own a lane', error)
        await sleep(RETRY_MS)
      }
    }
  }

  /** Whoever claimed it released it, or is gone from the group, or was waited for long enough. */
  async function untilFree(): Promise<void> {
    const startedAt = clock.now()
    while (!ending.signal.aborted) {
      await cursors.sync()
      const { holder } = table
      if (holder === undefined || holder === memberId || !options.members().has(holder)) return
      if (clock.now() - startedAt >= options.releaseMs) return
      await sleep(POLL_MS)
    }
  }

  async function hold(): Promise<void> {
    const claim = claimRecord(memberId, randomUUID())
    const epoch = await cursors.write([claim])
    if (table.epoch !== epoch) return
    await cursors.write(snapshotRecords(table, epoch, String(claim.key)))
    const holding = new AbortController()
    const lost = AbortSignal.any([losing.signal, holding.signal])
    const signal = AbortSignal.any([ending.signal, lost])
    const check = (): void => {
      if (table.epoch === epoch && !lost.aborted) return
      holding.abort(lostError())
      throw lostError()
    }
    const following = follow(lost, check)
    isServing = true
    try {
      await orGivenUp(options.serve({ epoch, signal, lost, check }), signal)
      if (!signal.aborted) await aborted(signal)
      if (table.epoch === epoch && !lost.aborted) await cursors.write([releaseRecord(epoch)])
    } finally {
      isServing = false
      holding.abort(lostError())
      await following
    }
  }

  async function follow(signal: AbortSignal, check: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        await cursors.follow(signal, check)
      } catch (error) {
        if (signal.aborted) return
        options.fault('follow the cursors', error)
        await sleep(RETRY_MS)
      }
    }
  }

  async function orGivenUp(serving: Promise<void>, signal: AbortSignal): Promise<void> {
    const served = serving.catch((error) => options.fault('serve a lane', error))
    await Promise.race([served, aborted(signal)])
    const tooLong = new AbortController()
    await Promise.race([served, clock.sleep(GIVE_UP_MS, tooLong.signal).catch(() => undefined)])
    tooLong.abort()
  }

  const sleep = (ms: number): Promise<void> => clock.sleep(ms, ending.signal).catch(() => undefined)
  const lostError = (): EventingError =>
    new EventingError('LANE_LOST', `${name}: another process owns the lane, or may`)

  return {
    get isServing() {
      return isServing
    },
    async end(lost) {
      if (lost) losing.abort(lostError())
      ending.abort(lostError())
      await done
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
