// One lane of a log, as long as this process owns it: each entry read once at the head and matched once, handed to the
// windows of the subscriptions it matches; the sweep for whoever is behind; and the cursors, saved as they change.
import { setMaxListeners } from 'node:events'
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { Matcher } from '../filter/matcher.ts'
import { type CursorState, decodeCursor } from './cursor.ts'
import { Body, type Item } from './item.ts'
import type { Cursor, CursorId, Entry, EventLog, OwnedLane, Position } from './log.ts'
import { Outstanding } from './outstanding.ts'
import type { Range } from './ranges.ts'
import type { RecentLane } from './recent-events.ts'
import { Ring } from './ring.ts'
import { createSaver } from './saver.ts'
import { isBlocked, type Subscription } from './subscription.ts'
import { startSweep } from './sweep.ts'
import { cameToHead } from './turns.ts'
import { Window, type WindowHost, type WindowLimits } from './window.ts'

export interface LaneSettings extends WindowLimits {
  /** Longest time between a settled delivery and its stored cursor, unless there are many lanes. */
  readonly saveIntervalMs: number
  /** Settled bytes after which cursors are saved, and room is made, earlier. */
  readonly saveBytes: number
  /** Of entries just behind the heads of all lanes of the log. */
  readonly ringBytes: number
  readonly sliceEntries: number
}

export interface LaneContext {
  readonly log: EventLog
  readonly owned: OwnedLane
  readonly clock: Clock
  readonly budget: Budget
  readonly matcher: Matcher<Subscription>
  readonly recent: RecentLane
  readonly watchers: ReadonlySet<Watcher>
  readonly settings: LaneSettings
  /** Lanes of the log that this process owns. */
  lanes(): number
  /** Something failed that is tried again. */
  fault(what: string, error: unknown): void
}

/** Told of each entry when it is matched at the head, and of the subscriptions that it matches: only then that list is theirs. */
export type Watcher = (entry: Entry, matching: readonly Subscription[]) => void

export interface Lane {
  /** Takes up a subscription where its stored cursor says. Synchronous: no entry can come in between. */
  place(subscription: Subscription, cursors: StoredCursors): void
  /**
   * Cursors at the base that are nobody's yet, once those that are somebody's are placed: what was accepted for them waits
   * until they are placed or dropped, and so does what comes meanwhile. Others at the base go on with it.
   */
  keep(ids: Iterable<CursorId>): void
  window(subscription: Subscription): Window | undefined
  /** Nothing is handed out for it from now on. */
  block(subscription: Subscription): void
  unblock(subscription: Subscription): void
  /** Its filter or its limits may be others now. */
  changed(subscription: Subscription): void
  drop(subscription: Subscription): void
  counts(): LaneCounts
  /** Entries between what was offered to it and the head. */
  unread(subscription: Subscription): number
  /** Entries that were not read at the head. */
  unreadAtHead(): number
  /** How far an entry that the subscription matches has come with it. */
  standing(subscription: Subscription, position: Position): Standing
  /** Of an entry that waits or runs, and was attempted; else undefined. */
  tries(subscription: Subscription, position: Position): Tries | undefined
  /**
   * An entry that it matches is not to be attempted for it any more; what runs may finish. `through`: nothing else in that
   * stretch is unsettled. Returns 1, or 0 when it was settled, or has not come to the head.
   */
  settle(subscription: Subscription, entry: Entry, through?: Range): number
  /** All before it has been matched. */
  head(): Position
  /** Resolves once all before a position has been matched, or the lane is given up. */
  reached(position: Position): Promise<void>
  /** All before it is settled for this subscription. */
  floorOf(subscription: Subscription): Position
  floorHolder(): CursorId | undefined
  /** Resolves with whether all that had changed is stored. */
  save(): Promise<boolean>
  /** Whether anything will be handed out without a wait that gives its slot back. */
  isDelivering(): boolean
  /** Saves at once what frees room in the log, if anything does. */
  makeRoom(): void
  /** Starts reading, once all that is known was placed. Resolves when the lane is given up. */
  serve(): Promise<void>
  /** Stops reading and handing out, waits for what runs, saves. */
  close(drainMs: number): Promise<void>
}

