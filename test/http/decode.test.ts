import assert from 'node:assert/strict'
import { CloudEvent, HTTP } from 'cloudevents'
import fc from 'fast-check'
import { EventingError } from '../../src/core/errors.ts'
import { decodeRequest, decodeResponse } from '../../src/http/decode.ts'
import { CASES, type DecodeCase, MAX_EVENT_BYTES, RULES } from './decode-cases.ts'

const OPTIONS = { allowBatch: false, arrivedAt: 1_767_323_045_678, maxEventBytes: MAX_EVENT_BYTES }
const BINARY = ['ce-specversion', '1.0', 'ce-id', 'a-1', 'ce-source', '/orders', 'ce-type', 'order.created']
const STRUCTURED = ['Content-Type', 'application/cloudevents+json']
const BATCH = ['Content-Type', 'application/cloudevents-batch+json']

describe('decodeRequest', () => {
  for (const rule of RULES) {
    describe(rule, () => {
      const cases = CASES.filter((one) => one.rule === rule)
      it('has a case', () => assert.notEqual(cases.length, 0))
      for (const one of cases) it(titleOf(one), () => check(one))
    })
  }

  it('says when the events arrived', () => {
    const [event] = decodeRequest(BINARY, Buffer.alloc(0), OPTIONS)

    assert.equal(event?.arrivedAt, 1_767_323_045_678)
  })

  for (const [mode, headers, body] of [
    ['binary', BINARY, ''],
    ['structured', STRUCTURED, '{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"}'],
  ] as const) {
    it(`carries the headers that travel with a ${mode} event, and no others`, () => {
      const carried = [
        ...['X-Request-Id', 'r-1', 'Knative-Extra', 'k', 'X-B3-TraceId', 'b', 'TraceParent', 't1', 'tracestate', 'a=1'],
        ...['tracestate', 'b=2'],
      ]
      const dropped = ['Authorization', 'Bearer x', 'Kn-Namespace', 'n', 'Cookie', 'c', 'X-Custom', 'x', 'baggage', 'y']

      const [event] = decodeRequest([...carried, ...headers, ...dropped], Buffer.from(body), OPTIONS)

      assert.deepEqual(event?.headers, [
        ...['x-request-id', 'r-1', 'knative-extra', 'k', 'x-b3-traceid', 'b', 'traceparent', 't1', 'tracestate', 'a=1'],
        ...['tracestate', 'b=2'],
      ])
    })
  }

  it('leaves the prototype of all objects alone', () => {
    const body =
      '{"specversion":"1.0","id":"a-1","source":"/orders","type":"t","constructor":"x","data":{"__proto__":{"polluted":1}}}'

    decodeRequest(STRUCTURED, Buffer.from(body), OPTIONS)

    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    assert.equal({}.constructor, Object)
  })

  it('quotes no more than a little of what it refuses, on one line', () => {
    const error = refusalOf([...BINARY, 'ce-time', `%0A${'x'.repeat(5_000)}`], '')

    assert.equal(error.message.includes('\n'), false)
    assert.ok(error.message.length < 250, error.message)
  })

  for (const [what, data] of [
    ['base64 that is none', '"data_base64":"c2VjcmV0!"'],
    ['half a surrogate pair', '"datacontenttype":"text/plain","data":"c2VjcmV0\\ud800"'],
  ] as const) {
    it(`shows nothing of an event's data in its errors: ${what}`, () => {
      const body = Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t",${data}}`)

      assert.throws(
        () => decodeRequest(STRUCTURED, body, OPTIONS),
        (error: Error) => !error.message.includes('c2VjcmV0') && error.message.startsWith("attribute 'data"),
      )
    })
  }

  it('throws nothing but its own errors, whatever comes in', () => {
    const name = fc.oneof(
      fc.constantFrom('content-type', 'ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-subject'),
      fc.string(),
    )
    const value = fc.oneof(
      fc.constantFrom('1.0', '0.3', 'application/json', STRUCTURED[1] ?? '', BATCH[1] ?? ''),
      fc.string({ unit: 'binary' }),
    )
    const headers = fc.array(fc.tuple(name, value)).map((pairs) => pairs.flat())
    const body = fc.oneof(fc.uint8Array(), fc.json(), fc.string()).map((data) => Buffer.from(data))

    fc.assert(fc.property(headers, body, (list, data) => onlyOwnErrors(list, data)))
  })

  it('throws nothing but its own errors for a structured event with any one character changed', () => {
    const text = '{"specversion":"1.0","id":"a\\n","source":"/a","type":"t","x":-1,"data":[{"a":"\\"}"},null]}'

    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'{}[]",:\\ 0nue'), (at, char) => {
        onlyOwnErrors(STRUCTURED, Buffer.from(text.slice(0, at) + char + text.slice(at + 1)))
      }),
      { numRuns: 500 },
    )
  })

  it('reads what the CloudEvents SDK sends in binary mode', () => {
    const sent = new CloudEvent({
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      time: '2026-01-02T03:04:05.678Z',
      subject: 'eu/12',
      datacontenttype: 'application/json',
      partitionkey: 'k',
      data: { total: 12 },
    })

    const [event] = decodeRequest(...requestOf(HTTP.binary(sent)), OPTIONS)

    assert.deepEqual(event?.attributes, {
      id: 'a-1',
      time: '2026-01-02T03:04:05.678Z',
      type: 'order.created',
      source: '/orders',
      specversion: '1.0',
      subject: 'eu/12',
      partitionkey: 'k',
      datacontenttype: 'application/json',
    })
    assert.equal(event?.data?.toString(), '{"total":12}')
  })

  it('reads what the CloudEvents SDK sends in structured mode', () => {
    const sent = new CloudEvent({
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      time: '2026-01-02T03:04:05.678Z',
      datacontenttype: 'application/octet-stream',
      data: new Uint8Array([0, 255]),
    })

    const [event] = decodeRequest(...requestOf(HTTP.structured(sent)), OPTIONS)

    assert.deepEqual(event?.attributes, {
      id: 'a-1',
      time: '2026-01-02T03:04:05.678Z',
      type: 'order.created',
      source: '/orders',
      specversion: '1.0',
      datacontenttype: 'application/octet-stream',
    })
    assert.deepEqual(event?.data, Buffer.from([0, 255]))
  })
})

