// One attempt: an event becomes one request to one destination. What its answer means is deliver.ts's matter.
import type { Route } from '../core/delivery-spec.ts'
import type { Target } from '../core/destination.ts'
import { type Event, TTL_ATTRIBUTE } from '../core/event.ts'
import type { Answer, Client, Recipient } from '../http/client.ts'
import { encodeBinary, encodeStructured } from '../http/encode.ts'

/** Whose attempt it is. */
export interface Sender extends Recipient {
  readonly signal: AbortSignal
}

/**
 * The event without its TTL, which the broker puts back on the reply, asking for one. Rejects only with the signal's reason.
 * @see knative/eventing pkg/kncloudevents/event_dispatcher.go, pkg/broker/filter/filter_handler.go
 */
export function sendToSubscriber(client: Client, route: Route, event: Event, sender: Sender): Promise<Answer> {
  return send(client, route, route.subscriber, event, TTL_ATTRIBUTE, ASKS_FOR_REPLY, sender)
}

/** The event as it is, asking for nothing. Rejects only with the signal's reason. */
export function sendToDeadLetterSink(
  client: Client,
  route: Route,
  sink: Target,
  event: Event,
  sender: Sender,
): Promise<Answer> {
  return send(client, route, sink, event, '', NO_HEADERS, sender)
}

const NO_HEADERS: readonly string[] = []
const ASKS_FOR_REPLY: readonly string[] = ['prefer', 'reply']

function send(
  client: Client,
  { format, namespace, timeoutMs }: Route,
  target: Target,
  event: Event,
  omit: string,
  more: readonly string[],
  sender: Sender,
): Promise<Answer> {
  if (format === 'json') {
    const { headers, body } = encodeStructured(event, omit)
    return client.post(target, [...headers, ...more, 'kn-namespace', namespace], body, timeoutMs, sender.signal, sender)
  }
  const headers = withMore(encodeBinary(event, omit), more, namespace)
  return client.post(target, headers, event.data ?? null, timeoutMs, sender.signal, sender)
}

/** The last list made: one event's deliveries come in a row, to many triggers of one namespace, and share it. */
let last: { readonly base: readonly string[]; readonly more: readonly string[]; readonly namespace: string } | undefined
let lastHeaders: string[] = []

function withMore(base: readonly string[], more: readonly string[], namespace: string): string[] {
  if (last?.base === base && last.more === more && last.namespace === namespace) return lastHeaders
  last = { base, more, namespace }
  lastHeaders = [...base, ...more, 'kn-namespace', namespace]
  return lastHeaders
}
