// How much later an answer comes because the event is on the disk first, against what the disk itself takes for that.
import path from 'node:path'
import { SMALL } from './e2e.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { type Latency, latencySchema } from './protocol.ts'
import { milliseconds, row, times } from './report.ts'
import { compiled, inRounds, loadOf } from './rounds.ts'
import { type Sink, startFdatasync, startSink } from './traffic.ts'

const RATE_PER_S = 1_000
const WINDOW_MS = 1_500
/** A sender at a rate needs more connections than one that waits for answers. */
const CONNECTIONS = 128
/** An event of the bench with its attributes, as a record of the journal. */
const RECORD_BYTES = 1_400

export const diskLatency: Part = {
  name: 'disk-latency',
  about: `answers at ${RATE_PER_S} events/s, on disk and in memory, against fdatasync`,
  async run(context) {
    const sink = await startSink(context.fleet)
    const disk = await startFdatasync(context.fleet, path.join(context.folder, 'fdatasync'), RECORD_BYTES)
    const inMemory = await startWith(context, sink, 'memory')
    const onDisk = await startWith(context, sink, 'disk')
    for (const rig of [inMemory, onDisk]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => {
      const sync = await disk.run(WINDOW_MS, RATE_PER_S)
      const memory = await answersOf(inMemory)
      const whole = await answersOf(onDisk)
      return { sync, whole, added: { p50Ms: whole.p50Ms - memory.p50Ms, p99Ms: whole.p99Ms - memory.p99Ms } }
    })
    const of = (value: (sample: (typeof samples)[number]) => number): number[] => samples.map(value)
    const at = `at ${RATE_PER_S}/s`
    return {
      rows: [
        row(
          `fdatasync ${at}: p50`,
          of(({ sync }) => sync.p50Ms),
          milliseconds,
        ),
        row(
          `fdatasync ${at}: p99`,
          of(({ sync }) => sync.p99Ms),
          milliseconds,
        ),
        row(
          `disk: answer ${at}: p50`,
          of(({ whole }) => whole.p50Ms),
          milliseconds,
        ),
        row(
          `disk: answer ${at}: p99`,
          of(({ whole }) => whole.p99Ms),
          milliseconds,
        ),
        row(
          `disk: answer less memory's / fdatasync: p50`,
          of(({ added, sync }) => added.p50Ms / sync.p50Ms),
          times,
          { must: 2 },
        ),
        row(
          `disk: answer less memory's / fdatasync: p99`,
          of(({ added, sync }) => added.p99Ms / sync.p99Ms),
          times,
          { must: 5 },
        ),
      ],
      ledger: [await inMemory.ledger(), await onDisk.ledger()],
    }
  },
}

function startWith(context: Context, sink: Sink, channel: 'memory' | 'disk'): Promise<Rig> {
  return startRig(context, {
    name: `latency-${channel}`,
    channel,
    triggers: { total: 1, matching: 1 },
    sink,
    payload: SMALL,
    connections: CONNECTIONS,
  })
}

async function answersOf(rig: Rig): Promise<Latency> {
  const { answerP50Ms: p50Ms, answerP99Ms: p99Ms } = await rig.send(WINDOW_MS, RATE_PER_S)
  return latencySchema.parse({ p50Ms, p99Ms })
}
