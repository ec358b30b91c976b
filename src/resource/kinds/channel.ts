import { z } from 'zod'
import { ageColumn, readyColumn, reasonColumn, urlColumn } from '../columns.ts'
import { deliveryFrom, deliverySchema } from '../delivery.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { checkRetention } from '../retention.ts'
import { withRule } from '../rules.ts'
import { checkSubscribers, subscribersSchema, withSubscribable } from '../subscribable.ts'

const templateSchema = z.strictObject({
  apiVersion: z.string().min(1).describe('Group and version of the kind that does the work.'),
  kind: z.string().min(1).describe('Kind that does the work, such as `InMemoryChannel`.'),
  spec: z.record(z.string(), z.unknown()).exactOptional().describe('Its `spec`.'),
})
export type ChannelTemplate = z.infer<typeof templateSchema>

const channelSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('messaging.knative.dev/v1'),
    kind: z.literal('Channel'),
    metadata: metadataSchema(subdomainName),
    spec: withRule(
      z.strictObject({
        channelTemplate: templateSchema
          .exactOptional()
          .describe('The channel behind this one; in memory unless given.'),
        delivery: deliverySchema
          .exactOptional()
          .describe('How Subscriptions without a `delivery` of their own deliver.'),
        subscribers: subscribersSchema,
      }),
      checkSubscribers,
    ).exactOptional(),
  }),
  checkRetention,
)
export type Channel = z.infer<typeof channelSchema>

export const channelKind = defineKind(
  {
    group: 'messaging.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Channel',
    plural: 'channels',
    singular: 'channel',
    shortNames: ['ch'],
    categories: ['all', 'knative', 'messaging', 'channel'],
    duckLabels: ['messaging.knative.dev/subscribable', 'duck.knative.dev/addressable'],
    schema: channelSchema,
    columns: [urlColumn, ageColumn, readyColumn, reasonColumn],
    conditions: {
      dependents: ['BackingChannelReady', 'Addressable', 'DeadLetterSinkResolved', 'EventPoliciesReady'],
    },
  },
  withDefaults,
)

const DEFAULT_TEMPLATE: ChannelTemplate = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }

/** The kind of channel that does the work. */
export function channelTemplateOf({ spec }: Channel): ChannelTemplate {
  return spec?.channelTemplate ?? DEFAULT_TEMPLATE
}

function withDefaults(channel: Channel): Channel {
  const metadata = withSubscribable(withNamespace(channel.metadata))
  const { delivery } = channel.spec ?? {}
  return {
    ...channel,
    metadata,
    spec: {
      channelTemplate: channelTemplateOf(channel),
      ...(delivery && { delivery: deliveryFrom(metadata.namespace, delivery) }),
    },
  }
}
