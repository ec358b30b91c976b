// What an event costs the program when it is in Kafka before its sender has an answer, against the same program on disk.
// The CPU time of Kafka itself is not in it.
import { SMALL } from './e2e.ts'
import { startNode } from './kafka.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { type Limits, microseconds, perSecond, type Row, row, share, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf, ratePerS } from './rounds.ts'
import { type Sink, startSink } from './traffic.ts'

interface Case {
  readonly senders: number
  readonly limits: Limits
}

const CASES: readonly Case[] = [
  { senders: 64, limits: { must: 2.1 } },
  { senders: 256, limits: { must: 1.6 } },
]

export const kafkaCost: Part = {
  name: 'kafka-cost',
  about: `in Kafka against on disk, ${CASES.map(({ senders }) => senders).join(' and ')} senders`,
  needs: 'own kafka',
  async run(context) {
    const kafka = await startNode(context.fleet)
    const sink = await startSink(context.fleet)
    const pairs: Pair[] = []
    for (const each of CASES) pairs.push(await startPair(context, sink, kafka.brokers, each))
    for (const { onDisk, inKafka } of pairs) for (const rig of [onDisk, inKafka]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => {
      const round: Sample[] = []
      for (const pair of pairs) round.push(await compare(pair))
      return round
    })
    return {
      rows: CASES.flatMap((each, i) =>
        rowsOf(
          each,
          samples.map((round) => round[i]).filter((one) => one !== undefined),
        ),
      ),
      ledger: await Promise.all(pairs.flatMap(({ onDisk, inKafka }) => [onDisk.ledger(), inKafka.ledger()])),
    }
  },
}

interface Pair {
  readonly onDisk: Rig
  readonly inKafka: Rig
}

interface Figures {
  readonly costUs: number
  readonly ratePerS: number
}

interface Sample {
  readonly onDisk: Figures
  readonly inKafka: Figures
}

async function startPair(
  context: Context,
  sink: Sink,
  kafka: readonly string[],
  { senders: connections }: Case,
): Promise<Pair> {
  const same = {
    triggers: { total: 1, matching: 1 },
    sink,
    payload: SMALL,
    connections,
    underWay: 2 * connections,
  }
  return {
    onDisk: await startRig(context, { ...same, name: `disk-${connections}`, channel: 'disk' }),
    inKafka: await startRig(context, { ...same, name: `kafka-${connections}`, kafka }),
  }
}

async function compare({ onDisk, inKafka }: Pair): Promise<Sample> {
  const figuresOf = async (rig: Rig): Promise<Figures> => ({
    costUs: await costPerEvent(loadOf(rig)),
    ratePerS: await ratePerS(rig),
  })
  return { onDisk: await figuresOf(onDisk), inKafka: await figuresOf(inKafka) }
}

function rowsOf({ senders, limits }: Case, samples: readonly Sample[]): readonly Row[] {
  const of = (value: (sample: Sample) => number): number[] => samples.map(value)
  return [
    row(
      `kafka: end to end, ${senders} senders`,
      of(({ inKafka }) => inKafka.costUs),
      microseconds,
    ),
    row(
      `kafka: end to end, ${senders} senders / disk`,
      of(({ inKafka, onDisk }) => inKafka.costUs / onDisk.costUs),
      times,
      limits,
    ),
    row(
      `kafka: rate with ${senders} senders`,
      of(({ inKafka }) => inKafka.ratePerS),
      perSecond,
    ),
    row(
      `kafka: rate with ${senders} senders / disk's`,
      of(({ inKafka, onDisk }) => inKafka.ratePerS / onDisk.ratePerS),
      share,
    ),
  ]
}
