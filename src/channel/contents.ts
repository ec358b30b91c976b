// What a channel's log holds and how far that has come: looked at, and settled, without being handed out.
import { codeOf, EventingError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import type { Matcher } from '../filter/matcher.ts'
import type { Lane, Standing, Tries } from './lane.ts'
import type { CursorId, CursorStart, Entry, EventLog, LaneId, Position } from './log.ts'
import type { RecentEvents } from './recent-events.ts'
import type { Subscription } from './subscription.ts'

export interface Contents {
  /**
   * The last `most` events that are `wanted` and still in the log, oldest first, each with where it stands with the
   * subscriptions that it would match now.
   */
  find(wanted: (event: Event) => boolean, most: number): Promise<readonly Found[]>
  /** The same of events with one id: at once where one came lately, and then without those that came long before it. */
  findId(id: string, most: number): Promise<readonly Found[]>
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
}

export interface Found {
  readonly event: Event
  readonly lane: LaneId
  readonly position: Position
  readonly standings: readonly Stands[]
}

export interface Stands {
  readonly id: CursorId
  readonly standing: Standing
  readonly tries: Tries | undefined
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

/** The channel, as far as its contents need it. */
export interface ContentsHost {
  readonly log: EventLog
  readonly matcher: Pick<Matcher<Subscription>, 'match'>
  readonly lanes: ReadonlyMap<LaneId, { readonly lane: Lane }>
  readonly recent: RecentEvents
  /** Throws LOG_GONE when there is none of this id. */
  known(id: CursorId): Subscription
  /** Resolves when no lane is being taken up. */
  ready(): Promise<void>
  /** Resolves with whether all that had changed is stored. */
  save(): Promise<boolean>
}

export function createContents({ log, matcher, lanes, recent, known, ready, save }: ContentsHost): Contents {
  function standing(id: CursorId, lane: LaneId, position: Position): Standing {
    return lanes.get(lane)?.lane.standing(known(id), position) ?? 'waiting'
  }

  function standingsOf(event: Event, lane: LaneId, position: Position): Found['standings'] {
    const matching: Subscription[] = []
    matcher.match(event.attributes, matching)
    return matching.map((subscription) => ({
      id: subscription.id,
      standing: standing(subscription.id, lane, position),
      tries: lanes.get(lane)?.lane.tries(subscription, position),
    }))
  }

  async function* unsettled(id: CursorId): AsyncGenerator<Unsettled> {
    await ready()
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

  async function find(wanted: (event: Event) => boolean, most: number): Promise<readonly Found[]> {
    const found: Found[] = []
    for (const { id, start, end } of await log.lanes()) {
      for await (const { position, event } of entriesBetween(log, id, start, end)) {
        if (!wanted(event)) continue
        found.push({ event, lane: id, position, standings: standingsOf(event, id, position) })
        if (found.length > most) found.shift()
      }
    }
    return found
  }

  return {
    find,

    async findId(id, most) {
      const found: Found[] = []
      for (const { lane, position } of recent.find(log, id).slice(-most)) {
        for await (const entry of entriesBetween(log, lane, position, position + 1)) {
          const { event } = entry
          if (entry.position !== position || event.attributes['id'] !== id) continue
          found.push({ event, lane, position, standings: standingsOf(event, lane, position) })
        }
      }
      return found.length > 0 ? found : find((event) => event.attributes['id'] === id, most)
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

    standing,
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

function notStored(skipped: number): EventingError {
  const message = `${skipped} entries were settled, and it could not be stored: a restart may bring them back; ask again`
  return new EventingError('LOG_UNAVAILABLE', message, { retryable: true })
}
