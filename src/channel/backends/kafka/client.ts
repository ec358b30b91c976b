// The only file that knows kafkajs. Of it the connections are used, its retries, logs, consumers and producers are not:
// those move an offset that is out of range by themselves, give out an offset late, and stop fetching for each rebalance.
// What an assigner is handed, and only that way, is the cluster object with all that a partition's leader can be asked.
import type { Broker, Cluster, Kafka, KafkaConfig, SASLOptions } from 'kafkajs'
import { EventingError } from '../../../core/errors.ts'
import { useOwnCodec } from './codec.ts'
import { mendConnections } from './mend.ts'
import { typeOf } from './problem.ts'
import type { Records } from './records.ts'

export interface Connection {
  readonly brokers: readonly string[]
  readonly clientId?: string
  readonly ssl?: KafkaConfig['ssl']
  readonly sasl?: SASLOptions
  readonly connectionTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

export interface Message {
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[]>
  readonly timestamp?: string
}

export interface FetchedPartition {
  readonly partition: number
  readonly highWatermark: string
  readonly lastStartOffset?: string
  readonly records: Records
}

export interface Member {
  readonly memberId: string
  readonly memberMetadata: Buffer
}

/** What a Kafka node can be asked, as kafkajs has it. Most of it is not in its types. */
export interface Node extends Pick<Broker, 'metadata' | 'isConnected'> {
  fetch(request: {
    readonly isolationLevel: number
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }): Promise<{
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[]
  }>
  produce(request: {
    readonly acks: number
    readonly timeout: number
    readonly topicData: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[] }[]
    }[]
  }): Promise<{
    readonly topics: readonly {
      readonly partitions: readonly {
        readonly partition: number
        readonly baseOffset: string
        readonly logStartOffset?: string
      }[]
    }[]
  }>
  listOffsets(request: {
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[]
    }[]
  }): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }>
  deleteRecords(request: {
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }): Promise<unknown>
  createTopics(request: {
    readonly topics: readonly {
      readonly topic: string
      readonly numPartitions: number
      readonly replicationFactor: number
      readonly configEntries: readonly { readonly name: string; readonly value: string }[]
    }[]
    readonly timeout: number
  }): Promise<unknown>
  createPartitions(request: {
    readonly topicPartitions: readonly { readonly topic: string; readonly count: number }[]
    readonly timeout: number
  }): Promise<unknown>
  deleteTopics(request: { readonly topics: readonly string[]; readonly timeout: number }): Promise<unknown>
  deleteGroups(groupIds: readonly string[]): Promise<unknown>
  joinGroup(request: {
    readonly groupId: string
    readonly sessionTimeout: number
    readonly rebalanceTimeout: number
    readonly memberId: string
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
  }): Promise<{
    readonly generationId: number
    readonly leaderId: string
    readonly memberId: string
    readonly members: readonly Member[]
  }>
  syncGroup(request: {
    readonly groupId: string
    readonly generationId: number
    readonly memberId: string
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
  }): Promise<{ readonly memberAssignment: Buffer }>
  heartbeat(request: {
    readonly groupId: string
    readonly groupGenerationId: number
    readonly memberId: string
  }): Promise<unknown>
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
  offsetCommit(request: {
    readonly groupId: string
    readonly groupGenerationId: number
    readonly memberId: string
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }): Promise<unknown>
}

/** Connections to the nodes of a cluster: one for fetches and one for everything else, each answering in order. */
export interface Nodes {
  node(id: number): Promise<Node>
  /** Whichever is connected. */
  anyNode(): Promise<Node>
  controller(): Promise<Node>
  coordinator(groupId: string): Promise<Node>
  close(): Promise<void>
}

export interface Client {
  /** Opens connections of their own. `known` is a topic that exists: what is asked for when nodes are looked up. */
  connect(known: string): Promise<Nodes>
  /** Before the first connection of `connect`: what that takes to be there. */
  ensureTopic(topic: string, config: TopicConfig): Promise<void>
}

