// What the cases are written with: events, filters, and waiting for a condition.
import assert from 'node:assert/strict'
import type { Event } from '../../src/core/event.ts'
import type { CompiledFilter } from '../../src/filter/filter.ts'
import { anEvent as aPlainEvent } from '../support/builders.ts'
import type { FakeClock } from '../support/clock.ts'

export const MiB = 2 ** 20

export interface EventOptions {
  readonly id?: string
  readonly type?: string
  /** `partitionkey`. */
  readonly key?: string
  readonly extensions?: Readonly<Record<string, string>>
  readonly data?: Buffer | undefined
  readonly headers?: readonly string[]
  readonly arrivedAt?: number
}

let eventNumber = 0

/** A valid event with an id of its own. */
export function anEvent(options: EventOptions = {}): Event {
  const { id = `e${++eventNumber}`, type = 'order.paid', key, extensions, arrivedAt = Date.now() } = options
  const data = 'data' in options ? options.data : Buffer.from('{}')
  const event = aPlainEvent(
    { ...extensions, id, type, partitionkey: key },
    { headers: options.headers ?? [], arrivedAt },
  )
  return { ...event, data }
}

/** `count` events with ids `<prefix>1`, `<prefix>2`, ... */
export function events(count: number, prefix = 'e', options: EventOptions = {}): Event[] {
  return Array.from({ length: count }, (_, i) => anEvent({ ...options, id: `${prefix}${i + 1}` }))
}

export function idOf(event: Event): string {
  return event.attributes['id'] ?? ''
}

export function idsOf(list: readonly Event[]): string[] {
  return list.map(idOf)
}

export const everything: CompiledFilter = { matches: () => true, covers: [] }

export function typeIs(type: string): CompiledFilter {
  return {
    matches: (attributes) => attributes['type'] === type,
    covers: [[{ kind: 'exact', attribute: 'type', value: type }]],
  }
}

export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function aGate(): Gate {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Waits, in real time and without moving a fake clock, until the condition holds. */
export async function eventually(condition: () => boolean, what: string, withinMs = 8_000): Promise<void> {
  const startedAt = performance.now()
  while (!condition()) {
    if (performance.now() - startedAt > withinMs) assert.fail(`not within ${withinMs} ms: ${what}`)
    await nextTurn()
  }
}

/** A fake clock goes on, slowly, until the condition holds: a timer may wait for a disk before it is set again. */
export async function goesOnUntil(clock: FakeClock, condition: () => boolean, what: string): Promise<void> {
  await eventually(() => {
    void clock.advance(20)
    return condition()
  }, what)
}

/** Lets everything that can go on without time passing go on: what is then absent is absent, not late. */
export async function calm(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn()
  await atRest()
}

let underWay: () => boolean = () => false

/** A backend whose answers take longer than turns of the event loop tells whether any is to come. */
export function restsUnless(isUnderWay: () => boolean): void {
  underWay = isUnderWay
}

/** Resolves once no answer of a server is to come, while time stands still. */
export async function atRest(): Promise<void> {
  const startedAt = performance.now()
  for (let quiet = 0; quiet < QUIET_TURNS && performance.now() - startedAt < LONGEST_REST_MS; quiet++) {
    if (underWay()) quiet = 0
    await nextTurn()
  }
}

const QUIET_TURNS = 5
const LONGEST_REST_MS = 3_000

/** Pseudo-random numbers in [0, 1), the same for the same seed, so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