export interface Tries {
  /** Attempts at the subscriber that came to nothing. */
  readonly attempts: number
  /** When the next one is due (epoch ms), while it waits for that. */
  readonly dueAt: number | undefined
}

export type Standing = 'settled' | 'waiting' | 'running'

/** In entries, each counted once. */
export interface LaneCounts {
  readonly unmatched: number
  readonly settled: number
  /** Not settled by somebody, or not read yet. */
  readonly waiting: number
  /** Gone before they were read, or given up before everybody had settled them. */
  readonly expired: number
}

export type StoredCursors = Awaited<ReturnType<OwnedLane['cursors']>>

/** Entries after which it is looked whether the ring is of use. */
const RING_LOOK_ENTRIES = 512
/** Each save is a record or two. So many lanes have theirs in one interval; more of them share a longer one. */
const LANES_PER_INTERVAL = 5
const RETRY_MS = 250
const DRAIN_POLL_MS = 10
/** A store that does not answer must not keep a process from ending. */
const LAST_SAVE_MS = 900
/** What runs may end for so long when the lane is another process's next. */
const HAND_OVER_MS = 3_000

export function openLane(context: LaneContext, base: Position): Lane {
  const { log, owned, clock, budget, matcher, recent, watchers, settings } = context
  const windows = new Map<Subscription, Window>()
  const outstanding = new Outstanding()
  const ring = new Ring(() => settings.ringBytes / Math.max(1, context.lanes()), Infinity)
  const reading = new AbortController()
  const attempts = new AbortController()
  setMaxListeners(0, attempts.signal) // every running attempt may listen
  const found: Subscription[] = []
  /** Those at the head that end soon after it. */
  const ending = new Set<Window>()
  let awaited: { readonly position: Position; resolve(): void }[] = []
  const counts = { unmatched: 0, matched: 0, expired: 0 }
  /** All before it has been matched and handed over. */
  let head = base
  /** Whether somebody may come back for what is read at the head. What is kept for nobody lives too long to be cheap. */
  let isRingWanted = false
  let keptInRing = 0
  let closing: Promise<void> | undefined
  let isClosing = false
  let isLost = false

  reading.signal.addEventListener('abort', () => {
    for (const { resolve } of awaited) resolve()
  })

  const host: WindowHost = {
    lane: owned.id,
    clock,
    budget,
    limits: settings,
    lanes: () => Math.max(1, context.lanes()),
    signal: attempts.signal,
    handsOut: () => !isClosing && !isLost,
    changed: (window) => saver.changed(window),
    settled,
    wants: (window) => sweep.want(window),
    fetch: (item) => sweep.fetch(item),
    holdsFloor: (item) => saver.floorHolder() === item.window && item.window.floor() === item.position,
  }
  const sweep = startSweep({
    clock,
    matcher,
    ring,
    signal: reading.signal,
    sliceEntries: settings.sliceEntries,
    head: () => head,
    read: (from, signal) => log.read(owned.id, from, signal),
    windowOf: (subscription) => windows.get(subscription),
    offered(window, entry) {
      if (entry.position < window.countedFrom) foundWaiting(entry.position)
      else if (window.behind > 0) window.behind--
    },
    attach,
    changed: (window) => saver.changed(window),
    start: laneStart,
    fault: (error) => context.fault('read behind the head', error),
  })

  const saver = createSaver({
    owned,
    clock,
    base,
    saveIntervalMs: () => settings.saveIntervalMs * Math.max(1, context.lanes() / LANES_PER_INTERVAL),
    saveBytes: settings.saveBytes,
    head: () => head,
    sweepAt: () => sweep.at(),
    trimmed(floor) {
      outstanding.trim(floor)
      ring.dropBefore(floor)
    },
    lost: lose,
    fault: (what, error) => context.fault(what, error),
  })

  async function readHead(): Promise<void> {
    while (!reading.signal.aborted) {
      try {
        for await (const batch of log.read(owned.id, head, reading.signal)) {
          if (batch.entries.length > 0) cameToHead(clock)
          for (const entry of batch.entries) handOver(entry)
          head = batch.next
          if (ending.size > 0) endBounded()
          if (awaited.length > 0) tellAwaited()
          sweep.headMoved()
          saver.schedule()
        }
      } catch (error) {
        if (reading.signal.aborted) return
        await recoverRead(error)
      }
    }
  }

  function tellAwaited(): void {
    const all = awaited
    awaited = all.filter(({ position }) => position > head)
    for (const { position, resolve } of all) if (position <= head) resolve()
  }

  /** Matches an entry once and hands it to every match at the head; who has no room is detached here. */
  function handOver(entry: Entry): void {
    found.length = 0
    const { position } = entry
    const { attributes } = entry.event
    recent.saw(attributes['id'] ?? '', position)
    matcher.match(attributes, found)
    if (watchers.size > 0) for (const watch of watchers) watch(entry, found)
    let body: Body | undefined
    let matches = 0
    for (const subscription of found) {
      const window = windows.get(subscription) ?? attachedWindow(subscription)
      if (position < window.next || position >= window.until) continue
      matches++
      if (window.state !== 'attached') {
        window.behind++
      } else if (window.hasRoom(entry.bytes)) {
        body ??= new Body(entry)
        window.offer(body)
        isRingWanted ||= window.lacksBodies
      } else {
        detach(window, position)
        window.behind++
        isRingWanted = true
      }
    }
    if (isRingWanted) keepInRing(entry)
    head = position + 1
    if (matches > 0) {
      counts.matched++
      outstanding.add(position, matches)
    } else {
      counts.unmatched++
      saver.freed(entry.bytes)
    }
  }

  function keepInRing(entry: Entry): void {
    if (ring.size === 0) ring.restart(entry.position)
    ring.add(entry)
    if (++keptInRing % RING_LOOK_ENTRIES > 0) return
    for (const window of windows.values()) if (mayWantRing(window)) return
    isRingWanted = false
    ring.restart(Infinity)
  }

  function mayWantRing(window: Window): boolean {
    if (isBlocked(window.subscription)) return false
    return window.lacksBodies || (window.state !== 'attached' && offeredBefore(window) >= ring.start)
  }

  /** The first match of a subscription that stood at the head. */
  function attachedWindow(subscription: Subscription): Window {
    const window = new Window(subscription, host, head)
    window.state = 'attached'
    windows.set(subscription, window)
    return window
  }

  /** All before it was offered to the window. */
  function offeredBefore(window: Window | undefined): Position {
    if (!window || window.state === 'attached') return head
    return window.state === 'riding' ? sweep.at() : window.next
  }

  function unreadAtHead(): number {
    return Math.max(0, log.end(owned.id) - head)
  }

  function attach(window: Window): void {
    window.state = 'attached'
    window.behind = 0
    window.countsBehind = true
    window.ahead.pass(window.next)
    if (window.until < Infinity) ending.add(window)
    saver.changed(window)
  }

  function endBounded(): void {
    for (const window of ending) {
      if (window.state === 'attached' && head < window.until) continue
      ending.delete(window)
      if (window.state === 'attached') detach(window, window.until)
    }
  }

  function detach(window: Window, next: Position): void {
    window.state = 'parked'
    window.goTo(next)
    saver.changed(window)
  }

  /** An entry that was not counted for its subscription at the head: from before the lane was opened, or it joined. */
  function foundWaiting(position: Position): void {
    if (!outstanding.add(position, 1)) return
    if (position < base) counts.matched++
    if (counts.matched >= outstanding.waiting) return
    counts.matched++
    counts.unmatched--
  }

  function settled(item: Pick<Item, 'position' | 'bytes'>): void {
    if (outstanding.settle(item.position)) saver.freed(item.bytes)
  }

  /** The log gave up all before `start`, though not everybody had settled it. */
  function expireBefore(start: Position): void {
    if (isLost) return
    const givenUp = outstanding.trim(Math.min(start, head))
    counts.matched -= givenUp
    counts.expired += givenUp
    sweep.expireBefore(start)
    for (const window of windows.values()) {
      window.expireBefore(start)
      if (window.state === 'parked' && !window.wanted) window.passExpired(start, head)
    }
  }

  function settleUnattempted(window: Window, entry: Entry): number {
    const { position } = entry
    const item = window.unsettled.get(position)
    if (item) {
      if (item.isSkipped) return 0
      window.skip(item)
      return 1
    }
    if (position < offeredBefore(window) || position >= head || window.ahead.has(position)) return 0
    window.subscription.stats.skipped++
    window.ahead.add(position, position + 1)
    if (position >= window.countedFrom) {
      if (window.behind > 0) window.behind--
      settled(entry)
    }
    return 1
  }

  async function recoverRead(error: unknown): Promise<void> {
    const code = codeOf(error)
    if (code === 'LOG_GONE') return lose()
    context.fault('read the head', error)
    if (code === 'POSITION_GONE') {
      const start = await laneStart().catch(() => head)
      counts.expired += Math.max(0, start - head)
      head = Math.max(head, start)
      isRingWanted = false
      ring.restart(Infinity)
      endBounded()
      tellAwaited()
    }
    await clock.sleep(RETRY_MS * (0.5 + Math.random()), reading.signal).catch(() => undefined)
  }

  async function laneStart(): Promise<Position> {
    const lanes = await log.lanes()
    return lanes.find(({ id }) => id === owned.id)?.start ?? head
  }

  /** What cannot be read is taken for unsettled: the floor holds, so something is repeated and nothing is lost. */
  function readCursor(id: CursorId, record: Cursor): CursorState {
    try {
      return decodeCursor(record)
    } catch (error) {
      context.fault(`read the cursor of ${id}, going on from its floor`, error)
      return { next: record.floor, unsettled: [], ahead: [] }
    }
  }

  /** Another process may own the lane, or the log is gone: everything stops, nothing more is claimed. */
  function lose(): void {
    if (isLost) return
    isLost = true
    reading.abort()
    attempts.abort()
    saver.end()
    for (const window of windows.values()) window.end()
  }

  function close(drainMs: number): Promise<void> {
    closing ??= drain(drainMs)
    return closing
  }

  async function drain(drainMs: number): Promise<void> {
    isClosing = true
    reading.abort()
    for (const window of windows.values()) window.suspend()
    const deadline = clock.now() + drainMs
    while (isBusy() && !isLost && clock.now() < deadline) await clock.sleep(DRAIN_POLL_MS)
    attempts.abort()
    await new Promise(setImmediate)
    saver.stop()
    await orAfter(LAST_SAVE_MS, saver.save())
    for (const window of windows.values()) window.end()
  }

  async function orAfter(ms: number, task: Promise<unknown>): Promise<void> {
    const done = new AbortController()
    await Promise.race([task, clock.sleep(ms, done.signal).catch(() => undefined)])
    done.abort()
  }

  function isBusy(): boolean {
    for (const window of windows.values()) if (window.inFlight > 0) return true
    return false
  }

  owned.onExpired(expireBefore)
  return {
    place(subscription, { base: storedBase, start, own }) {
      const record = own.get(subscription.id)
      const floor = record?.floor ?? storedBase
      const isPlain = !record || record.state.length === 0
      // Its record may be on its way to the store.
      const wasKept = saver.claim(subscription.id)
      if (isPlain && floor === head && !isBlocked(subscription) && !subscription.spec.bounds) {
        if (record || wasKept) saver.cover(subscription.id)
        saver.schedule()
        return
      }
      const window = new Window(subscription, host, floor)
      window.stored = record !== undefined || wasKept
      window.countsBehind = floor >= head
      window.countedFrom = head
      windows.set(subscription, window)
      if (record && !isPlain) {
        window.restore(readCursor(subscription.id, record))
      }
      // Before anybody may want it: whoever is wanted stays where it is.
      window.passExpired(start, head)
      window.expireBefore(start)
      for (const { position } of window.unsettled.items()) foundWaiting(position)
      saver.changed(window)
      window.pump()
      sweep.want(window)
      window.endIfDone()
    },
    keep: saver.keep,
    window: (subscription) => windows.get(subscription),
    block(subscription) {
      const window = windows.get(subscription) ?? attachedWindow(subscription)
      sweep.leave(window)
      if (window.state === 'attached') detach(window, Math.max(head, window.next))
      window.suspend()
    },
    unblock(subscription) {
      const window = windows.get(subscription)
      if (!window) return
      window.pump()
      if (window.state === 'parked') sweep.want(window)
    },
    changed(subscription) {
      const window = windows.get(subscription)
      if (!window) return
      if (window.state !== 'attached') window.countsBehind = false
      window.pump()
      sweep.want(window)
    },
    drop(subscription) {
      saver.uncover(subscription.id)
      const window = windows.get(subscription)
      if (!window) return
      sweep.leave(window)
      window.end()
      windows.delete(subscription)
      ending.delete(window)
      saver.forget(window)
    },
    counts: () => ({
      unmatched: counts.unmatched,
      settled: counts.matched - outstanding.waiting,
      expired: counts.expired,
      waiting: outstanding.waiting + unreadAtHead(),
    }),
    unreadAtHead,
    unread(subscription) {
      const window = windows.get(subscription)
      if (!window || window.state === 'attached') return 0
      const from = offeredBefore(window)
      return Math.max(0, Math.min(head, window.until) - from - window.ahead.countFrom(from))
    },
    standing(subscription, position) {
      const window = windows.get(subscription)
      const item = window?.unsettled.get(position)
      if (item) return item.isRunning ? 'running' : 'waiting'
      if (position < offeredBefore(window)) return 'settled'
      return window?.ahead.has(position) ? 'settled' : 'waiting'
    },
    tries(subscription, position) {
      const item = windows.get(subscription)?.unsettled.get(position)
      return item && { attempts: item.attempts, dueAt: item.dueAt === 0 ? undefined : item.dueAt }
    },
    settle(subscription, entry, through) {
      const window = windows.get(subscription)
      if (!window) return 0
      const settledNow = settleUnattempted(window, entry)
      if (through) window.ahead.add(Math.max(through.from, offeredBefore(window)), Math.min(through.to, head))
      // The place of one that the sweep waits for must stay: it passes what is settled ahead when it comes there.
      if (window.state === 'parked' && !window.wanted) window.goTo(window.next)
      saver.changed(window)
      sweep.want(window)
      return settledNow
    },
    head: () => head,
    reached(position) {
      if (head >= position || reading.signal.aborted) return Promise.resolve()
      return new Promise((resolve) => awaited.push({ position, resolve }))
    },
    floorOf: (subscription) => Math.min(head, windows.get(subscription)?.floor() ?? head),
    floorHolder: () => saver.floorHolder()?.subscription.id,
    save: saver.save,
    isDelivering() {
      if (log.end(owned.id) > head) return true
      for (const window of windows.values()) if (window.isDelivering) return true
      return false
    },
    makeRoom: saver.makeRoom,
    async serve() {
      const forget = [listen(owned.lost, lose), listen(owned.signal, () => void close(HAND_OVER_MS))]
      await Promise.all([readHead(), sweep.done])
      await closing
      for (const end of forget) end()
    },
    close,
  }
}

/** Calls `then` once the signal aborts, at once where it has. Returns what ends that. */
function listen(signal: AbortSignal, then: () => void): () => void {
  signal.addEventListener('abort', then, { once: true })
  if (signal.aborted) then()
  return () => signal.removeEventListener('abort', then)
}
