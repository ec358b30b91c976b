// Manifests of the program under measure: one Broker's Triggers, some of which match the bench's event.
import { EVENT_TYPE, REPLY_TYPE } from './event.ts'

export interface Triggers {
  /** All of them, those that match included. */
  readonly total: number
  /** How many match the event. */
  readonly matching: number
  /** One more, for the events that the sink replies with. */
  readonly forReplies?: boolean
}

/** `subscriberUrl` gets `/0`, `/1`, ... for each Trigger that matches, `/idle` for the others, `/replies` for replies. */
export function manifests({ total, matching, forReplies = false }: Triggers, subscriberUrl: string): string {
  const matches = Array.from({ length: matching }, (_, i) => trigger(`match-${i}`, EVENT_TYPE, `${subscriberUrl}/${i}`))
  const idle = Array.from({ length: total - matching }, (_, i) =>
    trigger(`idle-${i}`, `com.example.bench.idle.${i}`, `${subscriberUrl}/idle`),
  )
  const replies = forReplies ? [trigger('replies', REPLY_TYPE, `${subscriberUrl}/replies`)] : []
  return [BROKER, ...matches, ...idle, ...replies].join('---\n')
}

const BROKER = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
  namespace: default
`

function trigger(name: string, type: string, uri: string): string {
  return `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: ${name}
  namespace: default
spec:
  broker: default
  filter:
    attributes:
      type: ${type}
  subscriber:
    uri: ${uri}
`
}
