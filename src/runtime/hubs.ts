// The open logs of Brokers, Channels and sources: opened when their resource appears, and kept for a while after it was
// deleted with events that somebody still waits for, so that the same name coming back goes on where it stood.
import { logRefsOf, type OpenBroker, openBroker } from '../broker/broker.ts'
import { Budget } from '../core/budget.ts'
import type { Timer } from '../core/clock.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { type Entry, kindOf, type ResourceKey } from '../store/resource-store.ts'
import type { KeptHub } from './problems.ts'
import { deadLetterConfigOf, logConfigOf } from './retention.ts'
import { uidOf, type World } from './world.ts'

export interface Hubs {
  /** Of a resource that is there and was reconciled. */
  get(key: ResourceKey): OpenBroker | undefined
  /** Opens what this resource owns, or takes it back, with what its annotations say now. Idempotent. */
  open(entry: Entry): Promise<OpenBroker>
  /** The resource is gone: closes and removes its logs, at once when nothing waits in them. Idempotent. */
  delete(key: ResourceKey): Promise<void>
  /** Removes the logs of a resource that was here in an earlier run, and is not. Idempotent. */
  removeUnopened(key: ResourceKey, uid: string): Promise<void>
  /** Takes up the lanes of those opened since: the subscriptions that are known are placed by now. */
  startNew(): void
  /** Those of resources of a kind that are there. */
  live(kind: string): Iterable<OpenBroker>
  /** Of all resources that are there. */
  entries(): Iterable<readonly [key: ResourceKey, hub: OpenBroker]>
  /** Those of deleted ones that are kept. */
  kept(): Iterable<KeptHub>
  /** All of them. */
  all(): readonly OpenBroker[]
  /** Told of all that is opened or removed from now on. */
  onChange(listener: HubsListener): void
  /** Stops waiting for the ends of what is kept. */
  close(): void
}

export interface HubsListener {
  /** `get` has it now; it may have been kept, or be new. */
  opened(key: ResourceKey, uid: string): void
  /** The logs that were this key's and uid's are gone for good. */
  removed(key: ResourceKey, uid: string): void
}

/** A new log takes events after so long at the latest. */
const START_MS = 1_000

interface Kept extends KeptHub {
  readonly timer: Timer
}

export function createHubs(world: Omit<World, 'client' | 'accept'>): Hubs {
  const { settings, clock, logger, resources, logs, uids, budget } = world
  const live = new Map<ResourceKey, OpenBroker>()
  const kept = new Map<ResourceKey, Kept>()
  /** With what starts them at the latest. */
  const unstarted = new Map<OpenBroker, Timer | undefined>()
  const namespaces = new Map<string, Budget>()
  const listeners: HubsListener[] = []
  let isServing = false

  function budgetOf(namespace: string): Budget {
    const ofNamespace = namespaces.get(namespace) ?? new Budget(settings.memory.namespaceBudgetBytes, budget)
    namespaces.set(namespace, ofNamespace)
    return new Budget(settings.memory.brokerBudgetBytes, ofNamespace)
  }

  async function openNew(entry: Entry): Promise<OpenBroker> {
    const { resource } = entry
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    await uids.saved()
    const hub = await openBroker({
      uid: uidOf(entry),
      namespace,
      name,
      logName: logNameOf(entry.key),
      store: logs,
      clock,
      budget: budgetOf(namespace),
      log: logConfigOf(settings, resource),
      deadLetterLog: deadLetterConfigOf(settings),
      channel: {
        saveIntervalMs: settings.channel.saveIntervalMs,
        saveBytes: settings.channel.memory.capBytes / 64,
        subscriptionBytes: settings.memory.subscriptionBudgetBytes,
      },
      onFault: (what, error) =>
        logger.warn({ namespace, kind: resource.kind, name, err: error }, `cannot ${what}; trying again`),
    })
    // While much else is being reconciled it is not kept waiting for the end of it all. At the start it is: cursors that
    // nobody has claimed yet would count as having passed what is read, or hold it for nobody.
    unstarted.set(hub, isServing ? clock.after(START_MS, () => start(hub)) : undefined)
    return hub
  }

  function start(hub: OpenBroker): void {
    unstarted.get(hub)?.cancel()
    unstarted.delete(hub)
    hub.start()
  }

  async function remove(key: ResourceKey, hub: OpenBroker): Promise<void> {
    unstarted.get(hub)?.cancel()
    unstarted.delete(hub)
    await hub.close(0)
    await removeLogs(key, hub.uid)
    // After the logs: a name whose uid is forgotten must not find them.
    if (resources.get(key)) return
    uids.forget(key)
    await uids.saved()
  }

  async function removeLogs(key: ResourceKey, uid: string): Promise<void> {
    const { events, deadLetters } = logRefsOf(uid, logNameOf(key))
    await logs.remove(events)
    await logs.remove(deadLetters)
    for (const { removed } of listeners) removed(key, uid)
  }

  function keep(key: ResourceKey, hub: OpenBroker): void {
    const { deletedMs } = settings.retention
    const untilMs = clock.wall() + deletedMs
    const timer = clock.after(deletedMs, () => {
      kept.delete(key)
      resources.forgetUid(key)
      logger.error({ resource: key, waiting: hub.left() }, 'deleted for too long: its events are gone')
      void remove(key, hub).catch((error: unknown) =>
        logger.error({ err: error, resource: key }, 'a log was not removed'),
      )
    })
    kept.set(key, { hub, untilMs, timer })
    resources.keepUid(key, hub.uid)
    const until = new Date(untilMs).toISOString()
    logger.warn(
      { resource: key, waiting: hub.left(), until },
      'deleted while events wait: they are kept for when it comes back',
    )
  }

  return {
    get: (key) => live.get(key),

    async open(entry) {
      const { key } = entry
      const known = live.get(key)
      if (known?.uid === uidOf(entry)) {
        resources.forgetUid(key)
        await known.configure(logConfigOf(settings, entry.resource))
        return known
      }
      const before = kept.get(key)
      before?.timer.cancel()
      kept.delete(key)
      resources.forgetUid(key)
      const hub = before?.hub.uid === uidOf(entry) ? before.hub : await openNew(entry)
      await hub.configure(logConfigOf(settings, entry.resource))
      live.set(key, hub)
      for (const { opened } of listeners) opened(key, hub.uid)
      return hub
    },

    async delete(key) {
      const hub = live.get(key)
      if (!hub) return
      live.delete(key)
      const isEmpty = await hub.retire()
      if (isEmpty || settings.retention.deletedMs === 0) await remove(key, hub)
      else keep(key, hub)
    },

    removeUnopened: removeLogs,

    startNew() {
      for (const hub of [...unstarted.keys()]) start(hub)
      isServing = true
    },

    *live(kind) {
      for (const [key, hub] of live) if (kindOf(key) === kind) yield hub
    },
    entries: () => live.entries(),
    kept: () => kept.values(),
    all: () => [...live.values(), ...[...kept.values()].map(({ hub }) => hub)],
    onChange: (listener) => void listeners.push(listener),
    close() {
      for (const { timer } of kept.values()) timer.cancel()
      for (const timer of unstarted.values()) timer?.cancel()
    },
  }
}

/** A Broker's is `namespace/name`; others have their kind before it. */
function logNameOf(key: ResourceKey): string {
  const [group, kind, namespace, name] = key.split('/')
  if (kind === 'Broker') return `${namespace}/${name}`
  return [kind === 'CronJobSource' ? group : '', kind, namespace, name].filter(Boolean).join('/')
}
