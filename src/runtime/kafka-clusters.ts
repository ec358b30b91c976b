// The Kafka clusters that are in use, each opened once for all that is in it as one user, and closed with the last of it.
import type { KafkaStore, KafkaStoreOptions } from '../channel/backends/kafka/options.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import type { KafkaCluster } from './kafka-places.ts'
import type { Settings } from './settings.ts'

export type OpenKafka = (options: KafkaStoreOptions) => Promise<KafkaStore>

export interface KafkaClusters {
  /** Rejects as opening does; the next call tries anew. */
  take(cluster: KafkaCluster): Promise<TakenStore>
  close(): Promise<void>
}

export interface TakenStore {
  readonly store: KafkaStore
  /** Nothing of it is used any more by whoever took it. Idempotent. */
  give(): void
}

interface Use {
  readonly store: Promise<KafkaStore>
  users: number
}

interface Options {
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly openKafka: OpenKafka
}

/** Tells clusters apart, and the users that somebody is there. */
export function clusterId({ bootstrapServers, auth }: KafkaCluster): string {
  return `${[...bootstrapServers].sort().join()} ${auth.id}`
}

export function createKafkaClusters({ settings, clock, logger, openKafka }: Options): KafkaClusters {
  const uses = new Map<string, Use>()

  function open({ bootstrapServers, auth, replicationFactor }: KafkaCluster): Promise<KafkaStore> {
    const { sessionTimeoutMs, registryTopic, partitions } = settings.kafka
    const { maxEventBytes } = settings.data
    return openKafka({
      ...{
        bootstrapServers,
        auth,
        clock,
        maxEventBytes,
        sessionTimeoutMs,
        registryTopic,
        partitions,
        replicationFactor,
      },
      onFault: (what, error) =>
        logger.warn({ kafka: bootstrapServers, err: error }, `Kafka: cannot ${what}; trying again`),
    })
  }

  function end(id: string, use: Use): void {
    if (uses.get(id) === use) uses.delete(id)
    use.store
      .then((store) => store.close())
      .catch((error: unknown) => logger.warn({ err: error }, 'Kafka: the connections were not closed in order'))
  }

  async function within(ms: number, ends: readonly Promise<void>[]): Promise<void> {
    const over = new AbortController()
    const late = clock.sleep(ms, over.signal).catch(() => undefined)
    await Promise.race([Promise.allSettled(ends), late])
    over.abort()
  }

  return {
    async take(cluster) {
      const id = clusterId(cluster)
      const use = uses.get(id) ?? { store: open(cluster), users: 0 }
      uses.set(id, use)
      use.users++
      let isGiven = false
      try {
        const store = await use.store
        return {
          store,
          give() {
            if (isGiven) return
            isGiven = true
            if (--use.users === 0) end(id, use)
          },
        }
      } catch (error) {
        if (uses.get(id) === use) uses.delete(id)
        throw error
      }
    },

    async close() {
      const all = [...uses.values()]
      uses.clear()
      await within(
        CLOSE_MS,
        all.map(async ({ store }) => (await store).close()),
      )
    },
  }
}

/** A cluster that does not answer does not keep the process. */
const CLOSE_MS = 5_000
