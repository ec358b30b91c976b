// The cursors of Triggers, Subscriptions and sources in the logs that they read: placed, changed and dropped as their
// resources come, change and go.
import { isDeepStrictEqual } from 'node:util'
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLog } from '../broker/dead-letter-log.ts'
import type { CursorStart } from '../channel/log.ts'
import { behindOf, type Deliver, type SubscriptionSpec, type SubscriptionStatus } from '../channel/subscription.ts'
import type { Timer } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { ResourceKey } from '../store/resource-store.ts'
import type { World } from './world.ts'

export interface Wanted {
  readonly uid: string
  readonly hub: OpenBroker
  /** What `filter` was compiled from: compiled ones cannot be compared. */
  readonly filterSource: unknown
  readonly spec: Omit<SubscriptionSpec, 'deliver'>
  /** Where a cursor begins that is not there yet; after all that is stored, unless it is given. */
  readonly start?: CursorStart
  /** Makes attempts that ask for what may change. What nobody takes is kept where it is told. */
  deliverTo(deadLetters: Pick<DeadLetterLog, 'keep'>): Deliver
}

/** A cursor, as those see it that hand its resource events from elsewhere. */
export interface Reader extends Wanted {
  /** Why nothing is to be attempted now. */
  readonly held: string | undefined
}

/** The cursor of a deleted resource, and when it is given up (epoch ms). */
export interface KeptCursor {
  readonly key: ResourceKey
  readonly id: string
  readonly unsettled: number
  readonly untilMs: number
}

export interface Cursors {
  /** Makes the cursor of this resource so. Nothing sent after it resolved is missed. Idempotent. */
  place(key: ResourceKey, wanted: Wanted): Promise<void>
  /** Its log is away: nothing is handed out until it is placed again. */
  hold(key: ResourceKey, reason: string): void
  /** The resource is gone. What it has not settled is kept for a while, as `Hubs` keeps logs. Idempotent. */
  delete(key: ResourceKey): Promise<void>
  status(key: ResourceKey): SubscriptionStatus | undefined
  /** Undefined when there is none. */
  reader(key: ResourceKey): Reader | undefined
  /** Told whenever `reader` may answer something else for this key. */
  onChange(listener: (key: ResourceKey) => void): void
  /** Those of deleted resources. */
  kept(): Iterable<KeptCursor>
  /**
   * Resolves to false when there is none. Stored when resolved, and holds until it is taken back, wherever the cursor goes.
   * Rejects when it cannot be stored, and nothing has changed then.
   */
  setPaused(key: ResourceKey, paused: boolean): Promise<boolean>
  /** Nothing is left of the resource that had this key. */
  forget(key: ResourceKey): Promise<void>
  close(): void
}

interface Placed extends Wanted {
  readonly deliver: Deliver
  /** Runs while the resource is deleted, until `untilMs`. */
  readonly ends: Timer | undefined
  readonly untilMs?: number
  /** Its `deliver` is of a resource that was deleted since. */
  readonly isStale: boolean
}

/** The value is the uid: a pause is not for whoever has the name later. */
const PAUSE = 'pause/'
const PAUSED = 'it is paused'

