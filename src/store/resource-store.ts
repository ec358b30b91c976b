// The resources that are applied, as the API server would hold them: each with uid, generation, resource version and
// status. In memory; who fills it (files, the admin port, a controller) and what a resource does are for others.
import { isDeepStrictEqual } from 'node:util'
import { formatSeconds } from '../core/time.ts'
import type { Condition } from '../resource/conditions.ts'
import type { AnyResource } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { createdAtOf, newUid } from './uid.ts'

/** `group/Kind/namespace/name`: versions of a kind are one resource. */
export type ResourceKey = string

export interface ResourceStatus {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  /** The kind's own fields: `address`, `subscriberUri`, `sinkUri`, ... */
  readonly [field: string]: unknown
}

/** One resource. A change makes a new entry. */
export interface Entry<R extends AnyResource = AnyResource> {
  readonly key: ResourceKey
  /** As read, with `uid`, `generation`, `resourceVersion` and `creationTimestamp` in its metadata. */
  readonly resource: R
  /** Undefined until it was reconciled once. */
  readonly status: ResourceStatus | undefined
  /** Where it comes from, for people: `orders.yaml:3`, `the admin port`, `Channel default/a`. */
  readonly origin: string
}

/** The origin of what is there without anybody's manifest: any manifest may replace it. */
export const BUILT_IN = 'Tidings itself'

export type Change =
  | { readonly type: 'ADDED'; readonly entry: Entry }
  | { readonly type: 'MODIFIED'; readonly entry: Entry; readonly before: Entry }
  | { readonly type: 'DELETED'; readonly entry: Entry }

export interface ResourceReader {
  get(key: ResourceKey): Entry | undefined
  /** In no promised order. */
  list(): Iterable<Entry>
  /** Grows with every change. */
  readonly version: number
  /** Called within the call that makes the change. Returns what ends it. */
  onChange(listener: (change: Change) => void): () => void
}

export interface ResourceStore extends ResourceReader {
  /** Creates or replaces; nothing changes when it says what is there already. The uid stays, or comes back: see `keepUid`. */
  put(resource: AnyResource, origin: string): Entry
  /** Idempotent. What comes back before `letGo` is the same resource still. */
  delete(key: ResourceKey): void
  /** The deletion takes effect now: the next resource of this key is another one. */
  letGo(key: ResourceKey): void
  setStatus(key: ResourceKey, status: ResourceStatus): void
  /** The next resource of this key gets this uid, until `forgetUid`. */
  keepUid(key: ResourceKey, uid: string): void
  forgetUid(key: ResourceKey): void
}

export function keyOf(apiVersion: string, kind: string, namespace: string, name: string): ResourceKey {
  const slash = apiVersion.indexOf('/')
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}/${namespace}/${name}`
}

export function kindOf(key: ResourceKey): string {
  const [, kind = ''] = key.split('/')
  return kind
}

/** Which resource is meant, for people and programs: of two groups with one kind either. */
export interface ResourceName {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export function resourceNameOf(key: ResourceKey): ResourceName {
  const [, kind = '', namespace = '', name = ''] = key.split('/')
  return { kind, namespace, name }
}

/** `namespace/name`. */
export function nameOf(key: ResourceKey): string {
  const [, , namespace, name] = key.split('/')
  return `${namespace}/${name}`
}

export function keyOfResource(resource: AnyResource): ResourceKey {
  return keyOf(resource.apiVersion, resource.kind, namespaceOf(resource), resource.metadata.name)
}

export interface ResourceStoreOptions {
  /** Of a resource that is new here; random unless given. */
  readonly uidFor?: (key: ResourceKey) => string
}

export function createResourceStore(wallMs: () => number, options: ResourceStoreOptions = {}): ResourceStore {
  const { uidFor = () => newUid(wallMs()) } = options

  const entries = new Map<ResourceKey, Entry>()
  const keptUids = new Map<ResourceKey, string>()
  /** Of deleted ones that were not let go yet. */
  const leavingUids = new Map<ResourceKey, string>()
  const listeners = new Set<(change: Change) => void>()
  let version = 0

  function tell(change: Change): void {
    for (const listener of [...listeners]) listener(change)
  }

  function stamped<R extends AnyResource>(resource: R, before: Entry | undefined, key: ResourceKey): R {
    const { uid, generation = 0, creationTimestamp } = before?.resource.metadata ?? {}
    const uidNow = uid ?? keptUids.get(key) ?? leavingUids.get(key) ?? uidFor(key)
    const isChanged = !before || !isDeepStrictEqual(specOf(resource), specOf(before.resource))
    return {
      ...resource,
      metadata: {
        ...resource.metadata,
        uid: uidNow,
        generation: isChanged ? generation + 1 : generation,
        creationTimestamp: creationTimestamp ?? formatSeconds(createdAtOf(uidNow) ?? wallMs()),
        resourceVersion: String(++version),
      },
    }
  }

  return {
    get: (key) => entries.get(key),
    list: () => entries.values(),
    get version() {
      return version
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    put(resource, origin) {
      const key = keyOfResource(resource)
      const before = entries.get(key)
      if (before && isSame(resource, before.resource)) {
        // Where it stands is for people: nobody is told when it stands a line lower.
        const there = before.origin === origin ? before : { ...before, origin }
        entries.set(key, there)
        return there
      }
      const entry: Entry = { key, resource: stamped(resource, before, key), status: before?.status, origin }
      entries.set(key, entry)
      leavingUids.delete(key)
      tell(before ? { type: 'MODIFIED', entry, before } : { type: 'ADDED', entry })
      return entry
    },

    delete(key) {
      const entry = entries.get(key)
      if (!entry) return
      entries.delete(key)
      if (entry.resource.metadata.uid !== undefined) leavingUids.set(key, entry.resource.metadata.uid)
      version++
      tell({ type: 'DELETED', entry })
    },

    letGo: (key) => void leavingUids.delete(key),

    setStatus(key, status) {
      const before = entries.get(key)
      if (!before || isDeepStrictEqual(before.status, status)) return
      const { metadata } = before.resource
      const resource = { ...before.resource, metadata: { ...metadata, resourceVersion: String(++version) } }
      const entry: Entry = { ...before, resource, status }
      entries.set(key, entry)
      tell({ type: 'MODIFIED', entry, before })
    },

    keepUid: (key, uid) => void keptUids.set(key, uid),
    forgetUid: (key) => void keptUids.delete(key),
  }
}

/** All that a user writes but metadata: `spec`, or the data of a ConfigMap. */
function specOf({ apiVersion: _version, kind: _kind, metadata: _metadata, ...rest }: AnyResource): unknown {
  return rest
}

/** Whether a manifest says what is stored, but for what the store itself wrote. */
function isSame(manifest: AnyResource, stored: AnyResource): boolean {
  const { labels, annotations, ownerReferences, finalizers } = stored.metadata
  const { metadata } = manifest
  return (
    manifest.apiVersion === stored.apiVersion &&
    isDeepStrictEqual(
      [metadata.labels, metadata.annotations, metadata.ownerReferences, metadata.finalizers],
      [labels, annotations, ownerReferences, finalizers],
    ) &&
    isDeepStrictEqual(specOf(manifest), specOf(stored))
  )
}
