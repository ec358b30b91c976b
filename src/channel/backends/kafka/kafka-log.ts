// One log on Kafka: lanes are the partitions of its events topic, positions their offsets, and what stands in its cursor
// topic says how far everybody is.
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../../core/clock.ts'
import { codeOf, EventingError } from '../../../core/errors.ts'
import { attributeOf, type Event, eventBytes } from '../../../core/event.ts'
import type {
  CursorStart,
  EventLog,
  LaneId,
  LogConfig,
  LogRef,
  LogTraits,
  OwnedLane,
  Position,
  Room as RoomKind,
} from '../../log.ts'
import { type Batcher, createBatcher, type Place } from './batcher.ts'
import { isUnknownTopic, type Message } from './client.ts'
import { dropRecords, madeRecord } from './cursor-table.ts'
import type { Feeds } from './feeds.ts'
import { createTrimmer, type KafkaLane } from './kafka-lane.ts'
import type { Leftovers } from './leftovers.ts'
import { createOwnedLane } from './owned-lane.ts'
import { ownLanes } from './owner.ts'
import { createPartitions } from './partitions.ts'
import { readLane } from './read-lane.ts'
import { encodeRecord } from './record.ts'
import { createRoom } from './room.ts'
import { shared } from './shared.ts'
import type { Wire } from './wire.ts'

export interface KafkaLogOptions {
  readonly ref: LogRef
  readonly config: LogConfig
  readonly traits: LogTraits
  readonly topic: string
  readonly wire: Wire
  readonly feeds: Feeds
  readonly leftovers: Leftovers
  readonly clock: Clock
  readonly sessionTimeoutMs: number
  /** Whether the log is still this uid's, for all processes. */
  isRegistered(): Promise<boolean>
  onFault(what: string, error: unknown): void
}

export interface KafkaLog extends EventLog {
  configure(config: LogConfig): void
  /** Gives up what is older than the config has it. */
  dropOld(nowMs: number): Promise<void>
  /** Takes up partitions that were added, and what other processes wrote and trimmed. */
  grow(): Promise<void>
  /** Whoever still holds it gets LOG_GONE. Resolves once nothing is under way. */
  discard(): Promise<void>
}

/** What Kafka adds to an event in a record: at most so much more than `eventBytes`. */
const RECORD_OVERHEAD_BYTES = 256
/** Above the largest event: attributes, headers, and what a dead letter adds. */
export const HEADER_ROOM_BYTES = 2 ** 18
/** How old what was heard of others may be when an append is refused for want of room. */
const REFRESH_MS = 250
const BUFFER_BYTES = 32 * 2 ** 20

export function cursorsTopicOf(uid: string): string {
  return `tidings-cursors.${uid}`
}

export function ownerGroupOf(uid: string): string {
  return `tidings-owner.${uid}`
}

