// Every call to the disk fails, one at a time, once or from then on, in a story that has all of a store's life in it. After
// each: what was acknowledged is there, what was refused was refused with a code, and the store goes on, or its next start
// does.
import assert from 'node:assert/strict'
import { type DiskStore, openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { EventingError } from '../../../../src/core/errors.ts'
import { seeded } from '../../../conformance/support.ts'
import { createFakeClock, type FakeClock } from '../../../support/clock.ts'
import { isLong, longMark } from '../../../support/long.ts'
import { aFailingDisk, CHANGES, type FailingDisk, type Failure, OF_DISKS, OF_FILES } from './failing-disk.ts'
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

const NAMES = ['lagging', 'quick', 'brief'] as const
const STEPS = isLong ? 10 : 5
/** Cuts of the power after each fault, beside a kill that leaves all that was written. */
const CUTS = isLong ? 8 : 1
const OPTIONS = { dir: '/data', segmentBytes: 4_096, journalBytes: 8_192, recentBytes: 0, reserveBytes: 2_048 }
const ROOM_MS = 1_000
/** That may be said of a disk that fails; anything else is a mistake of ours. */
const CODES = new Set(['LOG_UNAVAILABLE', 'LOG_FULL'])

/** What one telling of the story has promised. */
interface Story {
  readonly logs: ReadonlyMap<string, Promised>
  readonly value: PromisedValue
  readonly clock: FakeClock
  /** The log that goes in it. */
  removal: 'not begun' | 'begun' | 'done'
}

describe('a disk of which one call fails', () => {
  for (const call of [...OF_DISKS, ...OF_FILES]) {
    for (const code of CHANGES.includes(call) ? ['EIO', 'ENOSPC'] : ['EIO']) {
      it(`keeps every promise, whichever ${call} it is, ${code}${longMark}`, async function () {
        this.timeout(isLong ? 300_000 : 60_000)
        for (let nth = 1; ; nth++) {
          const isMet = await keepsPromises({ call, nth, code })
          if (!isMet) break
        }
      })
    }
  }
})

describe('a disk that stops changing anything', () => {
  for (const call of CHANGES) {
    for (const code of ['EIO', 'ENOSPC']) {
      it(`keeps every promise, at whichever ${call} that begins, ${code}${longMark}`, async function () {
        this.timeout(isLong ? 300_000 : 60_000)
        for (let nth = 1; ; nth++) {
          const isMet = await keepsPromises({ call, nth, code, lasts: true })
          if (!isMet) break
        }
      })
    }
  }
})

/** False when there is no such call in the story. */
async function keepsPromises(failure: Failure): Promise<boolean> {
  const under = aPowerCutDisk()
  const disk = aFailingDisk(under, failure)
  const story: Story = {
    logs: new Map(NAMES.map((name) => [name, nothingPromised()])),
    value: { begun: 0, done: 0 },
    clock: createFakeClock(),
    removal: 'not begun',
  }
  const where = `${failure.call} ${failure.nth}, ${failure.code}`
  try {
    await tell(story, disk, under)
    const files = under.contents()
    await checkAll(story, aPowerCutDisk(files))
    for (let seed = 0; seed < CUTS; seed++) await checkAll(story, cutOf(under, seed))
  } catch (error) {
    throw new Error(`${where} (${disk.met}): ${error}`, { cause: error })
  }
  return disk.met !== undefined
}

/** Two lives of a store, the second of which is killed. */
async function tell(story: Story, disk: FailingDisk, under: PowerCutDisk): Promise<void> {
  const untilDone = patientlyIn(story)
  const first = await untilDone(() => open(disk, story.clock)).catch(orItLasts(disk))
  if (!first) return
  await live(story, first, 'first').catch(orItLasts(disk))
  await first.close()
  // Its process has ended, whatever it could not remove.
  for (const name of await under.list('/data')) if (name.endsWith('.lock')) await under.remove(`/data/${name}`)
  const second = await untilDone(() => open(disk, story.clock)).catch(orItLasts(disk))
  if (second) await live(story, second, 'second').catch(orItLasts(disk))
}

/** A disk that goes on failing ends a life early, in words. */
function orItLasts({ lasts }: FailingDisk): (error: unknown) => undefined {
  return (error) => {
    if (!lasts) throw error
    expectWords(error)
  }
}

async function live(story: Story, store: DiskStore, life: string): Promise<void> {
  const untilDone = patientlyIn(story)
  const names = NAMES.filter((name) => name !== 'brief' || story.removal === 'not begun')
  const logs = new Map<string, EventLog>()
  for (const name of names)
    logs.set(name, await untilDone(() => store.open({ uid: name, name }, { capBytes: 2 ** 30 })))
  const quick = logs.get('quick') ?? assert.fail('quick')
  const lane = await laneOf(quick)
  await untilDone(() => quick.createCursor('c', 'earliest'))
  await untilDone(() => quick.dropCursor('c'))
  for (let step = 0; step < STEPS; step++) {
    const asked = [...logs].flatMap(([name, log]) =>
      [0, 1, 2].map((n) => append(log, promisedTo(story, name), `${life}-${name}-${step}-${n}`, 400)),
    )
    await refusedInWords(asked)
    await refusedInWords([settle(quick, lane, promisedTo(story, 'quick')), change(store.values, 'v', story.value)])
    await calm()
  }
  // Whatever was refused before: one fault is over, so the store goes on.
  for (const [name, log] of logs)
    await untilDone(() => append(log, promisedTo(story, name), `${life}-${name}-last`, 10))
  for (const [name, log] of logs) await untilDone(() => checkLog(log, promisedTo(story, name), `${life} life: ${name}`))
  if (!logs.has('brief')) return
  story.removal = 'begun'
  await untilDone(() => store.remove({ uid: 'brief', name: 'brief' }))
  story.removal = 'done'
}

/** What a start on a disk that works finds. */
async function checkAll(story: Story, disk: PowerCutDisk): Promise<void> {
  const { problems } = await verifyDirectory(disk, OPTIONS.dir, { ...createFakeClock(), sleep: async () => undefined })
  assert.deepEqual(problems, [])
  const faults: string[] = []
  const store = await open(disk, createFakeClock(), faults)
  for (const name of NAMES) {
    const log = await store.open({ uid: name, name }, { capBytes: 2 ** 30 })
    if (name !== 'brief') await checkLog(log, promisedTo(story, name), name)
    else if (story.removal === 'done') assert.equal(log.end('0'), 0, 'the removed log is empty')
  }
  checkValue(store.values.get('v'), story.value, 'value')
  assert.deepEqual(faults, [])
  await store.close()
}

function open(disk: FailingDisk | PowerCutDisk, clock: FakeClock, faults: string[] = []): Promise<DiskStore> {
  const onFault = (what: string, error: unknown): void => void faults.push(`${what}: ${error}`)
  return openDiskStore({ ...OPTIONS, disk, clock, onFault })
}

function promisedTo({ logs }: Story, name: string): Promised {
  return logs.get(name) ?? assert.fail(name)
}

/** The one fault may be met at the first try. What it says is checked, and after a time it is over. */
function patientlyIn({ clock }: Story) {
  return async function untilDone<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      expectWords(error)
      // Room on a disk that was full is looked for once a second, when something is to be stored.
      await clock.advance(ROOM_MS)
      return task()
    }
  }
}

async function refusedInWords(tasks: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) if (outcome.status === 'rejected') expectWords(outcome.reason)
}

function expectWords(error: unknown): void {
  if (!(error instanceof EventingError) || !CODES.has(error.code) || !error.retryable) throw error
}

/** What a store does by itself has been done then. */
async function calm(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

function cutOf(disk: PowerCutDisk, seed: number): PowerCutDisk {
  const random = seeded(seed)
  return disk.cut(random)
}
