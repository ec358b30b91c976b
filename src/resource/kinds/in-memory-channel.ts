import { z } from 'zod'
import { ageColumn, readyColumn, reasonColumn, urlColumn } from '../columns.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { checkRetention } from '../retention.ts'
import { checkAnnotation, withRule } from '../rules.ts'
import { checkSubscribers, subscribersSchema, withSubscribable } from '../subscribable.ts'

/** Where upstream's dispatcher runs. Ours is one process, so it is checked and has no effect. */
const SCOPE = 'eventing.knative.dev/scope'

const inMemoryChannelSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('messaging.knative.dev/v1'),
    kind: z.literal('InMemoryChannel'),
    metadata: metadataSchema(subdomainName),
    spec: withRule(
      z.strictObject({
        delivery: deliverySchema
          .exactOptional()
          .describe('How Subscriptions without a `delivery` of their own deliver.'),
        subscribers: subscribersSchema,
      }),
      checkSubscribers,
    ).exactOptional(),
  }),
  (channel) => [...checkAnnotation(channel, SCOPE, ['cluster', 'namespace']), ...checkRetention(channel)],
)
export type InMemoryChannel = z.infer<typeof inMemoryChannelSchema>

export const inMemoryChannelKind = defineKind(
  {
    group: 'messaging.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'InMemoryChannel',
    plural: 'inmemorychannels',
    singular: 'inmemorychannel',
    shortNames: ['imc'],
    categories: ['all', 'knative', 'messaging', 'channel'],
    duckLabels: ['messaging.knative.dev/subscribable', 'duck.knative.dev/addressable'],
    schema: inMemoryChannelSchema,
    columns: [urlColumn, ageColumn, readyColumn, reasonColumn],
    conditions: {
      dependents: [
        'ServiceReady',
        'EndpointsReady',
        'Addressable',
        'ChannelServiceReady',
        'DeadLetterSinkResolved',
        'EventPoliciesReady',
      ],
    },
  },
  withDefaults,
)

function withDefaults(channel: InMemoryChannel): InMemoryChannel {
  const metadata = withSubscribable(withNamespace(channel.metadata))
  const { delivery } = channel.spec ?? {}
  return { ...channel, metadata, spec: delivery ? { delivery: deliveryFrom(metadata.namespace, delivery) } : {} }
}
