// What an event costs when it is on the disk before its sender has an answer, against the same program that keeps it in
// memory, and how much of that one's rate is left.
import { SMALL } from './e2e.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { microseconds, perSecond, row, share, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf, ratePerS } from './rounds.ts'
import { IN_FLIGHT, type Sink, startBareClient, startBareServer, startSink } from './traffic.ts'

const BROKERS = 20
const MANY_CONNECTIONS = 256

export const diskCost: Part = {
  name: 'disk-cost',
  about: `on disk against memory and against bare: 1 and ${BROKERS} brokers`,
  async run(context) {
    const { fleet } = context
    const sink = await startSink(fleet)
    const receive = await startBareServer(fleet, SMALL)
    const request = await startBareClient(fleet, sink, SMALL)
    const inMemory = await startWith(context, sink, { name: 'in-memory', channel: 'memory' })
    const onDisk = await startWith(context, sink, { name: 'on-disk', channel: 'disk' })
    const many = await startWith(context, sink, { name: `on-disk-${BROKERS}`, channel: 'disk', brokers: BROKERS })
    for (const rig of [inMemory, onDisk, many]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => ({
      bare: (await costPerEvent(receive)) + (await costPerEvent(request)),
      inMemory: await costPerEvent(loadOf(inMemory)),
      onDisk: await costPerEvent(loadOf(onDisk)),
      many: await costPerEvent(loadOf(many)),
    }))
    const of = (value: (sample: (typeof samples)[number]) => number): number[] => samples.map(value)
    return {
      rows: [
        row(
          'disk: end to end, one match',
          of(({ onDisk }) => onDisk),
          microseconds,
        ),
        row(
          'disk: end to end / memory, end to end',
          of(({ onDisk, inMemory }) => onDisk / inMemory),
          times,
          { must: 1.5, aim: 1.3 },
        ),
        row(
          'disk: end to end / (receive + request)',
          of(({ onDisk, bare }) => onDisk / bare),
          times,
          { must: 2.2, aim: 1.7 },
        ),
        row(
          `disk: ${BROKERS} brokers / one broker`,
          of(({ many, onDisk }) => many / onDisk),
          times,
          { must: 1.5 },
        ),
      ],
      ledger: await Promise.all([inMemory, onDisk, many].map((rig) => rig.ledger())),
    }
  },
}

export const diskRate: Part = {
  name: 'disk-rate',
  about: `events a second from ${MANY_CONNECTIONS} connections, on disk and in memory`,
  async run(context) {
    const sink = await startSink(context.fleet)
    const connections = MANY_CONNECTIONS
    const inMemory = await startWith(context, sink, { name: 'rate-memory', channel: 'memory', connections })
    const onDisk = await startWith(context, sink, { name: 'rate-disk', channel: 'disk', connections })
    for (const rig of [inMemory, onDisk]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => ({
      inMemory: await ratePerS(inMemory),
      onDisk: await ratePerS(onDisk),
    }))
    return {
      rows: [
        row(
          `disk: rate with ${connections} connections`,
          samples.map(({ onDisk }) => onDisk),
          perSecond,
        ),
        row(
          `disk: rate with ${connections} connections / memory's`,
          samples.map(({ onDisk, inMemory }) => onDisk / inMemory),
          share,
          { must: 0.8, isLeast: true },
        ),
      ],
      ledger: [await inMemory.ledger(), await onDisk.ledger()],
    }
  },
}

interface Kept {
  readonly name: string
  readonly channel: 'memory' | 'disk'
  readonly brokers?: number
  readonly connections?: number
}

function startWith(context: Context, sink: Sink, kept: Kept): Promise<Rig> {
  return startRig(context, {
    ...kept,
    triggers: { total: 1, matching: 1 },
    sink,
    payload: SMALL,
    underWay: 2 * (kept.connections ?? IN_FLIGHT),
  })
}
