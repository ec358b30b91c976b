// How commands name resources, in their flags and in what they print, and read them from a server: kinds by any of their names, namespaces by -n.
import { apiVersionOf, type GroupVersions, groupsOf, type Kind } from '../resource/kind.ts'
import { knownKinds } from '../resource/known-kinds.ts'
import { DEFAULT_NAMESPACE, labelName, subdomainName } from '../resource/metadata.ts'
import { type Fields, isFields, textAt } from '../resource/rules.ts'
import { printable } from '../sink/format-event.ts'
import type { ResourceName } from '../store/resource-store.ts'
import { askServer, fieldsOf, unexpected } from './admin-client.ts'
import { type Arguments, type Io, textFlag, UsageError } from './command.ts'
import { shellWord } from './shell.ts'

export const NAMESPACE_OPTION = { namespace: { type: 'string', short: 'n' } } as const
export const NAMESPACE_USAGE = '  -n, --namespace NS   (default)\n'

/** A kind in the groups that are meant: all that serve it, unless one was named. */
export interface WantedKind {
  readonly kind: Kind
  readonly groups: readonly GroupVersions[]
}

/**
 * The kind of a plural, singular, kind or short name, in any case, with or without its group: `triggers`, `ksvc`,
 * `services.serving.knative.dev`. Of two with the same name the core group's, as in kubectl.
 */
export function findKindByName(text: string): WantedKind {
  const [name = '', ...rest] = text.toLowerCase().split('.')
  const group = rest.join('.')
  const found = knownKinds
    .filter((kind) => namesOf(kind).includes(name))
    .map((kind) => ({ kind, groups: groupsOf(kind).filter((each) => group === '' || each.group === group) }))
    .filter(({ groups }) => groups.length > 0)
    .sort((a, b) => Number(b.kind.group === '') - Number(a.kind.group === ''))[0]
  if (found) return found
  const known = knownKinds.map((kind) => qualifiedNameOf(kind)).join(', ')
  throw new UsageError(`there is no kind '${printable(text)}'; there are: ${known}`)
}

/** The plural, with the group where another kind has the same plural. */
export function qualifiedNameOf({ plural, group }: Kind): string {
  const isAlone = group === '' || knownKinds.filter((kind) => kind.plural === plural).length === 1
  return isAlone ? plural : `${plural}.${group}`
}

/** Throws a UsageError for what cannot be a namespace: it would become part of a path. */
export function namespaceFlag(args: Arguments): string {
  const namespace = textFlag(args, 'namespace') ?? DEFAULT_NAMESPACE
  if (labelName.safeParse(namespace).success) return namespace
  throw new UsageError(`-n: expected a name of a-z, 0-9 and -, got '${printable(namespace)}'`)
}

/** As `namespaceFlag`, of a resource's name. */
export function nameWord(text: string): string {
  if (subdomainName.safeParse(text).success) return text
  throw new UsageError(`expected a name of a-z, 0-9, - and ., got '${printable(text)}'`)
}

/** ` -n shop`, or nothing for the namespace that is meant anyway. */
export function namespaceWords(namespace: string): string {
  return namespace === DEFAULT_NAMESPACE ? '' : ` -n ${shellWord(namespace)}`
}

const TITLES: ReadonlyMap<string, string> = new Map([
  ['Trigger', 'trigger'],
  ['Subscription', 'subscription'],
  ['Broker', 'broker'],
  ['InMemoryChannel', 'channel'],
  ['KafkaChannel', 'channel'],
])

/** As problems call it: `trigger shop/mail`. */
export function titleOf({ kind, namespace, name }: ResourceName): string {
  return `${TITLES.get(kind) ?? kind} ${namespace}/${name}`
}

/** Undefined when no group has it. */
export async function findObject(
  args: Arguments,
  io: Io,
  { kind, groups }: WantedKind,
  namespace: string,
  name: string,
): Promise<Fields | undefined> {
  for (const group of groups) {
    const answer = await askServer(args, io, pathOf(kind, group, namespace, name))
    const isMissing = answer.status === 404 && textAt(answer.body, ['reason']) === 'NotFound'
    if (!isMissing) return fieldsOf(answer, 'an object')
  }
  return undefined
}

/** Throws a UsageError when there is none, with what to run to see which there are. */
export async function fetchObject(
  args: Arguments,
  io: Io,
  wanted: WantedKind,
  namespace: string,
  name: string,
): Promise<Fields> {
  const found = await findObject(args, io, wanted, namespace, name)
  if (found) return found
  const { kind } = wanted
  const scope = kind.isNamespaced ? ` in namespace ${namespace}` : ''
  const flag = kind.isNamespaced && namespace !== DEFAULT_NAMESPACE ? ` -n ${namespace}` : ''
  throw new UsageError(
    `there is no ${kind.kind} ${name}${scope}\nThose that are there: tidings get ${qualifiedNameOf(kind)}${flag}`,
  )
}

/** The items of every group's list in one list, in the form of the first. Of all namespaces when undefined. */
export async function fetchList(
  args: Arguments,
  io: Io,
  { kind, groups }: WantedKind,
  namespace: string | undefined,
): Promise<Fields & { readonly items: readonly Fields[] }> {
  let head: Fields = {}
  const all: Fields[] = []
  for (const group of [...groups].reverse()) {
    const answer = await askServer(args, io, pathOf(kind, group, namespace))
    const { items, ...rest } = fieldsOf(answer, 'a list')
    if (!Array.isArray(items) || !items.every(isFields)) throw unexpected(answer, 'a list')
    all.unshift(...items)
    head = rest
  }
  return { ...head, items: all }
}

function namesOf({ plural, singular, kind, shortNames }: Kind): readonly string[] {
  return [plural, singular, kind.toLowerCase(), ...shortNames]
}

function pathOf(kind: Kind, group: GroupVersions, namespace: string | undefined, name?: string): string {
  const root = group.group === '' ? '/api' : '/apis'
  const scope = kind.isNamespaced && namespace !== undefined ? `/namespaces/${namespace}` : ''
  return `${root}/${apiVersionOf(group)}${scope}/${kind.plural}${name === undefined ? '' : `/${name}`}`
}
