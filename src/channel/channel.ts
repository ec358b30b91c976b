// Fan-out over a log: who gets an event, when, how often, and what happens while they can't. A subscription is a cursor;
// those at the head share one reader and one matcher per lane, those behind share one sweep. Backends know nothing of it.
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf, EventingError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import { createMatcher } from '../filter/matcher.ts'
import { type Lane, type LaneSettings, openLane, type Standing } from './lane.ts'
import type {
  CursorId,
  CursorStart,
  Entry,
  EventLog,
  LaneId,
  LogSize,
  LogTraits,
  OwnedLane,
  Position,
  Room,
} from './log.ts'
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

export interface Found {
  readonly event: Event
  readonly lane: LaneId
  readonly position: Position
  readonly standings: readonly { readonly id: CursorId; readonly standing: Standing }[]
}

export interface SkipOptions {
  /** What the filter does not pass between two that are skipped is passed too, whatever the filter will be: one stretch. */
  readonly isStretch: boolean
}

/** An entry that a subscription has not settled. */
export interface Unsettled {
  readonly lane: LaneId
  readonly entry: Entry
  readonly standing: Exclude<Standing, 'settled'>
}

export interface Channel {
  /**
   * Takes up the log's lanes. Call it once the subscriptions that are known are placed: a cursor that has read all and is
   * nobody's by then counts as having passed what comes, others wait where they stand and hold what they lack. Idempotent.
   */
  start(): void
  /** Resolves when the event is as durable as the log makes it. Rejects as `EventLog.append`, and as `seal` has it. */
  send(event: Event, room?: Room): Promise<{ readonly lane: LaneId; readonly position: Position }>
  /**
   * Until the returned function is called, `send` rejects with LOG_UNAVAILABLE (retryable), or LOG_GONE once it is closed.
   * Resolves when what was being sent is stored or refused.
   */
  seal(): Promise<() => void>
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
  /**
   * The last `most` events that are `wanted` and still in the log, oldest first, each with where it stands with the
   * subscriptions that it would match now.
   */
  find(wanted: (event: Event) => boolean, most: number): Promise<readonly Found[]>
  /** Per lane, where a subscription that starts so would begin. */
  positionsAt(start: CursorStart): Promise<ReadonlyMap<LaneId, Position>>
  /** What the log has from one place on each lane to another, lane after lane, oldest first. */
  entries(
    from: ReadonlyMap<LaneId, Position>,
    until: ReadonlyMap<LaneId, Position>,
  ): AsyncIterable<{ readonly lane: LaneId; readonly entry: Entry }>
  /** Entries of the log that were not read for the subscription, those beyond the head too: an upper bound of its backlog. */
  backlog(id: CursorId): number
  /** How far an entry that the subscription matches has come with it; `waiting` where the lane is another's. */
  standing(id: CursorId, lane: LaneId, position: Position): Standing
  /** What the subscription has not settled of what is stored by now, lane after lane, oldest first. */
  unsettled(id: CursorId): AsyncIterable<Unsettled>
  /**
   * What is `wanted` of the subscription's unsettled entries, those stored by now, is not attempted any more; what runs may
   * finish. Resolves with how many these were, once that is stored; rejects with LOG_UNAVAILABLE (retryable) when it is not:
   * then they are not attempted either, until a restart.
   */
  skip(id: CursorId, wanted: (unsettled: Unsettled) => boolean, options?: SkipOptions): Promise<number>
  /** One entry counts as settled for the subscription, as `skip` has it. Stored with the next save. */
  settle(id: CursorId, lane: LaneId, entry: Entry): void
  /** Its destination took an event that came to it in another way: it does not fail any more. */
  noteDelivered(id: CursorId): void
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
  const { log, traits, clock, budget } = options
  const settings = { ...DEFAULTS, ...options.settings }
  if (!traits.readsCostIo) settings.ringBytes = 0
  const matcher = createMatcher<Subscription>()
  const subscriptions = new Map<CursorId, Subscription>()
  const lanes = new Map<LaneId, { readonly lane: Lane; readonly owned: OwnedLane }>()
  const ending = new AbortController()
  /** Of lanes that were given up. */
  const past = { unmatched: 0, settled: 0, expired: 0 }
  let isClosed = false
  let isSealed = false
  let sending = 0
  let onAllSent: (() => void) | undefined
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
      const context = { log, owned, clock, budget, matcher, settings, fault: options.onFault ?? (() => undefined) }
      opened = openLane(context, stored.base)
      for (const subscription of subscriptions.values()) opened.place(subscription, stored)
      opened.keep(stored.covered.filter((id) => !subscriptions.has(id)))
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

  function standingsOf(event: Event, laneId: LaneId, position: Position): Found['standings'] {
    const matching: Subscription[] = []
    matcher.match(event.attributes, matching)
    const lane = lanes.get(laneId)?.lane
    return matching.map(({ id }) => {
      const subscription = subscriptions.get(id)
      return { id, standing: (subscription && lane?.standing(subscription, position)) ?? 'waiting' }
    })
  }

