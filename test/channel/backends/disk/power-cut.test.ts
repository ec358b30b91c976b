import assert from 'node:assert/strict'
import { type DiskStore, openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import type { EventLog, LogConfig, Position } from '../../../../src/channel/log.ts'
import type { Values } from '../../../../src/core/values.ts'
import { seeded } from '../../../conformance/support.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { longMark, roundsOf, seedOf } from '../../../support/long.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'
import { laneOf } from './support.ts'

const ROUNDS = roundsOf({ short: 300, long: 3_000 })
const SEED = seedOf(0)
const HOUR_MS = 3_600_000
const unsettled: Promised['kept'] = (base) => base
const LOGS: Readonly<Record<string, Omit<LogConfig, 'capBytes'> & Pick<Promised, 'kept'>>> = {
  lagging: { kept: unsettled },
  quick: { kept: unsettled },
  other: { kept: unsettled },
  // It moves out of the journal though it is settled, little at a time, and is joined there.
  retaining: { kept: () => 0, retention: { bytes: Infinity, ms: HOUR_MS } },
  expiring: { kept: (_base, start) => start, expiry: { bytes: 30_000, ms: HOUR_MS } },
}
const NAMES = Object.keys(LOGS)
const LAGGING = ['lagging', 'expiring']

/** What was promised before the power went. */
interface Promised {
  /** Ids of all that an append was begun for. */
  readonly asked: Set<string>
  /** Ids by position. */
  readonly appended: Map<number, string>
  /** The highest base that was stored. */
  base: number
  /** The highest base that a save was begun with. */
  claimed: number
  /** From which position on all that was appended is there. */
  readonly kept: (base: Position, start: Position) => Position
}

/** Of a value that is changed again and again, each change with a number. */
interface PromisedValue {
  begun: number
  done: number
}

describe('a power cut', () => {
  it(`keeps every promise through ${ROUNDS} cuts, whatever was not synced is gone or there, seed ${SEED}${longMark}`, async () => {
    let disk = aPowerCutDisk()
    const values = new Map(NAMES.map((name) => [name, { begun: 0, done: 0 } as PromisedValue]))
    let promised = nothingPromised()
    for (let round = 0; round < ROUNDS; round++) {
      const random = seeded(SEED + round)
      // The power may go during a start too.
      if (round % 5 === 4) {
        disk.stopAfter(disk.changes + Math.floor(random() * 40))
        await Promise.race([open(disk), turns(200)])
        disk = disk.cut(random)
      }
      const { problems } = await verifyDirectory(disk, '/data', { ...createFakeClock(), sleep: async () => undefined })
      assert.deepEqual(problems, [], `round ${round}`)
      const { store, logs, faults } = await open(disk)
      assert.deepEqual(faults, [], `round ${round}`)

      for (const [name, log] of logs)
        await check(log, promised.get(name) ?? assert.fail(name), `round ${round}: ${name}`)

      for (const [key, known] of values) checkValue(store.values.get(key), known, `round ${round}: value ${key}`)

      // Now and then all begins anew, so that files do not only grow.
      if (round % 10 === 9) {
        for (const name of NAMES) await store.remove({ uid: name, name })
        await store.close()
        promised = nothingPromised()
        continue
      }
      disk.stopAfter(disk.changes + 1 + Math.floor(random() * 120))
      for (const [key, known] of values) void keepChanging(store.values, key, known)
      await workUntilStopped(logs, promised, random)
      disk = disk.cut(random)
    }
  }).timeout(ROUNDS * 200)
})

function nothingPromised(): Map<string, Promised> {
  return new Map(
    Object.entries(LOGS).map(([name, { kept }]) => {
      return [name, { asked: new Set(), appended: new Map(), base: 0, claimed: 0, kept }]
    }),
  )
}

async function open(disk: PowerCutDisk): Promise<{ store: DiskStore; logs: Map<string, EventLog>; faults: string[] }> {
  const faults: string[] = []
  const store = await openDiskStore({
    dir: '/data',
    disk,
    clock: createFakeClock(),
    segmentBytes: 8_192,
    journalBytes: 16_384,
    recentBytes: 0,
    reserveBytes: 0,
    // A part of a group may be there behind a part that is not: it was never acknowledged, and is no damage.
    onFault: (what, error) => {
      faults.push(`${what}: ${error}`)
    },
  })
  const logs = new Map<string, EventLog>()
  for (const name of NAMES) logs.set(name, await store.open({ uid: name, name }, { capBytes: 2 ** 30, ...LOGS[name] }))
  return { store, logs, faults }
}

/** Appends to all logs, settles all but the lagging ones, until the disk answers nothing any more. */
async function workUntilStopped(
  logs: ReadonlyMap<string, EventLog>,
  promised: ReadonlyMap<string, Promised>,
  random: () => number,
): Promise<void> {
  for (const [name, log] of logs) {
    const known = promised.get(name) ?? assert.fail(name)
    const lane = await laneOf(log)
    const [senders, largest] = name === 'retaining' ? [1, 50] : [3, 1_500]
    const dataBytes = (): number => Math.floor(random() * largest)
    for (let sender = 0; sender < senders; sender++) void keepAppending(log, known, `${name}-${random()}`, dataBytes)
    if (!LAGGING.includes(name)) void keepSettling()

    async function keepSettling(): Promise<void> {
      for (;;) {
        known.claimed = log.end('0')
        const base = known.claimed
        await lane.save({ base, put: new Map(), covered: [] })
        known.base = base
        await lane.trim(base)
      }
    }
  }
  // With a disk that answers within the turn, what can go on has gone on.
  await turns(400)
}

async function keepChanging(values: Values, key: string, known: PromisedValue): Promise<void> {
  for (;;) {
    const change = known.begun + 1
    known.begun = change
    if (isDeletion(change)) await values.delete(key)
    else await values.put(key, String(change))
    known.done = change
  }
}

/** What is found is what some change from the last promised one on has made. */
function checkValue(found: string | undefined, known: PromisedValue, where: string): void {
  if (found === undefined) {
    const last = known.begun - (known.begun % 5)
    assert.ok(last >= known.done, `${where}: nothing, and change ${known.done} was stored`)
    return
  }
  const number = Number(found)
  assert.ok(number >= known.done && number <= known.begun, `${where}: ${found}, from ${known.done} on was stored`)
}

function isDeletion(change: number): boolean {
  return change % 5 === 0
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

async function keepAppending(log: EventLog, known: Promised, prefix: string, dataBytes: () => number): Promise<void> {
  for (let number = 0; ; number++) {
    const id = `${prefix}-${number}`
    known.asked.add(id)
    const { position } = await log.append(anEvent({ id }, { data: Buffer.alloc(dataBytes(), id) }))
    assert.ok(!known.appended.has(position), `position ${position} was used before`)
    known.appended.set(position, id)
  }
}

async function check(log: EventLog, known: Promised, where: string): Promise<void> {
  const { base } = await (await laneOf(log)).cursors()
  assert.ok(base >= known.base, `${where}: base ${base}, ${known.base} was stored`)
  assert.ok(base <= Math.max(known.base, known.claimed), `${where}: base ${base}, ${known.claimed} was claimed`)
  const stored = new Map<number, string>()
  const [lane] = await log.lanes()
  assert.ok(lane)
  if (lane.start < lane.end) {
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
  }
  assert.equal(new Set(stored.values()).size, stored.size, `${where}: an event is stored twice`)
  for (const [position, id] of known.appended) {
    if (position >= known.kept(base, lane.start))
      assert.equal(stored.get(position), id, `${where}: position ${position}`)
  }
  assert.ok(lane.end > Math.max(-1, ...known.appended.keys()), `${where}: a position would be used again`)
}
