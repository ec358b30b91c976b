// What all kinds of channel share: who subscribed is for the channel to know, not for users to write.
import { z } from 'zod'
import type { Metadata } from './metadata.ts'
import type { FieldError } from './problems.ts'
import type { Fields } from './rules.ts'

/** By it, clients of a cluster know which duck type the channel has. */
const SUBSCRIBABLE = 'messaging.knative.dev/subscribable'

/** Kept for manifests that were read from a cluster; reading drops an empty list. */
export const subscribersSchema = z
  .custom<readonly unknown[]>()
  .exactOptional()
  .meta({
    type: 'array',
    items: { type: 'object' },
    description: 'Written by the channel alone: subscribe with a Subscription.',
  })

/** @see knative/eventing pkg/apis/messaging/v1/channel_validation.go */
export function checkSubscribers({ subscribers }: Fields): readonly FieldError[] {
  if (subscribers === undefined || (Array.isArray(subscribers) && subscribers.length === 0)) return []
  return [
    {
      paths: [['subscribers']],
      message: 'must not set the field(s)',
      details: 'subscribe with a Subscription instead',
    },
  ]
}

export function withSubscribable<M extends Metadata>(metadata: M): M {
  return { ...metadata, annotations: { [SUBSCRIBABLE]: 'v1', ...metadata.annotations } }
}