export interface TopicConfig {
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export async function createClient(connection: Connection): Promise<Client> {
  const kafkajs = await import('kafkajs')
  const { Kafka, logLevel } = kafkajs.default ?? kafkajs
  const kafka = new Kafka({
    brokers: [...connection.brokers],
    clientId: connection.clientId ?? 'tidings',
    ...(connection.ssl === undefined ? {} : { ssl: connection.ssl }),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
    connectionTimeout: connection.connectionTimeoutMs ?? 3_000,
    requestTimeout: connection.requestTimeoutMs ?? 10_000,
    retry: { retries: 0, initialRetryTime: 50 },
    // What goes wrong comes back as an error, and is told by whoever decides about it.
    logLevel: logLevel.NOTHING,
  })
  return {
    connect: async (known) => connectNodes(clusterOf(kafka), known),
    async ensureTopic(topic, { partitions, replicationFactor, config }) {
      const admin = kafka.admin()
      try {
        await admin.connect()
        const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
        const created = { topic, numPartitions: partitions, replicationFactor, configEntries }
        await admin.createTopics({ topics: [created], waitForLeaders: true })
      } finally {
        await admin.disconnect()
      }
    },
  }
}

function clusterOf(kafka: Kafka): Cluster {
  let found: Cluster | undefined
  kafka.consumer({
    groupId: 'tidings',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: NOTHING }),
        }
      },
    ],
  })
  if (!found) throw new EventingError('LOG_UNAVAILABLE', 'kafkajs handed out no cluster')
  return found
}

const NOTHING = Buffer.alloc(0)

async function connectNodes(cluster: Cluster, known: string): Promise<Nodes> {
  await mendConnections(cluster)
  try {
    await cluster.connect()
    await cluster.addTargetTopic(known)
  } catch (error) {
    await cluster.disconnect().catch(() => undefined)
    throw error
  }

  let reconnecting: Promise<void> | undefined
  let isClosed = false

  /** Once for all who ask: of connections that kafkajs opens beside each other it forgets all but one, and never closes them. */
  function reconnect(): Promise<void> {
    if (isClosed) throw new EventingError('LOG_UNAVAILABLE', 'the connection is closed', { retryable: true })
    reconnecting ??= (async () => {
      await cluster.connect()
      await cluster.refreshMetadata()
    })().finally(() => {
      reconnecting = undefined
    })
    return reconnecting
  }

  /** Nodes that are gone are only found out by asking: then the others are asked where to go. */
  async function found(look: () => Promise<Broker>): Promise<Node> {
    if (!cluster.isConnected()) await reconnect()
    const broker = await look()
    const node = broker as unknown as Node
    useOwnCodec(node)
    return node
  }

  return {
    node: (id) => found(() => cluster.findBroker({ nodeId: String(id) })),
    anyNode: () =>
      found(async () => {
        let failure: unknown
        for (const nodeId of shuffled(cluster.getNodeIds())) {
          try {
            return await cluster.findBroker({ nodeId: String(nodeId) })
          } catch (error) {
            failure = error
          }
        }
        throw failure ?? new EventingError('LOG_UNAVAILABLE', 'no Kafka node is known', { retryable: true })
      }),
    async controller() {
      await found(() => cluster.findControllerBroker())
      await cluster.refreshMetadata()
      return found(() => cluster.findControllerBroker())
    },
    coordinator: (groupId) => found(() => cluster.findGroupCoordinator({ groupId })),
    async close() {
      isClosed = true
      await reconnecting?.catch(() => undefined)
      await cluster.disconnect().catch(() => undefined)
    },
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  const from = Math.floor(Math.random() * list.length)
  return [...list.slice(from), ...list.slice(0, from)]
}

export function isUnknownTopic(error: unknown): boolean {
  return typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
}
