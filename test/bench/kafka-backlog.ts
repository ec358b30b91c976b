// A trigger that has a long way to go in Kafka: how fast it gets on against the rate of events that are delivered as they
// come, and what it does meanwhile to the latency of its neighbour, which matches the same events.
import { SMALL } from './e2e.ts'
import { startNode } from './kafka.ts'
import { LAGGARD } from './manifests.ts'
import type { LedgerLine, Part } from './part.ts'
import { pauseTrigger, type Rig, readStatus, startRig } from './program.ts'
import type { Latency } from './protocol.ts'
import { milliseconds, perSecond, row, share, times } from './report.ts'
import { DECIDING_ROUNDS, inRounds, ratePerS } from './rounds.ts'
import { type Sink, startSink } from './traffic.ts'

const EVENTS = 200_000
/** Where the rounds do not decide. */
const FEWER_EVENTS = 60_000
const CONNECTIONS = 256
/** Of the live maximum: what neighbours get while their latency is looked at. */
const LIVE_SHARE = 0.3

const NAME = 'kafka-backlog'
const LIVE_PREFIX = `/${NAME}/`
const LAGGARD_PATH = `/${NAME}-${LAGGARD}`
const FILL_MS = 2_000
/** A reader that was just resumed has everything to read anew. */
const RESUMED_MS = 300
const WINDOW_MS = 1_500
const SETTLE_MS = 50
/** So long without a delivery, and what is missing does not come. */
const STUCK_MS = 15_000

export const kafkaBacklog: Part = {
  name: 'kafka-backlog',
  about: `a trigger that lags by ${EVENTS} events in Kafka: its rate, and its neighbour's latency`,
  needs: 'own kafka',
  async run(context) {
    const kafka = await startNode(context.fleet)
    const sink = await startSink(context.fleet)
    const rig = await startRig(context, {
      name: NAME,
      kafka: kafka.brokers,
      triggers: { total: 1, matching: 1, withLaggard: true },
      sink,
      payload: SMALL,
      connections: CONNECTIONS,
      underWay: 2 * CONNECTIONS,
    })
    const wanted = context.rounds < DECIDING_ROUNDS ? FEWER_EVENTS : EVENTS
    await lag(rig, true)

    const samples = await inRounds(context.rounds, async () => {
      await settled(sink)
      while ((await leftOf(rig, sink)) < wanted) await rig.send(FILL_MS)
      const live = await ratePerS(rig, WINDOW_MS)
      const behind = await whileCatchingUp(rig, () => catchUpRate(sink))
      await settled(sink)
      const latency = () => sink.latencyDuring(() => rig.send(WINDOW_MS, LIVE_SHARE * live), LIVE_PREFIX)
      const alone = await latency()
      const both = (): Promise<[Latency, number]> => Promise.all([latency(), catchUpRate(sink)])
      const [beside, meanwhile] = await whileCatchingUp(rig, both)
      return { live, behind, alone, beside, meanwhile }
    })
    const { accepted } = await rig.ledger()
    const leftBefore = await leftOf(rig, sink)
    const startedAt = performance.now()
    await lag(rig, false)
    await caughtUp(sink, accepted)
    const wholePerS = (leftBefore * 1_000) / (performance.now() - startedAt)

    const of = (value: (sample: (typeof samples)[number]) => number): number[] => samples.map(value)
    const at = `at ${LIVE_SHARE * 100} %`
    return {
      rows: [
        row(
          'kafka backlog: delivered live, at most',
          of(({ live }) => live),
          perSecond,
        ),
        row(
          'kafka backlog: read by a trigger that lags',
          of(({ behind }) => behind),
          perSecond,
        ),
        row(
          'kafka backlog: read / delivered live',
          of(({ behind, live }) => behind / live),
          share,
          { must: 0.6, isLeast: true },
        ),
        row(
          `kafka backlog: read beside a neighbour ${at} / delivered live`,
          of(({ meanwhile, live }) => meanwhile / live),
          share,
          { must: 0.6, isLeast: true },
        ),
        row(`kafka backlog: the last ${leftBefore} events, in one go`, [wholePerS], perSecond),
        row(
          `kafka backlog: neighbour's p99 ${at}, alone`,
          of(({ alone }) => alone.p99Ms),
          milliseconds,
        ),
        row(
          `kafka backlog: neighbour's p99 ${at}, beside it`,
          of(({ beside }) => beside.p99Ms),
          milliseconds,
        ),
        row(
          "kafka backlog: neighbour's p99, beside / alone",
          of(({ alone, beside }) => beside.p99Ms / alone.p99Ms),
          times,
          { must: 2 },
        ),
      ],
      ledger: [await rig.ledger(), await laggardLedger(rig, sink)],
      notes: [`kafka backlog: at least ${wanted} events of ${SMALL.dataBytes} bytes waited when a round began`],
    }
  },
}

/** Events that it lacks. */
async function leftOf(rig: Rig, sink: Sink): Promise<number> {
  return (await rig.ledger()).accepted - (await sink.count(LAGGARD_PATH)).distinct
}

async function lag({ program }: Rig, isPaused: boolean): Promise<void> {
  await pauseTrigger(program, LAGGARD, isPaused)
}

async function whileCatchingUp<T>(rig: Rig, task: () => Promise<T>): Promise<T> {
  await lag(rig, false)
  await sleep(RESUMED_MS)
  const result = await task()
  await lag(rig, true)
  return result
}

async function catchUpRate(sink: Sink): Promise<number> {
  const before = await sink.count(LAGGARD_PATH)
  const startedAt = performance.now()
  await sleep(WINDOW_MS)
  const after = await sink.count(LAGGARD_PATH)
  return ((after.distinct - before.distinct) * 1_000) / (performance.now() - startedAt)
}

/** What was under way when the pause began has come. */
async function settled(sink: Sink): Promise<void> {
  for (let before = -1, now = 0; now !== before; ) {
    before = now
    await sleep(SETTLE_MS)
    now = (await sink.count(LAGGARD_PATH)).received
  }
}

/** Resolves when all has come, or nothing more does. */
async function caughtUp(sink: Sink, events: number): Promise<void> {
  let last = -1
  let lastAt = performance.now()
  while (last < events && performance.now() - lastAt < STUCK_MS) {
    const { distinct } = await sink.count(LAGGARD_PATH)
    if (distinct !== last) lastAt = performance.now()
    last = distinct
    await sleep(SETTLE_MS)
  }
}

async function laggardLedger(rig: Rig, sink: Sink): Promise<LedgerLine> {
  const { accepted, refused } = await rig.ledger()
  const { received, distinct } = await sink.count(LAGGARD_PATH)
  const { waiting, deadLettered } = await readStatus(rig.program)
  return {
    name: `${NAME}-${LAGGARD}`,
    accepted,
    refused,
    due: accepted,
    delivered: distinct,
    duplicates: received - distinct,
    waiting,
    deadLettered,
    lost: accepted - distinct - waiting - deadLettered,
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
