// What triggers that do not match cost an event in Kafka: CPU time of the program, and bytes that it reads from Kafka. All
// triggers share one reader, so neither may grow with them.
import { SMALL } from './e2e.ts'
import { type Node, startNode, useOf } from './kafka.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { kibibytes, microseconds, type Row, row, times } from './report.ts'
import { compiled, inRounds, loadOf, observed } from './rounds.ts'
import { IN_FLIGHT, type Sink, startSink } from './traffic.ts'

const TOTALS = [1, 10, 100, 1_000] as const
const MOST = 1_000

export const kafkaTriggers: Part = {
  name: 'kafka-triggers',
  about: `${TOTALS.join(', ')} triggers in Kafka of which one matches: CPU, bytes from Kafka`,
  needs: 'own kafka',
  async run(context) {
    const kafka = await startNode(context.fleet)
    const sink = await startSink(context.fleet)
    const rigs: Rig[] = []
    for (const total of TOTALS) rigs.push(await startWith(context, sink, kafka, total))
    for (const rig of rigs) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => {
      const round: Figures[] = []
      for (const rig of rigs) round.push(await figuresOf(rig, kafka))
      return round
    })
    return { rows: rowsOf(samples), ledger: await Promise.all(rigs.map((rig) => rig.ledger())) }
  },
}

interface Figures {
  readonly costUs: number
  readonly receivedBytes: number
}

function startWith(context: Context, sink: Sink, { brokers }: Node, total: number): Promise<Rig> {
  return startRig(context, {
    name: `kafka-triggers-${total}`,
    kafka: brokers,
    triggers: { total, matching: 1 },
    sink,
    payload: SMALL,
    underWay: 2 * IN_FLIGHT,
  })
}

async function figuresOf(rig: Rig, kafka: Node): Promise<Figures> {
  const { before, after, events } = await observed(loadOf(rig))
  const received = useOf(after, kafka).receivedBytes - useOf(before, kafka).receivedBytes
  return { costUs: (after.cpuUs - before.cpuUs) / events, receivedBytes: received / events }
}

function rowsOf(samples: readonly (readonly Figures[])[]): readonly Row[] {
  const of = (i: number, value: (figures: Figures) => number): number[] =>
    samples.flatMap((round) => round[i] ?? []).map(value)
  const against = (i: number, value: (figures: Figures) => number): number[] => {
    const one = of(0, value)
    return of(i, value).map((many, round) => many / (one[round] ?? Number.NaN))
  }
  const costUs = ({ costUs }: Figures): number => costUs
  const receivedBytes = ({ receivedBytes }: Figures): number => receivedBytes
  const more = TOTALS.map((total, i) => ({ total, i })).slice(1)
  return [
    row('kafka: 1 trigger, end to end', of(0, costUs), microseconds),
    ...more.map(({ total, i }) =>
      row(
        `kafka: ${total} triggers, one matching / 1 trigger`,
        against(i, costUs),
        times,
        total === MOST ? { must: 1.15 } : {},
      ),
    ),
    row('kafka: 1 trigger, read from Kafka for an event', of(0, receivedBytes), kibibytes),
    ...more.map(({ total, i }) =>
      row(
        `kafka: ${total} triggers, read from Kafka / 1 trigger`,
        against(i, receivedBytes),
        times,
        total === MOST ? { must: 1.05 } : {},
      ),
    ),
  ]
}
