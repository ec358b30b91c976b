// One storm: a program is started, loaded and killed, again and again over the same logs, at last left to drain, and judged
// by what its publishers and subscribers saw.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readOnlyDisk } from '../../src/channel/backends/disk/disk.ts'
import { verifyDirectory } from '../../src/channel/backends/disk/verify.ts'
import { createClock } from '../../src/core/clock.ts'
import { eventually } from '../support/eventually.ts'
import { type Server, startProgram, startServerProgram } from '../support/program.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { Run } from './attempts.ts'
import { contentsOf } from './contents.ts'
import type { Host, OpenHost } from './host.ts'
import { openLedger, type Tally } from './ledger.ts'
import { type Orders, openOrders } from './orders.ts'
import { lanesLost, type Outage } from './outages.ts'
import { type Publishers, startPublishers } from './publishers.ts'
import { AWAY, aLateReader, FICKLE, manifestsOf, READERS, type Reader } from './readers.ts'
import { setPaused, untilDrained, untilEnded, untilOpen } from './running.ts'
import { startSubscribers } from './subscribers.ts'

export interface StormOptions {
  readonly rounds: number
  readonly seed: number
  readonly openHost: OpenHost
}

export interface StormResult {
  readonly wrong: readonly string[]
  readonly tally: Tally
  readonly kills: Kills
  /** What an operator asked for. */
  readonly orders: Pick<Orders, 'redrives' | 'replays' | 'resumed'>
  /** What happened to the host, and for how long at most nothing was accepted meanwhile. */
  readonly outages: { readonly count: number; readonly longestMs: number; readonly lanesLost: number }
  /** What was left when nobody published any more, until nothing waited. */
  readonly drainMs: number
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
const ODDS = { startKill: 6, drainKill: 10, longRound: 20, late: 8, verify: 8, early: 4 } as const
/** Accepted events after which the kill comes. */
const FEWEST = 10
const MOST = 250
/** And so long after, so that it comes at any moment of what follows an acceptance. */
const LONGEST_AFTER_MS = 60
const LONG_ROUND_MS = 2_500
const LONGEST_DRAIN_MS = 150
const DELIVERS_WITHIN_MS = 60_000
/** Of what a program said that ended by itself. */
const TOLD_CHARS = 3_000
const RERUNS_WITHIN_MS = 180_000
/** A host is whole again once so many more were accepted. */
const ACCEPTED_AGAIN = 50
const ACCEPTED_AGAIN_WITHIN_MS = 60_000

export async function runStorm({ rounds, seed, openHost }: StormOptions): Promise<StormResult> {
  const random = createRandom(seed)
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-crash-'))
  try {
    const saveIntervalMs = random.pick([20, 200, 1_000])
    await using host = await openHost(folder, random)
    return await storm({ rounds, seed, random, folder, saveIntervalMs, host })
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Storm extends Omit<StormOptions, 'openHost'> {
  readonly random: Random
  readonly folder: string
  readonly saveIntervalMs: number
  readonly host: Host
}

async function storm({ rounds, seed, random, folder, saveIntervalMs, host }: Storm): Promise<StormResult> {
  const { pace } = host
  const flags = flagsOf(folder, host, saveIntervalMs, random)
  const readers: Reader[] = [...READERS]
  const ledger = openLedger(() => readers, saveIntervalMs)
  const kills: Kills = { load: 0, draining: 0, starting: 0 }
  const outages = { count: 0, longestMs: 0, lanesLost: 0 }
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
    await sleep(random.int(pace.longestStartMs))
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
    const isPausing = random.int(4) === 0
    // A kill may come in the midst of it.
    const ordering = giveOrders(server, isPausing).catch((error: unknown) => {
      if (isRunning) throw error
    })
    ordering.catch(() => undefined)
    const isLong = random.int(ODDS.longRound) === 0
    const enough = publishers.untilAccepted(FEWEST + random.int(MOST - FEWEST))
    await atMost(pace.longestLoadMs, enough, server.finished)
    if (pace.deliversLate) await untilDelivering(publishers)
    if (isLong) {
      publishers.setSlow(true)
      await sleep(LONG_ROUND_MS)
    }
    if (host.troubles.length > 0) await ordering
    for (const trouble of host.troubles) await sitOut(() => trouble(random), publishers)
    await sleep(random.int(LONGEST_AFTER_MS))
    assert.equal(server.process.exitCode, null, `it ended by itself: ${server.err().slice(-TOLD_CHARS)}`)
    isRunning = false
    await end(server, publishers)
    await ordering
  }

  async function giveOrders(server: Server, isPausing: boolean): Promise<void> {
    await untilOpen(server)
    if (isPausing) await setPaused(server, true)
    await orders.give(server)
  }

  /** Not in every round: a kill also finds programs that have not begun to. */
  async function untilDelivering(publishers: Publishers): Promise<void> {
    const isEarly = random.int(ODDS.early) === 0
    const more = random.int(MOST)
    if (isEarly) return
    publishers.setSlow(true)
    await eventually(() => run.arrivals > 0, 'it delivers', DELIVERS_WITHIN_MS)
    publishers.setSlow(false)
    await atMost(pace.longestLoadMs, publishers.untilAccepted(publishers.accepted + more))
  }

  /** Something happens to the host, while publishers go on. */
  async function sitOut(trouble: () => Promise<void>, publishers: Publishers): Promise<void> {
    const outage: Outage = { from: performance.now(), until: Infinity }
    publishers.setSlow(true)
    ledger.disturbed(outage)
    outages.count++
    await trouble()
    const enough = publishers.accepted + ACCEPTED_AGAIN
    await eventually(() => publishers.accepted >= enough, 'events are accepted again', ACCEPTED_AGAIN_WITHIN_MS)
    outages.longestMs = Math.max(outages.longestMs, publishers.longestGapMs())
    // A member of a group hears at its next heartbeat that it is none any more.
    outage.until = performance.now() + pace.sessionTimeoutMs
    // What was slow meanwhile does not excuse what comes after it.
    run.slowestMs = 0
  }

  /** What the program said until its end. */
  function hear(err: string): void {
    refuseComplaints(err)
    for (const outage of lanesLost(err, pace.sessionTimeoutMs)) {
      ledger.disturbed(outage)
      outages.lanesLost++
    }
  }

  async function end(server: Server, publishers: Publishers): Promise<void> {
    const how = random.int(pace.orderlyEnd) === 0 ? 'stop' : random.int(ODDS.drainKill) === 0 ? 'drain' : 'kill'
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
    const { code, err } = await untilEnded(server)
    if (how === 'stop') {
      assert.equal(code, 0, err)
      run.end = 'stopped'
      run.endedAt = performance.now()
    }
    await stopped
    hear(err)
    if (random.int(ODDS.verify) === 0) await verify(folder)
  }

  for (let round = 0; round < rounds; round++) {
    await prepare(round)
    if (random.int(ODDS.startKill) === 0 && pace.killsStarts) await killWhileStarting()
    await using server = await startServerProgram(flags)
    await load(server, round)
  }
  await writeManifests(readers)
  await subscribers.setAway(false)
  run = newRun(rounds)
  await using server = await startServerProgram(flags)
  await untilOpen(server)
  await setPaused(server, false)
  const drainingFrom = performance.now()
  await untilDrained(server, () => ledger.isWaiting())
  const drainMs = performance.now() - drainingFrom
  await eventually(async () => (await orders.running(server)).length === 0, 'no replay goes on', RERUNS_WITHIN_MS)
  const contents = await contentsOf(server, host)
  hear(server.err())
  await verify(folder)
  run.end = 'stopped'
  run.endedAt = performance.now()
  return { ...ledger.judge(contents), kills, orders, outages, drainMs, segments: await newestSegment(folder) }
}

async function newestSegment(folder: string): Promise<number> {
  const names = await readdir(path.join(folder, 'data', 'journal'))
  return Math.max(...names.map((name) => Number.parseInt(name, 10)))
}

function newRun(round: number): Run {
  return { round, end: 'killed', endedAt: Infinity, slowestMs: 0, arrivals: 0 }
}

function flagsOf(folder: string, host: Host, saveIntervalMs: number, random: Random): string[] {
  const settings = {
    ...host.settings,
    'channel.saveIntervalMs': saveIntervalMs,
    'delivery.maxUnsettled': random.pick([10, 100, 1_000]),
    'delivery.maxInFlight': random.pick([4, 64]),
    'log.level': 'warn',
  }
  return [
    ...['-f', path.join(folder, 'm.yaml'), '--data-dir', path.join(folder, 'data')],
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

/** As `tidings log verify` does: what it keeps of itself, and its logs, if they are on disk. */
async function verify(folder: string): Promise<void> {
  const { problems } = await verifyDirectory(readOnlyDisk(), path.join(folder, 'data'), createClock())
  assert.deepEqual(problems, [])
}

/** Until the first of these. */
async function atMost(ms: number, ...ends: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([...ends, late])
  clearTimeout(timer)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
