// Where events wait that nobody took: one more event log per broker, on the same backend. One subscription is its list: it
// is handed nothing, so what it has not settled is what waits, until somebody redrives or discards it. A redrive is one
// more subscription of the same log, which ends by itself.
import { type Channel, type ChannelOptions, openChannel } from '../channel/channel.ts'
import type { Unsettled } from '../channel/contents.ts'
import type { Entry, LaneId, LogConfig, LogRef, LogStore } from '../channel/log.ts'
import type { SubscriptionSpec } from '../channel/subscription.ts'
import { type Event, withAttributes } from '../core/event.ts'
import { createRoomWait, type Storer } from './room-wait.ts'

/** Names the subscription, as `namespace/name`, that the event failed for. An extension attribute. */
export const TRIGGER_ATTRIBUTE = 'tidingstrigger'
const LIST = 'list'
const EVERYTHING: SubscriptionSpec['filter'] = { matches: () => true, covers: [] }

export interface DeadLetterLogStatus {
  /** Events waiting for somebody to redrive or discard them. */
  readonly waiting: number
  /** Given up, because nobody had redriven or discarded them in time. */
  readonly expired: number
  readonly bytes: number
  readonly capBytes: number
  /** Whether a subscription is waiting for room right now (`DeadLetterLogFull`). */
  readonly isFull: boolean
}

export interface DeadLetterLog {
  /**
   * Resolves once the event is as durable as the backend makes it. Waits while the log is full or away, so nothing is
   * dropped; rejects when the storer's signal aborts, or with EVENT_TOO_LARGE or LOG_GONE: what is not kept then is the
   * caller's to hold on to.
   */
  keep(event: Event, trigger: string, storer: Storer): Promise<void>
  /** What waits, oldest first. */
  list(): AsyncIterable<Unsettled>
  /** Whether it waits still. */
  has(lane: LaneId, entry: Entry): boolean
  /** It was redriven. Stored with the next save. */
  settle(lane: LaneId, entry: Entry): void
  /** What is `wanted` waits no longer. Resolves with how many these were, once that is stored. */
  discard(wanted: (letter: Unsettled) => boolean): Promise<number>
  /** Its own: redrives are subscriptions of it. */
  readonly channel: Channel
  status(): DeadLetterLogStatus
  close(drainMs: number): Promise<void>
}

export interface DeadLetterLogOptions extends Omit<ChannelOptions, 'name' | 'log' | 'traits'> {
  readonly store: LogStore
  readonly ref: LogRef
  readonly config: LogConfig
}

export async function openDeadLetterLog(options: DeadLetterLogOptions): Promise<DeadLetterLog> {
  const { store, ref, config, clock } = options
  const log = await store.open(ref, config)
  const channel = openChannel({ ...options, name: ref.name, log, traits: store.traits })
  await channel.subscribe(
    LIST,
    {
      filter: EVERYTHING,
      ordered: false,
      maxInFlight: 1,
      maxUnsettled: 1,
      held: 'it is a list',
      deliver: ({ failed }) => failed(new Error('a list is handed nothing')),
    },
    'earliest',
  )
  channel.start()
  const room = createRoomWait(clock)

  return {
    async keep(event, trigger, storer) {
      const kept = {
        ...withAttributes(event, { ...event.attributes, [TRIGGER_ATTRIBUTE]: trigger }),
        arrivedAt: clock.wall(), // in this log: its age is how long nobody has cared for it
      }
      await room.store(storer, () => channel.send(kept, 'internal'))
    },
    list: () => channel.unsettled(LIST),
    has: (lane, { position }) => channel.standing(LIST, lane, position) !== 'settled',
    settle: (lane, entry) => channel.settle(LIST, lane, entry),
    discard: (wanted) => channel.skip(LIST, wanted),
    channel,
    status() {
      const { entries, bytes, capBytes } = log.size()
      // What left the list is still in the log, until all before it has left too.
      const waiting = Math.min(entries, channel.backlog(LIST))
      const expired = channel.subscription(LIST)?.stats.expired ?? 0
      return { waiting, expired, bytes, capBytes, isFull: room.waiting > 0 }
    },
    close: (drainMs) => channel.close({ drainMs }),
  }
}
