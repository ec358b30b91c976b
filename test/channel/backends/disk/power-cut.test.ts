import assert from 'node:assert/strict'
import { type DiskStore, openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import type { EventLog, LogConfig } from '../../../../src/channel/log.ts'
import type { Values } from '../../../../src/core/values.ts'
import { seeded } from '../../../conformance/support.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { longMark, roundsOf, seedOf } from '../../../support/long.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'
import {
  append,
  change,
  checkLog,
  checkValue,
  nothingPromised,
  type Promised,
  type PromisedValue,
  settle,
} from './promises.ts'
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

describe('a power cut', () => {
  it(`keeps every promise through ${ROUNDS} cuts, whatever was not synced is gone or there, seed ${SEED}${longMark}`, async () => {
    let disk = aPowerCutDisk()
    const values = new Map(NAMES.map((name) => [name, { begun: 0, done: 0 } as PromisedValue]))
    let promised = nothingYet()
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
        await checkLog(log, promised.get(name) ?? assert.fail(name), `round ${round}: ${name}`)

      for (const [key, known] of values) checkValue(store.values.get(key), known, `round ${round}: value ${key}`)

      // Now and then all begins anew, so that files do not only grow.
      if (round % 10 === 9) {
        for (const name of NAMES) await store.remove({ uid: name, name })
        await store.close()
        promised = nothingYet()
        continue
      }
      disk.stopAfter(disk.changes + 1 + Math.floor(random() * 120))
      for (const [key, known] of values) void keepChanging(store.values, key, known)
      await workUntilStopped(logs, promised, random)
      disk = disk.cut(random)
    }
  }).timeout(ROUNDS * 200)
})

function nothingYet(): Map<string, Promised> {
  return new Map(Object.entries(LOGS).map(([name, { kept }]) => [name, nothingPromised(kept)]))
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
      for (;;) await settle(log, lane, known)
    }
  }
  // With a disk that answers within the turn, what can go on has gone on.
  await turns(400)
}

async function keepChanging(values: Values, key: string, known: PromisedValue): Promise<void> {
  for (;;) await change(values, key, known)
}

async function keepAppending(log: EventLog, known: Promised, prefix: string, dataBytes: () => number): Promise<void> {
  for (let number = 0; ; number++) await append(log, known, `${prefix}-${number}`, dataBytes())
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}
