// An open broker (or channel, or source: all of them are this): its event log with the fan-out over it, its dead-letter log, and its node of the budget tree.
import { isDeepStrictEqual } from 'node:util'
import { type Channel, type ChannelSettings, openChannel } from '../channel/channel.ts'
import type { LogConfig, LogRef, LogStore, LogTraits, Room } from '../channel/log.ts'
import type { RecentEvents } from '../channel/recent-events.ts'
import { behindOf } from '../channel/subscription.ts'
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Event } from '../core/event.ts'
import { type DeadLetterLog, openDeadLetterLog } from './dead-letter-log.ts'
import { type IngressTarget, newIngressStats } from './ingress.ts'
import { RecentTypes } from './recent-types.ts'
import { createRoomWait, type RoomWait } from './room-wait.ts'

export interface BrokerOptions {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Of its log, for people and for backends: no two logs share one. */
  readonly logName: string
  readonly store: LogStore
  readonly clock: Clock
  readonly budget: Budget
  readonly log: LogConfig
  readonly deadLetterLog: LogConfig
  readonly channel: Partial<ChannelSettings>
  readonly recent?: RecentEvents
  readonly onFault: (what: string, error: unknown) => void
}

export interface OpenBroker {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Of the store that its logs are in. */
  readonly traits: LogTraits
  readonly channel: Channel
  readonly deadLetters: DeadLetterLog
  /** What the ingress and replies write to. */
  readonly target: IngressTarget
  /** What was stored lately. */
  readonly types: RecentTypes
  /** Where replies wait for room in its log. */
  readonly room: RoomWait
  /** Of its event log, as it is in force. */
  config(): LogConfig
  /** Applies at once. Idempotent. */
  configure(config: LogConfig): Promise<void>
  /** Takes up its lanes, and events from then on: the subscriptions that are known are placed by now. Idempotent. */
  start(): void
  /**
   * Takes no event from now on, unless any is left that is to be kept: one that somebody has not settled, or a dead letter.
   * Resolves with whether it ended so, once what was being stored is.
   */
  retire(options: { readonly keepsWhatIsLeft: boolean }): Promise<boolean>
  /** Events that somebody has not settled, and dead letters; at most that, where it is not known exactly. */
  left(): number
  /** Ends within `drainMs` and a second; only what runs is waited for. */
  close(drainMs: number): Promise<void>
}

/** What a broker of this uid opens; whoever removes it removes these. */
export function logRefsOf(uid: string, logName: string): { readonly events: LogRef; readonly deadLetters: LogRef } {
  return {
    events: { uid, name: logName },
    deadLetters: { uid: `${uid}-dead-letter`, name: `${logName}/dead-letter` },
  }
}

export async function openBroker(options: BrokerOptions): Promise<OpenBroker> {
  const { uid, namespace, name, logName, store, clock, budget } = options
  const logs = logRefsOf(uid, logName)
  const log = await store.open(logs.events, options.log)
  let config = options.log
  const shared = { clock, budget, settings: options.channel, onFault: options.onFault }
  const deadLetters = await openDeadLetterLog({
    ...shared,
    store,
    ref: logs.deadLetters,
    config: options.deadLetterLog,
  })
  const { recent } = options
  const channel = openChannel({ ...shared, name: logName, log, traits: store.traits, ...(recent && { recent }) })
  const types = new RecentTypes()
  const target = {
    ready: false,
    stats: newIngressStats(),
    types,
    append: (event: Event, room: Room) => channel.send(event, room),
  }
  return {
    uid,
    namespace,
    name,
    traits: store.traits,
    channel,
    deadLetters,
    target,
    types,
    room: createRoomWait(clock),
    config: () => config,
    async configure(next) {
      if (isDeepStrictEqual(config, next)) return
      await store.open(logs.events, next)
      config = next
    },
    start() {
      channel.start()
      target.ready = true
    },
    async retire({ keepsWhatIsLeft }) {
      const unseal = await channel.seal()
      if (!keepsWhatIsLeft) return true
      // In this order: who settles an event has kept its letter before.
      const isEmpty = !(await channel.holdsUnsettled()) && deadLetters.status().waiting === 0
      if (!isEmpty) unseal()
      return isEmpty
    },
    left() {
      let unsettled = channel.status().waiting
      for (const id of channel.subscriptionIds()) {
        const status = channel.subscription(id)
        if (status) unsettled = Math.max(unsettled, status.unsettled + behindOf(status))
      }
      return unsettled + deadLetters.status().waiting
    },
    async close(drainMs) {
      await Promise.all([channel.close({ drainMs }), deadLetters.close(drainMs)])
    },
  }
}
