// Fan-out over a log: who gets an event, when, how often, and what happens while they can't. A subscription is a cursor;
// those at the head share one reader and one matcher per lane, those behind share one sweep. Backends know nothing of it.
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import { createMatcher } from '../filter/matcher.ts'
import { type Contents, createContents } from './contents.ts'
import { createDoor, type Door } from './door.ts'
import { type Lane, type LaneSettings, openLane, type Watcher } from './lane.ts'
import type { CursorId, CursorStart, EventLog, LaneId, LogSize, LogTraits, OwnedLane } from './log.ts'
import { Pace } from './pace.ts'
import { createRecentEvents, type RecentEvents } from './recent-events.ts'
import { Slots } from './slots.ts'
import {
  isBlocked,
  newStats,
  type Subscription,
  type SubscriptionSpec,
  type SubscriptionStatus,
} from './subscription.ts'

export type ChannelSettings = LaneSettings

export interface ChannelOptions {
  /** For people: `namespace/name`. */
  readonly name: string
  readonly log: EventLog
  readonly traits: LogTraits
  readonly clock: Clock
  /** The broker's node of the budget tree. */
  readonly budget: Budget
  readonly settings?: Partial<ChannelSettings>
  /** Where events stand, to find them by their ids. */
  readonly recent?: RecentEvents
  /** Something failed that is tried again. */
  readonly onFault?: (what: string, error: unknown) => void
}

/** In events since the channel was opened, and what waited then: accepted = unmatched + settled + waiting + expired. */
export interface ChannelStatus {
  readonly accepted: number
  /** Passed no subscription's filter. */
  readonly unmatched: number
  readonly settled: number
  /** Not settled by at least one subscription. */
  readonly waiting: number
  /** Given up by the log before all had settled them, or gone from it before they were read. */
  readonly expired: number
  readonly size: LogSize
  /** The subscription that keeps the log from being trimmed. */
  readonly floorHolder: CursorId | undefined
}

export interface Channel extends Door, Contents {
  /**
   * Takes up the log's lanes. Call it once the subscriptions that are known are placed: a cursor that has read all and is
   * nobody's by then counts as having passed what comes, others wait where they stand and hold what they lack. So do all in
   * a store that is shared: another process may know whose they are. Idempotent.
   */
  start(): void
  /**
   * Whether the log holds anything that a subscription, or a cursor that is nobody's yet, has not settled; true where that
   * cannot be told within seconds. Stores cursors.
   */
  holdsUnsettled(): Promise<boolean>
  /** Its cursor is durable when resolved: nothing sent later is missed. A known id goes on where it stood. */
  subscribe(id: CursorId, spec: SubscriptionSpec, start?: CursorStart): Promise<void>
  /** A new filter, handler or limit from the next entry and attempt on; the cursor stays. */
  change(id: CursorId, spec: SubscriptionSpec): void
  /** Delivers nothing more and forgets the cursor. Idempotent. */
  unsubscribe(id: CursorId): Promise<void>
  /** Nothing is handed out after it returns; what runs may finish. */
  pause(id: CursorId): void
  resume(id: CursorId): void
  status(): ChannelStatus
  subscription(id: CursorId): SubscriptionStatus | undefined
  subscriptionIds(): Iterable<CursorId>
  /** Its destination took an event that came to it in another way: it does not fail any more. */
  noteDelivered(id: CursorId): void
  /** Tells of each event as it comes to the head of a lane that is served here, until the result is called. */
  watch(watcher: Watcher): () => void
  /** Whether anything is left that will be handed out without a long wait; false for what is paused or held. */
  isDelivering(): boolean
  /** Stores what changed now, and resolves with whether all of it is stored. Never rejects. */
  save(): Promise<boolean>
  /** Resolves within `drainMs` and a second; what is not settled by then is delivered later, by whoever opens the log. */
  close(options: { readonly drainMs: number }): Promise<void>
}

const DEFAULTS: ChannelSettings = {
  saveIntervalMs: 1_000,
  saveBytes: 4 * 2 ** 20,
  ringBytes: 16 * 2 ** 20,
  sliceEntries: 4_096,
  subscriptionBytes: 16 * 2 ** 20,
  heldWaitMs: 5_000,
}

/** What is at the head is read within moments, unless it cannot be read. */
const LONGEST_READ_MS = 1_000

