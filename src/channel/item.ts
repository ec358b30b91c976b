// An entry on its way to one subscription, and its body, which all that hold it share.
import type { Budget } from '../core/budget.ts'
import type { Timer } from '../core/clock.ts'
import type { Progress, Step } from '../core/delivery-spec.ts'
import type { Event } from '../core/event.ts'
import type { Entry, LaneId, Position } from './log.ts'
import type { Delivery } from './subscription.ts'
import type { Window } from './window.ts'

/** An entry's body while somebody holds it: counted once, however many windows do. */
export class Body {
  readonly entry: Entry
  #holders = 0

  constructor(entry: Entry) {
    this.entry = entry
  }

  hold(budget: Budget): void {
    if (this.#holders++ === 0) budget.take(this.entry.bytes)
  }

  letGo(budget: Budget): void {
    if (--this.#holders > 0) return
    budget.release(this.entry.bytes)
    // Logs and rings hold the event longer than that is of use.
    this.entry.event.made = undefined
  }
}

const FIRST: Progress = { attempt: 0 }
const FAULT_WAIT_MS = 1_000

/** One entry on its way to one subscription. */
export class Item implements Delivery {
  readonly window: Window
  readonly position: Position
  body: Body | undefined
  /** Known once the body was seen; ordered subscriptions only. */
  key: string | undefined
  progress: Progress = FIRST
  /** Attempts begun at the subscriber: what a cursor keeps. */
  attempts = 0
  /** Size of the body, once it was seen. */
  bytes = 0
  /** The wait for a retry it is in: its length, and its end in epoch ms. */
  waitMs = 0
  dueAt = 0
  timer: Timer | undefined
  arrivedAt: number | undefined
  /** Kept by the window's list of them. */
  isUnsettled = false
  /** An attempt is being made. */
  isRunning = false
  /** Its body is read only to learn its key: it holds no slot. */
  learnsKey = false
  /** What runs is the last attempt, whatever it comes to. */
  isSkipped = false

  constructor(window: Window, position: Position) {
    this.window = window
    this.position = position
  }

  get event(): Event {
    if (!this.body) throw new Error('an item runs only with its body')
    return this.body.entry.event
  }

  get lane(): LaneId {
    return this.window.host.lane
  }

  get signal(): AbortSignal {
    return this.window.host.signal
  }

  holdsFloor(): boolean {
    return this.window.host.holdsFloor(this)
  }

  done(step: Step): void {
    this.window.ended(this, step)
  }

  failed(fault: unknown): void {
    const reason = fault instanceof Error ? fault.message : String(fault)
    this.window.ended(this, { kind: 'wait', delayMs: FAULT_WAIT_MS, progress: this.progress, reason })
  }
}
