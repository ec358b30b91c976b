// Which dead letters a command means: the same flags for all of them, and the same flags again in what they print to be run
// next.
import { printable } from '../sink/format-event.ts'
import type { ResourceName } from '../store/resource-store.ts'
import { type Arguments, textFlag, textFlags, UsageError } from './command.ts'
import { NAMESPACE_OPTION, namespaceFlag, namespaceWords, nameWord } from './resources.ts'
import { shellWord } from './shell.ts'

export const LETTER_OPTIONS = {
  ...NAMESPACE_OPTION,
  'all-namespaces': { type: 'boolean', short: 'A' },
  trigger: { type: 'string' },
  subscription: { type: 'string' },
  source: { type: 'string' },
  broker: { type: 'string' },
  channel: { type: 'string' },
  type: { type: 'string' },
  code: { type: 'string' },
} as const

export const ID_OPTION = { id: { type: 'string', multiple: true } } as const

export const LETTER_USAGE = `  --trigger NAME       events that failed for this Trigger; --subscription NAME and --source NAME likewise
  --broker NAME        events in the dead-letter log of this Broker; --channel NAME likewise
  --type TYPE          events of this type
  --code N             events whose last answer was this HTTP status; 500 where there was none
  -n, --namespace NS   (default)
  -A, --all-namespaces of all namespaces
`
export const ID_USAGE = '  --id ID              the event with this id; may be repeated\n'

/** As the admin port takes it. */
export interface LetterFields {
  readonly namespace?: string
  readonly trigger?: string
  readonly subscription?: string
  readonly source?: string
  readonly broker?: string
  readonly channel?: string
  readonly type?: string
  readonly code?: string
  readonly ids?: readonly string[]
}

const NAMES = ['trigger', 'subscription', 'source', 'broker', 'channel'] as const

/** Throws a UsageError for what cannot be meant. */
export function letterFlags(args: Arguments): LetterFields {
  const isOfAll = args.flags['all-namespaces'] === true
  const named = NAMES.filter((name) => textFlag(args, name) !== undefined)
  if (isOfAll && named[0] !== undefined) {
    throw new UsageError(`-A is for all namespaces, --${named[0]} for one of them: give one or the other`)
  }
  const [type, ids] = [textFlag(args, 'type'), textFlags(args, 'id')]
  return {
    ...(!isOfAll && { namespace: namespaceFlag(args) }),
    ...Object.fromEntries(named.map((name) => [name, nameWord(textFlag(args, name) ?? '')])),
    ...(type !== undefined && { type }),
    ...codeFlag(args),
    ...(ids.length > 0 && { ids }),
  }
}

/** Whether anything but a namespace narrows it down. */
export function isNarrowed({ namespace: _, ...rest }: LetterFields): boolean {
  return Object.keys(rest).length > 0
}

export function letterQuery({ ids = [], ...fields }: LetterFields): string {
  const query = new URLSearchParams({ ...fields })
  for (const id of ids) query.append('ids', id)
  return query.toString()
}

/** `--trigger mail -n shop`: the flags that mean everything that failed for it. */
export function flagsFor(reader: ResourceName): string {
  const flag = reader.kind === 'Trigger' || reader.kind === 'Subscription' ? reader.kind.toLowerCase() : 'source'
  return `--${flag} ${shellWord(reader.name)}${namespaceWords(reader.namespace)}`
}

function codeFlag(args: Arguments): LetterFields {
  const code = textFlag(args, 'code')
  if (code === undefined) return {}
  if (/^[1-9]\d\d$/.test(code)) return { code }
  throw new UsageError(`--code: expected an HTTP status such as 503, got '${printable(code)}'`)
}
