// One subscription's entries on one lane, from matched to settled: which run now, which wait for a slot, for a retry or
// for an earlier one of their key. Bounded by count and by bytes. Where the entries come from (the head, or the sweep
// behind it) is its lane's business; how an attempt is made is the subscription's.
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Step } from '../core/delivery-spec.ts'
import { attributeOf } from '../core/event.ts'
import { Fifo } from '../core/fifo.ts'
import { type CursorState, encodeCursor, type UnsettledEntry } from './cursor.ts'
import { type Body, Item } from './item.ts'
import type { Cursor, LaneId, Position } from './log.ts'
import type { FloorHolder } from './lowest-floor.ts'
import { Ranges } from './ranges.ts'
import { isBlocked, type Subscription } from './subscription.ts'
import { mayStart } from './turns.ts'
import { Unsettled } from './unsettled.ts'

/** What a window asks of its lane. */
export interface WindowHost {
  readonly lane: LaneId
  readonly clock: Clock
  /** The broker's node of the budget tree. */
  readonly budget: Budget
  readonly limits: WindowLimits
  /** Of the log, those that are served here: 1 at least. */
  lanes(): number
  /** Aborts when running attempts must end. */
  readonly signal: AbortSignal
  /** False while the lane closes: nothing new is handed out. */
  handsOut(): boolean
  /** The cursor differs from what is stored. */
  changed(window: Window): void
  settled(item: Pick<Item, 'position' | 'bytes'>): void
  /** A parked window has room again. */
  wants(window: Window): void
  /** The item's body is needed: `arrived` will be called with it. */
  fetch(item: Item): void
  holdsFloor(item: Item): boolean
}

export interface WindowLimits {
  /** Bytes of bodies one window may hold; it can always hold one. */
  readonly subscriptionBytes: number
  /** A wait for a retry longer than this gives back its slot and its body. */
  readonly heldWaitMs: number
}

/** A window behind may have at least so many bodies that wait for a slot, or are read to wait for one. */
const LEAST_PREPARED = 32

type Settled = Extract<Step, { kind: 'settled' }>

/**
 * `attached`: the head hands over what it matches. `parked`: nobody does; `next` says where to go on.
 * `riding`: the sweep does, and `next` follows it once it stops.
 */
export type WindowState = 'attached' | 'parked' | 'riding'

export class Window implements FloorHolder {
  readonly subscription: Subscription
  readonly host: WindowHost
  state: WindowState = 'parked'
  /** All before it has been offered. Follows the head while attached, the sweep while riding. */
  next: Position
  /** Where it ends; Infinity unless it is bounded. */
  readonly until: Position
  /** In order of position. */
  readonly unsettled = new Unsettled()
  /** Positions from `next` on that are settled unread. */
  readonly ahead = new Ranges()
  /** Of the subscription's slots, those that this window has. */
  inFlight = 0
  waiting = 0
  /** Of what is unsettled, so many have their bodies here. */
  heldBodies = 0
  heldBytes = 0
  /** Entries matched at the head while it was not there. */
  behind = 0
  /** Entries before it were not counted for it at the head: it began behind. */
  countedFrom: Position = 0
  /** False when it began behind the head, or changed its filter there: then `behind` is not all it lacks. */
  countsBehind = true
  /** Whether the store has a record of its own for this cursor. */
  stored = false
  inFloors = false
  /** Whether it is among those the sweep will serve next. */
  wanted = false
  /** They wait for a slot, with their bodies. */
  readonly #ready = new Fifo<Item>()
  /** They would, but for their bodies: those are read shortly before it is their turn. */
  readonly #lacking = new Fifo<Item>()
  /** Bodies that are being read for them. */
  #coming = 0
  #comingBytes = 0
  /** Ordered only: per key, the unsettled items; the first may run. */
  readonly #keys = new Map<string, Item[]>()
  /** Restored items whose keys are not known yet. */
  #learning = 0
  readonly #again = (): void => this.pump()
  #hasEnded = false
  #isOver = false

  constructor(subscription: Subscription, host: WindowHost, next: Position) {
    const { bounds } = subscription.spec
    this.subscription = subscription
    this.host = host
    this.next = next
    this.until = bounds ? (bounds.until.get(host.lane) ?? 0) : Infinity
  }

  /** Whether anything is left to be read for it. */
  get isRead(): boolean {
    return this.next >= this.until && this.state === 'parked'
  }

