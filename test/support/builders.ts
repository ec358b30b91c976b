// Builders of valid values: a test names only what it is about.
import type { Event } from '../../src/core/event.ts'

/** A valid event without data. Attributes given here are added or replace; `undefined` takes one away. */
export function anEvent(
  attributes: Readonly<Record<string, string | undefined>> = {},
  rest: {
    readonly data?: Buffer | string
    readonly headers?: readonly string[]
    readonly arrivedAt?: number
  } = {},
): Event {
  const all = { specversion: '1.0', id: 'a-1', source: '/orders', type: 'order.created', ...attributes }
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(all)) if (value !== undefined) given[name] = value
  return {
    attributes: given,
    data: typeof rest.data === 'string' ? Buffer.from(rest.data) : rest.data,
    headers: rest.headers ?? [],
    arrivedAt: rest.arrivedAt ?? 1_767_323_045_678, // 2026-01-02T03:04:05.678Z
  }
}
