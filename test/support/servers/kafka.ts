// A Kafka cluster for tests: one node or three in processes of their own, on loopback and free ports, with short delays,
// and a temporary folder that goes when it ends.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createNode, type KafkaNode } from './kafka-node.ts'
import { freePort } from './port.ts'

export interface Kafka extends AsyncDisposable {
  /** `host:port` of each node, for clients. */
  readonly brokers: readonly string[]
  /** All of them run when `startKafka` resolves. */
  readonly nodes: readonly KafkaNode[]
}

export interface KafkaOptions {
  /** One unless given. With three, what is acknowledged is on two nodes at least. */
  readonly nodes?: 1 | 3
  /** More for `server.properties`, and what replaces its lines. */
  readonly properties?: Readonly<Record<string, string>>
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidings-kafka-'))
  const places = await Promise.all(
    Array.from({ length: options.nodes ?? 1 }, async (_, at) => ({
      id: at + 1,
      port: await freePort(),
      controllerPort: await freePort(),
    })),
  )
  const clusterId = randomBytes(16).toString('base64url')
  const nodes: KafkaNode[] = []
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const create = (place: Place): Promise<KafkaNode> =>
      createNode({
        id: place.id,
        folder: path.join(folder, String(place.id)),
        clusterId,
        properties: { ...propertiesOf(place, places), ...options.properties },
        scram: [],
      })
    nodes.push(...(await Promise.all(places.map(create))))
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await close()
    throw error
  }
  return {
    brokers: places.map(({ port }) => `127.0.0.1:${port}`),
    nodes,
    [Symbol.asyncDispose]: close,
  }
}

interface Place {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
}

/** What an operator would have, but for small buffers and short delays: a test should not wait. */
function propertiesOf(place: Place, all: readonly Place[]): Readonly<Record<string, string>> {
  const replicas = String(all.length)
  const acknowledging = all.length === 1 ? '1' : '2'
  return {
    'process.roles': 'broker,controller',
    'node.id': String(place.id),
    'controller.quorum.voters': all.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': acknowledging,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': acknowledging,
    'transaction.state.log.num.partitions': '2',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '3000',
    'log.retention.check.interval.ms': '2000',
    'log.segment.delete.delay.ms': '1000',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '4',
  }
}
