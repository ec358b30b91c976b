// References to addresses: what a Destination means among the resources that are applied.
import type { Target } from '../core/destination.ts'
import type { Destination } from '../resource/destination.ts'
import { kserviceTarget } from '../resource/kinds/kservice.ts'
import { serviceTarget } from '../resource/kinds/service.ts'
import type { AnyResource } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import type { Reference } from '../resource/reference.ts'

export type Resolution =
  | { readonly kind: 'resolved'; readonly target: Target }
  /** `message` says what is missing and what helps. */
  | { readonly kind: 'unresolved'; readonly message: string }

export interface Resolver {
  resolve(destination: Destination): Resolution
}

export interface ResolverOptions {
  readonly resources: readonly AnyResource[]
  /** Where the data port is reached from outside, without a slash at the end. */
  readonly externalUrl: string
}

/** Paths of the built-in display subscriber, one for each service that it stands in for. */
export function displayPaths(resources: readonly AnyResource[]): ReadonlySet<string> {
  const services = resources.filter(
    (resource) => resource.apiVersion === 'serving.knative.dev/v1' && kserviceTarget(resource).kind === 'event-display',
  )
  return new Set(services.map((service) => displayPath(namespaceOf(service), service.metadata.name)))
}

function displayPath(namespace: string, name: string): string {
  return `/sinks/services/${namespace}/${name}`
}

export function brokerUrl(externalUrl: string, namespace: string, name: string): string {
  return `${externalUrl}/${namespace}/${name}`
}

export function createResolver({ resources, externalUrl }: ResolverOptions): Resolver {
  const byKey = new Map<string, AnyResource>()
  for (const resource of resources) {
    byKey.set(keyOf(resource.apiVersion, resource.kind, namespaceOf(resource), resource.metadata.name), resource)
  }

  function resolve({ ref, uri, CACerts }: Destination): Resolution {
    if (!ref) return uri === undefined ? unresolved('it names neither ref nor uri') : resolved(uri, CACerts)
    const address = addressOf(ref)
    if (address.kind === 'unresolved' || uri === undefined) {
      return address.kind === 'unresolved' ? address : resolved(address.target.url, CACerts)
    }
    return resolved(new URL(uri, address.target.url).href, CACerts)
  }

  function addressOf(ref: Reference): Resolution {
    const namespace = ref.namespace ?? 'default'
    const what = `${ref.kind} ${namespace}/${ref.name}`
    const resource = byKey.get(keyOf(ref.apiVersion, ref.kind, namespace, ref.name))
    if (!resource) return unresolved(`${what} (${ref.apiVersion}) does not exist: add its manifest, or use \`uri\``)
    if (resource.kind === 'Broker') return resolved(brokerUrl(externalUrl, namespace, ref.name))
    if (resource.kind === 'Trigger') return unresolved(`${what} has no address: a Trigger sends, it does not receive`)
    const found = resource.apiVersion === 'v1' ? serviceTarget(resource) : kserviceTarget(resource)
    if (found.kind === 'url') return resolved(found.url)
    if (found.kind === 'event-display') return resolved(`${externalUrl}${displayPath(namespace, ref.name)}`)
    return unresolved(`${what}: ${found.reason}`)
  }

  return { resolve }
}

/** Any version of a group is the same resource. */
function keyOf(apiVersion: string, kind: string, namespace: string, name: string): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return `${group}/${kind}/${namespace}/${name}`
}

function resolved(url: string, caCerts?: string): Resolution {
  return { kind: 'resolved', target: caCerts === undefined ? { url } : { url, caCerts } }
}

function unresolved(message: string): Resolution {
  return { kind: 'unresolved', message }
}
