// The open logs of Brokers, Channels and sources: opened when their resource appears, and kept for a while after it was
// deleted with events that somebody still waits for, so that the same name coming back goes on where it stood.
import { type OpenBroker, openBroker } from '../broker/broker.ts'
import { type IngressTarget, newIngressStats } from '../broker/ingress.ts'
import { createRecentEvents } from '../channel/recent-events.ts'
import { Budget } from '../core/budget.ts'
import type { Timer } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { type Entry, kindOf, type ResourceKey } from '../store/resource-store.ts'
import { createHubRemoval, logNameOf } from './hub-removal.ts'
import type { HubStore, HubStores } from './hub-stores.ts'
import { createHubTroubles } from './hub-troubles.ts'
import { clusterId } from './kafka-clusters.ts'
import type { KafkaPlace, Place } from './kafka-places.ts'
import { createOpenings } from './openings.ts'
import type { KeptHub } from './problems.ts'
import type { Look } from './reconcile.ts'
import { deadLetterConfigOf, logConfigOf } from './retention.ts'
import { uidOf, type World } from './world.ts'

export interface Hubs {
  /** Of a resource that is there and was reconciled. */
  get(key: ResourceKey): OpenBroker | undefined
  /** What its door writes to: while its log is being opened, what says so. */
  target(key: ResourceKey): IngressTarget | undefined
  /**
   * Opens what this resource owns, or takes it back, with what its annotations say now. Idempotent. A Kafka cluster is not
   * waited for: the resource is reconciled again once there is news.
   */
  open(entry: Entry, look: Look): Promise<OpenedHub>
  /** The resource is gone: closes and removes its logs, at once when nothing waits in them. Idempotent. */
  delete(key: ResourceKey): Promise<void>
  /** Removes the logs of a resource that was here in an earlier run, and is not. Idempotent. */
  removeUnopened(key: ResourceKey, uid: string): Promise<void>
  /** An event was refused at its door. */
  failed(target: IngressTarget, error: unknown): void
  /** Takes up the lanes of those opened since: the subscriptions that are known are placed by now. */
  startNew(): void
  /** Whether all that are there are open. */
  areOpen(): boolean
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

export type OpenedHub =
  | { readonly kind: 'open'; readonly hub: OpenBroker; readonly place: KafkaPlace | undefined }
  | { readonly kind: 'opening'; readonly place: KafkaPlace }
  /** It is tried again. */
  | { readonly kind: 'failed'; readonly place: KafkaPlace; readonly error: unknown }
  /** It cannot be told where it is: in upstream's words, and in ours. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }

export interface HubsListener {
  /** `get` has it now; it may have been kept, or be new. */
  opened(key: ResourceKey, uid: string): void
  /** The logs that were this key's and uid's are gone for good. */
  removed(key: ResourceKey, uid: string): void
}

/** A new log takes events after so long at the latest. */
const START_MS = 1_000

/** What runs may end before a log is opened as another user, or in another cluster. */
const REOPEN_DRAIN_MS = 5_000
const OWN = 'own'

interface Kept extends KeptHub {
  readonly timer: Timer
}

/** Where an open one's logs are. */
interface Held extends HubStore {
  readonly id: string
  readonly place: KafkaPlace | undefined
}

export type HubsWorld = Omit<World, 'client' | 'accept' | 'attempts'> & { readonly stores: HubStores }

