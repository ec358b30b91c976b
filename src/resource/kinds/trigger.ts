import { z } from 'zod'
import { checkFilters, type FilterManifest, type LegacyFilter } from '../../filter/dialects.ts'
import { ageColumn, readyColumn, reasonColumn } from '../columns.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { destinationFrom, destinationSchema } from '../destination.ts'
import { defineKind } from '../kind.ts'
import { DEFAULT_NAMESPACE, metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { type FieldError, shown } from '../problems.ts'
import { type Reference, referenceSchema } from '../reference.ts'
import { annotationPath, checkAnnotation, type Fields, isFields, textAt, withRule } from '../rules.ts'
import { checkStartAt } from '../start-at.ts'

const BROKER_LABEL = 'eventing.knative.dev/broker'
const DEPENDENCY = 'knative.dev/dependency'
const INJECTION = 'eventing.knative.dev/injection'
/** `ordered`: one event per key at a time. Upstream has it for Kafka brokers, we have it on every backend. */
const DELIVERY_ORDER = 'kafka.eventing.knative.dev/delivery.order'

const specSchema = withRule(
  z.strictObject({
    broker: z.string().exactOptional().describe('Name of the Broker in the same namespace to take events from.'),
    brokerRef: referenceSchema.exactOptional().describe('The Broker as a reference, instead of `broker`.'),
    // Both are checked by the filter layer, which knows their dialects.
    filter: z
      .custom<LegacyFilter>()
      .exactOptional()
      .meta({ type: 'object', description: 'Attributes an event must have; `filters` wins over it.' }),
    filters: z
      .custom<FilterManifest[]>()
      .exactOptional()
      .meta({
        type: 'array',
        items: { type: 'object' },
        description: 'Filters that must all pass, each of one dialect.',
      }),
    subscriber: destinationSchema.describe('Who gets the events that pass.'),
    delivery: deliverySchema
      .exactOptional()
      .describe("Replaces the Broker's `delivery` as a whole; only its dead letter sink still applies."),
  }),
  (spec) => [
    ...checkBroker(spec),
    ...checkFilters(spec).map(({ path, ...rest }) => ({ ...rest, paths: [path] as const })),
  ],
)

const triggerSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('eventing.knative.dev/v1'),
    kind: z.literal('Trigger'),
    metadata: metadataSchema(subdomainName),
    spec: specSchema,
  }),
  (trigger) => [
    ...checkDependency(trigger),
    ...checkInjection(trigger),
    ...checkAnnotation(trigger, DELIVERY_ORDER, ['ordered', 'unordered']),
    ...checkStartAt(trigger),
  ],
)
export type Trigger = z.infer<typeof triggerSchema>

export const triggerKind = defineKind(
  {
    group: 'eventing.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Trigger',
    plural: 'triggers',
    singular: 'trigger',
    shortNames: [],
    categories: ['all', 'knative', 'eventing'],
    duckLabels: [],
    schema: triggerSchema,
    columns: [
      { name: 'Broker', type: 'string', jsonPath: '.spec.broker' },
      { name: 'Subscriber_URI', type: 'string', jsonPath: '.status.subscriberUri' },
      ageColumn,
      readyColumn,
      reasonColumn,
    ],
    conditions: {
      dependents: [
        'BrokerReady',
        'SubscriptionReady',
        'DependencyReady',
        'SubscriberResolved',
        'DeadLetterSinkResolved',
        'OIDCIdentityCreated',
      ],
    },
  },
  withDefaults,
)

/** Name of the Broker, in the Trigger's namespace, whichever way it is given. */
export function brokerNameOf({ spec }: Trigger): string {
  return spec.broker ?? spec.brokerRef?.name ?? ''
}

export function isOrdered({ metadata }: Trigger): boolean {
  return metadata.annotations?.[DELIVERY_ORDER] === 'ordered'
}

/** The object of the same namespace that annotation `knative.dev/dependency` names; undefined without one. */
export function dependencyOf({ metadata }: Trigger): Pick<Reference, 'apiVersion' | 'kind' | 'name'> | undefined {
  const reference = parseJson(metadata.annotations?.[DEPENDENCY] ?? '')
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((field) => textAt(reference, [field]))
  return apiVersion && kind && name ? { apiVersion, kind, name } : undefined
}

function withDefaults(trigger: Trigger): Trigger {
  const metadata = withNamespace(trigger.metadata)
  const { filter, subscriber, delivery } = trigger.spec
  return {
    ...trigger,
    metadata: { ...metadata, labels: { ...metadata.labels, [BROKER_LABEL]: brokerNameOf(trigger) } },
    spec: {
      ...trigger.spec,
      filter: filter ?? {},
      subscriber: destinationFrom(metadata.namespace, subscriber),
      ...(delivery && { delivery: deliveryFrom(metadata.namespace, delivery) }),
    },
  }
}

function checkBroker({ broker, brokerRef }: Fields): readonly FieldError[] {
  const isNamed = broker !== undefined && broker !== ''
  if (isNamed && brokerRef !== undefined) {
    return [{ paths: [['broker'], ['brokerRef']], message: 'expected exactly one, got both' }]
  }
  if (brokerRef === undefined) return isNamed ? [] : [{ paths: [['broker']], message: 'missing field(s)' }]
  if (!isFields(brokerRef)) return []
  const errors: FieldError[] = []
  const { kind, namespace } = brokerRef
  if (typeof kind === 'string' && kind !== '' && kind !== 'Broker') {
    errors.push({
      paths: [['brokerRef', 'kind']],
      message: `invalid value: ${shown(kind)}`,
      details: 'expected Broker',
    })
  }
  // Upstream allows it only with cross-namespace-event-links, which asks an API server for the user's rights.
  if (namespace !== undefined) {
    errors.push({ paths: [['brokerRef', 'namespace']], message: 'must not set the field(s)' })
  }
  return errors
}

/** The annotation holds an object reference as JSON: knative/eventing pkg/apis/eventing/v1/trigger_validation.go. */
function checkDependency(trigger: Fields): readonly FieldError[] {
  const path = annotationPath(DEPENDENCY)
  const text = textAt(trigger, path)
  if (text === undefined) return []
  const reference = parseJson(text)
  if (!isFields(reference)) {
    const message = `The provided annotation was not a corev1.ObjectReference: "${shown(text)}"`
    return [{ paths: [path], message }]
  }
  const errors: FieldError[] = []
  const namespace = textAt(trigger, ['metadata', 'namespace']) ?? DEFAULT_NAMESPACE
  const { namespace: wanted = '' } = reference
  if (wanted !== '' && wanted !== namespace) {
    const message = `Namespace must be empty or equal to the trigger namespace "${namespace}"`
    errors.push({ paths: [path], message })
  }
  for (const field of ['kind', 'name', 'apiVersion']) {
    if (!textAt(reference, [field])) errors.push({ paths: [path], message: 'missing field(s)', details: field })
  }
  return errors
}

function checkInjection(trigger: Fields): readonly FieldError[] {
  const path = annotationPath(INJECTION)
  const value = textAt(trigger, path)
  if (value === undefined) return []
  const refuse = (details: string): readonly FieldError[] => [
    { paths: [path], message: `invalid value: ${shown(value)}`, details },
  ]
  if (value !== 'enabled' && value !== 'disabled') return refuse('expected enabled or disabled')
  const isDefaultBroker = textAt(trigger, ['spec', 'broker']) === 'default'
  return isDefaultBroker ? [] : refuse('expected spec.broker to be default')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
