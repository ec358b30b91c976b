import { z } from 'zod'
import { ageColumn, readyColumn, reasonColumn } from '../columns.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { destinationFrom, destinationSchema } from '../destination.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, namespaceOf, subdomainName, withNamespace } from '../metadata.ts'
import type { FieldError } from '../problems.ts'
import { type Reference, referenceFrom, referenceSchema } from '../reference.ts'
import { type Fields, isFields, whenAbsent, withRule } from '../rules.ts'
import { checkStartAt } from '../start-at.ts'

const subscriptionSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('messaging.knative.dev/v1'),
    kind: z.literal('Subscription'),
    metadata: metadataSchema(subdomainName),
    spec: withRule(
      z.strictObject({
        channel: referenceSchema
          .describe('The channel in the same namespace to take events from.')
          .register(whenAbsent, { details: 'the Subscription must reference a channel' }),
        // The documentation has Subscriptions with a reply alone; admission has always refused them.
        subscriber: destinationSchema
          .describe('Who gets the events.')
          .register(whenAbsent, { details: 'the Subscription must reference a subscriber' }),
        reply: destinationSchema.exactOptional().describe("Who gets the subscriber's replies."),
        delivery: deliverySchema.exactOptional().describe("Replaces the channel's `delivery`."),
      }),
      checkChannel,
    ),
  }),
  checkStartAt,
)
export type Subscription = z.infer<typeof subscriptionSchema>

export const subscriptionKind = defineKind(
  {
    group: 'messaging.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Subscription',
    plural: 'subscriptions',
    singular: 'subscription',
    shortNames: ['sub'],
    categories: ['all', 'knative', 'messaging'],
    duckLabels: [],
    schema: subscriptionSchema,
    columns: [ageColumn, readyColumn, reasonColumn],
    conditions: { dependents: ['ReferencesResolved', 'AddedToChannel', 'ChannelReady', 'OIDCIdentityCreated'] },
  },
  withDefaults,
)

/** The channel it takes events from: a Channel, or the kind behind one. */
export function channelOf(subscription: Subscription): Reference & { readonly namespace: string } {
  return referenceFrom(namespaceOf(subscription), subscription.spec.channel)
}

function withDefaults(subscription: Subscription): Subscription {
  const metadata = withNamespace(subscription.metadata)
  const { subscriber, reply, delivery } = subscription.spec
  return {
    ...subscription,
    metadata,
    spec: {
      ...subscription.spec,
      subscriber: destinationFrom(metadata.namespace, subscriber),
      ...(reply && { reply: destinationFrom(metadata.namespace, reply) }),
      ...(delivery && { delivery: deliveryFrom(metadata.namespace, delivery) }),
    },
  }
}

/** Upstream allows it only with cross-namespace-event-links, which asks an API server for the user's rights. */
function checkChannel({ channel }: Fields): readonly FieldError[] {
  if (!isFields(channel) || channel['namespace'] === undefined) return []
  return [{ paths: [['channel', 'namespace']], message: 'must not set the field(s)' }]
}