describe('decodeRequest of a batch', () => {
  const options = { ...OPTIONS, allowBatch: true }
  const decode = (text: string) => decodeRequest(BATCH, Buffer.from(text), options)
  const one = (id: string, more = '') =>
    `{"specversion":"1.0","id":"${id}","source":"/orders","type":"order.created"${more}}`

  it('gives all events in order, each with its own data', () => {
    const events = decode(` [ ${one('a', ',"data":[1,2]')} , ${one('b')},${one('c', ',"data":"x"')} ] `)

    assert.deepEqual(
      events.map((event) => [event.attributes['id'], event.data?.toString()]),
      [
        ['a', '[1,2]'],
        ['b', undefined],
        ['c', '"x"'],
      ],
    )
  })

  it('may be empty', () => {
    assert.deepEqual(decode('[]'), [])
  })

  it('is refused whole for one invalid event, saying which', () => {
    assert.throws(() => decode(`[${one('a')},${one('')}]`), {
      code: 'EVENT_INVALID',
      message: `event 1 of the batch: attribute 'id' is "", expected a non-empty value`,
    })
  })

  it('is refused whole for one event that is too large', () => {
    assert.throws(() => decode(`[${one('a', `,"data":"${'x'.repeat(MAX_EVENT_BYTES)}"`)}]`), {
      code: 'EVENT_TOO_LARGE',
    })
  })

  it('is refused when it is no array', () => {
    assert.throws(() => decode(one('a')), { code: 'EVENT_INVALID', message: /the batch is an object/ })
  })

  it('is refused when it has a null for an event', () => {
    assert.throws(() => decode('[null]'), { code: 'EVENT_INVALID', message: /event 0 of the batch: the event is null/ })
  })

  it('is refused with more events than memory is meant for', () => {
    const text = `[${'0,'.repeat(10_000)}0]`

    assert.throws(() => decode(text), { code: 'EVENT_TOO_LARGE', message: /has 10001 events, expected at most 10000/ })
  })
})

