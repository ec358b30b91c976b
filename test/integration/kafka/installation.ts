// Several built programs of one installation on one Kafka, publishers that go to whichever is there, and a subscriber that
// notes who delivered what.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { partitionOf } from '../../../src/channel/backends/kafka/murmur2.ts'
import { type Server, startServerProgram } from '../../support/program.ts'
import { startSubscriber } from '../../support/subscriber.ts'

export const LANES = 6
export const SESSION_MS = 6_000
const KEYS_OF_LANE = 4
/** Of one publisher, between an answer and its next event. */
const BETWEEN_MS = 60
const REFUSED_MS = 20
const SUBSCRIBER_MS = 5

/** Milliseconds of this process's clock. */
export interface Delivery {
  readonly trigger: string
  /** `key/number`. */
  readonly id: string
  readonly key: string
  readonly number: number
  readonly lane: number
  /** The process that delivered. */
  readonly by: string
  readonly atMs: number
  /** Of the answer; Infinity before. */
  endMs: number
}

export interface Installation extends AsyncDisposable {
  /** In order of arrival. */
  readonly deliveries: readonly Delivery[]
  /** Processes that are there. */
  readonly names: readonly string[]
  start(name: string): Promise<void>
  /** Resolves when it is gone, with its exit code. */
  end(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  /** Who delivered last of each lane: the processes that are there, as many lanes each. */
  isShared(): boolean
  /** What the processes logged that are not there any more, and those that are. */
  logged(): string
  publish(): Publishers
}

export interface Publishers {
  readonly accepted: readonly string[]
  /** Of these somebody did not learn whether they were stored, and sent them again: they may be there twice. */
  readonly sentAgain: ReadonlySet<string>
  /** Resolves once every event that was begun is accepted. */
  stop(): Promise<void>
}

export async function openInstallation(brokers: readonly string[]): Promise<Installation> {
  const name = `run-${randomUUID().slice(0, 8)}`
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-installation-'))
  const deliveries: Delivery[] = []
  const owners = new Map<number, string>()
  const servers = new Map<string, Server>()
  const logs: string[] = []

  const subscriber = await startSubscriber(async ({ path: to, headers }) => {
    const [, trigger = '', by = ''] = to.split('/')
    const id = String(headers['ce-id'])
    const [key = '', number = ''] = id.split('/')
    const lane = partitionOf(key, LANES)
    const atMs = performance.now()
    const delivery: Delivery = { trigger, id, key, number: Number(number), lane, by, atMs, endMs: Infinity }
    deliveries.push(delivery)
    owners.set(lane, by)
    await pause(SUBSCRIBER_MS)
    delivery.endMs = performance.now()
    return { status: 202 }
  })

  async function start(process: string): Promise<void> {
    const file = path.join(folder, `${process}.yaml`)
    await writeFile(file, manifests(subscriber.url, process))
    const flags = {
      channel: 'kafka',
      'kafka.bootstrapServers': brokers.join(','),
      'kafka.replicationFactor': '1',
      'kafka.partitions': String(LANES),
      'kafka.sessionTimeoutMs': String(SESSION_MS),
      'kafka.brokerTopic': `${name}-{{ .Namespace }}-{{ .Name }}`,
      installation: name,
    }
    const settings = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
    servers.set(process, await startServerProgram(['-f', file, '--ephemeral', ...settings]))
  }

  async function end(process: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const server = servers.get(process)
    if (!server) throw new Error(`no process ${process}`)
    servers.delete(process)
    server.process.kill(signal)
    const { code, err } = await server.finished
    logs.push(err)
    return code
  }

  return {
    deliveries,
    get names() {
      return [...servers.keys()]
    },
    start,
    end,
    isShared() {
      const share = LANES / servers.size
      return [...servers.keys()].every((each) => [...owners.values()].filter((by) => by === each).length === share)
    },
    logged: () => [...logs, ...[...servers.values()].map((server) => server.err())].join(''),
    publish: () => startPublishers(() => [...servers.values()].map(({ dataUrl }) => dataUrl)),
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()))
      await subscriber.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The same for each process but for the subscriber's path, which says who delivers. */
function manifests(subscriber: string, process: string): string {
  const broker = '{apiVersion: eventing.knative.dev/v1, kind: Broker, metadata: {name: default}}\n'
  const triggers = ['ordered', 'unordered'].map(
    (order) => `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: ${order}, annotations: {kafka.eventing.knative.dev/delivery.order: ${order}}}
spec: {broker: default, subscriber: {uri: '${subscriber}/${order}/${process}'}}
`,
  )
  return broker + triggers.join('')
}

/** One for each key. It sends one event after another, each to any process, and to another one where it is not taken. */
function startPublishers(urls: () => readonly string[]): Publishers {
  const accepted: string[] = []
  const sentAgain = new Set<string>()
  let isStopped = false

  async function publish(key: string): Promise<void> {
    for (let number = 0; !isStopped; number++) {
      const id = `${key}/${number}`
      while (!(await isTaken(id, key))) await pause(REFUSED_MS)
      accepted.push(id)
      await pause(BETWEEN_MS)
    }
  }

  async function isTaken(id: string, key: string): Promise<boolean> {
    const all = urls()
    const url = all[Math.floor(Math.random() * all.length)]
    const attributes = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/orders', 'ce-type': 'order.created' }
    const headers = { ...attributes, 'ce-partitionkey': key }
    const status = await request(`${url}/default/default`, { method: 'POST', headers }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode
      },
      () => undefined, // the process is gone
    )
    if (status === 202) return true
    if (status !== 503 && status !== undefined) throw new Error(`${url} answered ${status}`)
    sentAgain.add(id)
    return false
  }

  const publishing = Promise.all(keys().map(publish))
  // Whoever stops them is told.
  publishing.catch(() => undefined)
  return {
    accepted,
    sentAgain,
    async stop() {
      isStopped = true
      await publishing
    },
  }
}

/** As many of each lane. */
function keys(): readonly string[] {
  const chosen: string[] = []
  const perLane = new Map<number, number>()
  for (let n = 0; chosen.length < LANES * KEYS_OF_LANE; n++) {
    const key = `key-${n}`
    const lane = partitionOf(key, LANES)
    const count = perLane.get(lane) ?? 0
    if (count === KEYS_OF_LANE) continue
    perLane.set(lane, count + 1)
    chosen.push(key)
  }
  return chosen
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