export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { ref, traits, topic, wire, feeds, leftovers, clock } = options
  const cursorsTopic = cursorsTopicOf(ref.uid)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const owning = new Set<Promise<void>>()
  const trimmer = createTrimmer(
    (before) => wire.deleteRecords(topic, before),
    (ms) => clock.sleep(ms, closing.signal).catch(() => undefined),
    (error) => options.onFault(`trim ${ref.name}`, error),
  )
  const partitions = createPartitions({ topic, cursorsTopic, wire, feeds, trim: (lane) => trimmer.wants(lane) })
  const { lanes } = partitions
  const room = createRoom(ref.name, options.config, () => lanes)
  const batcher: Batcher = createBatcher({
    name: ref.name,
    batchBytes: 0.9 * (traits.maxEventBytes + HEADER_ROOM_BYTES),
    bufferBytes: BUFFER_BYTES,
    partitions: () => lanes.length,
    leaderOf: (partition) => wire.leaderOf(topic, partition),
    send: (parts: ReadonlyMap<number, readonly Message[]>) =>
      wire.produce(topic, parts, (partition, start) => laneAt(partition).seen(start, 0)),
  })

  let refreshedAt = -Infinity
  const askStart = shared(() => askFor('start'))
  const askEnd = shared(() => askFor('end'))

  await partitions.takeUp()
  await checkNotLost()

  /** Kafka forgot what was acknowledged: positions would come again. */
  async function checkNotLost(): Promise<void> {
    await ask('end') // after the cursors were read: others go on meanwhile
    for (const { partition, ledger, cursors } of lanes) {
      const said = Math.max(cursors.table.base, cursors.table.floor())
      if (said <= ledger.end) continue
      const text = `${ref.name}: lane ${partition} ends at ${ledger.end}, and all before ${said} was settled`
      throw new EventingError('LOG_LOST', text)
    }
  }

  /** For good, once Kafka turned out to have forgotten what it acknowledged: its positions would come again. */
  let lost: EventingError | undefined
  /** By partition: where the last event of this process was stored. */
  const lastPlaces: Position[] = []

  function lose(text: string): EventingError {
    lost ??= new EventingError('LOG_LOST', `${ref.name}: ${text}`)
    return lost
  }

  function checkForward({ partition, offset }: Place): void {
    const last = lastPlaces[partition] ?? -1
    if (offset <= last) throw lose(`lane ${partition} has an entry at ${offset} after one at ${last}`)
    lastPlaces[partition] = offset
  }

  async function append(event: Event, kind: RoomKind = 'publish') {
    throwIfGone()
    const { data } = event
    if (data && data.length > traits.maxEventBytes) throw tooLarge(data.length)
    const bytes = eventBytes(event)
    takeRoom(bytes, kind)
    try {
      const key = attributeOf(event.attributes, 'partitionkey')
      const place = await batcher.append(encodeRecord(event), key, bytes + RECORD_OVERHEAD_BYTES)
      checkForward(place)
      laneAt(place.partition).ledger.learn(place.offset, bytes)
      return { lane: String(place.partition), position: place.offset }
    } catch (error) {
      throw await goneOr(error)
    } finally {
      room.release(bytes)
    }
  }

  /** What others write and trim is heard of when Kafka is asked for something: who is refused asks, for the next time. */
  function takeRoom(bytes: number, kind: RoomKind): void {
    try {
      room.take(bytes, kind)
    } catch (error) {
      const isOld = clock.now() - refreshedAt >= REFRESH_MS
      if (codeOf(error) === 'LOG_FULL' && isOld) void refresh().catch(() => undefined)
      throw error
    }
  }

  async function refresh(): Promise<void> {
    refreshedAt = clock.now()
    await ask('start')
    await ask('end')
  }

  /** A topic that is unknown was removed with its log, or by somebody else. */
  async function goneOr(error: unknown): Promise<unknown> {
    if (closing.signal.aborted) return goneError()
    if (!isUnknownTopic(error)) return error
    if (!(await isRegistered())) return goneError()
    return lose(`Kafka has no topic ${topic} any more`)
  }

  /** A cluster that does not even know the registry came back empty: nobody removed the log. */
  async function isRegistered(): Promise<boolean> {
    return options.isRegistered().catch((error) => {
      if (isUnknownTopic(error)) return true
      throw error
    })
  }

  function laneOf(id: LaneId): KafkaLane {
    const lane = lanes[Number(id)]
    if (!lane) throw new EventingError('LANE_LOST', `${ref.name}: no lane ${id}`)
    return lane
  }

  function laneAt(partition: number): KafkaLane {
    return laneOf(String(partition))
  }

  /** Where a cursor that starts so begins, on each lane. */
  async function startPositions(start: CursorStart): Promise<readonly Position[]> {
    const ends = await ask('end')
    if (start === 'now') return ends
    if (start === 'earliest') {
      await ask('start')
      return lanes.map(({ ledger }) => ledger.start)
    }
    const found = await wire.offsets(topic, start.timeMs)
    return lanes.map(({ ledger, partition }) => Math.max(ledger.start, found[partition] ?? ends[partition] ?? 0))
  }

  function ask(at: 'start' | 'end'): Promise<readonly Position[]> {
    return at === 'start' ? askStart() : askEnd()
  }

  async function askFor(at: 'start' | 'end'): Promise<readonly Position[]> {
    try {
      const found = (await wire.offsets(topic, at)).map((offset) => offset ?? 0)
      for (const lane of lanes) {
        const offset = found[lane.partition] ?? 0
        if (at === 'start') lane.seen(offset, 0)
        else lane.seen(0, offset)
      }
      return found
    } catch (error) {
      throw await goneOr(error)
    }
  }

  async function ownedLaneOf(partition: number, serving: Parameters<typeof createOwnedLane>[1]): Promise<OwnedLane> {
    return createOwnedLane(laneAt(partition), serving, { name: ref.name, room })
  }

  function throwIfGone(): void {
    if (closing.signal.aborted) throw goneError()
    if (lost) throw lost
  }

  const goneError = (): EventingError => new EventingError('LOG_GONE', `${ref.name}: the log was removed, or is closed`)
  const tooLarge = (length: number): EventingError => {
    const text = `${ref.name}: ${length} bytes of data, at most ${traits.maxEventBytes} are stored`
    return new EventingError('EVENT_TOO_LARGE', text)
  }

  return {
    append,
    async createCursor(id, start) {
      throwIfGone()
      const positions = await startPositions(start)
      await Promise.all(
        lanes.map(async ({ partition, cursors, ledger }) => {
          await cursors.sync()
          if (cursors.table.cursors.has(id)) return
          const floor = positions[partition] ?? 0
          await cursors.write([madeRecord(id, floor, clock.wall().toString(36) + Math.random().toString(36).slice(2))])
          if (floor < ledger.settledBefore) ledger.settleBefore(floor)
        }),
      )
    },
    async dropCursor(id) {
      throwIfGone()
      for (const { cursors } of lanes) {
        await cursors.sync()
        await cursors.write(dropRecords(cursors.table, id))
      }
    },
    async lanes() {
      throwIfGone()
      await ask('start')
      const ends = await ask('end')
      return lanes.map(({ partition, ledger }) => ({
        id: String(partition),
        start: ledger.start,
        end: Math.max(ledger.start, ends[partition] ?? 0),
      }))
    },
    async positionAt(id, start) {
      throwIfGone()
      return (await startPositions(start))[laneOf(id).partition] ?? 0
    },
    async own(serve, signal) {
      throwIfGone()
      const ended = AbortSignal.any([signal, closing.signal])
      const running = ownLanes(
        {
          name: ref.name,
          groupId: ownerGroupOf(ref.uid),
          topics: [topic, cursorsTopic],
          clock,
          sessionTimeoutMs: options.sessionTimeoutMs,
          connect: () => wire.connect(),
          lanes: async () => lanes.length,
          cursors: (partition) => laneAt(partition).cursors,
          offsets: (partitions) => new Map(partitions.map((at) => [at, laneAt(at).cursors.table.floor()])),
          serve: async (partition, serving) => serve(await ownedLaneOf(partition, serving)),
          fault: (what, error) => options.onFault(`${ref.name}: ${what}`, error),
        },
        ended,
      )
      owning.add(running)
      await running.finally(() => owning.delete(running))
    },
    read(id, from, signal) {
      if (lost) throw lost
      const common = { name: ref.name, topic, wire, feeds, leftovers, closed: closing.signal, goneOr, lose }
      return readLane({ ...common, lane: laneOf(id) }, from, signal)
    },
    end: (id) => laneOf(id).ledger.end,
    size: () => (closing.signal.aborted ? { ...room.size(), entries: 0, bytes: 0, retainedBytes: 0 } : room.size()),
    configure(config) {
      room.configure(config)
      room.retain()
    },
    async dropOld(nowMs) {
      const { retention, expiry } = room.config
      if (retention) await dropBefore(nowMs - retention.ms, true)
      if (expiry) await dropBefore(nowMs - expiry.ms, false)
    },
    async grow() {
      try {
        await partitions.takeUp()
        await refresh()
      } catch (error) {
        // Of what Kafka does not answer others tell.
        if (codeOf(error) !== 'LOG_UNAVAILABLE') options.onFault(`${ref.name}: take up partitions`, error)
      }
    },
    async discard() {
      closing.abort()
      batcher.end(goneError())
      await Promise.all(owning)
      for (const lane of lanes) leftovers.drop(lane)
      await trimmer.close()
    },
  }

  async function dropBefore(timeMs: number, onlySettled: boolean): Promise<void> {
    try {
      const found = await wire.offsets(topic, Math.max(0, timeMs))
      for (const lane of lanes) {
        const { ledger } = lane
        if (onlySettled) lane.settle(Infinity)
        const before = found[lane.partition] ?? ledger.end
        lane.giveUpBefore(onlySettled ? Math.min(before, ledger.settledBefore) : before)
      }
    } catch (error) {
      if (codeOf(error) !== 'LOG_GONE') options.onFault(`${ref.name}: give up what is too old`, error)
    }
  }
}
