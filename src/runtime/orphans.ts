// What was kept for resources that are no longer there when the process starts: as if they had been deleted then. It waits
// for them to come back for as long as after any deletion.
import type { Timer } from '../core/clock.ts'
import { kindOf, nameOf, type ResourceKey } from '../store/resource-store.ts'
import type { Cursors } from './cursors.ts'
import { forgetFired } from './fired-times.ts'
import type { HubStores } from './hub-stores.ts'
import type { Hubs } from './hubs.ts'
import type { Reruns } from './reruns.ts'
import type { World } from './world.ts'

/** Gives up what is nobody's after `retention.deleted`. */
export function startOrphans(
  world: World & { readonly stores: HubStores },
  hubs: Hubs,
  cursors: Cursors,
  reruns: Reruns,
): { stop(): void } {
  const { resources, clock, logger, settings, values, stores } = world
  const orphans = world.uids.orphans()
  if (orphans.length === 0) return { stop: () => undefined }
  const { deletedMs } = settings.retention
  let isStopped = false
  const until = new Date(clock.wall() + deletedMs).toISOString()
  const names = orphans.filter(mayHaveLeft).map(({ key }) => nameOf(key))
  if (names.length > 0) {
    logger.warn(
      { resources: names.slice(0, MOST_NAMED), count: names.length, until },
      'no manifest has these any more: what waits for them is kept for when they come back',
    )
  }

  // A source that comes back starts anew, as after any deletion.
  for (const { key } of orphans) {
    forgetFired(values, key).catch((error: unknown) =>
      logger.warn({ err: error, resource: key }, 'it was not forgotten'),
    )
  }

  /** Of others only the uid was kept. */
  function mayHaveLeft({ key, uid }: Orphan): boolean {
    return stores.mayHaveKept(uid) && WITH_EVENTS.includes(kindOf(key))
  }

  async function giveUp(all: readonly Orphan[]): Promise<void> {
    const later: Orphan[] = []
    for (const orphan of all) {
      const { key, uid } = orphan
      if (resources.get(key)) continue
      // In a log that is not open its cursor would stay, and hold the log for ever.
      if (READERS.includes(kindOf(key)) && !hubs.areOpen()) {
        later.push(orphan)
        continue
      }
      try {
        await forget(key, uid)
        if (mayHaveLeft(orphan)) logger.error({ resource: key }, 'gone for too long: what it had left is given up')
      } catch (error) {
        logger.error({ err: error, resource: key }, 'gone for too long, and what it had left could not be given up')
        later.push(orphan)
      }
    }
    if (later.length > 0 && !isStopped) timer = clock.after(AGAIN_MS, () => void giveUp(later))
  }

  async function forget(key: ResourceKey, uid: string): Promise<void> {
    resources.forgetUid(key)
    await reruns.forget(key)
    await hubs.removeUnopened(key, uid)
    // A cursor is in one of these; to the others it is unknown.
    for (const hub of hubs.all()) await hub.channel.unsubscribe(uid)
    await cursors.forget(key)
  }

  let timer: Timer = clock.after(deletedMs, () => void giveUp(orphans))
  return {
    stop() {
      isStopped = true
      timer.cancel()
    },
  }
}

type Orphan = ReturnType<World['uids']['orphans']>[number]

const MOST_NAMED = 20
/** What could not be given up: its log is not open, or its cluster away. */
const AGAIN_MS = 60_000
const READERS = ['Trigger', 'Subscription']
const WITH_EVENTS = [
  ...['Broker', 'InMemoryChannel', 'KafkaChannel', 'Trigger', 'Subscription', 'PingSource', 'CronJobSource'],
]
