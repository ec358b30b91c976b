import fc from 'fast-check'
import type { Event } from '../../src/core/event.ts'

/** Any valid event, as the ingress may have it: JSON without space around it, and base64 of 0.3 undone. */
export function anyEvent(): fc.Arbitrary<Event> {
  const text = fc.string({ unit: 'binary' })
  const filled = text.filter((value) => value.trim() !== '')
  const extensions = fc.dictionary(
    fc.stringMatching(/^[a-z0-9]{1,20}$/).filter((name) => !KNOWN_NAMES.has(name)),
    text,
  )
  const attributes = fc
    .record(
      {
        specversion: fc.constantFrom('1.0', '0.3'),
        id: filled,
        source: fc.webUrl({ withFragments: true, withQueryParameters: true }),
        type: filled,
        subject: filled,
        time: fc
          .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
          .map((date) => date.toISOString()),
      },
      { requiredKeys: ['specversion', 'id', 'source', 'type'] },
    )
    .chain((known) => extensions.map((more) => ({ ...more, ...known })))
  const bytes = fc.uint8Array().map((data) => Buffer.from(data))
  const data = fc.oneof(
    fc.record({ type: fc.constant('application/json'), data: fc.json().map((json) => Buffer.from(json)) }),
    fc.record({ type: fc.constant('text/plain'), data: text.map((value) => Buffer.from(value)) }),
    fc.record({ type: fc.constantFrom('application/json', 'text/plain', 'image/png', undefined), data: bytes }),
    fc.record({ type: fc.constantFrom('application/json', undefined), data: fc.constant(undefined) }),
  )
  const headers = fc.constantFrom([], ['x-request-id', 'r-1'], ['traceparent', '00-1', 'tracestate', 'a=1'])
  return fc.record({ attributes, data, headers }).map((parts) => ({
    attributes:
      parts.data.type === undefined ? parts.attributes : { ...parts.attributes, datacontenttype: parts.data.type },
    data: parts.data.data,
    headers: parts.headers,
    arrivedAt: 1_767_323_045_678,
  }))
}

const KNOWN_NAMES = new Set([
  ...['data', 'specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'],
  ...['schemaurl', 'datacontentencoding'],
])
