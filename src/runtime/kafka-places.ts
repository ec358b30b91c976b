// Where in which Kafka cluster the logs of a resource are. What a log was made with is kept under its resource's uid, so
// that a new template never moves it, and that it is found again when the ConfigMap is gone.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type AuthSource, type KafkaAuth, NO_AUTH, readAuth } from '../channel/backends/kafka/auth.ts'
import type { KafkaTopic } from '../channel/backends/kafka/options.ts'
import type { LogRef } from '../channel/log.ts'
import { EventingError } from '../core/errors.ts'
import type { Values } from '../core/values.ts'
import { brokerClassOf, externalTopicOf, KAFKA_CLASS } from '../resource/kinds/broker.ts'
import { kafkaChannelTopicOf } from '../resource/kinds/kafka-channel.ts'
import { secretValueOf } from '../resource/kinds/secret.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { type Entry, keyOf, resourceNameOf } from '../store/resource-store.ts'
import { type ConfigKeys, type KafkaConfig, kafkaConfigKeys, readKafkaConfig } from './kafka-config.ts'
import type { Look } from './reconcile.ts'
import type { Settings } from './settings.ts'
import { EXPECTED_TOPIC, isTopicName, topicNameOf } from './topic-name.ts'
import { uidOf } from './world.ts'

export interface KafkaCluster {
  readonly bootstrapServers: readonly string[]
  readonly auth: KafkaAuth
  readonly replicationFactor: number
}

export interface KafkaPlace {
  readonly kind: 'kafka'
  readonly cluster: KafkaCluster
  readonly events: KafkaTopic
  readonly deadLetters: KafkaTopic
  /** What it was read from, as upstream writes it into the status. */
  readonly annotations: ConfigKeys
}

export type Place =
  /** The store of the process. */
  | { readonly kind: 'own' }
  | KafkaPlace
  /** It cannot be told: in upstream's words, and in ours. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }

type Refused = Extract<Place, { kind: 'refused' }>

export interface KafkaPlaces {
  placeOf(entry: Entry, look: Look): Place
  /** Where the logs of a uid were when they were opened last; undefined when that was in no cluster. */
  before(uid: string, look: Look): KafkaPlace | Refused | undefined
  /** Durable when resolved. */
  keep(uid: string, place: KafkaPlace): Promise<void>
  forget(uid: string): Promise<void>
  /** Whether a log of the uid was opened in this cluster, by this process or one before it. */
  wasOpened(uid: string, ref: LogRef, cluster: KafkaCluster): boolean
  /** Durable when resolved. */
  opened(uid: string, ref: LogRef, cluster: KafkaCluster): Promise<void>
}

/** Upstream's name of the topic, in the annotations of a status. */
const TOPIC = 'default.topic'
const EXTERNAL_TOPIC = 'kafka.eventing.knative.dev/external.topic'
const KEPT = 'kafka/'
const OPENED = 'kafka-opened/'
const OWN: Place = { kind: 'own' }
const BROKER_CONFIG = { namespace: 'knative-eventing', name: 'kafka-broker-config' }
const CHANNEL_CONFIG = { namespace: 'knative-eventing', name: 'kafka-channel-config' }

/** What is kept of a place. No secret is: it is looked up again. */
interface Kept {
  readonly annotations: ConfigKeys
  /** Where the Secret is that the annotations name. */
  readonly namespace: string
  /** The name that the template gave: dead letters stand beside it, also where the events' topic is another's. */
  readonly base: string
  /** Its Secret may have the keys of old. */
  readonly isChannel: boolean
}

