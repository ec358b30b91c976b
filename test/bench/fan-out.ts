// What each further trigger that matches costs, against sending one more request with nothing around it.
import { SMALL } from './e2e.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { microseconds, row, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf } from './rounds.ts'
import { IN_FLIGHT, type Sink, startBareClient, startSink } from './traffic.ts'

const MATCHING = 10

export const fanOut: Part = {
  name: 'fan-out',
  about: `${MATCHING} triggers that all match`,
  async run(context) {
    const sink = await startSink(context.fleet)
    const request = await startBareClient(context.fleet, sink, SMALL)
    const one = await startWith(context, sink, 1)
    const ten = await startWith(context, sink, MATCHING)
    for (const rig of [one, ten]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => {
      const alone = await costPerEvent(loadOf(one))
      const all = await costPerEvent(loadOf(ten))
      return { request: await costPerEvent(request), all, further: (all - alone) / (MATCHING - 1) }
    })
    return {
      rows: [
        row(
          `${MATCHING} matching: end to end`,
          samples.map(({ all }) => all),
          microseconds,
        ),
        row(
          `${MATCHING} matching: each further delivery`,
          samples.map(({ further }) => further),
          microseconds,
        ),
        row(
          'each further delivery / one bare undici request',
          samples.map(({ further, request }) => further / request),
          times,
          { must: 1.5, aim: 1.2 },
        ),
      ],
      ledger: [await one.ledger(), await ten.ledger()],
    }
  },
}

function startWith(context: Context, sink: Sink, matching: number): Promise<Rig> {
  return startRig(context, {
    name: `matching-${matching}`,
    triggers: { total: matching, matching },
    sink,
    payload: SMALL,
    underWay: 2 * IN_FLIGHT,
  })
}
