// One storm: a program is started, loaded and killed, again and again on the same data directory, at last left to drain,
// and judged by what its publishers and subscribers saw.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readOnlyDisk } from '../../src/channel/backends/disk/disk.ts'
import { verifyDirectory } from '../../src/channel/backends/disk/verify.ts'
import { createClock } from '../../src/core/clock.ts'
import type { RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import { type Server, startProgram, startServerProgram } from '../support/program.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { Run } from './attempts.ts'
import { keptFor } from './dead-letters.ts'
import { openLedger, type Tally } from './ledger.ts'
import { type Orders, openOrders } from './orders.ts'
import { type Publishers, startPublishers } from './publishers.ts'
import { AWAY, aLateReader, FICKLE, manifestsOf, NAMESPACE, PAUSED, READERS, type Reader } from './readers.ts'
import { startSubscribers } from './subscribers.ts'

export interface StormResult {
  readonly wrong: readonly string[]
  readonly tally: Tally
  readonly kills: Kills
  /** What an operator asked for. */
  readonly orders: Pick<Orders, 'redrives' | 'replays' | 'resumed'>
  /** Files that the journal was written to. */
  readonly segments: number
}

/** By when they came. */
export interface Kills {
  /** While events were being published: those that count. */
  load: number
  /** Of these, while it ended in order. */
  draining: number
  starting: number
}

/** One in so many. */
const ODDS = { startKill: 6, drainKill: 10, orderlyEnd: 20, longRound: 20, late: 8, verify: 8 } as const
/** Accepted events after which the kill comes. */
const FEWEST = 10
const MOST = 250
/** And so long after, so that it comes at any moment of what follows an acceptance. */
const LONGEST_AFTER_MS = 60
const LONG_ROUND_MS = 2_500
/** However slow the machine is, a round ends. */
const LONGEST_LOAD_MS = 3_000
/** From the moment the process is spawned; later ones find it ready. */
const LONGEST_START_MS = 700
const LONGEST_DRAIN_MS = 150
const MIB = 2 ** 20
const DRAINED_WITHIN_MS = 180_000

export async function runStorm({ rounds, seed }: { rounds: number; seed: number }): Promise<StormResult> {
  const random = createRandom(seed)
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-crash-'))
  const saveIntervalMs = random.pick([20, 200, 1_000])
  const flags = flagsOf(folder, saveIntervalMs, random)
  const readers: Reader[] = [...READERS]
  const ledger = openLedger(() => readers, saveIntervalMs)
  const kills: Kills = { load: 0, draining: 0, starting: 0 }
  const sequences = new Map<string, number>()
  const orders = openOrders(ledger, createRandom(seed + 2))
  let run = newRun(0)
  await using subscribers = await startSubscribers({
    ledger,
    random: createRandom(seed + 1),
    readers: () => readers,
    isBroken: () => orders.isBroken,
    run: () => run,
  })

  async function writeManifests(left: readonly Reader[]): Promise<void> {
    const urlOf = ({ name }: Reader): string => (name === AWAY ? subscribers.awayUrl : subscribers.url)
    await writeFile(path.join(folder, 'm.yaml'), manifestsOf(left, urlOf))
  }

  /** What changes while the program is dead. */
  async function prepare(round: number): Promise<void> {
    if (round > 0 && random.int(ODDS.late) === 0) readers.push(aLateReader(round))
    const isFickleAway = round > 0 && random.int(3) === 0
    if (isFickleAway) ledger.absent(FICKLE, round)
    await writeManifests(readers.filter(({ name }) => name !== FICKLE || !isFickleAway))
    await subscribers.setAway(random.int(2) === 0)
    run = newRun(round)
    orders.begin(round)
  }

  async function killWhileStarting(): Promise<void> {
    const program = startProgram(['serve', '--port', '0', '--admin-port', '0', ...flags])
    await sleep(random.int(LONGEST_START_MS))
    program.process.kill('SIGKILL')
    run.endedAt = performance.now()
    refuseComplaints((await program.finished).err)
    run = newRun(run.round)
    kills.starting++
  }

  async function load(server: Server, round: number): Promise<void> {
    let isRunning = true
    const publishers = startPublishers({
      ...{ dataUrl: server.dataUrl, run, ledger, sequences, seed: seed + round * 100 },
      isRunning: () => isRunning,
    })
    if (random.int(4) === 0) await setPaused(server, true)
    // A kill may come in the midst of it.
    const ordering = orders.give(server).catch((error: unknown) => {
      if (isRunning) throw error
    })
    ordering.catch(() => undefined)
    const isLong = random.int(ODDS.longRound) === 0
    const enough = publishers.untilAccepted(FEWEST + random.int(MOST - FEWEST))
    await Promise.race([enough, sleep(LONGEST_LOAD_MS), server.finished])
    if (isLong) {
      publishers.slowDown()
      await sleep(LONG_ROUND_MS)
    }
    await sleep(random.int(LONGEST_AFTER_MS))
    assert.equal(server.process.exitCode, null, `it ended by itself: ${server.err()}`)
    isRunning = false
    await end(server, publishers)
    await ordering
  }

  async function end(server: Server, publishers: Publishers): Promise<void> {
    const how = random.int(ODDS.orderlyEnd) === 0 ? 'stop' : random.int(ODDS.drainKill) === 0 ? 'drain' : 'kill'
    if (how !== 'kill') server.process.kill('SIGTERM')
    if (how === 'drain') await sleep(random.int(LONGEST_DRAIN_MS))
    if (how !== 'stop') {
      const isLoaded = publishers.inFlight > 0
      server.process.kill('SIGKILL')
      run.endedAt = performance.now()
      if (isLoaded) kills.load++
      if (how === 'drain') kills.draining++
    }
    const stopped = publishers.stop()
    const { code, err } = await server.finished
    if (how === 'stop') {
      assert.equal(code, 0, err)
      run.end = 'stopped'
      run.endedAt = performance.now()
    }
    await stopped
    refuseComplaints(err)
    if (random.int(ODDS.verify) === 0) await verify(folder)
  }

  try {
    for (let round = 0; round < rounds; round++) {
      await prepare(round)
      if (random.int(ODDS.startKill) === 0) await killWhileStarting()
      await using server = await startServerProgram(flags)
      await load(server, round)
    }
    await writeManifests(readers)
    await subscribers.setAway(false)
    run = newRun(rounds)
    await using server = await startServerProgram(flags)
    await setPaused(server, false)
    await untilDrained(server)
    await eventually(async () => (await orders.running(server)).length === 0, 'no replay goes on', DRAINED_WITHIN_MS)
    const deadLetters = await keptFor(server, folder)
    await verify(folder)
    run.end = 'stopped'
    run.endedAt = performance.now()
    return { ...ledger.judge(deadLetters), kills, orders, segments: await newestSegment(folder) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function newestSegment(folder: string): Promise<number> {
  const names = await readdir(path.join(folder, 'data', 'journal'))
  return Math.max(...names.map((name) => Number.parseInt(name, 10)))
}

function newRun(round: number): Run {
  return { round, end: 'killed', endedAt: Infinity, slowestMs: 0 }
}

function flagsOf(folder: string, saveIntervalMs: number, random: Random): string[] {
  const settings = {
    'channel.saveIntervalMs': saveIntervalMs,
    // As small as they may be, so that the journal rolls and is shortened in the midst of it.
    'channel.disk.segmentBytes': MIB,
    'channel.disk.journalBytes': random.pick([2 * MIB, 8 * MIB]),
    'channel.disk.recentBytes': random.pick([0, 65_536, 16 * MIB]),
    'delivery.maxUnsettled': random.pick([10, 100, 1_000]),
    'delivery.maxInFlight': random.pick([4, 64]),
    'log.level': 'warn',
  }
  return [
    ...['-f', path.join(folder, 'm.yaml'), '--channel', 'disk', '--data-dir', path.join(folder, 'data')],
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]
}

/** What a killed process leaves is a torn tail at most: that is no damage, and nothing to complain about. */
function refuseComplaints(err: string): void {
  const complaints = err
    .split('\n')
    .filter((line) => /LOG_(?:CORRUPT|LOST|GONE|CONFLICT)|damaged|"level":[56]0/.test(line))
  assert.deepEqual(complaints.slice(0, 5), [])
}

/** As `tidings log verify` does. */
async function verify(folder: string): Promise<void> {
  const { problems } = await verifyDirectory(readOnlyDisk(), path.join(folder, 'data'), createClock())
  assert.deepEqual(problems, [])
}

async function setPaused({ adminUrl }: Server, isPaused: boolean): Promise<void> {
  const path = `/tidings/v1/triggers/${NAMESPACE}/${PAUSED}/${isPaused ? 'pause' : 'resume'}`
  const { status } = await fetch(adminUrl + path, { method: 'POST' })
  assert.equal(status, 200)
}

async function untilDrained({ adminUrl }: Server): Promise<void> {
  let status: RuntimeStatus | undefined
  const isDrained = async (): Promise<boolean> => {
    status = (await (await fetch(`${adminUrl}/tidings/v1/status`)).json()) as RuntimeStatus
    const logs = [...status.brokers, ...status.channels]
    return logs.every(({ waiting }) => waiting === 0)
  }
  await eventually(isDrained, 'nothing waits', DRAINED_WITHIN_MS).catch((error: unknown) => {
    const readers = [...(status?.triggers ?? []), ...(status?.subscriptions ?? [])]
    const waiting = readers.filter((each) => each.waiting + each.behind + each.inFlight > 0)
    throw new Error(`${error}: ${JSON.stringify(waiting)}`)
  })
  for (const { name, expired } of [...(status?.triggers ?? []), ...(status?.subscriptions ?? [])]) {
    assert.equal(expired, 0, `${name}: events that were gone before they were read`)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
