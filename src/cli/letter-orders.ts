// What redriving and discarding dead letters have in common: which ones, all of them only when that is said, and a rehearsal.
import { SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Arguments, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'
import {
  ID_OPTION,
  ID_USAGE,
  isNarrowed,
  LETTER_OPTIONS,
  LETTER_USAGE,
  type LetterFields,
  letterFlags,
} from './letter-flags.ts'

export const ORDER_OPTIONS = {
  ...SERVER_OPTION,
  ...LETTER_OPTIONS,
  ...ID_OPTION,
  all: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  ...JSON_OPTION,
} as const

/** `more` are flags of the command's own. */
export function orderUsage(more = ''): string {
  return `${LETTER_USAGE}${ID_USAGE}  --all                everything in the namespace, or with -A in all of them
${more}  --dry-run            only say what would be done
${JSON_USAGE}${SERVER_USAGE}`
}

export interface LetterOrder extends LetterFields {
  readonly all?: boolean
  readonly dryRun: boolean
}

/** As the admin port takes it. */
export function letterOrder(command: string, args: Arguments): LetterOrder {
  const fields = letterFlags(args)
  const isOfAll = args.flags['all'] === true
  if (isOfAll === isNarrowed(fields)) throw new UsageError(isOfAll ? both(args) : whichOnes(command, fields))
  return { ...fields, ...(isOfAll && { all: true }), dryRun: args.flags['dry-run'] === true }
}

/** `1 event`, `7 events`. */
export function events(count: number): string {
  return `${count} ${count === 1 ? 'event' : 'events'}`
}

/** When nothing was found: for what was asked for by id that is a failure. */
export function noneMeant({ ids, namespace }: LetterFields): string {
  const where = namespace === undefined ? '' : ` of namespace ${namespace}`
  const what = ids === undefined ? 'no such event waits' : 'no event with that id waits'
  const text = `${what} in a dead-letter log${where}\nThose that wait: tidings deadletter list -A`
  if (ids !== undefined) throw new UsageError(text)
  return `${text}\n`
}

function both({ flags }: Arguments): string {
  const isOfNamespace = (flag: string): boolean => flag === 'namespace' || flag === 'all-namespaces'
  const other = Object.keys({ ...LETTER_OPTIONS, ...ID_OPTION }).find((flag) => !isOfNamespace(flag) && flag in flags)
  return `--all is for everything, --${other} for less: give one or the other`
}

function whichOnes(command: string, { namespace }: LetterFields): string {
  const all = namespace === undefined ? 'everything in all namespaces' : `everything in namespace ${namespace}`
  return `tidings ${command}: expected --trigger, --subscription, --source, --broker, --channel, --type, --code or --id; or --all for ${all}
What waits: tidings deadletter list`
}
