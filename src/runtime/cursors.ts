// The cursors of Triggers, Subscriptions and sources in the logs that they read: placed, changed and dropped as their
// resources come, change and go.
import { isDeepStrictEqual } from 'node:util'
import type { OpenBroker } from '../broker/broker.ts'
import type { SubscriptionSpec, SubscriptionStatus } from '../channel/subscription.ts'
import type { Timer } from '../core/clock.ts'
import type { ResourceKey } from '../store/resource-store.ts'
import type { World } from './world.ts'

export interface Wanted {
  readonly uid: string
  readonly hub: OpenBroker
  /** What `filter` was compiled from: compiled ones cannot be compared. */
  readonly filterSource: unknown
  /** `deliver` is taken from the first spec that is placed: it is to ask for what may change. */
  readonly spec: SubscriptionSpec
}

export interface Cursors {
  /** Makes the cursor of this resource so. Nothing sent after it resolved is missed. Idempotent. */
  place(key: ResourceKey, wanted: Wanted): Promise<void>
  /** Its log is away: nothing is handed out until it is placed again. */
  hold(key: ResourceKey, reason: string): void
  /** The resource is gone. What it has not settled is kept for a while, as `Hubs` keeps logs. Idempotent. */
  delete(key: ResourceKey): Promise<void>
  status(key: ResourceKey): SubscriptionStatus | undefined
  /** False when there is none. */
  setPaused(key: ResourceKey, paused: boolean): boolean
  close(): void
}

interface Placed extends Wanted {
  /** Runs while the resource is deleted. */
  readonly ends: Timer | undefined
}

export function createCursors(world: Pick<World, 'settings' | 'clock' | 'logger' | 'resources'>): Cursors {
  const { settings, clock, logger, resources } = world
  const cursors = new Map<ResourceKey, Placed>()

  async function drop(key: ResourceKey, { uid, hub }: Placed): Promise<void> {
    cursors.delete(key)
    // A log that is gone has no cursors.
    await hub.channel.unsubscribe(uid).catch(() => undefined)
  }

  function change(key: ResourceKey, placed: Placed, wanted: Wanted, ends: Timer | undefined): void {
    placed.ends?.cancel()
    const spec = { ...wanted.spec, deliver: placed.spec.deliver }
    cursors.set(key, { ...wanted, spec, ends })
    if (!isSame(placed, wanted)) placed.hub.channel.change(placed.uid, spec)
  }

  function keep(key: ResourceKey, placed: Placed, unsettled: number): void {
    const { deletedMs } = settings.retention
    resources.keepUid(key, placed.uid)
    const ends = clock.after(deletedMs, () => {
      resources.forgetUid(key)
      logger.error({ resource: key, unsettled }, 'deleted for too long: what it had not settled is given up')
      void drop(key, placed)
    })
    change(key, placed, { ...placed, spec: { ...placed.spec, held: 'it was deleted' } }, ends)
  }

  return {
    async place(key, wanted) {
      const placed = cursors.get(key)
      if (placed && placed.uid === wanted.uid && placed.hub === wanted.hub) {
        if (placed.ends) resources.forgetUid(key)
        return change(key, placed, wanted, undefined)
      }
      placed?.ends?.cancel()
      if (placed) await drop(key, placed)
      await wanted.hub.channel.subscribe(wanted.uid, wanted.spec)
      cursors.set(key, { ...wanted, ends: undefined })
    },

    hold(key, reason) {
      const placed = cursors.get(key)
      if (placed) change(key, placed, { ...placed, spec: { ...placed.spec, held: reason } }, placed.ends)
    },

    async delete(key) {
      const placed = cursors.get(key)
      if (!placed || placed.ends) return
      const status = placed.hub.channel.subscription(placed.uid)
      const unsettled = status ? unsettledOf(status) : 0
      if (unsettled > 0 && settings.retention.deletedMs > 0) keep(key, placed, unsettled)
      else await drop(key, placed)
    },

    status(key) {
      const placed = cursors.get(key)
      return placed?.hub.channel.subscription(placed.uid)
    },

    setPaused(key, paused) {
      const placed = cursors.get(key)
      if (!placed || placed.ends) return false
      if (paused) placed.hub.channel.pause(placed.uid)
      else placed.hub.channel.resume(placed.uid)
      return true
    },

    close() {
      for (const { ends } of cursors.values()) ends?.cancel()
    },
  }
}

/** What was published for it and is not settled; where that is not known, what it has not read. */
function unsettledOf({ unsettled, behind, exact, unread }: SubscriptionStatus): number {
  return unsettled + (exact ? behind : Math.max(behind, unread))
}

function isSame(a: Wanted, b: Wanted): boolean {
  return (
    a.spec.ordered === b.spec.ordered &&
    a.spec.held === b.spec.held &&
    a.spec.maxInFlight === b.spec.maxInFlight &&
    a.spec.maxUnsettled === b.spec.maxUnsettled &&
    isDeepStrictEqual(a.filterSource, b.filterSource)
  )
}
