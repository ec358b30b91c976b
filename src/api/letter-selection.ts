// Which letters of dead-letter logs a request means: of which Broker, channel or source, for whom, and why they failed.
import type { LetterSelection } from '../runtime/dead-letters.ts'
import { keyOf, type ResourceReader } from '../store/resource-store.ts'
import { codeField, type FieldsOf, idsField, nameField, namespaceField, textField } from './fields.ts'

/** Names are of resources in `namespace`. */
export const SELECTION = {
  namespace: namespaceField,
  broker: nameField,
  channel: nameField,
  source: nameField,
  trigger: nameField,
  subscription: nameField,
  code: codeField,
  type: textField,
  ids: idsField,
}

export type SelectionFields = FieldsOf<typeof SELECTION>

/** What can be named, with the groups and kinds that it can be of. */
const NAMED = {
  broker: [['eventing.knative.dev', 'Broker']],
  channel: [
    ['messaging.knative.dev', 'InMemoryChannel'],
    ['messaging.knative.dev', 'KafkaChannel'],
  ],
  source: [
    ['sources.knative.dev', 'PingSource'],
    ['sources.knative.dev', 'CronJobSource'],
    ['sources.eventing.knative.dev', 'CronJobSource'],
  ],
  trigger: [['eventing.knative.dev', 'Trigger']],
  subscription: [['messaging.knative.dev', 'Subscription']],
} as const
type Name = keyof typeof NAMED

const LOGS = ['broker', 'channel', 'source'] as const
const READERS = ['trigger', 'subscription'] as const
/** Whose log each reads. */
const READ = { trigger: 'broker', subscription: 'channel' } as const

/** A name is told with its namespace, and names that exclude each other are not told together. */
export function checkSelection(fields: SelectionFields): string | undefined {
  const [logs, readers] = [namesIn(fields, LOGS), namesIn(fields, READERS)]
  for (const [one, other] of [logs, readers]) if (other !== undefined) return `expected ${one} or ${other}, got both`
  const [[log], [reader]] = [logs, readers]
  if (log !== undefined && reader !== undefined && READ[reader] !== log) {
    return `expected ${log} or ${reader}, got both: a ${reader} reads a ${READ[reader]}`
  }
  const name = log ?? reader
  return name === undefined || fields.namespace !== undefined ? undefined : `${name}: expected namespace beside it`
}

/** What is done to everything is done only when that was said. */
export function checkAll({ all = false, ...fields }: SelectionFields & { readonly all?: boolean }): string | undefined {
  const narrowing = Object.keys(SELECTION).filter((name) => name !== 'namespace')
  const isNarrowed = narrowing.some((name) => Object.hasOwn(fields, name))
  if (all && isNarrowed) return 'expected all, or what narrows it down, got both'
  return all || isNarrowed ? undefined : `expected one of ${narrowing.join(', ')}, or "all": true`
}

export function selectionOf(fields: SelectionFields): LetterSelection {
  const { namespace, code, type, ids } = fields
  const [[log], [reader]] = [namesIn(fields, LOGS), namesIn(fields, READERS)]
  const hub = log ?? (reader && READ[reader])
  return {
    ...(namespace !== undefined && { namespace }),
    ...(hub !== undefined && { kinds: NAMED[hub].map(([, kind]) => kind) }),
    ...(log !== undefined && { name: fields[log] }),
    ...(reader !== undefined && { reader: `${namespace}/${fields[reader]}` }),
    ...(code !== undefined && { code }),
    ...(type !== undefined && { type }),
    ...(ids !== undefined && { ids }),
  }
}

/** The first that is named and that there is not: `trigger shop/orders`. */
export function missingIn(resources: ResourceReader, fields: SelectionFields): string | undefined {
  const { namespace = '' } = fields
  const missing = namesIn(fields, [...LOGS, ...READERS]).find((name) => {
    const groups: readonly (readonly [string, string])[] = NAMED[name]
    return !groups.some(([group, kind]) => resources.get(keyOf(`${group}/`, kind, namespace, fields[name] ?? '')))
  })
  return missing && `${missing} ${namespace}/${fields[missing]}`
}

function namesIn<N extends Name>(fields: SelectionFields, names: readonly N[]): readonly N[] {
  return names.filter((name) => fields[name] !== undefined)
}
