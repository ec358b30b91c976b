// The event that every process of the bench sends: a CloudEvent in binary mode with seven attributes and JSON data.
import type { Payload } from './protocol.ts'

export const EVENT_TYPE = 'com.example.bench.order.paid'
export const REPLY_TYPE = 'com.example.bench.order.receipt'

const SEQUENCE_DIGITS = 10
const STAMP_DIGITS = 16
export const ID_LENGTH = SEQUENCE_DIGITS + 1 + STAMP_DIGITS

/** Names and values, as they stand on the wire. */
export function eventHeaders(id: string): readonly string[] {
  return [
    ...['content-type', 'application/json'],
    ...['ce-specversion', '1.0'],
    ...['ce-id', id],
    ...['ce-source', '/shops/berlin'],
    ...['ce-type', EVENT_TYPE],
    ...['ce-subject', 'order/4711'],
    ...['ce-time', '2026-01-02T03:04:05.678Z'],
    ...['ce-tenant', 'a-17'],
  ]
}

export function eventData({ dataBytes }: Payload): Buffer {
  const head = '{"order":"4711","amount":12.5,"note":"'
  const tail = '"}'
  return Buffer.from(head + 'x'.repeat(dataBytes - head.length - tail.length) + tail)
}

/** The id carries its number, from which the sink knows duplicates, and its time, from which it knows the latency. */
export function eventId(sequence: number, stampUs: number): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}-${String(stampUs).padStart(STAMP_DIGITS, '0')}`
}

export function readEventId(id: string): { readonly sequence: number; readonly stampUs: number } {
  return { sequence: Number(id.slice(0, SEQUENCE_DIGITS)), stampUs: Number(id.slice(SEQUENCE_DIGITS + 1)) }
}

/** Microseconds of the machine's monotonic clock, which all its processes share. */
export function machineTimeUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + Math.floor(nanoseconds / 1_000)
}
