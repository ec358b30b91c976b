// What a log asks of a cluster, each request sent to the node that leads the partition, and sent again, with a back-off,
// while leaders move or connections break.
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { Client, Message, Node, Nodes, TopicConfig } from './client.ts'
import { isRefusal, isStale, problemOf, typeOf } from './problem.ts'
import { NO_RECORDS, type Records } from './records.ts'

export interface Fetched {
  readonly records: Records
  /** Where the next record will stand. */
  readonly end: number
  readonly start: number
}

/** Where a partition starts, as an answer to something else says. */
export type Seen = (partition: number, start: number) => void

export interface Wire {
  /** Partitions of a topic; those that are known unless `fresh`. */
  partitions(topic: string, fresh?: boolean): Promise<number>
  leaderOf(topic: string, partition: number): Promise<number>
  forget(topic: string): void
  /** Each part is one batch, which Kafka stores whole or not at all. Resolves with each one's first offset. */
  produce(
    topic: string,
    parts: ReadonlyMap<number, readonly Message[]>,
    seen?: Seen,
  ): Promise<ReadonlyMap<number, number>>
  /** What there is from an offset on, without waiting, over connections that only reads use. Rejects with the cause OFFSET_OUT_OF_RANGE where that is gone. */
  fetch(topic: string, partition: number, from: number, maxBytes: number): Promise<Fetched>
  /** The first offset at a time or later; undefined where there is none. */
  offsets(topic: string, at: 'start' | 'end' | number): Promise<readonly (number | undefined)[]>
  deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void>
  createTopics(topics: ReadonlyMap<string, TopicConfig>): Promise<void>
  /** To so many partitions, unless it has them. */
  growTopic(topic: string, partitions: number): Promise<void>
  exists(topic: string): Promise<boolean>
  deleteTopics(topics: readonly string[]): Promise<void>
  deleteGroup(groupId: string): Promise<void>
  /** Another set of connections, for requests that wait at the node. */
  connect(): Promise<Nodes>
  close(): Promise<void>
}

/** Everything is visible at once, as upstream reads its brokers' topics. */
export const READ_UNCOMMITTED = 0
const EARLIEST = -2
const LATEST = -1
/** How long a request is tried. A topic that was just made is unknown to some nodes for a moment. */
const PATIENCE_MS = 8_000
const UNKNOWN_PATIENCE_MS = 1_500
const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 1_000
const TIMEOUT_MS = 8_000
/** Longer than any request may take that is answered or refused. */
const STUCK_MS = 30_000

