// One attempt: an event becomes one request to one destination. What its answer means is deliver.ts's matter.
import type { Route } from '../core/delivery-spec.ts'
import type { Target } from '../core/destination.ts'
import type { Event } from '../core/event.ts'
import type { Answer, Client } from '../http/client.ts'
import { encodeBinary, encodeStructured } from '../http/encode.ts'

/** The hop counter of brokers is no subscriber's business: it is left out, and put back on the reply by the broker. */
const HOP_COUNTER = 'knativebrokerttl'

/**
 * The event without its hop counter, asking for a reply. Rejects only with the signal's reason.
 * @see knative/eventing pkg/kncloudevents/event_dispatcher.go, pkg/broker/filter/filter_handler.go
 */
export function sendToSubscriber(client: Client, route: Route, event: Event, signal: AbortSignal): Promise<Answer> {
  return send(client, route, route.subscriber, event, HOP_COUNTER, ['prefer', 'reply'], signal)
}

/** The event as it is, asking for nothing. Rejects only with the signal's reason. */
export function sendToDeadLetterSink(
  client: Client,
  route: Route,
  sink: Target,
  event: Event,
  signal: AbortSignal,
): Promise<Answer> {
  return send(client, route, sink, event, '', NO_HEADERS, signal)
}

const NO_HEADERS: readonly string[] = []

function send(
  client: Client,
  { format, namespace, timeoutMs }: Route,
  target: Target,
  event: Event,
  omit: string,
  more: readonly string[],
  signal: AbortSignal,
): Promise<Answer> {
  if (format === 'json') {
    const { headers, body } = encodeStructured(event, omit)
    return client.post(target, [...headers, ...more, 'kn-namespace', namespace], body, timeoutMs, signal)
  }
  const headers = [...encodeBinary(event, omit), ...more, 'kn-namespace', namespace]
  return client.post(target, headers, event.data ?? null, timeoutMs, signal)
}