  async function* unsettled(id: CursorId): AsyncGenerator<Unsettled> {
    await turn // lanes that are being taken up
    const subscription = known(id)
    for (const [laneId, { lane }] of lanes) {
      const end = log.end(laneId)
      await lane.reached(end)
      for await (const entry of entriesBetween(log, laneId, lane.floorOf(subscription), end)) {
        if (!subscription.live) return
        if (!subscription.spec.filter.matches(entry.event.attributes)) continue
        const standing = lane.standing(subscription, entry.position)
        if (standing !== 'settled') yield { lane: laneId, entry, standing }
      }
    }
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

  return {
    start() {
      owning ??= log.own(serve, ending.signal).catch((error: unknown) => options.onFault?.('own lanes', error))
    },

    async send(event, room) {
      if (isSealed) throw sealed(isClosed)
      sending++
      try {
        return await log.append(event, room)
      } catch (error) {
        if (codeOf(error) === 'LOG_FULL') for (const { lane } of lanes.values()) lane.makeRoom()
        throw error
      } finally {
        if (--sending === 0) onAllSent?.()
      }
    },

    async seal() {
      isSealed = true
      if (sending > 0) {
        await new Promise<void>((resolve) => {
          onAllSent = resolve
        })
      }
      return () => {
        isSealed = false
      }
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
      const subscription: Subscription = { id, spec, paused: false, stats: newStats(), live: true }
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

    async find(wanted, most) {
      const found: Found[] = []
      for (const { id, start, end } of await log.lanes()) {
        for await (const { position, event } of entriesBetween(log, id, start, end)) {
          if (!wanted(event)) continue
          found.push({ event, lane: id, position, standings: standingsOf(event, id, position) })
          if (found.length > most) found.shift()
        }
      }
      return found
    },

    async positionsAt(start) {
      const positions = (await log.lanes()).map(async ({ id }) => [id, await log.positionAt(id, start)] as const)
      return new Map(await Promise.all(positions))
    },

    async *entries(from, until) {
      for (const [lane, end] of until) {
        for await (const entry of entriesBetween(log, lane, from.get(lane) ?? end, end)) yield { lane, entry }
      }
    },
    backlog(id) {
      let entries = 0
      for (const { lane } of lanes.values()) entries += lane.unread(known(id)) + lane.unreadAtHead()
      return entries
    },
    standing: (id, lane, position) => lanes.get(lane)?.lane.standing(known(id), position) ?? 'waiting',
    unsettled,

    async skip(id, wanted, { isStretch } = { isStretch: false }) {
      let skipped = 0
      /** Per lane, from where on nothing is unsettled but what is wanted. */
      const from = new Map<LaneId, Position>()
      for await (const found of unsettled(id)) {
        const { lane, entry } = found
        const after = entry.position + 1
        if (wanted(found)) {
          const through = isStretch ? { from: from.get(lane) ?? 0, to: after } : undefined
          skipped += lanes.get(lane)?.lane.settle(known(id), entry, through) ?? 0
        } else {
          from.set(lane, after)
        }
      }
      if (!(await save())) throw notStored(skipped)
      return skipped
    },

    settle(id, lane, entry) {
      lanes.get(lane)?.lane.settle(known(id), entry)
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

/** Not waiting for what comes later, and without what is trimmed meanwhile. */
async function* entriesBetween(log: EventLog, lane: LaneId, start: Position, end: Position): AsyncGenerator<Entry> {
  let next = start
  while (next < end) {
    const reading = new AbortController()
    try {
      for await (const batch of log.read(lane, next, reading.signal)) {
        for (const entry of batch.entries) if (entry.position < end) yield entry
        next = batch.next
        if (next >= end) return
      }
    } catch (error) {
      if (codeOf(error) !== 'POSITION_GONE') throw error
      const there = (await log.lanes()).find(({ id }) => id === lane)
      next = Math.max(next + 1, there?.start ?? end)
    } finally {
      reading.abort()
    }
  }
}

/** Resolves when it did, or after so long. */
function withinMs(clock: Clock, ms: number, task: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, resolve)
    task.then(() => resolve(), reject).finally(() => timer.cancel())
  })
}

function sealed(isClosed: boolean): EventingError {
  return isClosed
    ? new EventingError('LOG_GONE', 'the channel is closed')
    : new EventingError('LOG_UNAVAILABLE', 'the channel takes nothing for a moment', { retryable: true })
}

function notStored(skipped: number): EventingError {
  const message = `${skipped} entries were settled, and it could not be stored: a restart may bring them back; ask again`
  return new EventingError('LOG_UNAVAILABLE', message, { retryable: true })
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
    for (const { arrivedAt } of window.unsettled.values()) {
      if (arrivedAt !== undefined) oldestArrivedAt = Math.min(arrivedAt, oldestArrivedAt ?? arrivedAt)
      break
    }
  }
  const { id, stats, spec, paused } = subscription
  return { id, stats, held: spec.held, paused, unsettled, inFlight, waiting, unread, behind, exact, oldestArrivedAt }
}
