// Which store the logs of a Broker, channel or source are in: that of the process, or a Kafka cluster that it names.
import type { LogRef, LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import type { Values } from '../core/values.ts'
import type { Logger } from '../observe/logger.ts'
import type { Entry } from '../store/resource-store.ts'
import { createKafkaClusters, type OpenKafka } from './kafka-clusters.ts'
import { createKafkaPlaces, type KafkaPlace, type Place, topicOf } from './kafka-places.ts'
import type { Look } from './reconcile.ts'
import type { Settings } from './settings.ts'

export interface HubStores {
  placeOf(entry: Entry, look: Look): Place
  /** Rejects while the cluster cannot be reached. Whoever takes a store gives it back. */
  take(uid: string, place: KafkaPlace): Promise<HubStore>
  /** That of the process. */
  own(): HubStore
  /** Where the logs of a uid are, if there can be any. Rejects when that cannot be reached. */
  before(uid: string, look: Look): Promise<HubStore | undefined>
  /** Whether anything of it may be left from an earlier run. */
  mayHaveKept(uid: string): boolean
  /** The logs of a uid are removed. */
  forget(uid: string): Promise<void>
  close(): Promise<void>
}

export interface HubStore {
  readonly store: LogStore
  give(): void
}

export interface HubStoresOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly values: Values
  /** Absent where everything is in Kafka. */
  readonly logs: LogStore | undefined
  readonly openKafka: OpenKafka
}

export function createHubStores(options: HubStoresOptions): HubStores {
  const { settings, values, logs } = options
  const places = createKafkaPlaces(settings, values)
  const clusters = createKafkaClusters(options)

  async function take(uid: string, place: KafkaPlace): Promise<HubStore> {
    // Before anything is made there: what is made must be found again.
    await places.keep(uid, place)
    const { store, give } = await clusters.take(place.cluster)
    const view: LogStore = {
      traits: store.traits,
      async open(ref: LogRef, config) {
        const wasThere = places.wasOpened(uid, ref, place.cluster)
        const log = await store.open(ref, config, { ...topicOf(place, uid, ref), ...(wasThere && { wasThere }) })
        await places.opened(uid, ref, place.cluster)
        return log
      },
      remove: (ref) => store.remove(ref),
      close: async () => give(),
    }
    return { store: view, give }
  }

  function own(): HubStore {
    if (!logs) throw new EventingError('LOG_UNAVAILABLE', 'this process keeps no logs of its own')
    return { store: logs, give: () => undefined }
  }

  return {
    placeOf: places.placeOf,
    take,
    own,
    async before(uid, look) {
      const place = places.before(uid, look)
      if (!place) return logs && own()
      if (place.kind === 'refused') throw new EventingError('LOG_UNAVAILABLE', place.message, { retryable: true })
      return take(uid, place)
    },
    // Of a Trigger or Subscription nothing says where its cursor was.
    mayHaveKept: (uid) => logs?.traits.survives !== 'nothing' || places.before(uid, () => undefined) !== undefined,
    forget: places.forget,
    close: clusters.close,
  }
}
