// A channel on a real Kafka, in real time, with a subscriber that takes everything and publishers that do not wait for it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { NO_AUTH } from '../../../src/channel/backends/kafka/auth.ts'
import type { KafkaStore, KafkaStoreOptions, KafkaTopic } from '../../../src/channel/backends/kafka/options.ts'
import { openKafkaStore } from '../../../src/channel/backends/kafka/store.ts'
import { type Channel, openChannel } from '../../../src/channel/channel.ts'
import type { EventLog } from '../../../src/channel/log.ts'
import { Budget } from '../../../src/core/budget.ts'
import { createClock } from '../../../src/core/clock.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { type Answer, aSpec, aSubscriber, type Subscriber, settles } from '../../conformance/subscriber.ts'
import { anEvent, MiB } from '../../conformance/support.ts'

const clock = createClock()

export interface Fault {
  readonly what: string
  readonly error: unknown
}

export interface StoreRig {
  readonly store: KafkaStore
  /** What it told of. */
  readonly faults: readonly Fault[]
}

export async function openStore(
  brokers: readonly string[],
  options: Partial<KafkaStoreOptions> = {},
): Promise<StoreRig> {
  const faults: Fault[] = []
  const opening = (): Promise<KafkaStore> =>
    openKafkaStore({
      bootstrapServers: brokers,
      auth: NO_AUTH,
      clock,
      maxEventBytes: MiB,
      sessionTimeoutMs: 6_000,
      registryTopic: 'tidings-registry',
      replicationFactor: 1,
      partitions: 2,
      onFault: (what, error) => faults.push({ what, error }),
      ...options,
    })
  return { store: await patiently(opening), faults }
}

/** As the runtime does: what may be over by itself is tried again. */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (const startedAt = clock.now(); ; await clock.sleep(250)) {
    try {
      return await open()
    } catch (error) {
      if (codeOf(error) !== 'LOG_UNAVAILABLE' || clock.now() - startedAt > 30_000) throw error
    }
  }
}

export interface Rig extends StoreRig, AsyncDisposable {
  readonly uid: string
  readonly topic: KafkaTopic
  readonly log: EventLog
  readonly channel: Channel
  /** Takes every event, at once unless told, from the moment it first subscribed. */
  readonly subscriber: Subscriber
}

export interface RigOptions extends Partial<KafkaStoreOptions> {
  /** Of a rig before, which it goes on for. */
  readonly uid?: string
  readonly topic?: Partial<KafkaTopic>
  readonly answer?: Answer
}

export async function openRig(brokers: readonly string[], options: RigOptions = {}): Promise<Rig> {
  const { uid = randomUUID(), topic: given, answer = settles, ...storeOptions } = options
  const { partitions = 2, replicationFactor = 1 } = options
  const topic = { name: `events-${uid}`, partitions, replicationFactor, config: {}, isExternal: false, ...given }
  const { store, faults } = await openStore(brokers, storeOptions)
  const ref = { uid, name: `default/${uid}` }
  const log = await patiently(() => store.open(ref, { capBytes: 64 * MiB }, topic))
  const channel = openChannel({ name: uid, log, traits: store.traits, clock, budget: new Budget(64 * MiB) })
  const subscriber = aSubscriber(clock, answer)
  await channel.subscribe('all', aSpec(subscriber.deliver))
  channel.start()
  return {
    store,
    faults,
    uid,
    topic,
    log,
    channel,
    subscriber,
    async [Symbol.asyncDispose]() {
      await channel.close({ drainMs: 0 })
      await store.close()
    },
  }
}

export interface Stream {
  /** Ids of the events that were accepted. */
  readonly accepted: readonly string[]
  /** Of those that were not: how many, by code. */
  readonly refused: ReadonlyMap<string, number>
  /** Resolves when all that was under way has an answer. */
  stop(): Promise<void>
}

export const PUBLISHERS = 8

/** Each publisher has a key of its own, `p0` and so on, sends one event after another, and none twice. */
export function startStream(channel: Channel): Stream {
  const accepted: string[] = []
  const refused = new Map<string, number>()
  let isStopped = false

  async function publish(key: string): Promise<void> {
    for (let number = 0; !isStopped; number++) {
      const id = `${key}-${number}`
      try {
        await channel.send(anEvent({ id, key }))
        accepted.push(id)
      } catch (error) {
        const code = codeOf(error) ?? String(error)
        refused.set(code, (refused.get(code) ?? 0) + 1)
      }
      await clock.sleep(5)
    }
  }

  const publishing = Array.from({ length: PUBLISHERS }, (_, at) => publish(`p${at}`))
  return {
    accepted,
    refused,
    async stop() {
      isStopped = true
      await Promise.all(publishing)
    },
  }
}

/** Those of `wanted` that the subscriber was not handed. */
export function missing(wanted: readonly string[], { ids }: Subscriber): readonly string[] {
  const handed = new Set(ids)
  return wanted.filter((id) => !handed.has(id))
}

/** Events that were handed out more than once, each with when it was first: clock time in ms. */
export function repetitions({ attempts }: Subscriber): readonly { readonly id: string; readonly at: number }[] {
  const first = new Map<string, number>()
  const repeated = new Set<string>()
  for (const { id, at } of attempts) {
    if (first.has(id)) repeated.add(id)
    else first.set(id, at)
  }
  return [...repeated].map((id) => ({ id, at: first.get(id) ?? 0 }))
}

/** Fails when an event was repeated that had settled long enough before `at` to be on record. */
export function assertRepeatsOnlyFrom(at: number, subscriber: Subscriber): void {
  const tooOld = repetitions(subscriber).filter((each) => each.at < at - SAVED_WITHIN_MS)
  assert.deepEqual(tooOld.slice(0, 5), [], `${tooOld.length} events that had settled for long came again`)
}

/** A channel saves once a second; on a machine with much to do, a little later. */
const SAVED_WITHIN_MS = 2_500

/** First deliveries that came before one that its publisher had sent earlier: `p1-7 after p1-8`. */
export function disorder({ ids }: Subscriber): readonly string[] {
  const latest = new Map<string, number>()
  const seen = new Set<string>()
  return ids.flatMap((id) => {
    if (seen.has(id)) return []
    seen.add(id)
    const [key = '', number] = id.split('-')
    const before = latest.get(key) ?? -1
    latest.set(key, Math.max(before, Number(number)))
    return Number(number) < before ? [`${id} after ${key}-${before}`] : []
  })
}
