// The one reader behind a lane's head. It serves every subscription that is not at the head, and every item that gave
// its body back, in passes: from the lowest position anybody needs, upwards, each taking what it has room for, until
// the head is met (who rides along is attached) or a slice is read (so that one long backlog does not keep the others
// waiting). Never a reader per subscription.
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { Heap } from '../core/heap.ts'
import type { Matcher } from '../filter/matcher.ts'
import type { Batch, Entry, Position } from './log.ts'
import type { Ring } from './ring.ts'
import { isBlocked, type Subscription } from './subscription.ts'
import { Body, type Item, type Window } from './window.ts'

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
  /** The window is no longer served; if it rode, it is parked where the sweep is. */
  leave(window: Window): void
  readonly done: Promise<void>
}

/** A pass reads on over at most so many entries nobody needs before it ends and seeks. */
const SKIP_ENTRIES = 256
const RETRY_MS = 250

export function startSweep(host: SweepHost): Sweep {
  const wanting = new Heap<Window>((window) => window.next)
  const fetches = new Heap<Item>((item) => item.position)
  const riding = new Set<Window>()
  const found: Subscription[] = []
  let at: Position = 0
  let late: (Window | Item)[] = []
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
        if (codeOf(error) === 'POSITION_GONE') await skipTo(await host.start())
        else await pauseAfter(error)
      } finally {
        endPass()
      }
    }
  }

  async function pass(from: Position): Promise<void> {
    at = from
    let left = host.sliceEntries
    while (at < host.head() && left > 0 && isNeeded() && !host.signal.aborted) {
      const recent = host.ring.from(at, SKIP_ENTRIES)
      if (recent) {
        left -= serveAll(recent, (recent.at(-1)?.position ?? host.head() - 1) + 1)
        await new Promise(setImmediate)
        continue
      }
      for await (const batch of host.read(at, host.signal)) {
        left -= serveAll(batch.entries, batch.next)
        if (at >= host.head() || left <= 0 || !isNeeded()) break
        await new Promise(setImmediate)
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
    const next = lowest()
    return next !== undefined && next >= at && next <= at + SKIP_ENTRIES
  }

  /** Whoever waits between `at` and `position` rides from here on. */
  function join(position: Position): void {
    for (let window = wanting.peek(); window && window.next <= position; window = wanting.peek()) {
      wanting.pop()
      if (!isServable(window)) window.wanted = false
      else if (window.next < at) late.push(window)
      else ride(window)
    }
  }

  /** Nothing is stored between `at` and `position`: an item there can never be read. */
  function expire(position: Position): void {
    for (let item = fetches.peek(); item && item.position < position; item = fetches.peek()) {
      fetches.pop()
      if (item.position < at) late.push(item)
      else item.window.expire(item)
    }
  }

  function ride(window: Window): void {
    window.wanted = false
    window.state = 'riding'
    riding.add(window)
  }

  function serve(entry: Entry): void {
    const body = new Body(entry)
    for (let item = fetches.peek(); item && item.position === entry.position; item = fetches.peek()) {
      fetches.pop()
      item.window.arrived(item, body)
    }
    if (riding.size === 0) return
    found.length = 0
    host.matcher.match(entry.event.attributes, found)
    for (const subscription of found) {
      const window = host.windowOf(subscription)
      if (window?.state !== 'riding') continue
      if (window.hasRoom(entry.bytes)) {
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
    window.next = next
    host.changed(window)
  }

  function endPass(): void {
    const atHead = at >= host.head()
    for (const window of riding) {
      if (atHead) {
        window.next = at
        host.attach(window)
      } else {
        park(window, at)
        want(window)
      }
    }
    riding.clear()
    for (const one of late) {
      if ('unsettled' in one) wanting.push(one)
      else fetches.push(one)
    }
    late = []
    if (!atHead) return
    for (let window = wanting.peek(); window && window.next >= host.head(); window = wanting.peek()) {
      wanting.pop()
      window.wanted = false
      if (isServable(window)) host.attach(window)
    }
  }

  /** The log no longer has what is before `start`. */
  async function skipTo(start: Position): Promise<void> {
    for (let item = fetches.peek(); item && item.position < start; item = fetches.peek()) {
      fetches.pop()
      item.window.expire(item)
    }
    for (let window = wanting.peek(); window && window.next < start; window = wanting.peek()) {
      wanting.pop()
      window.subscription.stats.expired += start - window.next
      window.next = start
      wanting.push(window)
    }
    for (const window of riding) window.subscription.stats.expired += Math.max(0, start - at)
    at = Math.max(at, start)
  }

  async function pauseAfter(error: unknown): Promise<void> {
    host.fault(error)
    await host.clock.sleep(RETRY_MS * (0.5 + Math.random()), host.signal).catch(() => undefined)
  }

  function isServable(window: Window): boolean {
    return window.state === 'parked' && !isBlocked(window.subscription)
  }

  function lowest(): Position | undefined {
    for (let window = wanting.peek(); window && !isServable(window); window = wanting.peek()) {
      wanting.pop()
      window.wanted = false
    }
    const window = wanting.peek()?.next ?? Infinity
    const item = fetches.peek()?.position ?? Infinity
    const position = Math.min(window, item)
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
    wanting.push(window)
    wake?.()
  }

  host.signal.addEventListener('abort', () => wake?.(), { once: true })
  return {
    at: () => at,
    want,
    fetch(item) {
      fetches.push(item)
      wake?.()
    },
    leave(window) {
      if (riding.delete(window)) park(window, at)
    },
    done: run(),
  }
}
