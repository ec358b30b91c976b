// A Kafka cluster for tests: one node or three in processes of their own, on loopback and free ports, with short delays,
// and a temporary folder that goes when it ends.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Certificates } from './certificates.ts'
import { AUTH_LISTENERS, type AuthListener, authProperties, SCRAM_USERS } from './kafka-auth.ts'
import { createNode, type KafkaNode } from './kafka-node.ts'
import { freePort } from './port.ts'

export interface Kafka extends AsyncDisposable {
  /** `host:port` of each node, for clients. */
  readonly brokers: readonly string[]
  /** The same on a port that asks who is there; none without `certificates`. */
  at(listener: AuthListener): readonly string[]
  /** All of them run when `startKafka` resolves. */
  readonly nodes: readonly KafkaNode[]
}

export interface KafkaOptions {
  /** One unless given. With three, what is acknowledged is on two nodes at least. */
  readonly nodes?: 1 | 3
  /** With these it also has the ports of kafka-auth.ts. */
  readonly certificates?: Certificates
  /** More for `server.properties`, and what replaces its lines. */
  readonly properties?: Readonly<Record<string, string>>
  /** See NodeConfig. */
  readonly classesTo?: string
  readonly cpus?: string
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidings-kafka-'))
  const { certificates } = options
  const auth = certificates === undefined ? {} : authProperties(path.join(folder, 'auth'), certificates)
  const listeners = ['PLAINTEXT', 'CONTROLLER', ...(certificates === undefined ? [] : AUTH_LISTENERS.map(upper))]
  const places = await Promise.all(Array.from({ length: options.nodes ?? 1 }, (_, at) => placeOf(at + 1, listeners)))
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
        properties: { ...propertiesOf(place, places), ...auth, ...options.properties },
        scram: certificates === undefined ? [] : SCRAM_USERS,
        classesTo: options.classesTo,
        cpus: options.cpus,
      })
    nodes.push(...(await Promise.all(places.map(create))))
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await close()
    throw error
  }
  return {
    brokers: places.map((place) => addressOf(place, 'PLAINTEXT')),
    at: (listener) => places.map((place) => addressOf(place, upper(listener))),
    nodes,
    [Symbol.asyncDispose]: close,
  }
}

interface Place {
  readonly id: number
  /** By the name of the listener. */
  readonly ports: ReadonlyMap<string, number>
}

async function placeOf(id: number, listeners: readonly string[]): Promise<Place> {
  const ports = new Map<string, number>()
  for (const listener of listeners) ports.set(listener, await freePort())
  return { id, ports }
}

function addressOf({ ports }: Place, listener: string): string {
  const port = ports.get(listener)
  if (port === undefined) throw new Error(`this Kafka has no listener ${listener}`)
  return `127.0.0.1:${port}`
}

function upper(listener: AuthListener): string {
  return listener.toUpperCase()
}

/** What an operator would have, but for small buffers and short delays: a test should not wait. */
function propertiesOf(place: Place, all: readonly Place[]): Readonly<Record<string, string>> {
  const replicas = String(all.length)
  const acknowledging = all.length === 1 ? '1' : '2'
  return {
    'process.roles': 'broker,controller',
    'node.id': String(place.id),
    'controller.quorum.voters': all.map((each) => `${each.id}@${addressOf(each, 'CONTROLLER')}`).join(','),
    listeners: [...place.ports.keys()].map((listener) => `${listener}://${addressOf(place, listener)}`).join(','),
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
