// The one reader behind a lane's head, for every subscription that is not at the head and every item that gave its body
// back. Like a lift it goes upwards: from the lowest position anybody needs, each taking what it has room for. Who rides
// to the head is attached; who has ridden for a slice gets off and waits for the next round, so that one long backlog
// keeps nobody waiting for longer than a round. Never a reader per subscription.
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { Heap } from '../core/heap.ts'
import type { Matcher } from '../filter/matcher.ts'
import { Body, type Item } from './item.ts'
import type { Batch, Entry, Position } from './log.ts'
import type { Ring } from './ring.ts'
import { isBlocked, type Subscription } from './subscription.ts'
import { turnToRead } from './turns.ts'
import type { Window } from './window.ts'

export interface SweepHost {
  readonly clock: Clock
  readonly matcher: Matcher<Subscription>
  readonly ring: Ring
  readonly signal: AbortSignal
  /** Entries read before a pass gives way to whoever is lower. */
  readonly sliceEntries: number
  head(): Position
  read(from: Position, signal: AbortSignal): AsyncIterable<Batch>
  windowOf(subscription: Subscription): Window | undefined
  /** A riding window took the entry. */
  offered(window: Window, entry: Entry): void
  attach(window: Window): void
  changed(window: Window): void
  /** Where the lane starts now. */
  start(): Promise<Position>
  fault(error: unknown): void
}

export interface Sweep {
  /** All before it has been offered to the windows that ride. */
  at(): Position
  want(window: Window): void
  fetch(item: Item): void
  /** Something the sweep could not read yet may be readable now. */
  headMoved(): void
  /** The log gave up all before `start`. Who rides there finds out by reading. */
  expireBefore(start: Position): void
  /** The window is no longer served; if it rode, it is parked where the sweep is. */
  leave(window: Window): void
  readonly done: Promise<void>
}

/** A pass reads on over at most so many entries nobody needs before it ends and seeks. */
const SKIP_ENTRIES = 256
const RETRY_MS = 250

