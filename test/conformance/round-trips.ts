// What must come out as it went in, whatever it passes through. Attributes are strings from the ingress on.
import type { Event } from '../../src/core/event.ts'
import { anEvent } from './support.ts'

export interface RoundTrip {
  readonly what: string
  readonly event: Event
}

export function roundTrips(maxEventBytes: number): readonly RoundTrip[] {
  return [
    { what: 'absent data', event: anEvent({ data: undefined }) },
    { what: 'empty data', event: anEvent({ data: Buffer.alloc(0) }) },
    { what: '1 byte', event: anEvent({ data: Buffer.from([0]) }) },
    { what: '1 KiB', event: anEvent({ data: patterned(1_024) }) },
    { what: '64 KiB', event: anEvent({ data: patterned(65_536) }) },
    { what: 'data of the largest size', event: anEvent({ data: patterned(maxEventBytes) }) },
    { what: 'every byte value', event: anEvent({ data: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) }) },
    { what: 'bytes that are not UTF-8', event: anEvent({ data: Buffer.from([0xff, 0xfe, 0xc3, 0x28]) }) },
    { what: 'line breaks', event: anEvent({ data: Buffer.from('{"id":1}\r\n\n{"id":2}\r\n') }) },
    {
      what: 'attributes beyond ASCII',
      event: anEvent({ id: 'é-日本-𝄞', extensions: { city: 'Zürich', empty: '', quoted: '"a", %41; b' } }),
    },
    {
      what: 'attributes named like parts of an object',
      event: anEvent({ extensions: { constructor: 'c', tostring: 't', length: '3' } }),
    },
    {
      what: 'attributes that look like numbers and booleans',
      event: anEvent({ extensions: { sequence: '007', ratio: '1e3', flag: 'true', nothing: 'null' } }),
    },
    {
      what: 'carried headers, repeated ones too',
      event: anEvent({
        headers: [
          'traceparent',
          '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          'knative-a',
          '1',
          'knative-a',
          '2',
        ],
      }),
    },
    { what: 'the arrival time', event: anEvent({ arrivedAt: 1_785_000_000_123 }) },
  ]
}

function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 0xff
  return bytes
}
