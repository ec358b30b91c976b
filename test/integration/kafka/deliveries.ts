// What must hold of deliveries by several processes, and how long lanes paused while they changed hands.
import assert from 'node:assert/strict'
import type { Delivery } from './installation.ts'

/** Processes came or went. */
export interface Change {
  readonly title: string
  readonly fromMs: number
  /** When the lanes were shared out again. */
  readonly toMs: number
  /** The process that was killed, if one was. */
  readonly killed: string | undefined
}

export interface Repeat {
  readonly first: Delivery
  readonly again: Delivery
}

export interface Pauses {
  readonly keptLanes: number
  readonly movedLanes: number
  /** The longest time without a delivery of one lane, ms: of lanes whose process kept them, and of the others. */
  readonly keptMs: number
  readonly movedMs: number
}

export function missing(accepted: readonly string[], deliveries: readonly Delivery[], trigger: string): string[] {
  const delivered = new Set(ofTrigger(deliveries, trigger).map(({ id }) => id))
  return accepted.filter((id) => !delivered.has(id))
}

/** First deliveries of each key, by their numbers. */
export function assertInOrder(deliveries: readonly Delivery[]): void {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  for (const { id, key, number } of deliveries) {
    if (seen.has(id)) continue
    seen.add(id)
    assert.equal(number, (last.get(key) ?? -1) + 1, `the next of ${key}`)
    last.set(key, number)
  }
}

/** Of what `name` names alike, the next delivery begins once the one before was answered, whoever makes them. */
export function assertOneAtATime(deliveries: readonly Delivery[], name: (delivery: Delivery) => string): void {
  const last = new Map<string, Delivery>()
  for (const delivery of deliveries) {
    const before = last.get(name(delivery))
    if (before && before.endMs > delivery.atMs) {
      assert.fail(`${delivery.id} by ${delivery.by} began before ${before.id} by ${before.by} ended`)
    }
    last.set(name(delivery), delivery)
  }
}

export function repeatsOf(deliveries: readonly Delivery[]): readonly Repeat[] {
  const last = new Map<string, Delivery>()
  return deliveries.flatMap((again) => {
    const what = `${again.trigger} ${again.id}`
    const first = last.get(what)
    last.set(what, again)
    return first ? [{ first, again }] : []
  })
}

/** Killed processes had it in flight, or settled it too late to have it on record. */
export function isExplained({ first, again }: Repeat, changes: readonly Change[], savedWithinMs: number): boolean {
  return changes.some(({ killed, fromMs }) => {
    return first.by === killed && again.by !== killed && first.atMs >= fromMs - savedWithinMs
  })
}

export function pausesDuring(deliveries: readonly Delivery[], { fromMs, toMs }: Change, lanes: number): Pauses {
  const kept: number[] = []
  const moved: number[] = []
  for (let lane = 0; lane < lanes; lane++) {
    const all = deliveries.filter((delivery) => delivery.lane === lane && delivery.atMs <= toMs)
    const begun = all.findLastIndex(({ atMs }) => atMs < fromMs)
    const during = all.slice(Math.max(0, begun))
    const isKept = new Set(during.map(({ by }) => by)).size === 1
    ;(isKept ? kept : moved).push(longestGapMs(during))
  }
  return {
    keptLanes: kept.length,
    movedLanes: moved.length,
    keptMs: Math.round(Math.max(0, ...kept)),
    movedMs: Math.round(Math.max(0, ...moved)),
  }
}

/** Of any lane, while nothing happened. */
export function calmGapMs(deliveries: readonly Delivery[], fromMs: number, toMs: number, lanes: number): number {
  const gaps = Array.from({ length: lanes }, (_, lane) =>
    longestGapMs(deliveries.filter((one) => one.lane === lane && one.atMs >= fromMs && one.atMs < toMs)),
  )
  return Math.round(Math.max(...gaps))
}

function longestGapMs(deliveries: readonly Delivery[]): number {
  let longest = 0
  for (let at = 1; at < deliveries.length; at++) {
    longest = Math.max(longest, (deliveries[at]?.atMs ?? 0) - (deliveries[at - 1]?.atMs ?? 0))
  }
  return longest
}

export function ofTrigger(deliveries: readonly Delivery[], trigger: string): readonly Delivery[] {
  return deliveries.filter((delivery) => delivery.trigger === trigger)
}
