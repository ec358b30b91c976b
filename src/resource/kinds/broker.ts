import { z } from 'zod'
import { ageColumn, readyColumn, reasonColumn, urlColumn } from '../columns.ts'
import type { ConditionSet } from '../conditions.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { defineKind, type Resource } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { referenceFrom, referenceSchema } from '../reference.ts'
import { checkRetention } from '../retention.ts'
import { withRule } from '../rules.ts'

export const BROKER_CLASS = 'eventing.knative.dev/broker.class'
const DEFAULT_CLASS = 'Tidings'
export const KAFKA_CLASS = 'Kafka'
/** Upstream's classes are ours too, so that its manifests run unchanged. */
const OUR_CLASSES: readonly string[] = [DEFAULT_CLASS, 'MTChannelBasedBroker', KAFKA_CLASS]
const EXTERNAL_TOPIC = 'kafka.eventing.knative.dev/external.topic'

/** @see eventing-kafka-broker control-plane/pkg/reconciler/base/receiver_condition_set.go */
export const KAFKA_BROKER_CONDITIONS: ConditionSet = {
  dependents: [
    'Addressable',
    'DataPlaneAvailable',
    'TopicReady',
    'ConfigMapUpdated',
    'ConfigParsed',
    'ProbeSucceeded',
    'DeadLetterSinkResolved',
    'EventPoliciesReady',
  ],
}

const brokerSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('eventing.knative.dev/v1'),
    kind: z.literal('Broker'),
    metadata: metadataSchema(subdomainName),
    spec: z
      .strictObject({
        config: referenceSchema.exactOptional().describe('Settings of the broker class, such as its channel.'),
        delivery: deliverySchema.exactOptional().describe('How Triggers without a `delivery` of their own deliver.'),
      })
      .exactOptional(),
  }),
  checkRetention,
)
export type Broker = z.infer<typeof brokerSchema>

export const brokerKind = defineKind(
  {
    group: 'eventing.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Broker',
    plural: 'brokers',
    singular: 'broker',
    shortNames: [],
    categories: ['all', 'knative', 'eventing'],
    duckLabels: ['duck.knative.dev/addressable'],
    schema: brokerSchema,
    columns: [
      urlColumn,
      ageColumn,
      readyColumn,
      reasonColumn,
      { name: 'Class', type: 'string', jsonPath: `.metadata.annotations.${BROKER_CLASS.replaceAll('.', '\\.')}` },
    ],
    conditions: {
      dependents: [
        'IngressReady',
        'TriggerChannelReady',
        'FilterReady',
        'Addressable',
        'DeadLetterSinkResolved',
        'EventPoliciesReady',
      ],
    },
  },
  withDefaults,
)

/** The class of a Broker that has been read: reading fills it in. */
export function brokerClassOf(broker: Broker): string {
  return broker.metadata.annotations?.[BROKER_CLASS] ?? DEFAULT_CLASS
}

/** The topic of somebody else that a Broker of class Kafka is to use. */
export function externalTopicOf({ metadata }: Pick<Resource, 'metadata'>): string | undefined {
  return metadata.annotations?.[EXTERNAL_TOPIC]
}

/** Brokers of another class belong to another controller: nothing about them may be touched. */
export function isOurs(broker: Broker): boolean {
  return OUR_CLASSES.includes(brokerClassOf(broker))
}

function withDefaults(broker: Broker): Broker {
  const metadata = withNamespace(broker.metadata)
  const { config, delivery } = broker.spec ?? {}
  return {
    ...broker,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [BROKER_CLASS]: brokerClassOf(broker) } },
    spec: {
      ...(config && { config: referenceFrom(metadata.namespace, config) }),
      ...(delivery && { delivery: deliveryFrom(metadata.namespace, delivery) }),
    },
  }
}
