// References to addresses: what a Destination means among the resources that are applied.
import type { Target } from '../core/destination.ts'
import { conditionOf } from '../resource/conditions.ts'
import type { Destination } from '../resource/destination.ts'
import { kserviceTarget } from '../resource/kinds/kservice.ts'
import { serviceTarget } from '../resource/kinds/service.ts'
import { DEFAULT_NAMESPACE } from '../resource/metadata.ts'
import type { Reference } from '../resource/reference.ts'
import { textAt } from '../resource/rules.ts'
import { type Entry, keyOf } from '../store/resource-store.ts'
import type { Look } from './reconcile.ts'

export type Resolution =
  | { readonly kind: 'resolved'; readonly target: Target }
  /** `message` says what is missing and what helps. */
  | { readonly kind: 'unresolved'; readonly message: string }

const DISPLAY_PATH = '/sinks/services/'
const CHANNEL_PATH = '/channels/'

export function brokerUrl(dataUrl: string, namespace: string, name: string): string {
  return `${dataUrl}/${namespace}/${name}`
}

export function channelUrl(dataUrl: string, namespace: string, name: string): string {
  return `${dataUrl}${CHANNEL_PATH}${namespace}/${name}`
}

/** Whether the built-in display stands at this path of the data port: there is one for each service that it stands in for. */
export function isDisplayPath(path: string, look: Look): boolean {
  if (!path.startsWith(DISPLAY_PATH)) return false
  const [namespace = '', name = ''] = path.slice(DISPLAY_PATH.length).split('/')
  const service = look(keyOf('serving.knative.dev/v1', 'Service', namespace, name))?.resource
  const isService = service?.apiVersion === 'serving.knative.dev/v1' && service.kind === 'Service'
  return isService && kserviceTarget(service).kind === 'event-display'
}

/** Where a Destination leads now. What it looks at is noted through `look`. */
export function resolve({ ref, uri, CACerts }: Destination, look: Look, dataUrl: string): Resolution {
  if (!ref) return uri === undefined ? unresolved('it names neither ref nor uri') : resolved(uri, CACerts)
  const address = addressOf(ref, look, dataUrl)
  if (address.kind === 'unresolved') return address
  const { url } = address.target
  return resolved(uri === undefined ? url : new URL(uri, url).href, CACerts)
}

function addressOf(ref: Reference, look: Look, dataUrl: string): Resolution {
  const { apiVersion, kind, name, namespace = DEFAULT_NAMESPACE } = ref
  const what = `${kind} ${namespace}/${name}`
  const entry = look(keyOf(apiVersion, kind, namespace, name))
  if (!entry) return unresolved(`${what} (${apiVersion}) does not exist: add its manifest, or use \`uri\``)
  return urlOf(entry, namespace, dataUrl) ?? unresolved(`${what} has no address: it does not receive events`)
}

function urlOf({ resource, status }: Entry, namespace: string, dataUrl: string): Resolution | undefined {
  const { name } = resource.metadata
  switch (resource.kind) {
    case 'Broker':
    case 'Channel':
    case 'InMemoryChannel':
    case 'KafkaChannel': {
      const url = textAt(status, ['address', 'url'])
      return url === undefined ? unresolved(notReady(`${resource.kind} ${namespace}/${name}`, status)) : resolved(url)
    }
    case 'Service': {
      const found = resource.apiVersion === 'v1' ? serviceTarget(resource) : kserviceTarget(resource)
      if (found.kind === 'url') return resolved(found.url)
      if (found.kind === 'event-display') return resolved(`${dataUrl}${DISPLAY_PATH}${namespace}/${name}`)
      return unresolved(`Service ${namespace}/${name}: ${found.reason}`)
    }
    default:
      return undefined
  }
}

/** What it says itself, if it says anything yet. */
export function notReady(what: string, status: Entry['status']): string {
  const message = conditionOf(status?.conditions ?? [], 'Ready')?.message
  return message === undefined ? `${what} is not ready yet` : `${what} is not ready: ${message}`
}

function resolved(url: string, caCerts?: string): Resolution {
  return { kind: 'resolved', target: caCerts === undefined ? { url } : { url, caCerts } }
}

function unresolved(message: string): Resolution {
  return { kind: 'unresolved', message }
}
