// A cluster without a server: its logs are in memory and outlive those who use them, so that what a runtime does with
// clusters can be tested where no Kafka is.
import type { KafkaStoreOptions, KafkaTopic } from '../../src/channel/backends/kafka/options.ts'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import type { EventLog } from '../../src/channel/log.ts'
import { type Clock, createClock } from '../../src/core/clock.ts'
import { EventingError } from '../../src/core/errors.ts'
import type { OpenKafka } from '../../src/runtime/kafka-clusters.ts'

export interface TestCluster {
  readonly open: OpenKafka
  /** What each connection was opened with, those that were refused too. */
  readonly attempts: readonly KafkaStoreOptions[]
  /** Connections that are open. */
  connections(): number
  /** Names of the topics that are there, in the order they were made. */
  topics(): readonly string[]
  topic(name: string): KafkaTopic | undefined
  /** What connecting ends with from now on. */
  refuse(error: EventingError | undefined): void
  /** What logs that are open refuse events with from now on. */
  fail(error: EventingError | undefined): void
  /** Waits before it answers. */
  hang(until: Promise<void>): void
}

export const UNREACHABLE = new EventingError('LOG_UNAVAILABLE', 'no answer', { retryable: true })

/** Nobody closes the cluster: no timer of its logs may keep a process from ending. Nothing gets too old in them. */
const TIMELESS: Clock = { ...createClock(), after: () => ({ cancel: () => undefined }) }

/** `password`: of the one user that there is, if anybody is asked. */
export function startTestCluster(password?: string): TestCluster {
  const memory = openMemoryStore({ clock: TIMELESS })
  const attempts: KafkaStoreOptions[] = []
  const topics = new Map<string, { readonly topic: KafkaTopic; readonly uid: string }>()
  let connections = 0
  let refusal: EventingError | undefined
  let failure: EventingError | undefined
  let hanging: Promise<void> | undefined

  function claim(uid: string, topic: KafkaTopic): void {
    if ([...topics.values()].some((known) => known.uid === uid)) return
    if (topic.wasThere) throw new EventingError('LOG_LOST', `nothing is known of ${topic.name}`)
    if (topics.has(topic.name)) throw new EventingError('LOG_CONFLICT', `topic ${topic.name} belongs to another uid`)
    topics.set(topic.name, { topic, uid })
  }

  return {
    attempts,
    connections: () => connections,
    topics: () => [...topics.keys()],
    topic: (name) => topics.get(name)?.topic,
    refuse(error) {
      refusal = error
    },
    fail(error) {
      failure = error
    },
    hang(until) {
      hanging = until
    },
    async open(options) {
      attempts.push(options)
      await hanging
      if (refusal) throw refusal
      if (options.auth.sasl?.password !== password) throw new EventingError('AUTH_FAILED', 'the login was refused')
      connections++
      return {
        traits: { ...memory.traits, backend: 'kafka', survives: 'replica-loss', shared: true },
        async open(ref, config, topic): Promise<EventLog> {
          if (refusal) throw refusal
          if (topic) claim(ref.uid, topic)
          const log = await memory.open(ref, config)
          return {
            ...log,
            async append(event, room) {
              if (failure) throw failure
              return log.append(event, room)
            },
          }
        },
        async remove(ref) {
          if (refusal) throw refusal
          for (const [name, { uid }] of topics) if (uid === ref.uid) topics.delete(name)
          await memory.remove(ref)
        },
        async close() {
          connections--
        },
      }
    },
  }
}
