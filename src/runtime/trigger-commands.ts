// What somebody may tell a Trigger to do with events that its broker's log has: be handed them again, or do without them.
import type { Channel } from '../channel/channel.ts'
import type { Event } from '../core/event.ts'
import { keyOf, type ResourceKey } from '../store/resource-store.ts'
import type { Cursors } from './cursors.ts'
import type { Reruns } from './reruns.ts'

export interface ReplayRequest {
  /** Arrival times, epoch ms. */
  readonly fromMs: number
  /** Up to now, unless it is given. */
  readonly untilMs?: number
  readonly ratePerSecond?: number
  /** Only tells what would be replayed. */
  readonly isDry: boolean
}

export interface Replayed {
  /** Null when it was only asked what would be, or there is nothing. */
  readonly id: string | null
  /** Events in the range that the Trigger's filter passes now. */
  readonly count: number
  /** When the oldest event that the log still has arrived, RFC 3339; null when it has none. */
  readonly oldestAt: string | null
}

export interface SkipRequest {
  /** Ids of events; all of them unless it is given. */
  readonly ids?: readonly string[]
  /** Only what arrived before, epoch ms. */
  readonly untilMs?: number
  /** Only tells how many would be skipped. */
  readonly isDry: boolean
}

export interface TriggerCommands {
  /** Undefined when there is no such Trigger, or it reads no log now. Rejects when the replay cannot be stored. */
  replay(namespace: string, name: string, request: ReplayRequest): Promise<Replayed | undefined>
  /** What it has not settled is not attempted any more, and counted as skipped. Undefined as above. */
  skip(namespace: string, name: string, request: SkipRequest): Promise<{ readonly count: number } | undefined>
}

export function createTriggerCommands(cursors: Cursors, reruns: Reruns): TriggerCommands {
  return {
    async replay(namespace, name, { fromMs, untilMs, ratePerSecond, isDry }) {
      const key = triggerKey(namespace, name)
      const reader = cursors.reader(key)
      if (!reader) return undefined
      const { channel } = reader.hub
      const from = await channel.positionsAt({ timeMs: fromMs })
      const until = await channel.positionsAt(untilMs === undefined ? 'now' : { timeMs: untilMs })
      let count = 0
      for await (const { entry } of channel.entries(from, until)) {
        if (reader.spec.filter.matches(entry.event.attributes)) count++
      }
      const range = { fromMs, ...(untilMs !== undefined && { untilMs }) }
      const id = isDry || count === 0 ? null : await reruns.replay(key, range, ratePerSecond)
      return { id, count, oldestAt: await oldestAt(channel) }
    },

    async skip(namespace, name, { ids, untilMs, isDry }) {
      const reader = cursors.reader(triggerKey(namespace, name))
      if (!reader) return undefined
      const { hub, uid } = reader
      const wanted = ids && new Set(ids)
      const isMeant = ({ attributes, arrivedAt }: Event): boolean =>
        (wanted === undefined || wanted.has(attributes['id'] ?? '')) && (untilMs === undefined || arrivedAt < untilMs)
      if (!isDry) {
        const options = { isStretch: wanted === undefined }
        return { count: await hub.channel.skip(uid, ({ entry }) => isMeant(entry.event), options) }
      }
      let count = 0
      for await (const { entry } of hub.channel.unsettled(uid)) if (isMeant(entry.event)) count++
      return { count }
    },
  }
}

function triggerKey(namespace: string, name: string): ResourceKey {
  return keyOf('eventing.knative.dev/v1', 'Trigger', namespace, name)
}

async function oldestAt(channel: Channel): Promise<string | null> {
  const [from, until] = await Promise.all([channel.positionsAt('earliest'), channel.positionsAt('now')])
  for await (const { entry } of channel.entries(from, until)) return new Date(entry.event.arrivedAt).toISOString()
  return null
}
