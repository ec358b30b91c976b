// The event as every stage sees it: decoded once at the door, never parsed again, shared by all its deliveries.

/** Context attributes, extensions included, in their CloudEvents string form. Names are lower-case a-z and 0-9. */
export type Attributes = Readonly<Record<string, string>>

export interface Event {
  readonly attributes: Attributes
  /** The exact bytes that came in. `undefined` is "no data", which differs from empty data. */
  readonly data: Buffer | undefined
  /** HTTP headers that travel with the event (see `http/decode.ts`): name, value, name, value, names in lower case. */
  readonly headers: readonly string[]
  /** When it was accepted, in epoch milliseconds. */
  readonly arrivedAt: number
  /** No part of the event: what `delivery/send.ts` made of it, for its next delivery. Goes with the last body (`channel/item.ts`). */
  made?: unknown
}

/** The event with other attributes. */
export function withAttributes({ data, headers, arrivedAt }: Event, attributes: Attributes): Event {
  return { attributes, data, headers, arrivedAt }
}

/** How many more brokers the event may pass: each counts it down, see broker/ttl.ts. */
export const TTL_ATTRIBUTE = 'knativebrokerttl'

/** Memory an event takes beside its data and text: objects, strings' headers, list slots. Measured, rounded up. */
const OVERHEAD_BYTES = 768

/** An attribute's value. Safe for any name: what a plain object inherits (`constructor`) is not an attribute. */
export function attributeOf(attributes: Attributes, name: string): string | undefined {
  const value: unknown = attributes[name]
  return typeof value === 'string' ? value : undefined
}

/** What an event is counted as wherever bytes are bounded: data, attributes, headers, and what objects cost. */
export function eventBytes(event: Event): number {
  let bytes = OVERHEAD_BYTES + (event.data?.length ?? 0)
  const { attributes, headers } = event
  for (const name in attributes) bytes += name.length + (attributes[name] as string).length
  for (const text of headers) bytes += text.length
  return bytes
}
