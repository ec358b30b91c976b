// Every kind there is. A new one gets its file in kinds/ and its line here.
import { apiVersionsOf, type Kind } from './kind.ts'
import { type Broker, brokerKind } from './kinds/broker.ts'
import { type Channel, channelKind } from './kinds/channel.ts'
import { type ConfigMap, configMapKind } from './kinds/config-map.ts'
import { type CronJobSource, cronJobSourceKind } from './kinds/cron-job-source.ts'
import { type InMemoryChannel, inMemoryChannelKind } from './kinds/in-memory-channel.ts'
import { type KafkaChannel, kafkaChannelKind } from './kinds/kafka-channel.ts'
import { type KService, kserviceKind } from './kinds/kservice.ts'
import { type Namespace, namespaceKind } from './kinds/namespace.ts'
import { type PingSource, pingSourceKind } from './kinds/ping-source.ts'
import { type Secret, secretKind } from './kinds/secret.ts'
import { type Service, serviceKind } from './kinds/service.ts'
import { type Subscription, subscriptionKind } from './kinds/subscription.ts'
import { type Trigger, triggerKind } from './kinds/trigger.ts'

/** `apiVersion` and `kind` together tell which one it is. */
export type AnyResource =
  | Broker
  | Trigger
  | Channel
  | InMemoryChannel
  | KafkaChannel
  | Subscription
  | PingSource
  | CronJobSource
  | KService
  | Service
  | ConfigMap
  | Secret
  | Namespace

export const knownKinds: readonly Kind<AnyResource>[] = [
  brokerKind,
  triggerKind,
  channelKind,
  inMemoryChannelKind,
  kafkaChannelKind,
  subscriptionKind,
  pingSourceKind,
  cronJobSourceKind,
  kserviceKind,
  serviceKind,
  configMapKind,
  secretKind,
  namespaceKind,
]

/** The kind that `apiVersion` and `kind` of a manifest name, or undefined. */
export function findKind(apiVersion: string, kind: string): Kind<AnyResource> | undefined {
  return knownKinds.find((known) => known.kind === kind && apiVersionsOf(known).includes(apiVersion))
}

/** Says which kinds there are to somebody who asked for another: those of the same name, if there are any. */
export function describeUnknownKind(apiVersion: string, kind: string): string {
  const namesakes = knownKinds.filter((known) => known.kind === kind)
  const known = (namesakes.length > 0 ? namesakes : knownKinds).flatMap((each) =>
    apiVersionsOf(each).map((version) => `${each.kind} in ${version}`),
  )
  return `no kind ${kind} in ${apiVersion}; known are ${known.join(', ')}`
}
