// Resources as the API serves them: the manifest with what the store and the reconciler added, and without secrets. Who
// may read the admin port may see what runs, not act as it: values of Secrets and passwords in URLs stay inside.
import { withoutPassword } from '../http/address.ts'
import { type Fields, isFields } from '../resource/rules.ts'
import { type Entry, keyOf, type ResourceReader } from '../store/resource-store.ts'

/** Names the fields whose values are left empty. */
const REDACTED = 'tidings.dev/redacted'
/** Holds the whole manifest once more. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Objects in one chunk of a list: the event loop turns in between. */
const SLICE = 200

/** One object, in the version that is asked for: versions of a kind differ in name only. */
export function objectAt({ resource, status }: Entry, apiVersion: string): unknown {
  const manifest = isSecret(resource) ? withoutValues(resource) : resource
  return withoutPasswords({ ...manifest, apiVersion, ...(status && { status }) })
}

export interface Wanted {
  readonly apiVersion: string
  readonly kind: string
  /** Of all namespaces when undefined. */
  readonly namespace: string | undefined
}

/** The text of a list, by namespace and name, in chunks. It is of one moment, however long it takes to be read. */
export async function* listText(
  resources: ResourceReader,
  { apiVersion, kind, namespace }: Wanted,
): AsyncGenerator<string> {
  const prefix =
    namespace === undefined ? keyOf(apiVersion, kind, '', '').slice(0, -1) : keyOf(apiVersion, kind, namespace, '')
  const entries = [...resources.list()].filter(({ key }) => key.startsWith(prefix)).sort(byNamespaceAndName)
  const head = { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: String(resources.version) } }
  yield `${JSON.stringify(head).slice(0, -1)},"items":[`
  for (let from = 0; from < entries.length; from += SLICE) {
    if (from > 0) await new Promise(setImmediate)
    const items = entries.slice(from, from + SLICE).map((entry) => JSON.stringify(objectAt(entry, apiVersion)))
    yield `${from > 0 ? ',' : ''}${items.join()}`
  }
  yield ']}'
}

/** The same value with every URL in it as `withoutPassword` has it. */
export function withoutPasswords(value: unknown): unknown {
  if (typeof value === 'string') return hidePasswords(value)
  if (Array.isArray(value)) return value.map(withoutPasswords)
  if (!isFields(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withoutPasswords(field)]))
}

/** A text that is a URL, or has some in it. Only texts with an `@` are looked at closely: most have none. */
function hidePasswords(text: string): string {
  if (!text.includes('@')) return text
  const whole = /^\s*https?:\/\//i.test(text) ? withoutPassword(text.trim()) : text
  return whole.replace(/\/\/[^/?#\s"]*@/g, '//')
}

function isSecret({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  return apiVersion === 'v1' && kind === 'Secret'
}

/** The names stay: they say what there is. */
function withoutValues(secret: Entry['resource']): Fields {
  const fields: Fields = { ...secret }
  const { [LAST_APPLIED]: _manifest, ...annotations } = secret.metadata.annotations ?? {}
  const empty = ['data', 'stringData'].flatMap((name): [string, unknown][] => {
    const values = fields[name]
    return isFields(values) ? [[name, Object.fromEntries(Object.keys(values).map((key) => [key, '']))]] : []
  })
  const redacted = empty.map(([name]) => name).join()
  const metadata = { ...secret.metadata, annotations: { ...annotations, ...(redacted && { [REDACTED]: redacted }) } }
  return { ...fields, metadata, ...Object.fromEntries(empty) }
}

function byNamespaceAndName(a: Entry, b: Entry): number {
  const [one, other] = [a.resource.metadata, b.resource.metadata]
  return compare(one.namespace ?? '', other.namespace ?? '') || compare(one.name, other.name)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
