// Upstream's channel in Kafka (eventing-kafka-broker, control-plane/pkg/apis/messaging).
import { z } from 'zod'
import { parseDuration } from '../../core/duration.ts'
import { ageColumn, readyColumn, reasonColumn, urlColumn } from '../columns.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { type FieldError, shown } from '../problems.ts'
import { checkRetention } from '../retention.ts'
import { checkAnnotation, type Fields, withRule } from '../rules.ts'
import { checkSubscribers, subscribersSchema, withSubscribable } from '../subscribable.ts'

/** Where upstream's dispatcher runs. Ours is one process, so it is checked and has no effect. */
const SCOPE = 'eventing.knative.dev/scope'
const DEFAULT_PARTITIONS = 1
const DEFAULT_REPLICATION_FACTOR = 1

const kafkaChannelSchema = withRule(
  z.strictObject({
    apiVersion: z.union([z.literal('messaging.knative.dev/v1beta1'), z.literal('messaging.knative.dev/v1')]),
    kind: z.literal('KafkaChannel'),
    metadata: metadataSchema(subdomainName),
    spec: withRule(
      z.strictObject({
        numPartitions: z.int32().exactOptional().describe('Partitions of its topic; 1 unless given.'),
        replicationFactor: z.int32().exactOptional().describe('Copies of its topic; 1 unless given.'),
        retentionDuration: z
          .string()
          .exactOptional()
          .describe('How long Kafka keeps its events, delivered or not; for ever unless given.'),
        delivery: deliverySchema
          .exactOptional()
          .describe('How Subscriptions without a `delivery` of their own deliver.'),
        subscribers: subscribersSchema,
      }),
      (spec) => [...checkSubscribers(spec), ...checkTopic(spec)],
    ).exactOptional(),
  }),
  (channel) => [...checkAnnotation(channel, SCOPE, ['cluster', 'namespace']), ...checkRetention(channel)],
)
export type KafkaChannel = z.infer<typeof kafkaChannelSchema>

export const kafkaChannelKind = defineKind(
  {
    group: 'messaging.knative.dev',
    versions: ['v1beta1', 'v1'],
    isNamespaced: true,
    kind: 'KafkaChannel',
    plural: 'kafkachannels',
    singular: 'kafkachannel',
    shortNames: ['kc'],
    categories: ['all', 'knative', 'messaging', 'channel'],
    duckLabels: ['messaging.knative.dev/subscribable', 'duck.knative.dev/addressable'],
    schema: kafkaChannelSchema,
    columns: [urlColumn, ageColumn, readyColumn, reasonColumn],
    conditions: {
      dependents: [
        'Addressable',
        'ConfigurationReady',
        'TopicReady',
        'ChannelServiceReady',
        'DeadLetterSinkResolved',
        'EventPoliciesReady',
      ],
    },
  },
  withDefaults,
)

export interface KafkaChannelTopic {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly retentionMs: number | undefined
}

/** Of a channel that has been read. */
export function kafkaChannelTopicOf({ spec }: KafkaChannel): KafkaChannelTopic {
  const { numPartitions, replicationFactor, retentionDuration } = spec ?? {}
  return {
    numPartitions: numPartitions || DEFAULT_PARTITIONS,
    replicationFactor: replicationFactor || DEFAULT_REPLICATION_FACTOR,
    retentionMs: retentionDuration === undefined ? undefined : parseDuration(retentionDuration),
  }
}

/** 0 is as good as nothing given, as upstream fills in defaults first. */
function checkTopic(spec: Fields): readonly FieldError[] {
  const counts = (['numPartitions', 'replicationFactor'] as const).flatMap((name): FieldError[] => {
    const value = spec[name]
    return typeof value === 'number' && value < 0 ? [{ paths: [[name]], message: `invalid value: ${value}` }] : []
  })
  const { retentionDuration } = spec
  if (typeof retentionDuration !== 'string' || isDuration(retentionDuration)) return counts
  const details = 'expected an ISO 8601 duration such as PT168H'
  return [...counts, { paths: [['retentionDuration']], message: `invalid value: ${shown(retentionDuration)}`, details }]
}

function isDuration(text: string): boolean {
  try {
    parseDuration(text)
    return true
  } catch {
    return false
  }
}

function withDefaults(channel: KafkaChannel): KafkaChannel {
  const metadata = withSubscribable(withNamespace(channel.metadata))
  const { numPartitions, replicationFactor } = kafkaChannelTopicOf(channel)
  const { delivery, retentionDuration } = channel.spec ?? {}
  return {
    ...channel,
    metadata,
    spec: {
      numPartitions,
      replicationFactor,
      ...(retentionDuration !== undefined && { retentionDuration }),
      ...(delivery && { delivery: deliveryFrom(metadata.namespace, delivery) }),
    },
  }
}
