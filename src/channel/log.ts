// The seam between fan-out and storage. A backend keeps events and cursors; who gets an event, when and how often is
// decided above it, in channel.ts, so that every backend behaves the same. How each verb maps to a disk log, Kafka and
// Redis Streams stands in docs/decisions/.
import type { Event } from '../core/event.ts'

/** Place of an entry in its lane: a safe integer that grows, need not be dense, and is never used twice. */
export type Position = number
/** An ordering domain of a log: a Kafka partition, a Redis stream, or the one lane of an embedded log. */
export type LaneId = string
/** The uid of the subscription that owns the cursor. */
export type CursorId = string

/** Where a new cursor begins: after all that is stored, before it, or at the first entry that arrived then or later. */
export type CursorStart = 'now' | 'earliest' | { readonly timeMs: number }

export interface Entry {
  readonly position: Position
  readonly event: Event
  /** `eventBytes(event)`, computed once. */
  readonly bytes: number
}

export interface Batch {
  readonly entries: readonly Entry[]
  /** Where to read on: past the entries, and past gaps and records that are not events (counted by the backend). */
  readonly next: Position
}

/** All before `floor` is settled; `state` says what above it is. It belongs to cursor.ts: backends never look inside. */
export interface Cursor {
  readonly floor: Position
  readonly state: Uint8Array
}

export interface LogRef {
  /** Owner of the log: a log is never shared by two uids. */
  readonly uid: string
  /** For names people read: `namespace/name`. */
  readonly name: string
}

/** Beyond either of them the oldest events go. */
export interface Bounds {
  readonly bytes: number
  /** Since they arrived. A log may be late with it: two minutes, or a fiftieth of this and five seconds, if that is less. */
  readonly ms: number
}

export interface LogConfig {
  /** Bytes the log may hold. Publishers are refused at 90 % of it. */
  readonly capBytes: number
  /**
   * What is kept of events that are settled, for replay and for questions; nothing unless given. Part of the cap: they go
   * as soon as an append needs the room.
   */
  readonly retention?: Bounds
  /** Beyond these, events are given up that are not settled, too, and owners are told; never unless given. */
  readonly expiry?: Bounds
}

export interface LogTraits {
  readonly backend: string
  /** What a resolved append survives. */
  readonly survives: 'nothing' | 'process-crash' | 'power-loss' | 'replica-loss'
  /** Whether several processes may use the store at once. */
  readonly shared: boolean
  /** Reads near the head cost I/O, so the fan-out keeps recent entries itself. */
  readonly readsCostIo: boolean
  readonly maxEventBytes: number
}

/** One data directory, one Redis, one Kafka cluster: connections and files are shared by all its logs. */
export interface LogStore {
  readonly traits: LogTraits
  /**
   * Creates the log, or opens what this uid owns. LOG_CONFLICT: the name is another uid's. LOG_LOST: it existed and is
   * gone or empty; never re-created silently. A log that is open goes on with the config of the last call.
   */
  open(ref: LogRef, config: LogConfig): Promise<EventLog>
  /** Idempotent; later appends by any process reject with LOG_GONE, none brings the log back. */
  remove(ref: LogRef): Promise<void>
  close(): Promise<void>
}

/**
 * How far into the log's cap an append may go. `publish`: 90 %, for events from outside. `internal`: all of it, for
 * replies, hops and dead letters. `drain`: up to twice the cap, only for a reply to the event that holds the lane's
 * lowest floor: storing it frees what it stands on, so that a full log always drains by itself.
 */
export type Room = 'publish' | 'internal' | 'drain'

/** Bytes that an append with this room may fill. */
export function limitOf({ capBytes }: LogConfig, room: Room): number {
  if (room === 'publish') return 0.9 * capBytes
  return room === 'internal' ? capBytes : 2 * capBytes
}

export interface LogSize {
  readonly entries: number
  readonly bytes: number
  /** Of these, what is settled, and goes when the room is needed. */
  readonly retainedBytes: number
  readonly capBytes: number
}

export interface EventLog {
  /**
   * Resolves once the event is as durable as `traits.survives` says; concurrent calls are grouped. Rejects with LOG_FULL
   * or LOG_UNAVAILABLE (retryable), EVENT_TOO_LARGE or LOG_GONE (not).
   */
  append(event: Event, room?: Room): Promise<{ readonly lane: LaneId; readonly position: Position }>
  /**
   * By any process. Durable on every lane when resolved; `now` is after every append resolved before the call.
   * Repeating it for a cursor that exists changes nothing.
   */
  createCursor(id: CursorId, start: CursorStart): Promise<void>
  /** Idempotent. */
  dropCursor(id: CursorId): Promise<void>
  /** `start`: the oldest entry that is still there. `end`: where the next one will stand. */
  lanes(): Promise<readonly { readonly id: LaneId; readonly start: Position; readonly end: Position }[]>
  /** Where a cursor on the lane that starts so would begin. */
  positionAt(lane: LaneId, start: CursorStart): Promise<Position>
  /**
   * Runs `serve` for each lane this process owns, until `lane.signal` aborts; then waits for it (bounded) before the
   * lane is given up. Resolves when `signal` aborted and every `serve` returned.
   */
  own(serve: (lane: OwnedLane) => Promise<void>, signal: AbortSignal): Promise<void>
  /**
   * Entries from `from` on, owner or not; waits at the head. Only entries already as durable as promised. Rejects with
   * POSITION_GONE when `from` is before the lane's start (the message names the new start; see `lanes()`).
   */
  read(lane: LaneId, from: Position, signal: AbortSignal): AsyncIterable<Batch>
  /** Where the next entry of the lane will stand, as far as this process knows. Never waits. */
  end(lane: LaneId): Position
  size(): LogSize
}

export interface OwnedLane {
  readonly id: LaneId
  /**
   * Aborts, by this process's own clock, before another process can own the lane. No attempt starts after it; until `lost`
   * aborts, what runs may end and be saved, for five seconds at most.
   */
  readonly signal: AbortSignal
  /** Another process may own the lane: what runs is told to end, and nothing more is saved. `signal` has aborted, too. */
  readonly lost: AbortSignal
  /**
   * `base`: where `covered` cursors stand, those without a record of their own. `start`: the oldest entry that is still
   * there; a cursor before it missed what expired. May be asked again, to see new cursors.
   */
  cursors(): Promise<{
    readonly base: Position
    readonly start: Position
    readonly own: ReadonlyMap<CursorId, Cursor>
    readonly covered: readonly CursorId[]
  }>
  /** One atomic step, only what changed; `covered` cursors stand at `base` from now on. LANE_LOST once a newer owner exists. */
  save(change: {
    readonly base: Position
    readonly put: ReadonlyMap<CursorId, Cursor>
    readonly covered: readonly CursorId[]
  }): Promise<void>
  /** A hint that all before is settled: the store checks every stored cursor again itself. */
  trim(before: Position): Promise<void>
  /** Calls `told` after entries expired that some cursor may not have passed: all before `start` is gone. */
  onExpired(told: (start: Position) => void): void
}
