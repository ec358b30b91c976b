// More than anyone can take: memory stays bounded, senders are told when to come again, and nothing accepted is lost.

import { SMALL } from './e2e.ts'
import type { Context, Part, PartResult } from './part.ts'
import { startRig } from './program.ts'
import type { Sent } from './protocol.ts'
import { claim, mebibytes, milliseconds, row } from './report.ts'
import { watchRss } from './rss.ts'
import { startSink } from './traffic.ts'

const MIB = 2 ** 20
/** Attempts of one trigger at once (`delivery.maxInFlight`): with the sink's delay, the rate that it takes. */
const IN_FLIGHT = 64
const SINK_DELAY_MS = 64
const SINK_PER_S = (IN_FLIGHT * 1_000) / SINK_DELAY_MS
const OVERLOAD = 3
const OVERLOAD_MS = 60_000
/** Defaults of `channel.memory.capBytes` and `memory.bodyBudgetBytes`, and what a heap needs to be collected in. */
const ALLOWED_RSS = 2 * 64 * MIB + 128 * MIB + 64 * MIB

/** Small, so that it is full at once. */
const STORM_CAP = 8 * MIB
/** Larger than the events they answer: each reply needs more room than settling its event frees. */
const STORM_REPLY_BYTES = 2_048
const STORM_MS = 3_000

export const overload: Part = {
  name: 'overload',
  about: `${OVERLOAD} times the sink's rate for a minute, and a storm of replies into a full log`,
  async run(context) {
    const slow = await slowSink(context)
    await context.fleet.stop()
    const storm = await replyStorm(context)
    return { rows: [...slow.rows, ...storm.rows], ledger: [...slow.ledger, ...storm.ledger] }
  },
}

async function slowSink(context: Context): Promise<PartResult> {
  const sink = await startSink(context.fleet)
  const name = 'overload'
  const rig = await startRig(context, { name, triggers: { total: 1, matching: 1 }, sink, payload: SMALL })
  await sink.behave(`/${name}/0`, { delayMs: SINK_DELAY_MS })
  const { process } = rig.program
  const { rssBytes: idleRss } = await process.usage()
  const watch = watchRss(process)
  const sent = await rig.sendOnly(OVERLOAD_MS, OVERLOAD * SINK_PER_S)
  const peakRss = await watch.stop()
  await sink.behave(`/${name}/0`, {})
  await rig.drained()
  const ledger = await rig.ledger()
  const refusals = sent.refused['503'] ?? 0
  return {
    rows: [
      row('overload: most RSS, less idle', [peakRss - idleRss], mebibytes, { must: ALLOWED_RSS }),
      claim('overload: refused with 503 alone, each with Retry-After', String(refusals), isPolite(sent)),
      claim('overload: all accepted is delivered after it', `${ledger.lost} lost`, ledger.delivered === ledger.due),
    ],
    ledger: [ledger],
  }
}

/** Everybody answers with one more event, the log is full already, and senders do not stop. */
async function replyStorm(context: Context): Promise<PartResult> {
  const sink = await startSink(context.fleet)
  const name = 'reply-storm'
  const rig = await startRig(context, {
    name,
    triggers: { total: 1, matching: 1, forReplies: true },
    sink,
    payload: SMALL,
    flags: ['--channel.memory.capBytes', String(STORM_CAP)],
  })
  await sink.behave(`/${name}/0`, { hold: true })
  const before = await rig.sendOnly(STORM_MS)
  await sink.behave(`/${name}/0`, { replyBytes: STORM_REPLY_BYTES })
  const during = await rig.sendOnly(STORM_MS)
  const endedAt = performance.now()
  await rig.drained()
  const drainedMs = performance.now() - endedAt
  const ledger = await rig.ledger()
  const isFull = (before.refused['503'] ?? 0) > 0
  return {
    rows: [
      claim('reply storm: the log was full', `${before.accepted} events`, isFull && isPolite(before)),
      claim(
        'reply storm: it drained by itself',
        `${ledger.lost} lost`,
        isPolite(during) && ledger.delivered === ledger.due,
      ),
      row('reply storm: from the last event to the last reply', [drainedMs], milliseconds),
    ],
    ledger: [ledger],
  }
}

/** Whoever was not accepted got a 503 that says when to come again. */
function isPolite({ refused, broken, withoutRetryAfter }: Sent): boolean {
  return broken === 0 && withoutRetryAfter === 0 && Object.keys(refused).every((status) => status === '503')
}
