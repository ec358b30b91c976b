// Manifests of the program under measure: Brokers and their Triggers, some of which match the bench's event.
import { EVENT_TYPE, REPLY_TYPE } from './event.ts'

/** Of each Broker. */
export interface Triggers {
  /** All of them, those that match included. */
  readonly total: number
  /** How many match the event. */
  readonly matching: number
  /** One more, for the events that the sink replies with. */
  readonly forReplies?: boolean
  /** One more that matches and that nobody waits for: its events come to a path beside the others', which ends so. */
  readonly withLaggard?: boolean
}

export const LAGGARD = 'laggard'

/** The first is what everybody's is called. */
export function brokerNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? 'default' : `broker-${i}`))
}

/**
 * `subscriberUrl` gets `/0`, `/1`, ... for each Trigger that matches, `/idle` for the others, `/replies` for replies; where
 * there are several Brokers, their names come before that.
 */
export function manifests(triggers: Triggers, subscriberUrl: string, brokers = 1): string {
  const names = brokerNames(brokers)
  return names
    .flatMap((name) => brokerManifests(name, triggers, brokers === 1 ? subscriberUrl : `${subscriberUrl}/${name}`))
    .join('---\n')
}

function brokerManifests(
  name: string,
  { total, matching, forReplies = false, withLaggard = false }: Triggers,
  url: string,
): readonly string[] {
  const matches = Array.from({ length: matching }, (_, i) => trigger(name, `match-${i}`, EVENT_TYPE, `${url}/${i}`))
  const idle = Array.from({ length: total - matching }, (_, i) =>
    trigger(name, `idle-${i}`, `com.example.bench.idle.${i}`, `${url}/idle`),
  )
  const replies = forReplies ? [trigger(name, 'replies', REPLY_TYPE, `${url}/replies`)] : []
  const laggard = withLaggard ? [trigger(name, LAGGARD, EVENT_TYPE, `${url}-${LAGGARD}`)] : []
  return [broker(name), ...matches, ...idle, ...replies, ...laggard]
}

function broker(name: string): string {
  return `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: ${name}
  namespace: default
`
}

/** Names are those of a namespace, so the Broker's is part of them. */
function trigger(brokerName: string, name: string, type: string, uri: string): string {
  return `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: ${brokerName === 'default' ? name : `${brokerName}-${name}`}
  namespace: default
spec:
  broker: ${brokerName}
  filter:
    attributes:
      type: ${type}
  subscriber:
    uri: ${uri}
`
}
