// What one attempt sends: an event becomes the headers and body of one request. What its answer means is deliver.ts's matter.
import type { Route } from '../core/delivery-spec.ts'
import { type Event, TTL_ATTRIBUTE } from '../core/event.ts'
import type { Content } from '../http/client.ts'
import { encodeBinary, encodeStructured } from '../http/encode.ts'

/**
 * The event without its TTL, which the broker puts back on the reply, asking for one. Made once for all subscribers of a
 * namespace: a fan-out sends one event many times, and not in a row.
 * @see knative/eventing pkg/kncloudevents/event_dispatcher.go, pkg/broker/filter/filter_handler.go
 */
export function contentForSubscriber(route: Route, event: Event): Content {
  if (route.format === 'json') return contentOf(route, event, TTL_ATTRIBUTE, ASKS_FOR_REPLY)
  const made = binaryContents.get(event)
  if (made?.namespace === route.namespace) return made.content
  const content = contentOf(route, event, TTL_ATTRIBUTE, ASKS_FOR_REPLY)
  binaryContents.set(event, { namespace: route.namespace, content })
  return content
}

/** The event as it is, asking for nothing. */
export function contentForDeadLetterSink(route: Route, event: Event): Content {
  return contentOf(route, event, '', NO_HEADERS)
}

const binaryContents = new WeakMap<Event, { readonly namespace: string; readonly content: Content }>()
const NO_HEADERS: readonly string[] = []
const ASKS_FOR_REPLY: readonly string[] = ['prefer', 'reply']

function contentOf({ format, namespace }: Route, event: Event, omit: string, more: readonly string[]): Content {
  if (format === 'json') {
    const { headers, body } = encodeStructured(event, omit)
    return { headers: [...headers, ...more, 'kn-namespace', namespace], body }
  }
  return { headers: [...encodeBinary(event, omit), ...more, 'kn-namespace', namespace], body: event.data ?? null }
}