export function openChannel(options: ChannelOptions): Channel {
  const { log, traits, clock, budget, recent = createRecentEvents(0) } = options
  const settings = { ...DEFAULTS, ...options.settings }
  if (!traits.readsCostIo) settings.ringBytes = 0
  const matcher = createMatcher<Subscription>()
  const subscriptions = new Map<CursorId, Subscription>()
  const lanes = new Map<LaneId, { readonly lane: Lane; readonly owned: OwnedLane }>()
  const ending = new AbortController()
  /** Of lanes that were given up. */
  const past = { unmatched: 0, settled: 0, expired: 0 }
  const watchers = new Set<Watcher>()
  let isClosed = false
  /** What was left when it closed. */
  let final: ChannelStatus | undefined
  let toPlace: Subscription[] = []
  let placing: Promise<void> | undefined
  /** Taking up lanes and subscriptions: one at a time, so that each sees the cursors of all before it. */
  let turn: Promise<void> = Promise.resolve()

  function inTurn(task: () => Promise<void>): Promise<void> {
    const mine = turn.then(task)
    turn = mine.catch(() => undefined)
    return mine
  }

  async function serve(owned: OwnedLane): Promise<void> {
    let opened: Lane | undefined
    await inTurn(async () => {
      const stored = await owned.cursors()
      const common = { log, owned, clock, budget, matcher, settings, watchers, lanes: () => lanes.size }
      const parts = { ...common, recent: recent.lane(log, owned.id) }
      opened = openLane({ ...parts, fault: options.onFault ?? (() => undefined) }, stored.base)
      for (const subscription of subscriptions.values()) opened.place(subscription, stored)
      const isAllRead = log.end(owned.id) <= stored.base
      if (!isAllRead || traits.shared) opened.keep(stored.covered.filter((id) => !subscriptions.has(id)))
      lanes.set(owned.id, { lane: opened, owned })
    })
    await opened?.serve()
    lanes.delete(owned.id)
    const counts = opened?.counts()
    if (!counts) return
    past.unmatched += counts.unmatched
    past.settled += counts.settled
    past.expired += counts.expired
  }

  /** Subscriptions that came together are placed together: one look at the cursors of each lane. */
  function placeSoon(subscription: Subscription): Promise<void> {
    toPlace.push(subscription)
    placing ??= inTurn(async () => {
      placing = undefined
      const batch = toPlace
      toPlace = []
      const stored = await Promise.all(
        [...lanes.values()].map(async (one) => ({ ...one, stored: await one.owned.cursors() })),
      )
      for (const subscription of batch) {
        if (!subscription.live) continue
        subscriptions.set(subscription.id, subscription)
        matcher.set(subscription.id, subscription.spec.filter, subscription)
        for (const { lane, stored: cursors } of stored) lane.place(subscription, cursors)
      }
    })
    return placing
  }

  function known(id: CursorId): Subscription {
    const subscription = subscriptions.get(id)
    if (!subscription) throw new EventingError('LOG_GONE', `${options.name}: no subscription ${id}`)
    return subscription
  }

  /** Tells the lanes when a subscription may, or may no longer, be served. */
  function update(subscription: Subscription, wasBlocked: boolean): void {
    const blocked = isBlocked(subscription)
    if (blocked === wasBlocked) return
    for (const { lane } of lanes.values()) {
      if (blocked) lane.block(subscription)
      else lane.unblock(subscription)
    }
  }

  function setPaused(id: CursorId, paused: boolean): void {
    const subscription = known(id)
    const wasBlocked = isBlocked(subscription)
    subscription.paused = paused
    update(subscription, wasBlocked)
  }

  function status(): ChannelStatus {
    if (final) return final
    let { unmatched, settled, expired } = past
    let waiting = 0
    let floorHolder: CursorId | undefined
    for (const { lane } of lanes.values()) {
      const counts = lane.counts()
      unmatched += counts.unmatched
      settled += counts.settled
      expired += counts.expired
      waiting += counts.waiting
      floorHolder ??= lane.floorHolder()
    }
    const accepted = unmatched + settled + waiting + expired
    return { accepted, unmatched, settled, waiting, expired, size: log.size(), floorHolder }
  }

  async function save(): Promise<boolean> {
    const stored = await Promise.all([...lanes.values()].map(({ lane }) => lane.save()))
    return stored.every(Boolean)
  }

  /** Subscriptions that have no cursor yet. */
  const creating = new Map<CursorId, Promise<void>>()
  /** Subscriptions whose cursor is being dropped. */
  const dropping = new Map<CursorId, Promise<void>>()
  let owning: Promise<void> | undefined

  async function create(subscription: Subscription, start: CursorStart): Promise<void> {
    await dropping.get(subscription.id)?.catch(() => undefined)
    await log.createCursor(subscription.id, start)
    await placeSoon(subscription)
  }

  const door = createDoor({
    log,
    isClosed: () => isClosed,
    onFull() {
      for (const { lane } of lanes.values()) lane.makeRoom()
    },
  })
  const contents = createContents({ log, matcher, lanes, recent, known, ready: () => turn, save })

  return {
    ...door,
    ...contents,

    start() {
      owning ??= log.own(serve, ending.signal).catch((error: unknown) => options.onFault?.('own lanes', error))
    },

    async holdsUnsettled() {
      const read = Promise.all([...lanes].map(([id, { lane }]) => lane.reached(log.end(id))))
      await withinMs(clock, LONGEST_READ_MS, read)
      await save() // what is settled leaves the log
      const { bytes, retainedBytes } = log.size()
      return bytes > retainedBytes
    },

    async subscribe(id, spec, start = 'now') {
      if (isClosed) throw new EventingError('LOG_GONE', `${options.name}: the channel is closed`)
      if (subscriptions.has(id) || creating.has(id)) {
        throw new EventingError('LOG_CONFLICT', `${options.name}: subscription ${id} exists; change it instead`)
      }
      const rate = spec.bounds?.ratePerSecond
      const pace = rate === undefined ? undefined : new Pace(clock, rate)
      const shared = { pace, slots: new Slots() }
      const subscription: Subscription = { id, spec, paused: false, stats: newStats(), ...shared, live: true }
      const created = create(subscription, start)
      creating.set(id, created)
      try {
        await created
      } finally {
        creating.delete(id)
      }
    },

    change(id, spec) {
      const subscription = known(id)
      const wasBlocked = isBlocked(subscription)
      subscription.spec = spec
      for (const { lane } of lanes.values()) lane.changed(subscription)
      matcher.set(id, spec.filter, subscription)
      update(subscription, wasBlocked)
    },

    async unsubscribe(id) {
      const created = creating.get(id)
      if (created) await created.catch(() => undefined)
      const subscription = subscriptions.get(id)
      if (subscription) {
        subscription.live = false
        subscriptions.delete(id)
        matcher.delete(id)
        for (const { lane } of lanes.values()) lane.drop(subscription)
      }
      const dropped = log.dropCursor(id)
      dropping.set(id, dropped)
      try {
        await dropped
      } finally {
        dropping.delete(id)
      }
    },

    pause: (id) => setPaused(id, true),
    resume: (id) => setPaused(id, false),

    status,

    subscription(id) {
      const subscription = subscriptions.get(id)
      return subscription && statusOf(subscription, lanes)
    },

    noteDelivered(id) {
      const subscription = subscriptions.get(id)
      if (subscription) subscription.stats.failingSince = undefined
    },

    isDelivering: () => [...lanes.values()].some(({ lane }) => lane.isDelivering()),

    subscriptionIds: () => subscriptions.keys(),

    watch(watcher) {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },

    save,

    async close({ drainMs }) {
      isClosed = true
      await Promise.all([...lanes.values()].map(({ lane }) => lane.close(drainMs)))
      final ??= status()
      ending.abort()
      await owning
    },
  }
}

/** Resolves when it did, or after so long. */
function withinMs(clock: Clock, ms: number, task: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, resolve)
    task.then(() => resolve(), reject).finally(() => timer.cancel())
  })
}

function statusOf(subscription: Subscription, lanes: ReadonlyMap<LaneId, { readonly lane: Lane }>): SubscriptionStatus {
  let unsettled = 0
  let inFlight = 0
  let waiting = 0
  let unread = 0
  let behind = 0
  let exact = true
  let oldestArrivedAt: number | undefined
  for (const { lane } of lanes.values()) {
    unread += lane.unread(subscription)
    const window = lane.window(subscription)
    if (!window) continue
    unsettled += window.unsettled.size
    inFlight += window.inFlight
    waiting += window.waiting
    behind += window.behind
    exact &&= window.countsBehind
    const arrivedAt = window.unsettled.lowest?.arrivedAt
    if (arrivedAt !== undefined) oldestArrivedAt = Math.min(arrivedAt, oldestArrivedAt ?? arrivedAt)
  }
  const { id, stats, spec, paused } = subscription
  return { id, stats, held: spec.held, paused, unsettled, inFlight, waiting, unread, behind, exact, oldestArrivedAt }
}
