// What one event costs from the door to one subscriber, against receiving and sending it with nothing in between.
import type { Context, Part, PartResult } from './part.ts'
import { startRig } from './program.ts'
import type { Payload } from './protocol.ts'
import { type Limits, microseconds, row, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf } from './rounds.ts'
import { IN_FLIGHT, startBareClient, startBareServer, startSink } from './traffic.ts'

export const SMALL: Payload = { dataBytes: 1_024 }

export const endToEnd: Part = {
  name: 'e2e',
  about: '1 KiB, one trigger: end to end against bare receive + bare request',
  run: (context) => compareWithBare(context, { name: '1 KiB', payload: SMALL, limits: { must: 1.7, aim: 1.4 } }),
}

export interface Comparison {
  readonly name: string
  readonly payload: Payload
  /** Events under way on each side. */
  readonly inFlight?: number
  readonly limits?: Limits
}

export async function compareWithBare(
  context: Context,
  { name, payload, inFlight = IN_FLIGHT, limits }: Comparison,
): Promise<PartResult> {
  const { fleet, rounds } = context
  const sink = await startSink(fleet)
  const receive = await startBareServer(fleet, payload, inFlight)
  const request = await startBareClient(fleet, sink, payload, inFlight)
  const rig = await startRig(context, {
    name: `e2e-${payload.dataBytes}`,
    triggers: { total: 1, matching: 1 },
    sink,
    payload,
    connections: inFlight,
    // As many on their way in as on their way out.
    underWay: 2 * inFlight,
  })
  await compiled(loadOf(rig))
  const samples = await inRounds(rounds, async () => ({
    receive: await costPerEvent(receive),
    request: await costPerEvent(request),
    whole: await costPerEvent(loadOf(rig)),
  }))
  const ratios = samples.map(({ receive, request, whole }) => whole / (receive + request))
  return {
    rows: [
      row(
        `${name}: bare receive`,
        samples.map(({ receive }) => receive),
        microseconds,
      ),
      row(
        `${name}: one bare undici request`,
        samples.map(({ request }) => request),
        microseconds,
      ),
      row(
        `${name}: end to end, one match`,
        samples.map(({ whole }) => whole),
        microseconds,
      ),
      row(`${name}: end to end / (receive + request)`, ratios, times, limits),
    ],
    ledger: [await rig.ledger()],
  }
}