export function createKafkaPlaces(settings: Settings, values: Values): KafkaPlaces {
  const keptOf = (uid: string): Kept | undefined => {
    const text = values.get(KEPT + uid)
    return text === undefined ? undefined : (JSON.parse(text) as Kept)
  }
  const keptByPlace = new WeakMap<KafkaPlace, Kept>()

  function placeFrom(kept: Kept, config: KafkaConfig, look: Look): KafkaPlace | Refused {
    const auth = authOf(kept, config, look)
    if ('kind' in auth) return auth
    const { bootstrapServers, partitions, replicationFactor, topicConfig } = config
    const external = kept.annotations[EXTERNAL_TOPIC]
    const name = external ?? kept.base
    const deadLetterName = `${kept.base}_dead-letter`
    const tooLong = [name, deadLetterName].find((topic) => !isTopicName(topic))
    if (tooLong !== undefined) {
      return refused(`Failed to create topic: ${tooLong}`, `its name is no topic's: ${EXPECTED_TOPIC}`)
    }
    const shared = { replicationFactor, config: topicConfig }
    const place: KafkaPlace = {
      kind: 'kafka',
      cluster: { bootstrapServers, auth, replicationFactor },
      events: { ...shared, name, partitions, isExternal: external !== undefined },
      deadLetters: { ...shared, name: deadLetterName, partitions: 1, config: {}, isExternal: false },
      annotations: { ...kept.annotations, [TOPIC]: name },
    }
    keptByPlace.set(place, kept)
    return place
  }

  function authOf({ namespace, isChannel }: Kept, config: KafkaConfig, look: Look): KafkaAuth | Refused {
    const { secretName } = config
    if (secretName === undefined) {
      const isOfSettings = config.bootstrapServers.join() === settings.kafka.bootstrapServers?.join()
      return isOfSettings ? authOfSettings() : NO_AUTH
    }
    const where = `${config.secretNamespace ?? namespace}/${secretName}`
    const secret = look(keyOf('v1', 'Secret', config.secretNamespace ?? namespace, secretName))?.resource
    if (secret?.kind !== 'Secret') {
      return refused(`failed to get secret ${where}: not found`, `Secret ${where} does not exist: add its manifest`)
    }
    return readOrRefuse({ name: `Secret ${where}`, get: (key) => secretValueOf(secret, key), isLegacy: isChannel })
  }

  function authOfSettings(): KafkaAuth | Refused {
    const { authDir } = settings.kafka
    return authDir === undefined ? NO_AUTH : readOrRefuse(folderSource(authDir))
  }

  /** Keys of the cluster that the settings name. */
  function configOfSettings(partitions: number): KafkaConfig | Refused {
    const { bootstrapServers, replicationFactor } = settings.kafka
    if (!bootstrapServers) {
      const message = 'neither it nor the setting kafka.bootstrapServers names a Kafka cluster'
      return refused(`unable to build topic config from configmap: ${message}`, message)
    }
    return {
      bootstrapServers,
      partitions,
      replicationFactor,
      topicConfig: {},
      secretName: undefined,
      secretNamespace: undefined,
    }
  }

  function configOfBroker(entry: Entry, look: Look, kept: Kept | undefined): ConfigOrRefused {
    const { resource } = entry
    const reference = resource.kind === 'Broker' ? resource.spec?.config : undefined
    if (!reference) return defaultConfig(look)
    const { kind, name, namespace = namespaceOf(resource) } = reference
    if (kind.toLowerCase() !== 'configmap') {
      const reason = `supported config Kind: ConfigMap - got ${kind}`
      return refused(reason, `spec.config names a ${kind}, expected a ConfigMap`)
    }
    const configMap = look(keyOf('v1', 'ConfigMap', namespace, name))?.resource
    if (configMap?.kind === 'ConfigMap') return configured(namespace, readConfig(configMap.data ?? {}))
    if (kept) return configured(kept.namespace, readConfig(kept.annotations))
    const reason = `failed to get configmap ${namespace}/${name}: not found`
    return refused(reason, `ConfigMap ${namespace}/${name} does not exist: add its manifest`)
  }

  /** As Knative's installation has it, else the settings. */
  function defaultConfig(look: Look): ConfigOrRefused {
    const { namespace, name } = BROKER_CONFIG
    const configMap = look(keyOf('v1', 'ConfigMap', namespace, name))?.resource
    if (configMap?.kind === 'ConfigMap') return configured(namespace, readConfig(configMap.data ?? {}))
    return configured('', configOfSettings(settings.kafka.partitions))
  }

  /** Upstream has one ConfigMap for all of them. */
  function configOfChannel(entry: Entry, look: Look): ConfigOrRefused {
    const { resource } = entry
    if (resource.kind !== 'KafkaChannel') return refused('', '')
    const { namespace, name } = CHANNEL_CONFIG
    const { numPartitions, replicationFactor, retentionMs } = kafkaChannelTopicOf(resource)
    const configMap = look(keyOf('v1', 'ConfigMap', namespace, name))?.resource
    const topic = {
      'default.topic.partitions': String(numPartitions),
      'default.topic.replication.factor': String(replicationFactor),
    }
    const config =
      configMap?.kind === 'ConfigMap' ? readConfig({ ...configMap.data, ...topic }) : configOfSettings(numPartitions)
    if ('kind' in config) return config
    const topicConfig = {
      ...config.topicConfig,
      ...(retentionMs !== undefined && { 'retention.ms': String(retentionMs) }),
    }
    return configured(namespace, { ...config, replicationFactor, topicConfig })
  }

  function configOf(entry: Entry, look: Look, kept: Kept | undefined): ConfigOrRefused {
    const { kind } = entry.resource
    if (kind === 'KafkaChannel') return configOfChannel(entry, look)
    if (isKafkaBroker(entry)) return configOfBroker(entry, look, kept)
    const isSource = kind !== 'Broker' && kind !== 'InMemoryChannel'
    return configured('', configOfSettings(isSource ? 1 : settings.kafka.partitions))
  }

  function baseNameOf({ key, resource }: Entry, uid: string): string {
    const owner = { Namespace: namespaceOf(resource), Name: resource.metadata.name, UID: uid }
    if (resource.kind === 'Broker') return topicNameOf(settings.kafka.brokerTopic, owner)
    if (resource.kind === 'KafkaChannel') return topicNameOf(settings.kafka.channelTopic, owner)
    return `tidings.${resourceNameOf(key).kind.toLowerCase()}.${owner.Namespace}.${owner.Name}`
  }

  return {
    placeOf(entry, look) {
      const { kind } = entry.resource
      if (settings.channel.backend !== 'kafka' && kind !== 'KafkaChannel' && !isKafkaBroker(entry)) return OWN
      const uid = uidOf(entry)
      const before = keptOf(uid)
      const found = configOf(entry, look, before)
      if ('kind' in found) return found
      const { config, namespace } = found
      const external = before ? before.annotations[EXTERNAL_TOPIC] : externalTopicOf(entry.resource)
      const annotations = { ...kafkaConfigKeys(config), ...(external !== undefined && { [EXTERNAL_TOPIC]: external }) }
      const base = before?.base ?? baseNameOf(entry, uid)
      return placeFrom({ annotations, namespace, base, isChannel: kind === 'KafkaChannel' }, config, look)
    },

    before(uid, look) {
      const kept = keptOf(uid)
      return kept && placeFrom(kept, readKafkaConfig(kept.annotations), look)
    },

    async keep(uid, place) {
      const text = JSON.stringify(keptByPlace.get(place))
      if (values.get(KEPT + uid) !== text) await values.put(KEPT + uid, text)
    },

    async forget(uid) {
      if (values.get(KEPT + uid) !== undefined) await values.delete(KEPT + uid)
      for (const [key] of [...values.entries(`${OPENED}${uid}/`)]) await values.delete(key)
    },

    wasOpened: (uid, ref, cluster) => values.get(openedKey(uid, ref)) === serversOf(cluster),

    async opened(uid, ref, cluster) {
      const key = openedKey(uid, ref)
      if (values.get(key) !== serversOf(cluster)) await values.put(key, serversOf(cluster))
    },
  }
}