export function startSweep(host: SweepHost): Sweep {
  let round = newRound()
  /** Who came too late for this round: what they need lies below. */
  let nextRound = newRound()
  const riding = new Set<Window>()
  const found: Subscription[] = []
  let at: Position = 0
  let wake: (() => void) | undefined

  async function run(): Promise<void> {
    while (!host.signal.aborted) {
      const from = lowest()
      if (from === undefined) {
        await somethingWanted()
        continue
      }
      try {
        await pass(from)
      } catch (error) {
        if (host.signal.aborted) return
        await recover(error)
      }
      endPass()
    }
  }

  async function pass(from: Position): Promise<void> {
    at = from
    let left = host.sliceEntries
    await turnToRead()
    while (at < host.head() && left > 0 && isNeeded() && !host.signal.aborted) {
      const recent = host.ring.from(at, SKIP_ENTRIES)
      if (recent) {
        left -= serveAll(recent, (recent.at(-1)?.position ?? host.head() - 1) + 1)
        await turnToRead()
        continue
      }
      for await (const batch of host.read(at, host.signal)) {
        left -= serveAll(batch.entries, batch.next)
        if (at >= host.head() || left <= 0 || !isNeeded()) break
        await turnToRead()
      }
    }
  }

  /** Returns how many entries were read. */
  function serveAll(entries: readonly Entry[], next: Position): number {
    let read = 0
    for (const entry of entries) {
      if (entry.position >= host.head()) break
      join(entry.position)
      expire(entry.position)
      serve(entry)
      at = entry.position + 1
      read++
      if (riding.size === 0 && !isNeeded()) return read
    }
    const end = Math.min(next, host.head())
    if (end > at) {
      join(end - 1)
      expire(end)
      at = end
    }
    return Math.max(1, read)
  }

  /** Whether somebody rides, or is close enough ahead to read on to. */
  function isNeeded(): boolean {
    if (riding.size > 0) return true
    const next = lowestOf(round)
    return next !== undefined && next >= at && next <= at + SKIP_ENTRIES
  }

  /** Whoever waits between `at` and `position` rides from here on. */
  function join(position: Position): void {
    const { windows } = round
    for (let window = windows.peek(); window && window.next <= position; window = windows.peek()) {
      windows.pop()
      window.wanted = false
      if (isServable(window)) ride(window)
    }
  }

  /** Nothing is stored between `at` and `position`: an item there can never be read. */
  function expire(position: Position): void {
    const { items } = round
    for (let item = items.peek(); item && item.position < position; item = items.peek()) {
      items.pop()
      item.window.expire(item)
    }
  }

  function ride(window: Window): void {
    window.state = 'riding'
    riding.add(window)
  }

  function serve(entry: Entry): void {
    const body = new Body(entry)
    const { items } = round
    for (let item = items.peek(); item && item.position === entry.position; item = items.peek()) {
      items.pop()
      item.window.arrived(item, body)
    }
    if (riding.size === 0) return
    found.length = 0
    host.matcher.match(entry.event.attributes, found)
    for (const subscription of found) {
      const window = host.windowOf(subscription)
      if (window?.state !== 'riding' || (!window.ahead.isEmpty && window.ahead.has(entry.position))) continue
      if (entry.position >= window.until) {
        riding.delete(window)
        park(window, window.until)
      } else if (window.hasUse(entry.bytes)) {
        window.offer(body)
        host.offered(window, entry)
      } else {
        riding.delete(window)
        park(window, entry.position)
      }
    }
  }

  function park(window: Window, next: Position): void {
    window.state = 'parked'
    window.goTo(next)
    host.changed(window)
  }

  /** Whose end was passed, perhaps without a match. */
  function endBounded(): void {
    for (const window of riding) {
      if (window.until > at) continue
      riding.delete(window)
      park(window, window.until)
    }
  }

  function endPass(): void {
    const head = host.head()
    endBounded()
    for (const window of riding) {
      if (at < head) {
        park(window, at)
        window.wanted = true
        nextRound.windows.push(window)
      } else {
        window.next = at
        host.attach(window)
      }
    }
    riding.clear()
    if (at < head) return
    const { windows } = round
    for (let window = windows.peek(); window && window.next >= head; window = windows.peek()) {
      windows.pop()
      window.wanted = false
      if (isServable(window)) host.attach(window)
    }
  }

  async function recover(error: unknown): Promise<void> {
    const start = codeOf(error) === 'POSITION_GONE' ? await host.start().catch(() => undefined) : undefined
    if (start !== undefined) return skipTo(start)
    host.fault(error)
    await host.clock.sleep(RETRY_MS * (0.5 + Math.random()), host.signal).catch(() => undefined)
  }

  /** The log no longer has what is before `start`: nobody waits for it. */
  function expireBefore(start: Position): void {
    for (const { windows, items } of [round, nextRound]) {
      for (let item = items.peek(); item && item.position < start; item = items.peek()) {
        items.pop()
        item.window.expire(item)
      }
      for (let window = windows.peek(); window && window.next < start; window = windows.peek()) {
        windows.pop()
        window.passExpired(start, host.head())
        windows.push(window)
      }
    }
  }

  function skipTo(start: Position): void {
    expireBefore(start)
    for (const window of riding) {
      window.next = Math.max(window.next, at)
      window.passExpired(start, host.head())
    }
    at = Math.max(at, start)
  }

  function isServable(window: Window): boolean {
    return window.state === 'parked' && !window.isRead && !window.isLearning && !isBlocked(window.subscription)
  }

  /** The lowest position that can be read for somebody: of this round, or of the next once this one is over. */
  function lowest(): Position | undefined {
    const position = lowestOf(round)
    if (position !== undefined) return position
    const below = lowestOf(nextRound)
    if (below === undefined) return undefined
    // What is left of this round cannot be read before the head has moved.
    for (let item = round.items.pop(); item; item = round.items.pop()) nextRound.items.push(item)
    const over = round
    round = nextRound
    nextRound = over
    at = below
    return below
  }

  function lowestOf({ windows, items }: Round): Position | undefined {
    for (let window = windows.peek(); window && !isServable(window); window = windows.peek()) {
      windows.pop()
      window.wanted = false
    }
    const itemAt = items.peek()?.position ?? Infinity
    const position = Math.min(windows.peek()?.next ?? Infinity, itemAt < host.head() ? itemAt : Infinity)
    return position === Infinity ? undefined : position
  }

  function somethingWanted(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
      if (host.signal.aborted) resolve()
    })
  }

  function want(window: Window): void {
    if (window.wanted || !isServable(window)) return
    window.wanted = true
    roundFor(window.next).windows.push(window)
    wake?.()
  }

  function roundFor(position: Position): Round {
    return position >= at ? round : nextRound
  }

  host.signal.addEventListener('abort', () => wake?.(), { once: true })
  return {
    at: () => at,
    want,
    fetch(item) {
      roundFor(item.position).items.push(item)
      wake?.()
    },
    headMoved() {
      if (round.items.size + nextRound.items.size > 0) wake?.()
    },
    expireBefore,
    leave(window) {
      if (riding.delete(window)) park(window, at)
    },
    done: run(),
  }
}

interface Round {
  readonly windows: Heap<Window>
  readonly items: Heap<Item>
}

function newRound(): Round {
  return { windows: new Heap((window) => window.next), items: new Heap((item) => item.position) }
}
