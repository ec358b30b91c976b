// One resource at a time is made to be what its manifest says, whenever it or anything that it looked at changes. Who
// looked at what is noted while it is reconciled, so a reference that cannot be followed yet is taken up when its target
// appears, changes or goes. What reconciling means is each kind's matter.
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import type { Change, Entry, ResourceKey, ResourceStore } from '../store/resource-store.ts'

/** Finds another resource, and notes that whoever is being reconciled depends on it, be it there or not. */
export type Look = (key: ResourceKey) => Entry | undefined

export interface ReconcilerOptions {
  readonly resources: ReconcilerSource
  readonly clock: Clock
  readonly logger: Logger
  /** Lower ones come first: what others refer to, before those who refer to it. */
  readonly order: (key: ResourceKey) => number
  /** Called whenever nothing is left to be done. */
  readonly onIdle: () => void
  /** Makes it so. `entry` is undefined once the resource is gone. May be called again for what is so already. */
  readonly reconcile: (key: ResourceKey, entry: Entry | undefined, look: Look) => Promise<void> | void
}

export type ReconcilerSource = Pick<ResourceStore, 'get' | 'list' | 'onChange' | 'letGo'>

export interface Reconciler {
  /** Once more, although nothing changed: what it is made of besides resources may be other now. */
  again(key: ResourceKey): void
  /** Resolves when nothing is left to be done, failures that are tried again later aside. */
  settled(): Promise<void>
  /** Waits for what runs; nothing is begun after it. */
  close(): Promise<void>
}

/** Reconciled together; the event loop turns after each. */
const TOGETHER = 200
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 30_000

export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { resources, clock, logger, order, reconcile, onIdle } = options
  const queued = new Set<ResourceKey>()
  const dependencies = createDependencies()
  const failures = new Map<ResourceKey, number>()
  const retries = new Map<ResourceKey, Timer>()
  let running: Promise<void> | undefined
  let isClosed = false

  function enqueue(key: ResourceKey): void {
    if (isClosed) return
    queued.add(key)
    running ??= Promise.resolve().then(work)
  }

  async function work(): Promise<void> {
    while (queued.size > 0 && !isClosed) {
      await Promise.all(takeFirst().map(one))
      if (queued.size === 0) onIdle()
      await new Promise(setImmediate)
    }
    running = undefined
  }

  /** Some of those that come first now. */
  function takeFirst(): readonly ResourceKey[] {
    let first = Infinity
    let keys: ResourceKey[] = []
    for (const key of queued) {
      const place = order(key)
      if (place > first || (place === first && keys.length === TOGETHER)) continue
      if (place < first) keys = []
      first = place
      keys.push(key)
    }
    for (const key of keys) queued.delete(key)
    return keys
  }

  async function one(key: ResourceKey): Promise<void> {
    retries.get(key)?.cancel()
    retries.delete(key)
    const looked = new Set<ResourceKey>()
    const look: Look = (other) => {
      looked.add(other)
      dependencies.add(key, other) // at once: it may change while this one is still being reconciled
      return resources.get(other)
    }
    const entry = resources.get(key)
    if (!entry) resources.letGo(key)
    try {
      await reconcile(key, entry, look)
      failures.delete(key)
    } catch (error) {
      retryLater(key, error)
    }
    dependencies.keep(key, looked)
  }

  function retryLater(key: ResourceKey, error: unknown): void {
    const failed = failures.get(key) ?? 0
    failures.set(key, failed + 1)
    logger.error({ err: error, resource: key }, 'a resource could not be reconciled; trying again')
    if (isClosed) return
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** failed, LONGEST_RETRY_MS)
    retries.set(
      key,
      clock.after(delayMs, () => enqueue(key)),
    )
  }

  function onChange(change: Change): void {
    const { key } = change.entry
    const isStatusOnly = change.type === 'MODIFIED' && change.before.status !== change.entry.status
    if (!isStatusOnly) enqueue(key)
    for (const dependent of dependencies.on(key)) enqueue(dependent)
  }

  const stopListening = resources.onChange(onChange)
  for (const { key } of resources.list()) enqueue(key)

  return {
    again: enqueue,
    async settled() {
      while (running) await running
    },
    async close() {
      isClosed = true
      stopListening()
      for (const retry of retries.values()) retry.cancel()
      retries.clear()
      await running
    },
  }
}

/** Who depends on whom, both ways. */
function createDependencies() {
  const looked = new Map<ResourceKey, Set<ResourceKey>>()
  const dependents = new Map<ResourceKey, Set<ResourceKey>>()

  function addTo(map: Map<ResourceKey, Set<ResourceKey>>, key: ResourceKey, value: ResourceKey): void {
    const known = map.get(key)
    if (known) known.add(value)
    else map.set(key, new Set([value]))
  }
  function removeFrom(map: Map<ResourceKey, Set<ResourceKey>>, key: ResourceKey, value: ResourceKey): void {
    const known = map.get(key)
    known?.delete(value)
    if (known?.size === 0) map.delete(key)
  }

  return {
    on: (key: ResourceKey): Iterable<ResourceKey> => dependents.get(key) ?? [],
    add(key: ResourceKey, other: ResourceKey): void {
      addTo(looked, key, other)
      addTo(dependents, other, key)
    },
    /** Forgets all that `key` depends on but these. */
    keep(key: ResourceKey, others: ReadonlySet<ResourceKey>): void {
      for (const other of [...(looked.get(key) ?? [])]) {
        if (others.has(other)) continue
        removeFrom(looked, key, other)
        removeFrom(dependents, other, key)
      }
    },
  }
}