export function createCursors(
  world: Pick<World, 'settings' | 'clock' | 'logger' | 'resources' | 'uids' | 'values'>,
): Cursors {
  const { settings, clock, logger, resources, uids, values } = world
  const cursors = new Map<ResourceKey, Placed>()
  const listeners: ((key: ResourceKey) => void)[] = []

  function tell(key: ResourceKey): void {
    for (const listener of listeners) listener(key)
  }

  function isPaused(key: ResourceKey, uid: string): boolean {
    return values.get(PAUSE + key) === uid
  }

  async function forget(key: ResourceKey): Promise<void> {
    uids.forget(key)
    await Promise.all([uids.saved(), values.get(PAUSE + key) !== undefined && values.delete(PAUSE + key)])
  }

  async function drop(key: ResourceKey, { uid, hub }: Placed): Promise<void> {
    cursors.delete(key)
    tell(key)
    try {
      await hub.channel.unsubscribe(uid)
    } catch (error) {
      // A log that is gone has no cursors. One that stays has its uid kept, by which a later start finds and drops it.
      if (codeOf(error) !== 'LOG_GONE') return logger.error({ err: error, resource: key }, 'its cursor was not dropped')
    }
    if (resources.get(key)) return
    await forget(key).catch((error: unknown) => logger.error({ err: error, resource: key }, 'it was not forgotten'))
  }

  /** Nothing of a paused one is handed out before that is known. */
  async function subscribe(key: ResourceKey, placed: Placed): Promise<void> {
    const { channel } = placed.hub
    const [uid, spec] = [placed.uid, specOf(placed)]
    const wasPaused = isPaused(key, uid)
    await channel.subscribe(uid, wasPaused ? { ...spec, held: PAUSED } : spec, placed.start)
    if (isPaused(key, uid)) channel.pause(uid)
    if (wasPaused) channel.change(uid, spec)
  }

  function change(key: ResourceKey, placed: Placed, next: Placed): void {
    if (placed.ends !== next.ends) placed.ends?.cancel()
    cursors.set(key, next)
    if (isSame(placed, next)) return
    placed.hub.channel.change(placed.uid, specOf(next))
    tell(key)
  }

  function giveUp(key: ResourceKey, { ends, hub, uid }: Placed, why: string): void {
    ends?.cancel()
    resources.forgetUid(key)
    const status = hub.channel.subscription(uid)
    logger.error({ resource: key, unsettled: status ? unsettledOf(status) : 0 }, why)
  }

  function keep(key: ResourceKey, placed: Placed, unsettled: number): void {
    const { deletedMs } = settings.retention
    resources.keepUid(key, placed.uid)
    const ends = clock.after(deletedMs, () => {
      giveUp(key, placed, 'deleted for too long: what it had not settled is given up')
      void drop(key, placed)
    })
    const untilMs = clock.wall() + deletedMs
    change(key, placed, { ...placed, spec: { ...placed.spec, held: 'it was deleted' }, ends, untilMs, isStale: true })
    const until = new Date(untilMs).toISOString()
    logger.warn({ resource: key, unsettled, until }, 'deleted with events left: they are kept for when it comes back')
  }

  return {
    async place(key, wanted) {
      const placed = cursors.get(key)
      if (placed && placed.uid === wanted.uid && placed.hub === wanted.hub) {
        resources.forgetUid(key)
        const deliver = placed.isStale ? wanted.deliverTo(wanted.hub.deadLetters) : placed.deliver
        return change(key, placed, { ...wanted, deliver, ends: undefined, isStale: false })
      }
      if (placed?.ends)
        giveUp(key, placed, 'it came back with another log to read: what it had not settled is given up')
      // A log that was opened anew has its cursors still.
      const isSameLog = placed?.uid === wanted.uid && placed.hub.uid === wanted.hub.uid
      if (placed && !isSameLog) await drop(key, placed)
      await uids.saved()
      const deliver = wanted.deliverTo(wanted.hub.deadLetters)
      const next: Placed = { ...wanted, deliver, ends: undefined, isStale: false }
      await subscribe(key, next)
      cursors.set(key, next)
      tell(key)
    },

    hold(key, reason) {
      const placed = cursors.get(key)
      if (!placed) return
      if (placed.ends) resources.forgetUid(key) // it came back before its log did
      change(key, placed, { ...placed, spec: { ...placed.spec, held: reason }, ends: undefined })
    },

    async delete(key) {
      const placed = cursors.get(key)
      if (!placed || placed.ends) return
      const status = placed.hub.channel.subscription(placed.uid)
      const unsettled = status ? unsettledOf(status) : 0
      if (unsettled > 0 && settings.retention.deletedMs > 0) keep(key, placed, unsettled)
      else await drop(key, placed)
    },

    *kept() {
      for (const [key, { uid, hub, untilMs, ends }] of cursors) {
        const status = ends && hub.channel.subscription(uid)
        if (status && untilMs !== undefined) yield { key, id: uid, unsettled: unsettledOf(status), untilMs }
      }
    },

    status(key) {
      const placed = cursors.get(key)
      return placed?.hub.channel.subscription(placed.uid)
    },

    reader(key) {
      const placed = cursors.get(key)
      return placed && { ...placed, held: isPaused(key, placed.uid) ? PAUSED : placed.spec.held }
    },
    onChange: (listener) => void listeners.push(listener),

    async setPaused(key, isPaused) {
      const placed = cursors.get(key)
      if (!placed || placed.ends) return false
      if (isPaused) await values.put(PAUSE + key, placed.uid)
      else await values.delete(PAUSE + key)
      const now = cursors.get(key)
      if (now?.uid !== placed.uid) return true
      if (isPaused) now.hub.channel.pause(now.uid)
      else now.hub.channel.resume(now.uid)
      tell(key)
      return true
    },

    forget,

    close() {
      for (const { ends } of cursors.values()) ends?.cancel()
    },
  }
}

/** What was published for it and is not settled; where that is not known, what it has not read. */
function unsettledOf(status: SubscriptionStatus): number {
  return status.unsettled + behindOf(status)
}

function specOf({ spec, deliver }: Placed): SubscriptionSpec {
  return { ...spec, deliver }
}

function isSame(a: Placed, b: Placed): boolean {
  return (
    a.deliver === b.deliver &&
    a.spec.ordered === b.spec.ordered &&
    a.spec.held === b.spec.held &&
    a.spec.maxInFlight === b.spec.maxInFlight &&
    a.spec.maxUnsettled === b.spec.maxUnsettled &&
    isDeepStrictEqual(a.filterSource, b.filterSource)
  )
}