describe('decodeResponse', () => {
  const NOTHING = Buffer.alloc(0)
  const cases: readonly (readonly [string, number, readonly string[], string, string])[] = [
    ['an empty 200', 200, [], '', 'none'],
    ['an empty 200 with a type', 200, STRUCTURED, '', 'none'],
    ['a binary event on 200', 200, BINARY, 'x', 'event'],
    ['a binary event without data on 200', 200, BINARY, '', 'event'],
    ['a binary event on 201', 201, BINARY, 'x', 'event'],
    ['an event on 202, which is none', 202, BINARY, 'x', 'none'],
    ['an event on 204, which is none', 204, BINARY, '', 'none'],
    ['text on 202', 202, ['content-type', 'text/plain'], 'OK', 'none'],
    ['text on 200', 200, ['content-type', 'text/plain'], 'OK', 'not-an-event'],
    ['JSON on 200', 200, ['content-type', 'application/json'], '{}', 'not-an-event'],
    ['an invalid binary event on 200', 200, ['ce-specversion', '1.0'], '', 'not-an-event'],
    ['an invalid structured event on 200', 200, STRUCTURED, '{}', 'not-an-event'],
    ['a batch on 200', 200, BATCH, '[]', 'not-an-event'],
  ]
  for (const [name, status, headers, body, kind] of cases) {
    it(`takes ${name} as ${kind}`, () => {
      assert.equal(decodeResponse(status, headers, Buffer.from(body)).kind, kind)
    })
  }

  it('gives the event with its data and the headers that travel', () => {
    const decoded = decodeResponse(200, [...BINARY, 'X-Request-Id', 'r-1'], Buffer.from('x'))

    assert.deepEqual(decoded, {
      kind: 'event',
      event: {
        attributes: { specversion: '1.0', id: 'a-1', source: '/orders', type: 'order.created' },
        data: Buffer.from('x'),
        headers: ['x-request-id', 'r-1'],
        arrivedAt: 0,
      },
    })
  })

  it('says why an answer is no event', () => {
    const decoded = decodeResponse(200, ['ce-specversion', '1.0'], NOTHING)

    assert.deepEqual(decoded, {
      kind: 'not-an-event',
      reason: `attribute 'id' is missing, expected a non-empty value`,
    })
  })
})

function titleOf({ name, headers, refuses }: DecodeCase): string {
  const mode = headers.some((text) => text.toLowerCase().includes('cloudevents')) ? 'structured' : 'binary'
  return `${refuses === undefined ? 'accepts' : 'refuses'} in ${mode} mode: ${name}`
}

function check({ headers, body, accepts, refuses }: DecodeCase): void {
  if (refuses !== undefined) {
    const { message } = refusalOf(headers, body)
    return assert.ok(message.includes(refuses), `"${message}" does not contain "${refuses}"`)
  }
  const [event] = decodeRequest(headers, Buffer.from(body), OPTIONS)
  assert.ok(event)
  for (const [name, value] of Object.entries(accepts?.attributes ?? {})) {
    assert.equal(Object.hasOwn(event.attributes, name) ? event.attributes[name] : undefined, value, name)
  }
  if (accepts?.data === 'none') assert.equal(event.data, undefined)
  else if (accepts?.data !== undefined) assert.deepEqual(event.data, Buffer.from(accepts.data))
}

function refusalOf(headers: readonly string[], body: string | Buffer): EventingError {
  try {
    decodeRequest(headers, Buffer.from(body), OPTIONS)
  } catch (error) {
    assert.ok(error instanceof EventingError, String(error))
    return error
  }
  assert.fail('the event was accepted')
}

function onlyOwnErrors(headers: readonly string[], body: Buffer): void {
  try {
    decodeRequest(headers, body, { ...OPTIONS, allowBatch: true })
  } catch (error) {
    assert.ok(error instanceof EventingError, String(error))
  }
}

function requestOf(message: { headers: Record<string, unknown>; body: unknown }): [string[], Buffer] {
  const headers = Object.entries(message.headers).flatMap(([name, value]) => [name, String(value)])
  return [headers, Buffer.from(String(message.body))]
}
