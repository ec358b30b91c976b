// The store on one Kafka cluster: connections are shared by all logs, and a topic says which uid owns which log.
import { createHash } from 'node:crypto'
import { createClock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { EventLog, LogConfig, LogRef, LogTraits } from '../../log.ts'
import { createAging } from '../retention.ts'
import { createClient, isUnknownTopic, type TopicConfig } from './client.ts'
import { createFeeds } from './feeds.ts'
import { cursorsTopicOf, HEADER_ROOM_BYTES, type KafkaLog, openKafkaLog, ownerGroupOf } from './kafka-log.ts'
import { createLeftovers } from './leftovers.ts'
import type { KafkaStore, KafkaStoreOptions, KafkaTopic } from './options.ts'
import { problemOf } from './problem.ts'
import { createRegistry, type Registered } from './registry.ts'
import { openWire } from './wire.ts'

/** Small segments: what stands in the newest one is not compacted, and all of it is read when a log is opened. */
const COMPACTED = {
  'cleanup.policy': 'compact',
  'retention.ms': '-1',
  'max.message.bytes': '1048588',
  'segment.bytes': String(8 * 2 ** 20),
  'segment.ms': String(3_600_000),
  'min.cleanable.dirty.ratio': '0.5',
}
/** A topic that was removed is in the way of the next of its name for a moment. */
const REMOVAL_MS = 5_000
const POLL_MS = 50
/** What was fetched behind heads and is not used yet, of all logs. */
const LEFTOVER_BYTES = 8 * 2 ** 20
/** How often topics are asked for partitions that were added. */
const GROWTH_MS = 10_000

export function kafkaTraits(options: { readonly maxEventBytes?: number } = {}): LogTraits {
  return {
    backend: 'kafka',
    survives: 'replica-loss',
    shared: true,
    readsCostIo: true,
    maxEventBytes: options.maxEventBytes ?? 2 ** 20,
  }
}

export async function openKafkaStore(options: KafkaStoreOptions): Promise<KafkaStore> {
  const { registryTopic, replicationFactor } = options
  // The ages of events are the caller's; sessions, back-offs and answers are those of the servers.
  const clock = createClock()
  const traits = kafkaTraits(options)
  const client = await createClient({
    brokers: options.bootstrapServers,
    ssl: options.auth.ssl,
    ...(options.auth.sasl && { sasl: options.auth.sasl }),
  })
  await reach()
  const wire = await openWire(client, registryTopic, clock)
  const feeds = createFeeds(wire)
  const leftovers = createLeftovers(LEFTOVER_BYTES)
  const registry = createRegistry(wire, registryTopic)
  const logs = new Map<string, { readonly name: string; readonly log: Promise<KafkaLog> }>()
  const aging = createAging(options.clock, async (nowMs) => {
    for (const { log } of logs.values()) await (await log.catch(() => undefined))?.dropOld(nowMs)
  })
  let isClosed = false
  const closing = new AbortController()
  const growing = grow()

  async function grow(): Promise<void> {
    while (!isClosed) {
      await clock.sleep(GROWTH_MS, closing.signal).catch(() => undefined)
      for (const { log } of logs.values()) if (!isClosed) await (await log.catch(() => undefined))?.grow()
    }
  }

  /** Makes the registry where nobody has yet. */
  async function reach(): Promise<void> {
    try {
      await connectOnce().catch(async (error) => {
        if (!isUnknownTopic(error)) throw error
        await client.ensureTopic(registryTopic, { partitions: 1, replicationFactor, config: COMPACTED })
        await connectOnce()
      })
    } catch (error) {
      throw problemOf(error, `reach Kafka at ${options.bootstrapServers.join(', ')}`)
    }
  }

  async function connectOnce(): Promise<void> {
    await (await client.connect(registryTopic)).close()
  }

  async function open(ref: LogRef, config: LogConfig, topic = defaultTopic(ref)): Promise<EventLog> {
    if (isClosed) throw new EventingError('LOG_GONE', `${ref.name}: the store is closed`)
    const known = logs.get(ref.uid)
    if (known) {
      const log = await known.log
      log.configure(config)
      aging.watch(config)
      return log
    }
    const log = openLog(ref, config, topic)
    logs.set(ref.uid, { name: ref.name, log })
    try {
      await log
      aging.watch(config)
    } catch (error) {
      logs.delete(ref.uid)
      throw error
    }
    return log
  }

  async function openLog(ref: LogRef, config: LogConfig, wanted: KafkaTopic): Promise<KafkaLog> {
    const registered = (await registry.ownedBy(ref.uid)) ?? (await claim(ref, wanted))
    if (!registered.isReady) await make(ref, wanted)
    else await checkThere(ref, registered)
    return openKafkaLog({
      ref,
      config,
      traits,
      topic: registered.topic,
      wire,
      feeds,
      leftovers,
      clock,
      sessionTimeoutMs: options.sessionTimeoutMs,
      isRegistered: async () => (await registry.ownedBy(ref.uid)) !== undefined,
      onFault: options.onFault,
    })
  }

  async function claim(ref: LogRef, { name, isExternal, wasThere }: KafkaTopic): Promise<Registered> {
    if (wasThere) throw new EventingError('LOG_LOST', `${ref.name}: the cluster knows nothing of it any more`)
    const isOthers = !isExternal && !(await registry.isClaimed(name)) && !(await isFree(name))
    if (isOthers) throw new EventingError('LOG_CONFLICT', `${ref.name}: the topic ${name} is somebody else's`)
    if (isExternal && !(await wire.exists(name))) {
      throw new EventingError('LOG_LOST', `${ref.name}: there is no topic ${name}`)
    }
    return registry.claim(name, ref.uid, isExternal)
  }

  async function isFree(topic: string): Promise<boolean> {
    for (const startedAt = clock.now(); clock.now() - startedAt < REMOVAL_MS; await clock.sleep(POLL_MS)) {
      // Another process may be opening the same log.
      if (!(await wire.exists(topic)) || (await registry.isClaimed(topic))) return true
    }
    return false
  }

  async function make(ref: LogRef, topic: KafkaTopic): Promise<void> {
    const cursors = cursorsTopicOf(ref.uid)
    const topics = new Map<string, TopicConfig>()
    if (!topic.isExternal) topics.set(topic.name, { ...topic, config: { ...eventsConfig(), ...topic.config } })
    await wire.createTopics(topics)
    const partitions = await wire.partitions(topic.name, true)
    await wire.createTopics(
      new Map([[cursors, { partitions, replicationFactor: topic.replicationFactor, config: COMPACTED }]]),
    )
    await wire.partitions(cursors, true)
    await registry.ready(ref.uid)
  }

  async function checkThere(ref: LogRef, { topic }: Registered): Promise<void> {
    for (const name of [topic, cursorsTopicOf(ref.uid)]) {
      if (!(await wire.exists(name))) {
        throw new EventingError('LOG_LOST', `${ref.name}: the topic ${name} is gone, and is not made anew`)
      }
    }
  }

  function eventsConfig(): Readonly<Record<string, string>> {
    return {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'max.message.bytes': String(options.maxEventBytes + HEADER_ROOM_BYTES),
    }
  }

  function defaultTopic({ name }: LogRef): KafkaTopic {
    const { partitions } = options
    return { name: topicNameOf(name), partitions, replicationFactor, config: {}, isExternal: false }
  }

  return {
    traits,
    open,
    async remove(ref) {
      const log = await logs.get(ref.uid)?.log.catch(() => undefined)
      logs.delete(ref.uid)
      await log?.discard()
      const registered = await registry.ownedBy(ref.uid)
      if (!registered) return
      await registry.remove(registered.topic, ref.uid)
      await wire.deleteTopics([...(registered.isExternal ? [] : [registered.topic]), cursorsTopicOf(ref.uid)])
      await wire.deleteGroup(ownerGroupOf(ref.uid)).catch(() => undefined) // other members leave it first
    },
    async close() {
      isClosed = true
      closing.abort()
      await growing
      await aging.close()
      await Promise.all([...logs.values()].map(async ({ log }) => (await log.catch(() => undefined))?.discard()))
      logs.clear()
      await feeds.close()
      await wire.close()
    },
  }
}

/** People can read it, and no two names have the same. */
function topicNameOf(name: string): string {
  const readable = name.replace(/[^A-Za-z0-9_-]/g, '.').slice(0, 180)
  return `tidings.${readable}.${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}
