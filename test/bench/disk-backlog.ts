// What two million events that nobody takes cost the program on disk: memory, the time to start again, and how fast they
// are read once somebody does, against the rate of events that are delivered as they come.
import { SMALL } from './e2e.ts'
import type { Context, LedgerLine, Part } from './part.ts'
import {
  type Program,
  pauseTrigger,
  readBrokerUid,
  readSettings,
  readStatus,
  startProgram,
  startRig,
} from './program.ts'
import { mebibytes, milliseconds, perSecond, row, share } from './report.ts'
import { compiled, DECIDING_ROUNDS, inRounds, loadOf, ratePerS } from './rounds.ts'
import { watchRss } from './rss.ts'
import { storedWaiting } from './stored.ts'
import { type Sink, startBatchSender, startSink } from './traffic.ts'

const MIB = 2 ** 20
const EVENTS = 2_000_000
/** Where the rounds do not decide. */
const FEWER_EVENTS = 200_000
const PER_REQUEST = 500
/** After each kill and each stop. */
const STARTS = 3
/** Events that a start after a kill has to find in the journal, as no checkpoint knows them. */
const SINCE_CHECKPOINT = 40_000
const CAP_BYTES = 8 * 2 ** 30
/** Beyond what the settings let the program keep in memory. */
const SPARE_RSS = 64 * MIB
/** Settings that bound what is kept in memory where one log lags. */
const KEPT = ['memory.bodyBudgetBytes', 'channel.disk.recentBytes']

const NAME = 'backlog'
const PREFIX = `/${NAME}/`
const TRIGGER = 'match-0'
const LIVE_CONNECTIONS = 256
/** A reader that was just resumed has everything to read anew. */
const RESUMED_MS = 300
const WINDOW_MS = 1_500
const COMPILE_MS = 8_000
const SETTLE_MS = 20

export const diskBacklog: Part = {
  name: 'disk-backlog',
  about: `${EVENTS} events on a paused trigger: memory, time to start, rate of reading`,
  async run(context) {
    const sink = await startSink(context.fleet)
    const live = await startRig(context, {
      name: 'live',
      channel: 'disk',
      triggers: { total: 1, matching: 1 },
      sink,
      payload: SMALL,
      connections: LIVE_CONNECTIONS,
      underWay: 2 * LIVE_CONNECTIONS,
    })
    let laggard = await startLaggard(context, sink)
    await pauseTrigger(laggard, TRIGGER, true)
    const { rssBytes: idleRss } = await laggard.process.usage()
    const kept = await keptInMemory(laggard)
    const allowedRss = kept.reduce((sum, { bytes }) => sum + bytes, SPARE_RSS)

    const filling = watchRss(laggard.process)
    const startedAt = performance.now()
    const events = context.rounds < DECIDING_ROUNDS ? FEWER_EVENTS : EVENTS
    let accepted = await fill(context, laggard, events, 0)
    const filledPerS = (accepted * 1_000) / (performance.now() - startedAt)
    const filledRss = await filling.stop()

    const killed: number[] = []
    for (let i = 0; i < STARTS; i++) {
      accepted += await fill(context, laggard, SINCE_CHECKPOINT, accepted)
      await laggard.process.kill()
      laggard = await startLaggard(context, sink)
      killed.push(laggard.readyMs)
    }
    const stopped: number[] = []
    for (let i = 0; i < STARTS; i++) {
      await laggard.process.stop()
      laggard = await startLaggard(context, sink)
      stopped.push(laggard.readyMs)
    }

    const reading = watchRss(laggard.process)
    await compiled(loadOf(live))
    await read(laggard, sink, COMPILE_MS)
    const samples = await inRounds(context.rounds, async () => ({
      live: await ratePerS(live, WINDOW_MS),
      behind: await read(laggard, sink, WINDOW_MS),
    }))
    const readRss = await reading.stop()
    return {
      rows: [
        row('backlog: stored over HTTP, in batches', [filledPerS], perSecond),
        row('backlog: most RSS while it grows, less idle', [filledRss - idleRss], mebibytes, { must: allowedRss }),
        row('backlog: most RSS while it is read, less idle', [readRss - idleRss], mebibytes, { must: allowedRss }),
        row('backlog: ready after a kill', killed, milliseconds, { must: 2_000 }),
        row('backlog: ready after a stop', stopped, milliseconds, { must: 2_000 }),
        row(
          'backlog: read by a trigger that was resumed',
          samples.map(({ behind }) => behind),
          perSecond,
        ),
        row(
          'backlog: read / delivered live',
          samples.map(({ live, behind }) => behind / live),
          share,
          { must: 0.6, isLeast: true },
        ),
      ],
      ledger: [await live.ledger(), await ledgerOf(laggard, sink, accepted)],
      notes: [
        `backlog: ${accepted} events of ${SMALL.dataBytes} bytes, ${PER_REQUEST} in a request; what waits was counted by reading the directory`,
        `backlog: idle RSS is ${mebibytes(idleRss)}; more than that may be ${kept.map(({ name, bytes }) => `${name} ${mebibytes(bytes)}`).join(' + ')} + ${mebibytes(SPARE_RSS)}`,
      ],
    }
  },
}

function startLaggard(context: Context, sink: Sink): Promise<Program> {
  return startProgram(context, sink.url, {
    name: NAME,
    channel: 'disk',
    triggers: { total: 1, matching: 1 },
    flags: ['--channel.disk.capBytes', String(CAP_BYTES)],
  })
}

/** Resolves with how many events were stored. Their ids go on after those of `before` events. */
async function fill({ fleet }: Context, { dataPort }: Program, events: number, before: number): Promise<number> {
  const to = { port: dataPort, path: '/default/default' }
  const sender = await startBatchSender(fleet, { ...to, payload: SMALL, perRequest: PER_REQUEST, before })
  const accepted = await sender.fill(events)
  await sender.stop()
  return accepted
}

/** Deliveries a second, between the pauses. */
async function read(program: Program, sink: Sink, forMs: number): Promise<number> {
  await pauseTrigger(program, TRIGGER, false)
  await sleep(RESUMED_MS)
  const before = await sink.count(PREFIX)
  const startedAt = performance.now()
  await sleep(forMs)
  const after = await sink.count(PREFIX)
  const tookMs = performance.now() - startedAt
  await pauseTrigger(program, TRIGGER, true)
  await settled(sink)
  return ((after.distinct - before.distinct) * 1_000) / tookMs
}

/** What was under way when the pause began has come. */
async function settled(sink: Sink): Promise<void> {
  for (let before = -1, now = 0; now !== before; ) {
    before = now
    await sleep(SETTLE_MS)
    now = (await sink.count(PREFIX)).received
  }
}

/** Ends the program, so that what waits can be counted where it is. */
async function ledgerOf(program: Program, sink: Sink, accepted: number): Promise<LedgerLine> {
  const { deadLettered } = await readStatus(program)
  const uid = await readBrokerUid(program)
  await program.process.stop()
  const { received, distinct } = await sink.count(PREFIX)
  const waiting = await storedWaiting(program.dataDir, uid)
  return {
    name: NAME,
    accepted,
    refused: 0,
    due: accepted,
    delivered: distinct,
    duplicates: received - distinct,
    waiting,
    deadLettered,
    lost: accepted - distinct - waiting - deadLettered,
  }
}

async function keptInMemory(program: Program): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const settings = await readSettings(program)
  return KEPT.map((name) => ({ name, bytes: Number(settings.get(name) ?? 0) }))
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
