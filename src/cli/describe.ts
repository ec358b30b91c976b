import { createClock } from '../core/clock.ts'
import { valuesAt } from '../resource/json-path.ts'
import type { Kind } from '../resource/kind.ts'
import { type Fields, isFields, textAt } from '../resource/rules.ts'
import { formatYaml } from '../resource/yaml.ts'
import type { RerunStatus } from '../runtime/rerun-job.ts'
import type { RuntimeStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import { fetchStatus, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { formatAge } from './age.ts'
import { type Command, isJsonWanted, JSON_OPTION } from './command.ts'
import { formatReruns } from './reruns.ts'
import { fetchObject, findKindByName, NAMESPACE_OPTION, NAMESPACE_USAGE, namespaceFlag, nameWord } from './resources.ts'
import { formatTable } from './table.ts'

export const describe: Command = {
  usage: `tidings describe KIND NAME [-n NS] [-o json]

One resource: what is wrong with it first, then its conditions, addresses, delivery, filters and counts.

${NAMESPACE_USAGE}  -o, --output json    for programs: the object, its counts, its replays and redrives, what is wrong
${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...NAMESPACE_OPTION, ...JSON_OPTION },
  operands: ['KIND', 'NAME'],
  async run(args, io) {
    const [kindName = '', name = ''] = args.words
    const isJson = isJsonWanted(args)
    const wanted = findKindByName(kindName)
    const object = await fetchObject(args, io, wanted, namespaceFlag(args), nameWord(name))
    const status = await fetchStatus(args, io)
    const counts = countsOf(object, status)
    const reruns = rerunsOf(object, status)
    const wrong = whatIsWrong(wanted.kind, object, counts)
    io.out(
      isJson
        ? `${JSON.stringify({ object, counts: counts?.status ?? null, reruns, wrong }, undefined, 2)}\n`
        : printable(formatObject(object, wrong, counts?.status, reruns)),
    )
    return 0
  },
}

interface Counts {
  readonly status: Fields
  /** In words. */
  readonly problems: readonly string[]
}

/** What the runtime counts of the object, for the kinds that it counts for. */
function countsOf(object: Fields, found: RuntimeStatus): Counts | undefined {
  const kind = textAt(object, ['kind']) ?? ''
  const [namespace, name] = [textAt(object, ['metadata', 'namespace']), textAt(object, ['metadata', 'name'])]
  const counted = countedOf(kind, found)
  const own = counted.list.find((each) => each.namespace === namespace && each.name === name)
  if (!own) return undefined
  const title = `${counted.title} ${namespace}/${name}: `
  const problems = found.problems.filter((each) => each.startsWith(title)).map((each) => each.slice(title.length))
  return { status: { ...own }, problems }
}

function rerunsOf(object: Fields, { reruns }: RuntimeStatus): readonly RerunStatus[] {
  const [kind, namespace, name] = [['kind'], ['metadata', 'namespace'], ['metadata', 'name']].map((path) =>
    textAt(object, path),
  )
  return reruns.filter(({ reader }) => reader.kind === kind && reader.namespace === namespace && reader.name === name)
}

interface Counted {
  /** As problems begin. */
  readonly title: string
  readonly list: readonly { readonly namespace: string; readonly name: string }[]
}

function countedOf(kind: string, { brokers, triggers, channels, subscriptions, sources }: RuntimeStatus): Counted {
  switch (kind) {
    case 'Broker':
      return { title: 'broker', list: brokers }
    case 'Trigger':
      return { title: 'trigger', list: triggers }
    case 'Channel':
    case 'InMemoryChannel':
    case 'KafkaChannel':
      return { title: 'channel', list: channels }
    case 'Subscription':
      return { title: 'subscription', list: subscriptions }
    default:
      return { title: kind, list: sources.filter((source) => source.kind === kind) }
  }
}

/** Every condition that is not True, but for a Ready that only repeats one of them; then what fails or fills up. */
function whatIsWrong(kind: Kind, object: Fields, counts: Counts | undefined): readonly string[] {
  const conditions = conditionsOf(object)
  if (conditions.length === 0)
    return kind.conditions.dependents.length === 0 ? [] : ['it has no conditions yet: nothing was reconciled']
  const notTrue = conditions.filter(({ status }) => status !== 'True')
  const told = notTrue.filter((each) => each.type !== 'Ready' || !notTrue.some((other) => repeats(each, other)))
  const words = told.map(({ type, status, reason, message }) => {
    const cause = [reason && ` (${reason})`, message && `: ${message}`].filter(Boolean).join('')
    return `${type} is ${status}${cause}`
  })
  // What is not ready is told of by its conditions.
  const failures = (counts?.problems ?? []).filter((each) => !each.startsWith('not ready'))
  const paused = counts?.status['paused'] === true ? ['it is paused: its events wait until it is resumed'] : []
  return [...words, ...failures, ...paused]
}

interface ShownCondition {
  readonly type: string
  readonly status: string
  readonly severity: string
  readonly since: string
  readonly reason: string
  readonly message: string
}

function conditionsOf(object: Fields): readonly ShownCondition[] {
  return valuesAt(object, '.status.conditions[*]').map((condition) => {
    const text = (name: string): string => textAt(condition, [name]) ?? ''
    return {
      type: text('type'),
      status: text('status'),
      severity: text('severity'),
      since: text('lastTransitionTime'),
      reason: text('reason'),
      message: text('message'),
    }
  })
}

function repeats(ready: ShownCondition, other: ShownCondition): boolean {
  const isSame = other.reason === ready.reason && other.message === ready.message
  return other.type !== 'Ready' && other.severity === '' && isSame
}

function formatObject(
  object: Fields,
  wrong: readonly string[],
  counts: Fields | undefined,
  reruns: readonly RerunStatus[],
): string {
  const { delivery, filter, filters, ...spec } = fieldsAt(object, 'spec')
  const namespace = textAt(object, ['metadata', 'namespace'])
  const name = textAt(object, ['metadata', 'name']) ?? ''
  const title = `${textAt(object, ['kind']) ?? ''} ${namespace === undefined ? '' : `${namespace}/`}${name}`
  const isFiltered = filters !== undefined || (isFields(filter) && Object.keys(filter).length > 0)
  const sections: readonly (readonly [title: string, text: string])[] = [
    ['What is wrong', wrong.length === 0 ? 'nothing\n' : wrong.map((each) => `${each}\n`).join('')],
    ['Conditions', formatConditions(conditionsOf(object))],
    ['Addresses', formatAddresses(object)],
    ['Delivery', formatFields(fieldsAt({ delivery }, 'delivery'))],
    ['Filters', isFiltered ? formatYaml(filters ?? filter) : ''],
    ['Spec', formatFields(spec)],
    ['Counts since the server started', formatCounts(counts)],
    ['Replays and redrives', reruns.length === 0 ? '' : formatReruns(reruns)],
  ]
  const texts = sections.filter(([, text]) => text !== '').map(([head, text]) => `${head}:\n${indented(text)}`)
  return [`${title}\n`, ...texts].join('\n')
}

function formatConditions(conditions: readonly ShownCondition[]): string {
  if (conditions.length === 0) return ''
  const nowMs = createClock().wall()
  const rows = conditions.map(({ type, status, severity, since, reason, message }) => [
    severity === '' ? type : `${type} (${severity})`,
    status,
    since === '' ? '' : formatAge(since, nowMs),
    reason,
    message.replace(/\s+/g, ' '),
  ])
  return formatTable(['TYPE', 'STATUS', 'SINCE', 'REASON', 'MESSAGE'], rows)
}

/** Of the kinds together: no kind has them all. */
const ADDRESSES: readonly (readonly [name: string, path: string])[] = [
  ['url', '.status.address.url'],
  ['url', '.status.url'],
  ['subscriber', '.status.subscriberUri'],
  ['subscriber', '.status.physicalSubscription.subscriberUri'],
  ['reply', '.status.physicalSubscription.replyUri'],
  ['sink', '.status.sinkUri'],
  ['dead letter sink', '.status.deadLetterSinkUri'],
  ['dead letter sink', '.status.physicalSubscription.deadLetterSinkUri'],
]

function formatAddresses(object: Fields): string {
  const lines = ADDRESSES.flatMap(([name, path]) => valuesAt(object, path).map((url) => `${name}: ${String(url)}\n`))
  return [...new Set(lines)].join('')
}

const TIMES = ['oldestWaiting', 'lastAt', 'nextAt']

/** Numbers, of the logs too; times where there are any. All else stands elsewhere. */
function formatCounts(counts: Fields | undefined): string {
  const lines = Object.entries(counts ?? {}).flatMap(([name, value]): string[] => {
    if (isFields(value)) return [formatCounts(value).replace(/^(?=.)/gm, `${name}.`)]
    const isShown = typeof value === 'number' || (TIMES.includes(name) && value !== null)
    return isShown ? [`${name}: ${String(value)}\n`] : []
  })
  return lines.join('')
}

function formatFields(fields: Fields): string {
  return Object.keys(fields).length === 0 ? '' : formatYaml(fields)
}

function fieldsAt(value: unknown, name: string): Fields {
  const found = isFields(value) ? value[name] : undefined
  return isFields(found) ? found : {}
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