export async function openWire(client: Client, known: string, clock: Clock): Promise<Wire> {
  const asking = createConnections(() => client.connect(known))
  // Of one connection a node answers one request at a time: what is written waits for no read.
  const reading = createConnections(() => client.connect(known))
  const leaders = new Map<string, readonly number[]>()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // one for each request that waits to be sent again

  /** Runs it until it succeeds, fails for good, or has been tried for long enough. */
  async function persist<T>(
    what: string,
    topic: string | undefined,
    run: (nodes: Nodes) => Promise<T>,
    over = asking,
  ): Promise<T> {
    const startedAt = clock.now()
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        return await bounded(over, run)
      } catch (error) {
        if (topic !== undefined) leaders.delete(topic)
        const spentMs = clock.now() - startedAt
        if (closing.signal.aborted || isFinal(error, spentMs) || spentMs + waitMs > PATIENCE_MS) {
          throw problemOf(error, what)
        }
        await clock.sleep(waitMs * (0.5 + Math.random()), closing.signal).catch(() => undefined)
      }
    }
  }

  /** What kafkajs neither answers nor gives up is asked again on new connections, later. */
  function bounded<T>(over: Connections, run: (nodes: Nodes) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = clock.after(STUCK_MS, () => {
        over.giveUp()
        reject(new EventingError('LOG_UNAVAILABLE', `no answer within ${STUCK_MS} ms`, { retryable: true }))
      })
      over
        .open()
        .then(run)
        .then(resolve, reject)
        .finally(() => late.cancel())
    })
  }

  async function leadersOf(topic: string, from: Nodes): Promise<readonly number[]> {
    const known = leaders.get(topic)
    if (known) return known
    const { topicMetadata } = await (await from.anyNode()).metadata([topic])
    const partitions = topicMetadata[0]?.partitionMetadata ?? []
    const found: number[] = []
    for (const { partitionId, leader } of partitions) found[partitionId] = leader
    leaders.set(topic, found)
    return found
  }

  async function leaderNode(from: Nodes, topic: string, partition: number): Promise<Node> {
    return from.node((await leadersOf(topic, from))[partition] ?? -1)
  }

  async function byLeader<T>(
    from: Nodes,
    topic: string,
    partitions: Iterable<number>,
    ask: (node: Node, partitions: readonly number[]) => Promise<T>,
  ): Promise<readonly T[]> {
    const all = await leadersOf(topic, from)
    const grouped = new Map<number, number[]>()
    for (const partition of partitions) {
      const leader = all[partition] ?? -1
      grouped.set(leader, [...(grouped.get(leader) ?? []), partition])
    }
    const answers = await Promise.allSettled(
      [...grouped].map(async ([leader, led]) => ask(await from.node(leader), led)),
    )
    // Only now: what is asked again must not be under way still.
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason
      return answer.value
    })
  }

  return {
    async partitions(topic, fresh = false) {
      if (fresh) leaders.delete(topic)
      return persist(`ask for ${topic}`, topic, async (from) => (await leadersOf(topic, from)).length)
    },
    async leaderOf(topic, partition) {
      const known = leaders.get(topic)?.[partition]
      if (known !== undefined) return known
      return persist(`ask for ${topic}`, topic, async (from) => (await leadersOf(topic, from))[partition] ?? -1)
    },
    forget: (topic) => void leaders.delete(topic),
    produce(topic, parts, seen) {
      const places = new Map<number, number>()
      return persist(`write to ${topic}`, topic, async (from) => {
        // What one node has stored is not sent again because another one did not answer.
        const left = [...parts.keys()].filter((partition) => !places.has(partition))
        await byLeader(from, topic, left, async (node, led) => {
          const partitions = led.map((partition) => ({ partition, messages: parts.get(partition) ?? [] }))
          const { topics } = await node.produce({ acks: -1, timeout: TIMEOUT_MS, topicData: [{ topic, partitions }] })
          for (const answer of topics) {
            for (const { partition, baseOffset, logStartOffset } of answer.partitions) {
              places.set(partition, Number(baseOffset))
              seen?.(partition, Number(logStartOffset ?? 0))
            }
          }
        })
        return places
      })
    },
    fetch(topic, partition, from, maxBytes) {
      const fetch = async (all: Nodes): Promise<Fetched> => {
        const node = await leaderNode(all, topic, partition)
        const partitions = [{ partition, fetchOffset: String(from), maxBytes }]
        const { responses } = await node.fetch({
          isolationLevel: READ_UNCOMMITTED,
          maxWaitTime: 0,
          minBytes: 0,
          maxBytes,
          topics: [{ topic, partitions }],
        })
        const fetched = responses[0]?.partitions[0]
        return {
          records: fetched?.records ?? NO_RECORDS,
          end: Number(fetched?.highWatermark ?? from),
          start: Number(fetched?.lastStartOffset ?? 0),
        }
      }
      return persist(`read ${topic}`, topic, fetch, reading)
    },
    offsets: (topic, at) =>
      persist(`ask for offsets of ${topic}`, topic, async (from) => {
        const timestamp = at === 'start' ? EARLIEST : at === 'end' ? LATEST : at
        const found: (number | undefined)[] = []
        const count = (await leadersOf(topic, from)).length
        await byLeader(from, topic, Array(count).keys(), async (node, led) => {
          const partitions = led.map((partition) => ({ partition, timestamp }))
          const { responses } = await node.listOffsets({
            isolationLevel: READ_UNCOMMITTED,
            topics: [{ topic, partitions }],
          })
          for (const answer of responses) {
            for (const { partition, offset } of answer.partitions) {
              found[partition] = Number(offset) < 0 ? undefined : Number(offset)
            }
          }
        })
        return found
      }),
    deleteRecords: (topic, before) =>
      persist(`trim ${topic}`, topic, async (from) => {
        await byLeader(from, topic, before.keys(), async (node, led) => {
          const partitions = led.map((partition) => ({ partition, offset: String(before.get(partition)) }))
          await node.deleteRecords({ topics: [{ topic, partitions }] })
        })
      }),
    createTopics: (topics) =>
      persist('create topics', undefined, async (from) => {
        for (const [topic, { partitions, replicationFactor, config }] of topics) {
          const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
          const wanted = { topic, numPartitions: partitions, replicationFactor, configEntries }
          await unless('TOPIC_ALREADY_EXISTS', async () => {
            await (await from.controller()).createTopics({ topics: [wanted], timeout: TIMEOUT_MS })
          })
        }
      }),
    growTopic: (topic, partitions) =>
      persist(`add partitions to ${topic}`, topic, async (from) => {
        if ((await leadersOf(topic, from)).length >= partitions) return
        leaders.delete(topic)
        await unless('INVALID_PARTITIONS', async () => {
          const topicPartitions = [{ topic, count: partitions }]
          await (await from.controller()).createPartitions({ topicPartitions, timeout: TIMEOUT_MS })
        })
      }),
    exists: (topic) =>
      persist(`ask for ${topic}`, topic, async (from) => {
        try {
          const node = await from.anyNode()
          await node.metadata([topic])
          return true
        } catch (error) {
          if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return false
          throw error
        }
      }),
    deleteTopics: (topics) =>
      persist('delete topics', undefined, async (from) => {
        for (const topic of topics) {
          leaders.delete(topic)
          await unless('UNKNOWN_TOPIC_OR_PARTITION', async () => {
            await (await from.controller()).deleteTopics({ topics: [topic], timeout: TIMEOUT_MS })
          })
        }
      }),
    deleteGroup: (groupId) =>
      persist(`delete the group ${groupId}`, undefined, async (from) => {
        await (await from.coordinator(groupId)).deleteGroups([groupId])
      }),
    connect: () => client.connect(known),
    async close() {
      closing.abort()
      await Promise.all([asking.close(), reading.close()])
    },
  }
}

/** One to each node, for whoever asks. */
interface Connections {
  open(): Promise<Nodes>
  /** They are not answered any more. Whoever asks next gets others. */
  giveUp(): void
  close(): Promise<void>
}

function createConnections(connect: () => Promise<Nodes>): Connections {
  let nodes: Promise<Nodes> | undefined

  return {
    open() {
      nodes ??= connect().catch((error) => {
        nodes = undefined
        throw error
      })
      return nodes
    },
    giveUp() {
      const given = nodes
      nodes = undefined
      void given?.then((old) => old.close()).catch(() => undefined)
    },
    async close() {
      await (await nodes?.catch(() => undefined))?.close()
    },
  }
}

async function unless(type: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (typeOf(error) !== type) throw error
  }
}

/** Trying again would be answered the same. */
function isFinal(error: unknown, spentMs: number): boolean {
  if (isRefusal(error)) return true
  const type = typeOf(error)
  if (type === undefined) return false // a connection, or a request that was not answered
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return spentMs > UNKNOWN_PATIENCE_MS
  return !isStale(error) && !PASSING.has(type)
}

const PASSING = new Set([
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'BROKER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
])
