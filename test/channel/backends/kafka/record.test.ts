import assert from 'node:assert/strict'
import { CloudEvent, Kafka, type KafkaMessage } from 'cloudevents'
import fc from 'fast-check'
import {
  decodeRecord,
  type EncodedRecord,
  encodeRecord,
  type KafkaRecord,
} from '../../../../src/channel/backends/kafka/record.ts'
import type { Event } from '../../../../src/core/event.ts'
import { anyEvent } from '../../../support/any-event.ts'
import { anEvent } from '../../../support/builders.ts'

const ARRIVED_AT = 1_767_323_045_678

describe('an event as a Kafka record', () => {
  it('has attributes as headers, its content type without a prefix, and the data as they are', () => {
    const event = anEvent(
      { subject: 'é', datacontenttype: 'application/json', partitionkey: 'k-1' },
      { data: ' {"a": 1}', headers: ['traceparent', '00-1', 'knative-a', '1', 'knative-a', '2'] },
    )

    assert.deepEqual(asRead(encodeRecord(event)), {
      key: 'k-1',
      value: Buffer.from(' {"a": 1}'),
      headers: {
        ce_specversion: '1.0',
        ce_id: 'a-1',
        ce_source: '/orders',
        ce_type: 'order.created',
        ce_subject: 'é',
        'content-type': 'application/json',
        ce_partitionkey: 'k-1',
        traceparent: '00-1',
        'knative-a': ['1', '2'],
      },
      timestamp: String(ARRIVED_AT),
    })
  })

  it('has no key without a partition key, and an empty one for an empty one', () => {
    assert.equal(encodeRecord(anEvent()).key, null)
    assert.equal(encodeRecord(anEvent({ partitionkey: '' })).key, '')
  })

  it('has no value without data, and an empty one for empty data', () => {
    assert.equal(encodeRecord(anEvent()).value, null)
    assert.deepEqual(encodeRecord(anEvent({}, { data: '' })).value, Buffer.alloc(0))
  })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyEvent(), (event) => {
        assert.deepEqual(throughKafka(event), event)
      }),
    )
  })

  for (const specversion of ['1.0', '0.3']) {
    it(`of ${specversion} comes back as it was when its data are themselves said to be an event`, () => {
      const type = { specversion, datacontenttype: 'application/cloudevents+json; charset=utf-8' }
      const bodies = [undefined, '', ' {"id": "inner"} ', Buffer.from([0xff, 0x00])]

      for (const data of bodies) {
        const event = anEvent(type, { ...(data !== undefined && { data }), headers: ['x-request-id', 'r-1'] })
        const record = encodeRecord(event)

        assert.equal(record.headers['content-type'], 'application/cloudevents+json')
        assert.deepEqual(throughKafka(event), event)
      }
    })
  }

  it('carries the bytes of a header that are not ASCII', () => {
    const event = anEvent({}, { headers: ['knative-a', '\xc3\xa9\xff'] })

    assert.deepEqual(throughKafka(event).headers, ['knative-a', '\xc3\xa9\xff'])
  })

  it('does not hold the memory of the answer that it came in', () => {
    const answer = Buffer.alloc(100_000, 'x')

    const { data } = decoded({ ...binary(), value: answer.subarray(10, 1_010) })

    assert.equal(data?.length, 1_000)
    assert.ok(data.buffer.byteLength < 10_000)
  })
})

