// What a Kafka store and the logs in it are opened with. Where it comes from is the runtime's matter.
import type { Clock } from '../../../core/clock.ts'
import type { EventLog, LogConfig, LogRef, LogStore } from '../../log.ts'
import type { KafkaAuth } from './auth.ts'

export interface KafkaStoreOptions {
  /** `host:port` each. */
  readonly bootstrapServers: readonly string[]
  readonly auth: KafkaAuth
  readonly clock: Clock
  /** Of one event's data. */
  readonly maxEventBytes: number
  /** A member of an owner group that was silent for so long has lost its lanes. */
  readonly sessionTimeoutMs: number
  /** Where it is written down which topic is whose; made when it is not there. */
  readonly registryTopic: string
  /** Of the registry, and of logs that are opened without a topic of their own. */
  readonly replicationFactor: number
  /** Of logs that are opened without a topic of their own. */
  readonly partitions: number
  /** Told of what goes wrong and is tried again. Never a secret in it. */
  readonly onFault: (what: string, error: unknown) => void
}

/** The events topic of one log. */
export interface KafkaTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Kafka's own settings of the topic, by their names there; they win over ours. */
  readonly config: Readonly<Record<string, string>>
  /** Somebody else's: it must be there, and is never made, changed or deleted. */
  readonly isExternal: boolean
  /** The log was opened in this cluster before: where nothing is known of it, it is lost, and not made. */
  readonly wasThere?: boolean
}

export interface KafkaStore extends LogStore {
  /** `topic`: of a log that is not there yet; one that is goes on in the topic that it has. */
  open(ref: LogRef, config: LogConfig, topic?: KafkaTopic): Promise<EventLog>
}
