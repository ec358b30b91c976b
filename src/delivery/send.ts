// What one attempt sends: an event becomes the headers and body of one request. What its answer means is deliver.ts's matter.
import type { Route } from '../core/delivery-spec.ts'
import type { Event } from '../core/event.ts'
import type { Content } from '../http/client.ts'
import { encodeBinary, encodeStructured } from '../http/encode.ts'

/**
 * The event without the attribute `omit` (empty omits none), asking for a reply. Made once for all subscribers of a
 * namespace: a fan-out sends one event many times, and not in a row.
 * @see knative/eventing pkg/kncloudevents/event_dispatcher.go
 */
export function contentForSubscriber(route: Route, event: Event, omit: string): Content {
  if (route.format === 'json') return contentOf(route, event, omit, ASKS_FOR_REPLY)
  const made = event.made as Made | undefined
  if (made?.event === event && made.namespace === route.namespace && made.omit === omit) return made.content
  const content = contentOf(route, event, omit, ASKS_FOR_REPLY)
  event.made = { event, namespace: route.namespace, omit, content } satisfies Made
  return content
}

/** The event as it is, asking for nothing: for a dead letter sink, or where a reply goes. */
export function contentForSink(route: Route, event: Event): Content {
  return contentOf(route, event, '', NO_HEADERS)
}

interface Made {
  /** A copy of an event may have it, and other attributes. */
  readonly event: Event
  readonly namespace: string
  readonly omit: string
  readonly content: Content
}

const NO_HEADERS: readonly string[] = []
const ASKS_FOR_REPLY: readonly string[] = ['prefer', 'reply']

function contentOf({ format, namespace }: Route, event: Event, omit: string, more: readonly string[]): Content {
  if (format === 'json') {
    const { headers, body } = encodeStructured(event, omit)
    return { headers: [...headers, ...more, 'kn-namespace', namespace], body }
  }
  return { headers: [...encodeBinary(event, omit), ...more, 'kn-namespace', namespace], body: event.data ?? null }
}