describe('a Kafka record of another program', () => {
  it('in binary mode, as the reference SDK writes it, is that event', () => {
    const given = new CloudEvent({
      ...{ id: 'a-1', source: '/orders', type: 'order.created', subject: 's', datacontenttype: 'text/plain' },
      ...{ time: '2026-01-02T03:04:05.678Z', partitionkey: 'k-1', data: 'hello' },
    })

    assert.deepEqual(decoded(sent(Kafka.binary(given))), {
      attributes: {
        ...{ id: 'a-1', time: '2026-01-02T03:04:05.678Z', type: 'order.created', source: '/orders' },
        ...{ specversion: '1.0', datacontenttype: 'text/plain', subject: 's', partitionkey: 'k-1' },
      },
      data: Buffer.from('hello'),
      headers: [],
      arrivedAt: ARRIVED_AT,
    })
  })

  it('in structured mode, as the reference SDK writes it, is that event', () => {
    const given = new CloudEvent({ id: 'a-1', source: '/orders', type: 'order.created', data: { a: 1 } })

    const { attributes, data } = decoded(sent(Kafka.structured(given)))

    assert.equal(attributes['type'], 'order.created')
    assert.equal(attributes['datacontenttype'], 'application/json')
    assert.deepEqual(data, Buffer.from('{"a":1}'))
  })

  it('is read whatever the case of its header names', () => {
    const record = {
      ...binary(),
      headers: {
        ...{ CE_SpecVersion: '1.0', CE_ID: 'a-1', ce_Source: '/orders', Ce_Type: 'order.created' },
        ...{ 'Content-Type': 'text/plain', TraceParent: '00-1' },
      },
    }

    const { attributes, headers } = decoded(record)

    assert.equal(attributes['datacontenttype'], 'text/plain')
    assert.equal(attributes['id'], 'a-1')
    assert.deepEqual(headers, ['traceparent', '00-1'])
  })

  it('has the first value of a header that is there twice', () => {
    const { attributes } = decoded(binary({ ce_id: [Buffer.from('first'), Buffer.from('second')], CE_ID: 'third' }))

    assert.equal(attributes['id'], 'first')
  })

  it('keeps of its other headers those that travel with an event', () => {
    const { headers } = decoded(binary({ authorization: 'secret', 'x-b3-traceid': '1', 'my-header': 'x' }))

    assert.deepEqual(headers, ['x-b3-traceid', '1'])
  })

  it('is an event without those of its headers that cannot be sent on', () => {
    const { headers } = decoded(binary({ traceparent: 'a\r\nx-injected: 1', 'knative-a b': 'x', tracestate: 'a=1' }))

    assert.deepEqual(headers, ['tracestate', 'a=1'])
  })

  it('is not given a partition key for its key', () => {
    const record = { ...binary(), key: Buffer.from('k-1') }

    assert.equal(decoded(record).attributes['partitionkey'], undefined)
  })

  it('arrived at its timestamp, or at no time when it has none', () => {
    const arrivals = ['1767323045678', '-1', '', 'x', '99999999999999999999'].map(
      (timestamp) => decoded({ ...binary(), timestamp }).arrivedAt,
    )

    assert.deepEqual(arrivals, [ARRIVED_AT, 0, 0, 0, 8.64e15])
  })

  describe('is no event', () => {
    const structured = { 'content-type': 'application/cloudevents+json' }
    const json = (value: unknown) => Buffer.from(JSON.stringify(value))
    const cases: readonly { readonly what: string; readonly record: KafkaRecord }[] = [
      { what: 'without headers', record: { value: Buffer.from('{}'), timestamp: '0' } },
      { what: 'with none of an event', record: { ...binary(), headers: { a: 'b' } } },
      { what: 'without a version', record: binary({ ce_specversion: undefined }) },
      { what: 'of another version', record: binary({ ce_specversion: '2.0' }) },
      { what: 'without an id', record: binary({ ce_id: undefined }) },
      { what: 'with an id that has no value', record: binary({ ce_id: null }) },
      { what: 'with an empty id', record: binary({ ce_id: '' }) },
      { what: 'without a source', record: binary({ ce_source: undefined }) },
      { what: 'without a type', record: binary({ ce_type: undefined }) },
      { what: 'with an attribute that is not UTF-8', record: binary({ ce_id: Buffer.from([0xff]) }) },
      { what: 'with a bad attribute name', record: binary({ 'ce_a-b': 'x' }) },
      { what: 'with an attribute without a name', record: binary({ ce_: 'x' }) },
      { what: 'with an attribute called data', record: binary({ ce_data: 'x' }) },
      { what: 'with an attribute called __proto__', record: binary({ ce___proto__: 'x' }) },
      { what: 'with a bad time', record: binary({ ce_time: 'yesterday' }) },
      { what: 'with a bad content type', record: binary({ 'content-type': 'a\r\nb: c' }) },
      { what: 'with huge attributes', record: binary({ ce_a: 'x'.repeat(100_000) }) },
      { what: 'with huge carried headers', record: binary({ traceparent: 'x'.repeat(100_000) }) },
      {
        what: 'as a batch',
        record: { ...binary(), headers: { 'content-type': 'application/cloudevents-batch+json' } },
      },
      {
        what: 'in a format that is not JSON',
        record: { ...binary(), headers: { 'content-type': 'application/cloudevents+avro' } },
      },
      { what: 'structured, without a value', record: { value: null, headers: structured, timestamp: '0' } },
      { what: 'structured, and not JSON', record: { value: Buffer.from('{'), headers: structured, timestamp: '0' } },
      { what: 'structured, and no object', record: { value: json([]), headers: structured, timestamp: '0' } },
      {
        what: 'structured, without an id',
        record: { value: json({ specversion: '1.0' }), headers: structured, timestamp: '0' },
      },
    ]

    for (const { what, record } of cases) {
      it(what, () => {
        assert.equal(decodeRecord(record), undefined)
      })
    }

    it('or is one, whatever it says: nothing throws', () => {
      const value = fc.uint8Array().map((bytes) => Buffer.from(bytes))
      const name = fc.oneof(
        fc.string(),
        fc.constantFrom('ce_id', 'CE_TYPE', 'ce_source', 'ce_specversion', 'ce_time', 'content-type', 'traceparent'),
      )
      const headerValue = fc.oneof(value, fc.string(), fc.constant(null), fc.array(fc.option(value), { maxLength: 3 }))
      const headers = fc.dictionary(name, headerValue)
      fc.assert(
        fc.property(fc.option(value), headers, fc.string(), (body, found, timestamp) => {
          decodeRecord({ value: body, headers: { ...binary().headers, ...found }, timestamp })
        }),
      )
    })
  })
})

function binary(headers: KafkaRecord['headers'] = {}): KafkaRecord {
  const required = { ce_specversion: '1.0', ce_id: 'a-1', ce_source: '/orders', ce_type: 'order.created' }
  return { value: null, headers: { ...required, ...headers }, timestamp: String(ARRIVED_AT) }
}

function decoded(record: KafkaRecord): Event {
  return decodeRecord(record) ?? assert.fail('the record is no event')
}

/** As a consumer gives it: every header is bytes. */
function throughKafka(event: Event): Event {
  const { value, headers, timestamp } = encodeRecord(event)
  const bytes = Object.entries(headers).map(([name, given]) => {
    const list = [given].flat().map((each) => Buffer.from(each))
    return [name, list.length === 1 ? list[0] : list]
  })
  return decoded({ value, headers: Object.fromEntries(bytes), timestamp })
}

/** What the reference SDK would give a producer. */
function sent({ headers, value }: KafkaMessage<unknown>): KafkaRecord {
  const given = Object.entries(headers).map(([name, each]) => [name, each === undefined ? undefined : String(each)])
  return { value: Buffer.from(String(value)), headers: Object.fromEntries(given), timestamp: String(ARRIVED_AT) }
}

function asRead({ headers, ...others }: EncodedRecord): unknown {
  const texts = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map((each) => each.toString()) : value.toString(),
  ])
  return { ...others, headers: Object.fromEntries(texts) }
}
