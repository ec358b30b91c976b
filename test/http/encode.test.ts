import assert from 'node:assert/strict'
import { HTTP } from 'cloudevents'
import fc from 'fast-check'
import type { Event } from '../../src/core/event.ts'
import { decodeRequest } from '../../src/http/decode.ts'
import { encodeBinary, encodeStructured } from '../../src/http/encode.ts'
import { anyEvent } from '../support/any-event.ts'
import { anEvent } from '../support/builders.ts'

const OPTIONS = { allowBatch: false, arrivedAt: 1_767_323_045_678, maxEventBytes: 1_048_576 }

describe('encodeBinary', () => {
  it('makes headers of attributes, and Content-Type of datacontenttype', () => {
    const event = anEvent({ datacontenttype: 'application/json', partitionkey: 'k' }, { data: '{}' })

    assert.deepEqual(encodeBinary(event), [
      ...['ce-specversion', '1.0', 'ce-id', 'a-1', 'ce-source', '/orders', 'ce-type', 'order.created'],
      ...['content-type', 'application/json', 'ce-partitionkey', 'k'],
    ])
  })

  for (const [name, subject, value] of [
    ['space, double quote and percent sign', 'a "b" 50%', 'a%20%22b%22%2050%25'],
    ['what is not ASCII, by its UTF-8 bytes in upper case', 'é€😀', '%C3%A9%E2%82%AC%F0%9F%98%80'],
    ['control characters, so that no header can be broken', 'a\r\nb\u007f', 'a%0D%0Ab%7F'],
    ['no other character', "!#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", "!#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"],
  ] as const) {
    it(`percent-encodes ${name}`, () => {
      assert.equal(headerOf(encodeBinary(anEvent({ subject })), 'ce-subject'), value)
    })
  }

  it('sends the headers that travel as they came', () => {
    const headers = ['traceparent', '00-1', 'x-request-id', 'a "b" é']

    assert.deepEqual(encodeBinary(anEvent({}, { headers })).slice(-4), headers)
  })

  it('leaves out the attribute it is told to', () => {
    const event = anEvent({ knativebrokerttl: '254', subject: 's' })

    assert.equal(headerOf(encodeBinary(event, 'knativebrokerttl'), 'ce-knativebrokerttl'), undefined)
    assert.equal(headerOf(encodeBinary(event, 'knativebrokerttl'), 'ce-subject'), 's')
    assert.equal(headerOf(encodeBinary(event), 'ce-knativebrokerttl'), '254')
  })

  it('does not mistake one event for another that shares a part of it', () => {
    const event = anEvent({}, { headers: ['x-request-id', '1'] })
    encodeBinary(event)

    assert.equal(headerOf(encodeBinary({ ...event, headers: ['x-request-id', '2'] }), 'x-request-id'), '2')
    assert.equal(headerOf(encodeBinary({ ...event, attributes: { ...event.attributes, id: 'b' } }), 'ce-id'), 'b')
  })

  it('is undone by decoding, for any event', () => {
    fc.assert(
      fc.property(anyEvent(), (event) => {
        const data = event.data?.length === 0 ? undefined : event.data // a binary event has no empty data
        assert.deepEqual(decoded(encodeBinary(event), event.data), { ...event, data })
      }),
    )
  })

  it('is read by the CloudEvents SDK', () => {
    const event = anEvent(
      { datacontenttype: 'application/json', time: '2026-01-02T03:04:05.678Z', partitionkey: 'k', subject: 'eu/12' },
      { data: '{"total":12}' },
    )

    const read = HTTP.toEvent({ headers: recordOf(encodeBinary(event)), body: event.data?.toString() })

    assert.deepEqual(JSON.parse(JSON.stringify(read)), {
      specversion: '1.0',
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      datacontenttype: 'application/json',
      time: '2026-01-02T03:04:05.678Z',
      partitionkey: 'k',
      subject: 'eu/12',
      data: { total: 12 },
    })
  })
})

