// What a ConfigMap says of a Kafka cluster and of the topics in it, by upstream's keys. They are kept with what was made
// from them, so that it can be found again when the ConfigMap is gone.
// @see eventing-kafka-broker control-plane/pkg/kafka/topic.go
import { EventingError } from '../core/errors.ts'

export interface KafkaConfig {
  readonly bootstrapServers: readonly string[]
  readonly partitions: number
  readonly replicationFactor: number
  /** Kafka's own settings of a topic. */
  readonly topicConfig: Readonly<Record<string, string>>
  readonly secretName: string | undefined
  /** Where that is, if it is not where the ConfigMap is. */
  readonly secretNamespace: string | undefined
}

/** Keys and values of a ConfigMap. */
export type ConfigKeys = Readonly<Record<string, string>>

const SERVERS = 'bootstrap.servers'
const PARTITIONS = 'default.topic.partitions'
const REPLICATION = 'default.topic.replication.factor'
const TOPIC_CONFIG = 'default.topic.config.'
const SECRET_NAME = 'auth.secret.ref.name'
const SECRET_NAMESPACE = 'auth.secret.ref.namespace'

/** Throws MANIFEST_INVALID with the key that is wrong. */
export function readKafkaConfig(keys: ConfigKeys): KafkaConfig {
  const bootstrapServers = bootstrapServersOf(keys[SERVERS] ?? '')
  if (bootstrapServers.length === 0) throw wrong(SERVERS, keys[SERVERS], 'host:port, or several with commas between')
  return {
    bootstrapServers,
    partitions: countOf(keys, PARTITIONS),
    replicationFactor: countOf(keys, REPLICATION),
    topicConfig: Object.fromEntries(
      Object.entries(keys).flatMap(([key, value]) =>
        key.startsWith(TOPIC_CONFIG) ? [[key.slice(TOPIC_CONFIG.length), value]] : [],
      ),
    ),
    secretName: keys[SECRET_NAME] || undefined,
    secretNamespace: keys[SECRET_NAMESPACE] || undefined,
  }
}

/** The keys that say this. */
export function kafkaConfigKeys(config: KafkaConfig): ConfigKeys {
  const { bootstrapServers, partitions, replicationFactor, topicConfig, secretName, secretNamespace } = config
  return {
    [SERVERS]: bootstrapServers.join(','),
    [PARTITIONS]: String(partitions),
    [REPLICATION]: String(replicationFactor),
    ...Object.fromEntries(Object.entries(topicConfig).map(([key, value]) => [TOPIC_CONFIG + key, value])),
    ...(secretName !== undefined && { [SECRET_NAME]: secretName }),
    ...(secretNamespace !== undefined && { [SECRET_NAMESPACE]: secretNamespace }),
  }
}

export function bootstrapServersOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '')
}

function countOf(keys: ConfigKeys, key: string): number {
  const text = keys[key]?.trim()
  const count = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (count < 1) throw wrong(key, keys[key], 'a whole number from 1 to 99999')
  return count
}

function wrong(key: string, value: string | undefined, expected: string): EventingError {
  const found = value === undefined ? 'missing' : JSON.stringify(value)
  return new EventingError('MANIFEST_INVALID', `key ${key} is ${found}, expected ${expected}`)
}