export function createHubs(world: HubsWorld, again: (key: ResourceKey) => void): Hubs {
  const { settings, clock, logger, resources, stores, uids, budget } = world
  const live = new Map<ResourceKey, OpenBroker>()
  const kept = new Map<ResourceKey, Kept>()
  const held = new WeakMap<OpenBroker, Held>()
  /** Uids of those that are there and not open. */
  const waiting = new Map<ResourceKey, string>()
  /** Of these, whose logs are LOG_LOST. */
  const lost = new Set<ResourceKey>()
  /** With what starts them at the latest. */
  const unstarted = new Map<OpenBroker, Timer | undefined>()
  const namespaces = new Map<string, Budget>()
  const listeners: HubsListener[] = []
  let isServing = false
  const recent = createRecentEvents(settings.explain.recentEvents)
  const troubles = createHubTroubles<OpenBroker>(clock, (hub) => {
    for (const [key, one] of live) if (one === hub) again(key)
  })
  const removal = createHubRemoval({
    ...world,
    onRemoved(key, uid) {
      for (const { removed } of listeners) removed(key, uid)
    },
  })
  const openings = createOpenings<OpenBroker>({
    clock,
    onChange: again,
    onFailure: (key, error) => logger.warn({ resource: key, err: error }, 'its log cannot be opened; trying again'),
    letGo: (hub) => void end(hub, 0),
  })

  function budgetOf(namespace: string): Budget {
    const ofNamespace = namespaces.get(namespace) ?? new Budget(settings.memory.namespaceBudgetBytes, budget)
    namespaces.set(namespace, ofNamespace)
    return new Budget(settings.memory.brokerBudgetBytes, ofNamespace)
  }

  async function openIn(entry: Entry, where: Held): Promise<OpenBroker> {
    const { resource } = entry
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    const { backend } = where.store.traits
    await uids.saved()
    let opened: OpenBroker | undefined
    opened = await openBroker({
      uid: uidOf(entry),
      namespace,
      name,
      logName: logNameOf(entry.key),
      store: where.store,
      clock,
      budget: budgetOf(namespace),
      log: logConfigOf(settings, resource, backend),
      deadLetterLog: deadLetterConfigOf(settings, backend),
      recent,
      channel: {
        saveIntervalMs: settings.channel.saveIntervalMs,
        saveBytes: settings.channel.memory.capBytes / 64,
        subscriptionBytes: settings.memory.subscriptionBudgetBytes,
      },
      onFault(what, error) {
        logger.warn({ namespace, kind: resource.kind, name, err: error }, `cannot ${what}; trying again`)
        if (opened) troubles.note(opened, error)
      },
    })
    held.set(opened, where)
    return opened
  }

  async function openInCluster(entry: Entry, place: KafkaPlace): Promise<OpenBroker> {
    const { store, give } = await stores.take(uidOf(entry), place)
    try {
      return await openIn(entry, { store, give, id: idOf(place), place })
    } catch (error) {
      give()
      throw error
    }
  }

  /** Its logs stay where they are. */
  async function end(hub: OpenBroker, drainMs: number): Promise<void> {
    troubles.forget(hub)
    unstarted.get(hub)?.cancel()
    unstarted.delete(hub)
    await hub.close(drainMs)
    held.get(hub)?.give()
  }

  function start(hub: OpenBroker): void {
    unstarted.get(hub)?.cancel()
    unstarted.delete(hub)
    hub.start()
  }

  async function remove(key: ResourceKey, hub: OpenBroker): Promise<void> {
    const where = held.get(hub) ?? stores.own()
    troubles.forget(hub)
    unstarted.get(hub)?.cancel()
    unstarted.delete(hub)
    await hub.close(0)
    await removal.remove(key, hub.uid, where, held.get(hub)?.place !== undefined)
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

  /** What is open of it already. One that is open elsewhere, or as somebody else, is closed. */
  async function openAlready(key: ResourceKey, uid: string, id: string): Promise<OpenBroker | undefined> {
    const known = live.get(key) ?? kept.get(key)?.hub
    kept.get(key)?.timer.cancel()
    kept.delete(key)
    if (known?.uid !== uid) return undefined
    if (held.get(known)?.id === id) return known
    live.delete(key)
    await end(known, REOPEN_DRAIN_MS)
    return undefined
  }

  async function openOwn(entry: Entry): Promise<OpenBroker> {
    const hub = await openIn(entry, { ...stores.own(), id: OWN, place: undefined })
    // While much else is being reconciled it is not kept waiting for the end of it all. At the start it is: cursors that
    // nobody has claimed yet would count as having passed what is read, or hold it for nobody.
    unstarted.set(hub, isServing ? clock.after(START_MS, () => start(hub)) : undefined)
    return hub
  }

  async function takeUp(entry: Entry, hub: OpenBroker): Promise<OpenedHub> {
    const { key, resource } = entry
    const place = held.get(hub)?.place
    resources.forgetUid(key)
    waiting.delete(key)
    lost.delete(key)
    await hub.configure(logConfigOf(settings, resource, backendOf(hub)))
    if (live.get(key) !== hub) {
      live.set(key, hub)
      for (const { opened } of listeners) opened(key, hub.uid)
    }
    const trouble = troubles.of(hub)
    return trouble && place ? { kind: 'failed', place, error: trouble } : { kind: 'open', hub, place }
  }

  const backendOf = (hub: OpenBroker): string => (held.get(hub) ?? stores.own()).store.traits.backend

  return {
    get: (key) => live.get(key),
    target: (key) => live.get(key)?.target ?? (waiting.has(key) ? NOT_OPEN : undefined),

    async open(entry, look) {
      const { key } = entry
      const uid = uidOf(entry)
      const place = stores.placeOf(entry, look)
      if (place.kind === 'refused') {
        if (!live.has(key)) waiting.set(key, uid)
        return place
      }
      const id = idOf(place)
      const hub = await openAlready(key, uid, id)
      if (hub) return takeUp(entry, hub)
      if (place.kind === 'own') return takeUp(entry, await openOwn(entry))
      // What is made is made as the ConfigMap says now: one that was mended begins anew.
      const attempt = `${uid} ${id} ${JSON.stringify([place.events, place.cluster.replicationFactor])}`
      const opening = openings.take(key, attempt, () => openInCluster(entry, place))
      if (opening.kind !== 'open') {
        waiting.set(key, uid)
        if (opening.kind === 'failed' && codeOf(opening.error) === 'LOG_LOST') lost.add(key)
        return { ...opening, place }
      }
      // It starts once all that is to be reconciled is, those who read it among that.
      unstarted.set(opening.value, undefined)
      return takeUp(entry, opening.value)
    },

    async delete(key) {
      openings.end(key)
      const unopened = waiting.get(key)
      waiting.delete(key)
      const hub = live.get(key)
      if (!hub) {
        const wasLost = lost.delete(key)
        if (unopened === undefined || resources.get(key)) return
        // What it may have in a cluster is still its own when it comes back; what is lost begins anew.
        if (wasLost) await removal.removeLost(key, unopened)
        else resources.keepUid(key, unopened)
        return
      }
      live.delete(key)
      if (troubles.isLost(hub)) {
        await end(hub, 0)
        await removal.removeLost(key, hub.uid)
      } else if (await hub.retire({ keepsWhatIsLeft: settings.retention.deletedMs > 0 })) await remove(key, hub)
      else keep(key, hub)
    },

    removeUnopened: removal.removeUnopened,

    failed(target, error) {
      for (const hub of live.values()) if (hub.target === target) troubles.note(hub, error)
    },

    startNew() {
      for (const hub of [...unstarted.keys()]) start(hub)
      isServing = true
    },

    areOpen: () => waiting.size === 0,
    *live(kind) {
      for (const [key, hub] of live) if (kindOf(key) === kind) yield hub
    },
    entries: () => live.entries(),
    kept: () => kept.values(),
    all: () => [...live.values(), ...[...kept.values()].map(({ hub }) => hub)],
    onChange: (listener) => void listeners.push(listener),
    close() {
      openings.close()
      removal.stop()
      for (const { timer } of kept.values()) timer.cancel()
      for (const timer of unstarted.values()) timer?.cancel()
    },
  }
}

/** Of what is there and not open: a sender is told to come again. */
const NOT_OPEN: IngressTarget = {
  ready: false,
  stats: newIngressStats(),
  append: () => Promise.reject(new Error('its log is not open')),
}

function idOf(place: Exclude<Place, { kind: 'refused' }>): string {
  return place.kind === 'own' ? OWN : clusterId(place.cluster)
}
