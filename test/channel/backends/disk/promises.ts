// What a disk store has promised: noted as it does, and held against what is found in it after whatever happened to its disk.
import assert from 'node:assert/strict'
import type { EventLog, OwnedLane, Position } from '../../../../src/channel/log.ts'
import type { Values } from '../../../../src/core/values.ts'
import { anEvent } from '../../../support/builders.ts'
import { laneOf } from './support.ts'

/** Of one log. */
export interface Promised {
  /** Ids of all that an append was begun for. */
  readonly asked: Set<string>
  /** Ids by position. */
  readonly appended: Map<Position, string>
  /** The highest base that was stored. */
  base: Position
  /** The highest base that a save was begun with. */
  claimed: Position
  /** From which position on all that was appended is there. */
  readonly kept: (base: Position, start: Position) => Position
}

/** Of a value that is changed again and again, each change with a number; every fifth change deletes it. */
export interface PromisedValue {
  begun: number
  done: number
}

export function nothingPromised(kept: Promised['kept'] = (base) => base): Promised {
  return { asked: new Set(), appended: new Map(), base: 0, claimed: 0, kept }
}

/** Rejects as the log does. */
export async function append(log: EventLog, known: Promised, id: string, dataBytes: number): Promise<void> {
  known.asked.add(id)
  const { position } = await log.append(anEvent({ id }, { data: Buffer.alloc(dataBytes, id) }))
  assert.ok(!known.appended.has(position), `position ${position} was used before`)
  known.appended.set(position, id)
}

/** Settles all that is in the log now. Rejects as the lane does. */
export async function settle(log: EventLog, lane: OwnedLane, known: Promised): Promise<void> {
  const base = log.end('0')
  known.claimed = Math.max(known.claimed, base)
  await lane.save({ base, put: new Map(), covered: [] })
  known.base = Math.max(known.base, base)
  await lane.trim(base)
}

/** Rejects as `Values` does. */
export async function change(values: Values, key: string, known: PromisedValue): Promise<void> {
  const number = ++known.begun
  if (number % 5 === 0) await values.delete(key)
  else await values.put(key, String(number))
  known.done = number
}

/** All that was promised is there, and nothing that nobody asked for. */
export async function checkLog(log: EventLog, known: Promised, where: string): Promise<void> {
  const { base } = await (await laneOf(log)).cursors()
  assert.ok(base >= known.base, `${where}: base ${base}, ${known.base} was stored`)
  assert.ok(base <= Math.max(known.base, known.claimed), `${where}: base ${base}, ${known.claimed} was claimed`)
  const [lane] = await log.lanes()
  assert.ok(lane)
  const stored = await storedIn(log, known, where)
  assert.equal(new Set(stored.values()).size, stored.size, `${where}: an event is stored twice`)
  for (const [position, id] of known.appended) {
    if (position >= known.kept(base, lane.start))
      assert.equal(stored.get(position), id, `${where}: position ${position}`)
  }
  assert.ok(lane.end > Math.max(-1, ...known.appended.keys()), `${where}: a position would be used again`)
}

async function storedIn(log: EventLog, known: Promised, where: string): Promise<ReadonlyMap<Position, string>> {
  const stored = new Map<Position, string>()
  const [lane] = await log.lanes()
  if (!lane || lane.start >= lane.end) return stored
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
    for (const { position, event } of entries) {
      const { id = '' } = event.attributes
      const data = event.data ?? Buffer.alloc(0)
      assert.ok(known.asked.has(id), `${where}: ${id} at ${position} was never appended`)
      assert.ok(data.equals(Buffer.alloc(data.length, id)), `${where}: ${id} at ${position} has other data`)
      stored.set(position, id)
    }
    if (next >= lane.end) break
  }
  return stored
}

/** What is found is what some change from the last promised one on has made. */
export function checkValue(found: string | undefined, known: PromisedValue, where: string): void {
  if (found === undefined) {
    const last = known.begun - (known.begun % 5)
    assert.ok(last >= known.done, `${where}: nothing, and change ${known.done} was stored`)
    return
  }
  const number = Number(found)
  assert.ok(number >= known.done && number <= known.begun, `${where}: ${found}, from ${known.done} on was stored`)
}