function openedKey(uid: string, ref: LogRef): string {
  return `${OPENED}${uid}/${ref.uid}`
}

/** Another list is another cluster, as far as can be told: there a log begins anew. */
function serversOf({ bootstrapServers }: KafkaCluster): string {
  return [...bootstrapServers].sort().join()
}

type ConfigOrRefused = { readonly config: KafkaConfig; readonly namespace: string } | Refused

function configured(namespace: string, config: KafkaConfig | Refused): ConfigOrRefused {
  return 'kind' in config ? config : { config, namespace }
}

function isKafkaBroker({ resource }: Entry): boolean {
  return resource.kind === 'Broker' && brokerClassOf(resource) === KAFKA_CLASS
}

function readConfig(keys: ConfigKeys): KafkaConfig | Refused {
  return orRefused(
    () => readKafkaConfig(keys),
    (message) => `unable to build topic config from configmap: ${message}`,
  )
}

function readOrRefuse(source: AuthSource): KafkaAuth | Refused {
  return orRefused(
    () => readAuth(source),
    (message) => `error getting cluster admin config: ${message}`,
  )
}

function orRefused<T>(read: () => T, reasonOf: (message: string) => string): T | Refused {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof EventingError)) throw error
    return refused(reasonOf(error.message), error.message)
  }
}

function refused(reason: string, message: string): Refused {
  return { kind: 'refused', reason, message }
}

/** A folder as Kubernetes makes it of a Secret: a file for each key. */
function folderSource(dir: string): AuthSource {
  return {
    name: `kafka.authDir ${dir}`,
    get(key) {
      try {
        return readFileSync(path.join(dir, key))
      } catch {
        return undefined
      }
    },
  }
}

/** Which of a resource's two logs a reference is. */
export function topicOf({ events, deadLetters }: KafkaPlace, uid: string, ref: LogRef): KafkaTopic {
  return ref.uid === uid ? events : deadLetters
}
