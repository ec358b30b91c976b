// The end of the logs of a Broker, channel or source that is gone for good, wherever they are.
import { logRefsOf } from '../broker/broker.ts'
import type { Timer } from '../core/clock.ts'
import type { ResourceKey } from '../store/resource-store.ts'
import type { HubStore, HubStores } from './hub-stores.ts'
import type { World } from './world.ts'

export interface HubRemoval {
  /** Those of a hub that is closed; its store is given back. A cluster that is away is asked again, without being waited for. */
  remove(key: ResourceKey, uid: string, where: HubStore, isInCluster: boolean): Promise<void>
  /** Those that were left by an earlier run. Rejects when they cannot be reached. */
  removeUnopened(key: ResourceKey, uid: string): Promise<void>
  /** What is left of those that are LOG_LOST: the next resource of the key is another one. */
  removeLost(key: ResourceKey, uid: string): Promise<void>
  stop(): void
}

export interface HubRemovalOptions extends Pick<World, 'clock' | 'logger' | 'resources' | 'uids'> {
  readonly stores: HubStores
  readonly onRemoved: (key: ResourceKey, uid: string) => void
}

/** While a cluster does not let its topics be removed. After a restart it is asked again, too. */
const AGAIN_MS = 30_000

export function createHubRemoval(options: HubRemovalOptions): HubRemoval {
  const { clock, logger, resources, uids, stores, onRemoved } = options
  const timers = new Set<Timer>()

  async function removeLogs(store: HubStore['store'], key: ResourceKey, uid: string): Promise<void> {
    const { events, deadLetters } = logRefsOf(uid, logNameOf(key))
    await store.remove(events)
    await store.remove(deadLetters)
    await stores.forget(uid)
    onRemoved(key, uid)
  }

  async function remove(key: ResourceKey, uid: string, where: HubStore, isInCluster: boolean): Promise<void> {
    try {
      await removeLogs(where.store, key, uid)
    } catch (error) {
      if (!isInCluster) throw error
      logger.warn({ resource: key, err: error }, 'its topics could not be removed; trying again')
      return removeLater(key, uid, where)
    }
    where.give()
    // After the logs: a name whose uid is forgotten must not find them.
    if (!resources.get(key)) await forget(key)
  }

  function removeLater(key: ResourceKey, uid: string, where: HubStore): void {
    const timer: Timer = clock.after(AGAIN_MS, () => {
      timers.delete(timer)
      // In an installation it comes back with the uid that it had, and goes on with what is there.
      if (resources.get(key)?.resource.metadata.uid === uid) return where.give()
      remove(key, uid, where, true).catch((error: unknown) =>
        logger.error({ resource: key, err: error }, 'it was not forgotten'),
      )
    })
    timers.add(timer)
  }

  async function removeUnopened(key: ResourceKey, uid: string): Promise<void> {
    const where = await stores.before(uid, (other) => resources.get(other))
    if (!where) return
    try {
      await removeLogs(where.store, key, uid)
    } finally {
      where.give()
    }
  }

  async function forget(key: ResourceKey): Promise<void> {
    uids.forget(key)
    await uids.saved()
  }

  return {
    remove,
    removeUnopened,
    async removeLost(key, uid) {
      await removeUnopened(key, uid)
      await forget(key)
    },
    stop() {
      for (const timer of timers) timer.cancel()
    },
  }
}

/** A Broker's is `namespace/name`; others have their kind before it. */
export function logNameOf(key: ResourceKey): string {
  const [group, kind, namespace, name] = key.split('/')
  if (kind === 'Broker') return `${namespace}/${name}`
  return [kind === 'CronJobSource' ? group : '', kind, namespace, name].filter(Boolean).join('/')
}