describe('encodeStructured', () => {
  const EVENT = '"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"'

  const cases: readonly (readonly [name: string, type: string | undefined, data: string | Buffer, text: string])[] = [
    ['JSON as it came', 'application/json', '{"b":1, "a":1.0}', '"data":{"b":1, "a":1.0}'],
    ['JSON of a +json type', 'application/x+json; charset=utf-8', '[]', '"data":[]'],
    ['text as a string', 'text/plain', 'a "b"\né', '"data":"a \\"b\\"\\né"'],
    ['XML as a string', 'application/xml', '<a/>', '"data":"<a/>"'],
    ['bytes as base64', 'image/png', Buffer.from([0x89, 0x50]), '"data_base64":"iVA="'],
    ['data without a type as base64', undefined, '{}', '"data_base64":"e30="'],
    ['what only claims to be JSON as base64', 'application/json', '{', '"data_base64":"ew=="'],
    [
      'a JSON null as base64, since as a member it would be no data',
      'application/json',
      'null',
      '"data_base64":"bnVsbA=="',
    ],
    ['nothing of a JSON type as base64', 'application/json', '', '"data_base64":""'],
    ['JSON that is not UTF-8 as base64', 'application/json', Buffer.from('"\xe9"', 'latin1'), '"data_base64":"Iuki"'],
    ['text that is not UTF-8 as base64', 'text/plain', Buffer.from([0xe9]), '"data_base64":"6Q=="'],
  ]
  for (const [name, type, data, text] of cases) {
    it(`writes ${name}`, () => {
      const { body } = encodeStructured(anEvent({ datacontenttype: type }, { data }))

      const typeText = type === undefined ? '' : `,"datacontenttype":${JSON.stringify(type)}`
      assert.equal(body.toString(), `{${EVENT}${typeText},${text}}`)
    })
  }

  it('writes JSON that is too deep for its own decoder as base64', () => {
    const data = `${'['.repeat(1_000)}${']'.repeat(1_000)}`
    const { body } = encodeStructured(anEvent({ datacontenttype: 'application/json' }, { data }))

    assert.equal(JSON.parse(body.toString()).data_base64, Buffer.from(data).toString('base64'))
  })

  it('writes no data for an event without', () => {
    assert.equal(encodeStructured(anEvent()).body.toString(), `{${EVENT}}`)
  })

  it('writes bytes of version 0.3 as that version does', () => {
    const { body } = encodeStructured(anEvent({ specversion: '0.3', id: 'b' }, { data: Buffer.from([0]) }))

    assert.equal(
      body.toString(),
      '{"specversion":"0.3","id":"b","source":"/orders","type":"order.created","datacontentencoding":"base64","data":"AA=="}',
    )
  })

  it('writes data of version 0.3 that came in base64 once', () => {
    const event = anEvent({ specversion: '0.3', datacontentencoding: 'base64' }, { data: 'AA==' })

    assert.deepEqual(JSON.parse(encodeStructured(event).body.toString()), {
      specversion: '0.3',
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      datacontentencoding: 'base64',
      data: 'AA==',
    })
  })

  it('says what it is, and sends the headers that travel', () => {
    const { headers } = encodeStructured(anEvent({}, { headers: ['traceparent', '00-1'] }))

    assert.deepEqual(headers, ['content-type', 'application/cloudevents+json; charset=utf-8', 'traceparent', '00-1'])
  })

  it('leaves out the attribute it is told to', () => {
    const { body } = encodeStructured(anEvent({ knativebrokerttl: '254' }), 'knativebrokerttl')

    assert.equal(body.toString(), `{${EVENT}}`)
  })

  it('is undone by decoding, for any event', () => {
    fc.assert(
      fc.property(anyEvent(), (event) => {
        const { headers, body } = encodeStructured(event)
        assert.deepEqual(decoded(headers, body), event)
      }),
    )
  })

  it('is read by the CloudEvents SDK', () => {
    const event = anEvent(
      { datacontenttype: 'application/json', subject: 'é "x"', time: '2026-01-02T03:04:05.678Z' },
      { data: '{"total":12}' },
    )
    const { headers, body } = encodeStructured(event)

    const read = HTTP.toEvent({ headers: recordOf(headers), body: body.toString() })

    assert.deepEqual(JSON.parse(JSON.stringify(read)), {
      specversion: '1.0',
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      datacontenttype: 'application/json',
      subject: 'é "x"',
      time: '2026-01-02T03:04:05.678Z',
      data: { total: 12 },
    })
  })
})

/** What a receiver makes of it: node gives header values as one character per byte. */
function decoded(headers: readonly string[], body: Buffer | undefined): Event | undefined {
  return decodeRequest(headers, body ?? Buffer.alloc(0), OPTIONS)[0]
}

function headerOf(list: readonly string[], name: string): string | undefined {
  const at = list.indexOf(name)
  return at < 0 ? undefined : list[at + 1]
}

function recordOf(list: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {}
  list.forEach((text, i) => {
    if (i % 2 === 0) record[text] = list[i + 1] ?? ''
  })
  return record
}
