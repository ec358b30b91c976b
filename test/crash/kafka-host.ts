// A Kafka cluster of the storm's own, of one node or three, which are killed or restarted where the storm asks for it.
import assert from 'node:assert/strict'
import { NO_AUTH } from '../../src/channel/backends/kafka/auth.ts'
import { openKafkaStore } from '../../src/channel/backends/kafka/store.ts'
import { createClock } from '../../src/core/clock.ts'
import { eventually } from '../support/eventually.ts'
import type { Random } from '../support/random.ts'
import { type Kafka, startKafka } from '../support/servers/kafka.ts'
import { kafkaClient } from '../support/servers/kafka-client.ts'
import type { OpenHost, Pace, Trouble } from './host.ts'

export interface KafkaStorm {
  readonly nodes: 1 | 3
  readonly trouble: 'none' | 'a node is killed' | 'all nodes are restarted'
}

/** Nothing that is settled goes. */
const RETENTION_BYTES = 2 ** 33
/** A node that was killed comes back after so long, at most, and the time that it takes to start. */
const LONGEST_DOWN_MS = 5_000
const IN_SYNC_WITHIN_MS = 60_000

export function kafkaHost({ nodes, trouble }: KafkaStorm): OpenHost {
  return async (_folder, random) => {
    const sessionTimeoutMs = random.pick([3_000, 6_000])
    const partitions = random.pick([1, 3])
    const kafka = await startKafka({ nodes })
    return {
      settings: {
        channel: 'kafka',
        'kafka.bootstrapServers': kafka.brokers.join(),
        'kafka.replicationFactor': nodes,
        'kafka.partitions': partitions,
        'kafka.sessionTimeoutMs': sessionTimeoutMs,
        'channel.kafka.retentionBytes': RETENTION_BYTES,
      },
      pace: paceOf(trouble, sessionTimeoutMs),
      keepsAll: true,
      troubles: troublesOf(kafka, trouble),
      openStore: () =>
        openKafkaStore({
          bootstrapServers: kafka.brokers,
          auth: NO_AUTH,
          clock: createClock(),
          maxEventBytes: 2 ** 20,
          sessionTimeoutMs,
          registryTopic: 'tidings-registry',
          replicationFactor: nodes,
          partitions,
          onFault: (what, error) => assert.fail(`${what}: ${error}`),
        }),
      [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
    }
  }
}

function paceOf(trouble: KafkaStorm['trouble'], sessionTimeoutMs: number): Pace {
  return {
    longestStartMs: 2_500,
    longestLoadMs: sessionTimeoutMs + 15_000,
    deliversLate: true,
    // Where the cluster is what fails, half of the rounds have no other cause for what comes again.
    orderlyEnd: { none: 20, 'a node is killed': 2, 'all nodes are restarted': 1 }[trouble],
    killsStarts: trouble !== 'all nodes are restarted',
    sessionTimeoutMs,
  }
}

function troublesOf(kafka: Kafka, trouble: KafkaStorm['trouble']): readonly Trouble[] {
  if (trouble === 'none') return []
  if (trouble === 'a node is killed') return [(random) => killOne(kafka, random)]
  return kafka.nodes.map((node) => async () => {
    await node.stop()
    await node.start()
    await untilInSync(kafka)
  })
}

async function killOne(kafka: Kafka, random: Random): Promise<void> {
  const node = random.pick(kafka.nodes)
  await node.kill()
  await new Promise((resolve) => setTimeout(resolve, random.int(LONGEST_DOWN_MS)))
  await node.start()
  await untilInSync(kafka)
}

/** As an operator waits before the next node: each partition has all of its replicas. */
async function untilInSync({ brokers }: Kafka): Promise<void> {
  const client = kafkaClient(brokers)
  const isInSync = async (): Promise<boolean> => {
    const { topics } = await client.withAdmin((admin) => admin.fetchTopicMetadata())
    return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length))
  }
  await eventually(() => isInSync().catch(() => false), 'all replicas are in sync', IN_SYNC_WITHIN_MS)
}
