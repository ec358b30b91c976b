import { createClock } from '../core/clock.ts'
import { formatSeconds } from '../core/time.ts'
import { type Fields, textAt } from '../resource/rules.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, LONG_TIMEOUT_MS, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Arguments, type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, textFlag, UsageError } from './command.ts'
import { events } from './letter-orders.ts'
import { fetchHeld } from './reruns.ts'
import { NAMESPACE_OPTION, NAMESPACE_USAGE, namespaceFlag, nameWord } from './resources.ts'
import { durationFlag, RATE_OPTION, RATE_USAGE, rateFlag, timeFlag } from './time-flags.ts'

export const triggerReplay: Command = {
  usage: `tidings trigger replay NAME (--since DURATION | --from TIME) [--until TIME] [--rate N] [--dry-run] [-n NS] [-o json]

Hands a Trigger once more what its Broker's log still has of that time and its filter passes now, beside what comes
meanwhile, and no other Trigger. Each event is as it was, with the attribute tidingsreplay added.

  --since DURATION     what arrived in the last 90m, 24h, 7d, PT1H30M
  --from TIME          what arrived from an RFC 3339 time on, such as 2026-03-28T01:30:00Z
  --until TIME         and before this one (up to now)
${RATE_USAGE}  --dry-run            only say how many events it would be
${NAMESPACE_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: {
    ...SERVER_OPTION,
    ...NAMESPACE_OPTION,
    ...JSON_OPTION,
    ...RATE_OPTION,
    since: { type: 'string' },
    from: { type: 'string' },
    until: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  operands: ['NAME'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [namespace, name] = [namespaceFlag(args), nameWord(args.words[0] ?? '')]
    const range = rangeFrom(args)
    const path = `/tidings/v1/triggers/${namespace}/${name}/replay`
    const answer = await askServer(args, io, path, {
      method: 'POST',
      body: bodyOf(range, args),
      timeoutMs: LONG_TIMEOUT_MS,
    })
    if (answer.status === 404) throw new UsageError(noTrigger(namespace, name))
    const replayed = fieldsOf(answer, 'a replay')
    const asked = { namespace, name, range, isDry: args.flags['dry-run'] === true }
    if (isJson) io.out(`${JSON.stringify(replayed)}\n`)
    else io.out(printable(`${formatReplayed(replayed, asked)}${await fetchHeld(args, io, [textAt(replayed, ['id'])])}`))
    return 0
  },
}

/** Epoch ms. */
interface Range {
  readonly fromMs: number
  readonly untilMs: number | undefined
}

interface Asked {
  readonly namespace: string
  readonly name: string
  readonly range: Range
  readonly isDry: boolean
}

export function noTrigger(namespace: string, name: string): string {
  return `there is no trigger ${namespace}/${name}\nThose that are there: tidings get triggers -n ${namespace}`
}

function rangeFrom(args: Arguments): Range {
  const [sinceMs, fromMs] = [durationFlag(args, 'since'), timeFlag(args, 'from')]
  if (sinceMs !== undefined && fromMs !== undefined) throw new UsageError('expected --since or --from, got both')
  const untilMs = timeFlag(args, 'until')
  const beginMs = fromMs ?? (sinceMs === undefined ? undefined : Math.max(0, createClock().wall() - sinceMs))
  if (beginMs === undefined) {
    throw new UsageError('expected from when on: --since 24h, or --from 2026-03-28T01:30:00Z')
  }
  if (untilMs === undefined || untilMs > beginMs) return { fromMs: beginMs, untilMs }
  throw new UsageError(`--until: expected a time after ${formatSeconds(beginMs)}, got ${textFlag(args, 'until')}`)
}

function bodyOf({ fromMs, untilMs }: Range, args: Arguments): Fields {
  const ratePerSecond = rateFlag(args)
  return {
    from: new Date(fromMs).toISOString(),
    ...(untilMs !== undefined && { until: new Date(untilMs).toISOString() }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
    dryRun: args.flags['dry-run'] === true,
  }
}

function formatReplayed(replayed: Fields, { namespace, name, range, isDry }: Asked): string {
  const [id, count] = [textAt(replayed, ['id']), Number(replayed['count'])]
  const until = range.untilMs === undefined ? '' : ` until ${formatSeconds(range.untilMs)}`
  const what = `${events(count)} for trigger ${namespace}/${name} from ${formatSeconds(range.fromMs)} on${until}`
  const kept = formatKept(textAt(replayed, ['oldestAt']), range.fromMs)
  if (isDry) return `would replay ${what}\n${kept}Nothing was done: run it again without --dry-run.\n`
  if (id === undefined) return `nothing to replay: ${what}\n${kept}`
  return `replay ${id} has begun: ${what}
${kept}Each has the attribute tidingsreplay=${id}; all else is as it was.
How far it is: tidings status   To end it: tidings cancel ${id}
`
}

/** Said when somebody may have asked for more than there is. */
function formatKept(oldestAt: string | undefined, fromMs: number): string {
  if (oldestAt !== undefined && Date.parse(oldestAt) <= fromMs) return ''
  const has = oldestAt === undefined ? 'no events now' : `events since ${oldestAt}`
  return `The log of its broker has ${has}; what came before was not kept. How long it keeps events: annotations
tidings.dev/retention and tidings.dev/retention-bytes of the Broker.
`
}