  /** Whether bodies of what it took will have to be read again. */
  get lacksBodies(): boolean {
    return this.heldBodies < this.unsettled.size
  }

  /** Until the keys of what it took up are known, nobody can tell whether another entry may run. */
  get isLearning(): boolean {
    return this.#learning > 0
  }

  /** Whether anything will be handed out without a wait that gives its slot back. */
  get isDelivering(): boolean {
    if (this.inFlight > 0) return true
    if (isBlocked(this.subscription)) return false
    if (this.#ready.size + this.#lacking.size + this.#coming > 0) return true
    return this.state !== 'attached' && this.behind > 0 && this.hasRoom(0)
  }

  floor(): Position {
    if (!this.subscription.live) return Infinity
    const { lowest } = this.unsettled
    if (lowest) return lowest.position
    return this.state === 'attached' ? Infinity : this.next
  }

  /** Whether an entry of this size may be offered now. One always fits. */
  hasRoom(bytes: number): boolean {
    if (this.unsettled.size >= this.subscription.spec.maxUnsettled || isBlocked(this.subscription)) return false
    if (this.heldBytes === 0) return true
    return this.#fits(bytes)
  }

  /** The same for one behind the head, which takes only what is soon its turn: what waits in the log costs no memory. */
  hasUse(bytes: number): boolean {
    return this.#prepared < this.#mostPrepared && this.hasRoom(bytes)
  }

  /** Takes a matched entry; runs it at once when a slot is free. Call it only with room. */
  offer(body: Body): void {
    const { entry } = body
    const item = new Item(this, entry.position)
    this.unsettled.add(item)
    this.subscription.stats.matched++
    this.#hold(item, body)
    this.host.changed(this)
    if (!this.subscription.spec.ordered || this.#isFirstOfKey(item)) this.#enqueue(item)
    else this.#letGo(item) // it may be blocked for days; its body is read again when its turn comes
  }

  /** Takes up what a stored cursor says. Attempt counts are kept; waits end no later than they would have. */
  restore(state: CursorState): void {
    this.next = state.next
    for (const { from, to } of state.ahead) this.ahead.add(from, to)
    for (const { position, attempt, waitMs, dueAt } of state.unsettled) {
      const item = new Item(this, position)
      item.progress = { attempt }
      item.attempts = attempt
      item.waitMs = waitMs
      item.dueAt = dueAt
      this.unsettled.add(item)
      this.subscription.stats.matched++
      if (this.subscription.spec.ordered) {
        item.learnsKey = true
        this.#learning++
        this.host.fetch(item) // its key is known once its body is
      } else if (waitMs > 0) {
        this.#wait(item, waitMs, this.#waitLeft(item))
      } else {
        this.#lacking.push(item)
      }
    }
  }

  /** A fetched body. */
  arrived(item: Item, body: Body): void {
    if (!item.learnsKey) this.#came(item)
    if (!item.isUnsettled) return this.#goOn()
    this.#hold(item, body)
    if (item.learnsKey) return this.#learn(item)
    // How large it is was perhaps not known.
    const fits = this.heldBytes === item.bytes || (this.#fits(0) && !isBlocked(this.subscription))
    if (!fits) this.#letGo(item)
    this.#queue(item)
    this.pump()
  }

  /** The body can never come: the log no longer has the entry. */
  expire(item: Item): void {
    if (!item.learnsKey) this.#came(item)
    if (!item.isUnsettled) return this.#goOn()
    this.subscription.stats.expired++
    this.subscription.stats.matched--
    this.#forget(item)
  }

  /** The log gave up all before `start`: what is unsettled there can come no more, unless its body is here already. */
  expireBefore(start: Position): void {
    for (const item of this.unsettled.items()) {
      if (item.position >= start) return
      if (item.body) continue
      this.subscription.stats.expired++
      this.subscription.stats.matched--
      item.isSkipped = true
      this.#stopWaiting(item)
      this.#forget(item)
    }
  }

  /**
   * The same of what is unread. How much of it was for this subscription is known where the head saw it, and then as a
   * share of what is behind; where it did not, all of it counts.
   */
  passExpired(start: Position, head: Position): void {
    const { next, countedFrom, behind } = this
    if (next >= start) return
    const end = Math.min(start, this.until)
    const unseen = this.#unreadBetween(next, Math.min(end, countedFrom))
    const seen = this.#unreadBetween(Math.max(next, countedFrom), Math.min(head, this.until))
    const gone = Math.min(this.#unreadBetween(Math.max(next, countedFrom), end), seen)
    const lost = seen === 0 ? 0 : Math.round((behind * gone) / seen)
    this.subscription.stats.expired += unseen + lost
    this.behind -= lost
    if (lost > 0 && lost < gone) this.countsBehind = false
    this.host.changed(this)
    this.goTo(start)
  }

  /** Goes on from here, or from behind what is settled ahead. */
  goTo(next: Position): void {
    this.next = this.ahead.isEmpty ? next : this.ahead.pass(next)
    this.endIfDone()
  }

  /** An unsettled entry is not to be attempted any more. What runs may finish. */
  skip(item: Item): void {
    item.isSkipped = true
    if (item.isRunning) return
    this.#stopWaiting(item)
    this.#forgetSkipped(item)
  }

  /** Tells its subscription once that the lane has nothing more for it. */
  endIfDone(): void {
    if (!this.isRead || this.unsettled.size > 0 || this.#hasEnded) return
    this.#hasEnded = true
    this.subscription.spec.bounds?.ended(this.host.lane)
  }

  /** An attempt came to something. */
  ended(item: Item, step: Step): void {
    item.isRunning = false
    if (!item.isUnsettled) return this.#freeSlot(item)
    if (step.kind === 'settled') {
      this.#count(item, step)
      this.#giveSlot()
      return this.#forget(item)
    }
    this.#countFailure(step.reason)
    if (item.isSkipped) {
      this.#freeSlot(item)
      return this.#forgetSkipped(item)
    }
    item.progress = step.progress
    if (!step.progress.failure) item.attempts = step.progress.attempt
    item.waitMs = Math.round(step.delayMs)
    item.dueAt = Math.round(this.host.clock.wall() + step.delayMs)
    this.host.changed(this)
    const { heldWaitMs } = this.host.limits
    const keepsSlot =
      step.delayMs <= heldWaitMs && this.host.budget.hasRoom(0) && !isBlocked(this.subscription) && this.host.handsOut()
    if (!keepsSlot) {
      this.#freeSlot(item)
      this.#wait(item, item.waitMs, step.delayMs)
      this.#wantMore()
      return
    }
    item.timer = this.host.clock.after(step.delayMs, () => {
      item.timer = undefined
      item.waitMs = item.dueAt = 0
      if (!isBlocked(this.subscription) && this.host.handsOut()) return this.#run(item)
      this.#freeSlot(item)
      this.#queue(item)
    })
  }

  /** Hands out what is ready while slots are free, and has bodies read for what comes next. */
  pump(): void {
    if (isBlocked(this.subscription) || !this.host.handsOut()) return
    const { pace } = this.subscription
    for (let item = this.#ready.peek(); item; item = this.#ready.peek()) {
      if (!item.isSkipped && (!this.#mayRun() || (pace && !pace.take(this.#again)))) break
      this.#ready.shift()
      if (item.isSkipped) continue
      this.#takeSlot()
      this.#run(item)
    }
    for (let item = this.#lacking.peek(); item && this.#mayFetch(item); item = this.#lacking.peek()) {
      this.#lacking.shift()
      if (item.isSkipped) continue
      this.#coming++
      this.#comingBytes += item.bytes
      this.host.fetch(item)
    }
  }

  /** Nothing is to be handed out for now: bodies and slots of what does not run are given back. */
  suspend(): void {
    for (let item = this.#ready.shift(); item; item = this.#ready.shift()) {
      this.#letGo(item)
      this.#lacking.push(item)
    }
    for (const item of this.unsettled.items()) {
      if (!item.timer || !item.body) continue
      item.timer.cancel()
      item.timer = undefined
      this.#freeSlot(item)
      this.#wait(item, item.waitMs, this.#waitLeft(item))
    }
  }

  /** What the store should keep of it, and undefined when it stands where every cursor at the head stands. */
  record(base: Position, sweepAt: Position): Cursor | undefined {
    const next = this.state === 'attached' ? Math.max(base, this.next) : this.state === 'riding' ? sweepAt : this.next
    if (this.state === 'attached' && this.unsettled.size === 0 && next === base) return undefined
    const unsettled: UnsettledEntry[] = []
    for (const { position, attempts, waitMs, dueAt, isSkipped } of this.unsettled.items()) {
      // What is skipped while it runs is not attempted again, also by whoever goes on after a crash.
      if (!isSkipped) unsettled.push({ position, attempt: attempts, waitMs, dueAt })
    }
    if (this.ahead.isEmpty) return encodeCursor({ next, unsettled, ahead: [] })
    const ahead = new Ranges([...this.ahead])
    return encodeCursor({ next: ahead.pass(next), unsettled, ahead: [...ahead] })
  }

  /** Stops every timer; nothing is settled after it. What runs still has its attempts, and no slots. Idempotent. */
  end(): void {
    this.subscription.stats.matched -= this.unsettled.size
    for (const item of this.unsettled.items()) {
      item.timer?.cancel()
      if (!item.isRunning) this.#letGo(item)
    }
    this.unsettled.clear()
    this.#ready.clear()
    this.#lacking.clear()
    this.#keys.clear()
    this.subscription.pace?.leave(this.#again)
    if (this.#isOver) return
    this.#isOver = true
    this.subscription.slots.leave(this, this.inFlight)
  }

  #run(item: Item): void {
    const { spec, stats } = this.subscription
    stats.attempts++
    item.isRunning = true
    try {
      spec.deliver(item)
    } catch (fault) {
      setImmediate(() => item.failed(fault))
    }
  }

  /** The wall clock may have jumped: never longer than the whole wait. */
  #waitLeft({ waitMs, dueAt }: Item): number {
    return Math.min(waitMs, Math.max(0, dueAt - this.host.clock.wall()))
  }

  /** Waits without slot or body. */
  #wait(item: Item, waitMs: number, leftMs: number): void {
    item.waitMs = waitMs
    this.waiting++
    item.timer = this.host.clock.after(leftMs, () => {
      item.timer = undefined
      item.waitMs = item.dueAt = 0
      this.waiting--
      this.#queue(item)
      this.pump()
    })
    this.pump()
  }

  #enqueue(item: Item): void {
    const { subscription, host } = this
    const runsNow =
      item.body !== undefined &&
      subscription.pace === undefined &&
      this.#ready.size === 0 &&
      !isBlocked(subscription) &&
      host.handsOut() &&
      this.#mayRun()
    if (!runsNow) {
      this.#queue(item)
      return this.pump()
    }
    this.#takeSlot()
    this.#run(item)
  }

  #queue(item: Item): void {
    if (item.body) this.#ready.push(item)
    else this.#lacking.push(item)
  }

  #mayRun(): boolean {
    const { slots, spec } = this.subscription
    return slots.isFree(this, spec.maxInFlight) && (this.state === 'attached' || mayStart(this, this.host.clock))
  }

  #takeSlot(): void {
    this.inFlight++
    this.subscription.slots.take()
  }

  #giveSlot(): void {
    this.inFlight--
    if (!this.#isOver) this.subscription.slots.give(this)
  }

  /** Settled, or gone: the next of its key may run, and a parked window may have room again. */
  #forget(item: Item): void {
    this.unsettled.delete(item)
    this.#letGo(item)
    this.host.changed(this)
    this.host.settled(item)
    if (item.learnsKey) this.#learned()
    else if (item.key !== undefined) this.#leaveKey(item, item.key)
    this.#goOn()
    this.endIfDone()
  }

  /** There may be room for what waits, here or in the log. */
  #goOn(): void {
    this.pump()
    this.#wantMore()
  }

