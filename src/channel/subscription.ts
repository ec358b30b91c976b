// A subscription as the fan-out knows it: who it is, what it wants, and how one attempt is made.
import type { Progress, Step } from '../core/delivery-spec.ts'
import type { Event } from '../core/event.ts'
import type { CompiledFilter } from '../filter/filter.ts'
import type { CursorId, LaneId, Position } from './log.ts'
import type { Pace } from './pace.ts'
import type { Slots } from './slots.ts'

/** One attempt to deliver one entry, as its handler sees it. */
export interface Delivery {
  readonly event: Event
  readonly lane: LaneId
  readonly position: Position
  readonly progress: Progress
  /** Aborts when the lane is lost or the channel closes beyond its drain time. */
  readonly signal: AbortSignal
  /** True while this entry holds the lane's lowest floor, so that nothing can be trimmed before it is settled. */
  holdsFloor(): boolean
  /** What the attempt came to. Either this or `failed` is called, once, and not before `Deliver` has returned. */
  done(step: Step): void
  /** The attempt counts as a wait of a second: the fault is ours, not the event's. */
  failed(fault: unknown): void
}

/** Makes one attempt, and tells the delivery what came of it. Not a promise: most of what runs only waits for its turn. */
export type Deliver = (delivery: Delivery) => void

export interface SubscriptionSpec {
  readonly filter: CompiledFilter
  /** At most one unsettled delivery per `partitionkey`; the next only after it settled. */
  readonly ordered: boolean
  /** Attempts running at once, on all lanes together. */
  readonly maxInFlight: number
  /** Running, waiting, queued and blocked by key; reached, nothing more is read for this subscription. */
  readonly maxUnsettled: number
  readonly deliver: Deliver
  /** Why nothing may be attempted now (an unresolved reference, a pause): the cursor stays. */
  readonly held?: string
  /** Of a subscription that ends by itself: a replay, or a redrive. */
  readonly bounds?: Bounds
}

export interface Bounds {
  /** Per lane, the position before which it ends. Lanes that are not named have nothing for it. */
  readonly until: ReadonlyMap<LaneId, Position>
  /** Events that are handed out in a second; no limit unless it is set. */
  readonly ratePerSecond?: number
  /** A lane has nothing more for it: all before its end is settled. Called once a lane, and again after a restart. */
  ended(lane: LaneId): void
}

/** Plain numbers, counted on the hot path and folded into metrics when somebody asks. */
export interface SubscriptionStats {
  /** Entries that passed the filter and came into the window. matched = delivered + deadLettered + kept + unsettled. */
  matched: number
  delivered: number
  deadLettered: number
  kept: number
  /** Positions that were gone from the log before they were delivered: retention, or a third party's hand. */
  expired: number
  /** Settled undelivered, because somebody said so. */
  skipped: number
  attempts: number
  failedAttempts: number
  lastFailure: { readonly reason: string; readonly at: number } | undefined
  /** When the first of the failures that are still going on came, epoch ms; undefined after a success. */
  failingSince: number | undefined
}

export interface SubscriptionStatus {
  readonly id: CursorId
  readonly stats: Readonly<SubscriptionStats>
  readonly held: string | undefined
  readonly paused: boolean
  /** Matched and not settled: running + waiting + queued or blocked. */
  readonly unsettled: number
  readonly inFlight: number
  /** Waits for a retry. */
  readonly waiting: number
  /** Entries of the log between what was read for this subscription and the head: an upper bound of what it lacks. */
  readonly unread: number
  /** Entries that passed its filter at the head while it was behind: published for it, not in `stats.matched` yet. */
  readonly behind: number
  /** Whether `unsettled + behind` is exactly what was published for it and is not settled. */
  readonly exact: boolean
  /** Arrival of the oldest unsettled entry, epoch ms. */
  readonly oldestArrivedAt: number | undefined
}

/** What it lacks that is not in `unsettled`: at most that, where it is not known exactly. */
export function behindOf({ behind, exact, unread }: SubscriptionStatus): number {
  return exact ? behind : Math.max(behind, unread)
}

/** A subscription while it is served: what all its windows, one per lane, share. */
export interface Subscription {
  readonly id: CursorId
  spec: SubscriptionSpec
  paused: boolean
  readonly stats: SubscriptionStats
  /** Of one that is handed so many in a second and no more. */
  readonly pace: Pace | undefined
  readonly slots: Slots
  /** False once it was unsubscribed: what still runs settles nothing. */
  live: boolean
}

export function newStats(): SubscriptionStats {
  return {
    matched: 0,
    delivered: 0,
    deadLettered: 0,
    kept: 0,
    expired: 0,
    skipped: 0,
    attempts: 0,
    failedAttempts: 0,
    lastFailure: undefined,
    failingSince: undefined,
  }
}

/** Whether nothing may be attempted for it now. */
export function isBlocked({ spec, paused, live }: Subscription): boolean {
  return paused || spec.held !== undefined || !live
}
