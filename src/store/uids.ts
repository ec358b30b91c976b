// Uids of resources across restarts: logs and cursors belong to them, so the same name must get the same one.
import type { Values } from '../core/values.ts'
import type { ResourceKey, ResourceStore } from './resource-store.ts'

export interface Uids {
  /** Resolves once every uid given out by now is stored: nothing may be kept under one before. Rejects when it cannot be. */
  saved(): Promise<void>
  /** The resource is gone, and nothing is left of it: the next of its name is another. */
  forget(key: ResourceKey): void
  /** Keys that were known when it was opened and are no resource's. */
  orphans(): readonly { readonly key: ResourceKey; readonly uid: string }[]
}

const PREFIX = 'uid/'

/** By uid, whose it is, of what a data directory's values say. */
export function keysByUid(values: Iterable<readonly [key: string, value: string]>): Map<string, ResourceKey> {
  const keys = new Map<string, ResourceKey>()
  for (const [key, uid] of values) if (key.startsWith(PREFIX)) keys.set(uid, key.slice(PREFIX.length))
  return keys
}

/** Gives the resources that come into `resources` from now on the uids that they had. */
export function openUids(values: Values, resources: ResourceStore): Uids {
  const uids = new Map<ResourceKey, string>()
  for (const [key, uid] of values.entries(PREFIX)) uids.set(key.slice(PREFIX.length), uid)
  for (const [key, uid] of uids) resources.keepUid(key, uid)
  const before = [...uids.keys()]
  const unsaved = new Set<ResourceKey>()
  let saving: Promise<void> | undefined

  function set(key: ResourceKey, uid: string | undefined): void {
    if (uids.get(key) === uid) return
    if (uid === undefined) uids.delete(key)
    else uids.set(key, uid)
    unsaved.add(key)
  }

  async function save(): Promise<void> {
    const keys = [...unsaved]
    unsaved.clear()
    const outcomes = await Promise.allSettled(keys.map(store))
    saving = undefined
    const failures = outcomes.flatMap((outcome, at) => {
      if (outcome.status === 'fulfilled') return []
      unsaved.add(keys[at] as ResourceKey)
      return [outcome.reason]
    })
    if (failures.length > 0) throw failures[0]
  }

  function store(key: ResourceKey): Promise<void> {
    const uid = uids.get(key)
    return uid === undefined ? values.delete(PREFIX + key) : values.put(PREFIX + key, uid)
  }

  resources.onChange(({ type, entry }) => {
    if (type === 'ADDED') set(entry.key, entry.resource.metadata.uid)
  })

  return {
    async saved() {
      // What is being saved may have begun before the last uid was given out.
      while (unsaved.size > 0 || saving) {
        saving ??= save()
        await saving
      }
    },
    forget: (key) => set(key, undefined),
    orphans: () =>
      before.flatMap((key) => {
        const uid = uids.get(key)
        return uid === undefined || resources.get(key) ? [] : [{ key, uid }]
      }),
  }
}
