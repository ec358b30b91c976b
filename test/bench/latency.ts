// How long events take from the sender to the subscriber, and up to which rate that stays short.
import { SMALL } from './e2e.ts'
import type { Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { milliseconds, perSecond, row } from './report.ts'
import { compiled, inRounds, loadOf } from './rounds.ts'
import { type Sink, startSink } from './traffic.ts'

const RATE_PER_S = 1_000
const WINDOW_MS = 1_000
const STEP_MS = 1_500
/** A sender at a rate needs more connections than one that waits for answers. */
const CONNECTIONS = 128

const FIRST_STEP_PER_S = 2_000
const STEP = 1.25
const HALVINGS = 3
/** A rate is held when events keep up with it: a queue that grows shows in the latency of the last ones. */
const HELD_P99_MS = 100

export const latency: Part = {
  name: 'latency',
  about: `p50 and p99 at ${RATE_PER_S} events/s, and the highest rate held`,
  async run(context) {
    const sink = await startSink(context.fleet)
    const rig = await startRig(context, {
      name: 'latency',
      triggers: { total: 1, matching: 1 },
      sink,
      payload: SMALL,
      connections: CONNECTIONS,
    })
    await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, () => sink.latencyDuring(() => rig.send(WINDOW_MS, RATE_PER_S)))
    const held = await highestRateHeld(rig, sink)
    return {
      rows: [
        row(
          `sender to subscriber at ${RATE_PER_S}/s: p50`,
          samples.map(({ p50Ms }) => p50Ms),
          milliseconds,
        ),
        row(
          `sender to subscriber at ${RATE_PER_S}/s: p99`,
          samples.map(({ p99Ms }) => p99Ms),
          milliseconds,
        ),
        row(`highest rate held, p99 under ${HELD_P99_MS} ms`, [held], perSecond),
      ],
      ledger: [await rig.ledger()],
    }
  },
}

/** Up in steps until a rate is not held, then by halves between the last two. In events/s. */
async function highestRateHeld(rig: Rig, sink: Sink): Promise<number> {
  let held = 0
  let missed = FIRST_STEP_PER_S
  while (await isHeld(rig, sink, missed)) {
    held = missed
    missed *= STEP
  }
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (held + missed) / 2
    if (await isHeld(rig, sink, middle)) held = middle
    else missed = middle
  }
  return held
}

/** Twice, if need be: a neighbour on the machine is not the program's limit. */
async function isHeld(rig: Rig, sink: Sink, ratePerS: number): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    let kept = false
    const { p99Ms } = await sink.latencyDuring(async () => {
      const { unsent, refused } = await rig.send(STEP_MS, ratePerS)
      kept = unsent === 0 && Object.keys(refused).length === 0
    })
    if (kept && p99Ms < HELD_P99_MS) return true
  }
  return false
}
