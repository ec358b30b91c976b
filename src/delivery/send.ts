// What one attempt sends: an event becomes the headers and body of one request. What its answer means is deliver.ts's matter.
import type { Route } from '../core/delivery-spec.ts'
import { type Event, TTL_ATTRIBUTE } from '../core/event.ts'
import type { Content } from '../http/client.ts'
import { encodeBinary, encodeStructured } from '../http/encode.ts'

/**
 * The event without its TTL, which the broker puts back on the reply, asking for one.
 * @see knative/eventing pkg/kncloudevents/event_dispatcher.go, pkg/broker/filter/filter_handler.go
 */
export function contentForSubscriber(route: Route, event: Event): Content {
  return contentOf(route, event, TTL_ATTRIBUTE, ASKS_FOR_REPLY)
}

/** The event as it is, asking for nothing. */
export function contentForDeadLetterSink(route: Route, event: Event): Content {
  return contentOf(route, event, '', NO_HEADERS)
}

const NO_HEADERS: readonly string[] = []
const ASKS_FOR_REPLY: readonly string[] = ['prefer', 'reply']

function contentOf({ format, namespace }: Route, event: Event, omit: string, more: readonly string[]): Content {
  if (format === 'json') {
    const { headers, body } = encodeStructured(event, omit)
    return { headers: [...headers, ...more, 'kn-namespace', namespace], body }
  }
  return { headers: withMore(encodeBinary(event, omit), more, namespace), body: event.data ?? null }
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