  #stopWaiting(item: Item): void {
    if (!item.timer) return
    item.timer.cancel()
    item.timer = undefined
    if (item.body) this.#freeSlot(item)
    else this.waiting--
  }

  #unreadBetween(from: Position, to: Position): number {
    return Math.max(0, to - from - this.ahead.countFrom(from) + this.ahead.countFrom(to))
  }

  #forgetSkipped(item: Item): void {
    this.subscription.stats.skipped++
    this.subscription.stats.matched--
    this.#forget(item)
  }

  /** What was being read for it is here, or never comes. */
  #came({ bytes }: Item): void {
    this.#coming--
    this.#comingBytes -= bytes
  }

  /** Room may have been made for a window that had none. */
  #wantMore(): void {
    const { maxUnsettled } = this.subscription.spec
    const { subscriptionBytes } = this.host.limits
    if (this.state !== 'parked' || this.wanted) return
    const roomy =
      this.unsettled.size * 2 <= maxUnsettled &&
      this.heldBytes * 2 <= subscriptionBytes &&
      this.#prepared * 2 <= this.#mostPrepared
    if ((roomy || this.inFlight + this.#prepared === 0) && this.hasUse(0)) {
      this.host.wants(this)
    }
  }

  #freeSlot(item: Item): void {
    this.#letGo(item)
    this.#giveSlot()
  }

  #hold(item: Item, body: Body): void {
    item.body = body
    this.heldBodies++
    item.bytes = body.entry.bytes
    item.arrivedAt = body.entry.event.arrivedAt
    this.heldBytes += body.entry.bytes
    body.hold(this.host.budget)
  }

  #letGo(item: Item): void {
    const { body } = item
    if (!body) return
    item.body = undefined
    this.heldBodies--
    this.heldBytes -= body.entry.bytes
    body.letGo(this.host.budget)
  }

  /** Where none is held one always is; more only as far as they are needed soon, and their bodies will fit. */
  #mayFetch({ bytes, isSkipped }: Item): boolean {
    if (isSkipped || (this.heldBytes === 0 && this.#coming === 0)) return true
    return this.#prepared < this.#mostPrepared && this.#fits(this.#comingBytes + bytes)
  }

  /** Those that have a body and no slot, or will. */
  get #prepared(): number {
    return this.#ready.size + this.#coming
  }

  /** Lanes share the slots, so what waits for them is shared out too. */
  get #mostPrepared(): number {
    return Math.max(LEAST_PREPARED, this.subscription.spec.maxUnsettled / this.host.lanes())
  }

  #fits(bytes: number): boolean {
    return this.heldBytes + bytes <= this.host.limits.subscriptionBytes && this.host.budget.hasRoom(bytes)
  }

  #isFirstOfKey(item: Item): boolean {
    item.key = keyOf(item)
    return this.#joinKey(item, item.key)
  }

  /** Behind those that came before it; true when there are none. */
  #joinKey(item: Item, key: string): boolean {
    const sameKey = this.#keys.get(key)
    if (sameKey) sameKey.push(item)
    else this.#keys.set(key, [item])
    return sameKey === undefined
  }

  /** A restored item of an ordered subscription, whose body was read for its key. */
  #learn(item: Item): void {
    item.key = keyOf(item)
    item.learnsKey = false
    if (this.heldBytes > this.host.limits.subscriptionBytes) this.#letGo(item)
    this.#learned()
  }

  /** Bodies come in any order: who is first of its key is told once all keys are known. */
  #learned(): void {
    if (--this.#learning > 0) return
    for (const item of this.unsettled.items()) if (item.key !== undefined) this.#rejoin(item, item.key)
    this.pump() // bodies were let go of on the way
    this.host.wants(this)
  }

  #rejoin(item: Item, key: string): void {
    const isFirst = this.#joinKey(item, key)
    if (!isFirst || item.waitMs > 0) this.#letGo(item)
    if (!isFirst) return
    if (item.waitMs > 0) this.#wait(item, item.waitMs, this.#waitLeft(item))
    else this.#enqueue(item)
  }

  #leaveKey(item: Item, key: string): void {
    const sameKey = this.#keys.get(key)
    const at = sameKey?.indexOf(item) ?? -1
    if (!sameKey || at < 0) return
    sameKey.splice(at, 1)
    const [next] = sameKey
    if (!next) this.#keys.delete(key)
    else if (at === 0) this.#queue(next)
  }

  #count(item: Item, { outcome, failure }: Settled): void {
    const { stats } = this.subscription
    if (outcome === 'delivered') {
      stats.delivered++
      stats.failingSince = undefined
    } else if (outcome === 'dead-lettered') {
      // The attempt that ended it was the dead letter sink's, and it was no failure.
      stats.deadLettered++
    } else if (outcome === 'skipped') {
      stats.skipped++
      stats.matched--
    } else {
      stats.kept++
      // Putting it into the dead-letter log, for a failure that is counted already, was a step and no attempt.
      if (failure === item.progress.failure) stats.attempts--
      else this.#countFailure(failure?.reason ?? 'not taken')
    }
  }

  #countFailure(reason: string): void {
    const { stats } = this.subscription
    const at = this.host.clock.wall()
    stats.failedAttempts++
    stats.lastFailure = { reason, at }
    stats.failingSince ??= at
  }
}

function keyOf({ event }: Item): string {
  return attributeOf(event.attributes, 'partitionkey') ?? ''
}
