import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, LONG_TIMEOUT_MS, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import {
  type Arguments,
  type Command,
  isJsonWanted,
  JSON_OPTION,
  JSON_USAGE,
  textFlags,
  UsageError,
} from './command.ts'
import { ID_OPTION, ID_USAGE } from './letter-flags.ts'
import { events } from './letter-orders.ts'
import { NAMESPACE_OPTION, NAMESPACE_USAGE, namespaceFlag, nameWord } from './resources.ts'
import { timeFlag } from './time-flags.ts'
import { noTrigger } from './trigger-replay.ts'

export const triggerSkip: Command = {
  usage: `tidings trigger skip NAME (--id ID... | --until TIME | --all) [--dry-run] [-n NS] [-o json]

Has a Trigger do without events that wait for it: they are not attempted any more, and counted as skipped. Attempts that
run may finish. To deliver them after all: tidings trigger replay.

${ID_USAGE}  --until TIME         what arrived before an RFC 3339 time, such as 2026-03-28T01:30:00Z
  --all                everything that waits for it now
  --dry-run            only say how many events it would be
${NAMESPACE_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: {
    ...SERVER_OPTION,
    ...NAMESPACE_OPTION,
    ...JSON_OPTION,
    ...ID_OPTION,
    until: { type: 'string' },
    all: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  operands: ['NAME'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [namespace, name] = [namespaceFlag(args), nameWord(args.words[0] ?? '')]
    const body = bodyFrom(args)
    const path = `/tidings/v1/triggers/${namespace}/${name}/skip`
    const answer = await askServer(args, io, path, { method: 'POST', body, timeoutMs: LONG_TIMEOUT_MS })
    if (answer.status === 404) throw new UsageError(noTrigger(namespace, name))
    const found = fieldsOf(answer, 'a count')
    const skipped = Number(found['skipped'])
    if (skipped === 0 && body.ids) throw new UsageError(noneWaits(`${namespace}/${name}`))
    io.out(isJson ? `${JSON.stringify(found)}\n` : printable(formatSkipped(skipped, `${namespace}/${name}`, body)))
    return 0
  },
}

interface SkipBody {
  readonly ids?: readonly string[]
  readonly until?: string
  readonly all?: boolean
  readonly dryRun: boolean
}

function bodyFrom(args: Arguments): SkipBody {
  const [ids, untilMs, isOfAll] = [textFlags(args, 'id'), timeFlag(args, 'until'), args.flags['all'] === true]
  const isNarrowed = ids.length > 0 || untilMs !== undefined
  if (isOfAll === isNarrowed) {
    throw new UsageError(
      isOfAll
        ? '--all is for everything that waits: give it alone'
        : 'expected which events: --id ID, --until TIME or --all',
    )
  }
  return {
    ...(ids.length > 0 && { ids }),
    ...(untilMs !== undefined && { until: new Date(untilMs).toISOString() }),
    ...(isOfAll && { all: true }),
    dryRun: args.flags['dry-run'] === true,
  }
}

function noneWaits(trigger: string): string {
  return `no event with that id waits for trigger ${trigger}: it never came, or it is settled
Where an event stands: tidings event show ID   What nobody took: tidings deadletter list`
}

function formatSkipped(skipped: number, trigger: string, { ids = [], dryRun }: SkipBody): string {
  if (skipped === 0) return `nothing of that waits for trigger ${trigger}\n`
  const some = skipped < ids.length ? `; ${ids.length} ids were given` : ''
  if (dryRun) {
    return `would skip ${events(skipped)} of trigger ${trigger}${some}\nNothing was done: run it again without --dry-run.\n`
  }
  return `skipped ${events(skipped)} of trigger ${trigger}${some}\n`
}
