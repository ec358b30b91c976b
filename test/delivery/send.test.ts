import assert from 'node:assert/strict'
import type { Route } from '../../src/core/delivery-spec.ts'
import { TTL_ATTRIBUTE } from '../../src/core/event.ts'
import { contentForSink, contentForSubscriber } from '../../src/delivery/send.ts'
import { answerTo, type Client, createClient } from '../../src/http/client.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'
import { type ReceivedRequest, type Subscriber, startSubscriber } from '../support/subscriber.ts'

describe('one attempt', () => {
  const event = anEvent(
    { subject: 'caf\u00e9 1', datacontenttype: 'application/json', knativebrokerttl: '7', traceparent: 'as extension' },
    {
      data: '{"total": 1.0}',
      headers: [
        'x-request-id',
        '77',
        'knative-x',
        'k',
        'x-b3-traceid',
        'b3',
        'traceparent',
        '00-a-b-01',
        'tracestate',
        'v=1',
      ],
    },
  )
  let subscriber: Subscriber
  let client: Client

  beforeEach(async () => {
    subscriber = await startSubscriber()
    client = createClient({ clock: createFakeClock(), maxResponseBytes: 1_000 })
  })
  afterEach(async () => {
    await client.close()
    await subscriber.close()
  })

  const routeIn = (namespace: string): Route => ({
    subscriber: { url: subscriber.url },
    retry: { retries: 0, backoff: { policy: 'linear', delayMs: 0 }, backoffMaxMs: 0, retryAfterMaxMs: 0 },
    timeoutMs: 60_000,
    format: 'binary',
    namespace,
  })
  const send = async (to: 'subscriber' | 'sink', format: Route['format'] = 'binary', sent = event) => {
    const target = { url: `${subscriber.url}/in` }
    const route: Route = { ...routeIn('team-a'), subscriber: target, format }
    const signal = new AbortController().signal
    const content = () =>
      to === 'subscriber' ? contentForSubscriber(route, sent, TTL_ATTRIBUTE) : contentForSink(route, sent)
    await answerTo(client, { target, timeoutMs: route.timeoutMs, signal, content, holdsFloor: () => false })
    const request = subscriber.requests.at(-1)
    assert.ok(request)
    return request
  }
  /** What is sent beside the event and HTTP's own. */
  const headersBeside = ({ headers }: ReceivedRequest) => {
    const own = new Set(['host', 'connection', 'content-length', 'content-type'])
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('ce-') && !own.has(name)))
  }
  const CARRIED = {
    'x-request-id': '77',
    'knative-x': 'k',
    'x-b3-traceid': 'b3',
    traceparent: '00-a-b-01',
    tracestate: 'v=1',
    'kn-namespace': 'team-a',
  }

  for (const format of ['binary', 'json'] as const) {
    it('of an event that has other attributes than one that was sent is made of its own', () => {
      const route = { format: 'binary', namespace: 'default' } as Route
      const sent = anEvent({ subject: 'first' })
      const { headers } = contentForSubscriber(route, sent, '')

      const again = contentForSubscriber(route, sent, '')
      const copied = contentForSubscriber(route, { ...sent, attributes: { ...sent.attributes, subject: 'second' } }, '')

      assert.equal(again.headers, headers)
      assert.ok(copied.headers.includes('second') && !copied.headers.includes('first'))
    })

    it(`asks a subscriber for a reply and names the namespace (${format})`, async () => {
      assert.deepEqual(headersBeside(await send('subscriber', format)), { ...CARRIED, prefer: 'reply' })
    })

    it(`asks a dead letter sink for nothing (${format})`, async () => {
      assert.deepEqual(headersBeside(await send('sink', format)), CARRIED)
    })
  }

  it('is a POST of the data as they came, in binary mode', async () => {
    const request = await send('subscriber')

    assert.equal(request.method, 'POST')
    assert.equal(request.path, '/in')
    assert.equal(request.headers['content-type'], 'application/json')
    assert.equal(request.headers['ce-subject'], 'caf%C3%A9%201')
    assert.equal(request.headers['ce-traceparent'], 'as%20extension')
    assert.equal(request.body.toString(), '{"total": 1.0}')
  })

  it('is one JSON object, in structured mode', async () => {
    const request = await send('subscriber', 'json')

    assert.match(request.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
    assert.equal(request.headers['ce-id'], undefined)
    assert.deepEqual(JSON.parse(request.body.toString()), {
      specversion: '1.0',
      id: 'a-1',
      source: '/orders',
      type: 'order.created',
      subject: 'caf\u00e9 1',
      datacontenttype: 'application/json',
      traceparent: 'as extension',
      data: { total: 1 },
    })
  })

  it('has no body for an event without data', async () => {
    const request = await send('subscriber', 'binary', anEvent())

    assert.equal(request.headers['content-length'], '0')
    assert.equal(request.body.length, 0)
  })

  it('hides from a subscriber the attribute that it is told to, and nothing from a dead letter sink', async () => {
    assert.equal((await send('subscriber')).headers['ce-knativebrokerttl'], undefined)
    assert.equal((await send('sink')).headers['ce-knativebrokerttl'], '7')
    assert.equal(JSON.parse((await send('subscriber', 'json')).body.toString()).knativebrokerttl, undefined)
    assert.equal(JSON.parse((await send('sink', 'json')).body.toString()).knativebrokerttl, '7')
  })

  it('is made once for all subscribers of a namespace, whatever is sent in between', () => {
    const other = anEvent({ id: 'b' }, { data: 'b' })
    const [first, between, again, elsewhere] = [
      contentForSubscriber(routeIn('team-a'), event, TTL_ATTRIBUTE),
      contentForSubscriber(routeIn('team-a'), other, TTL_ATTRIBUTE),
      contentForSubscriber(routeIn('team-a'), event, TTL_ATTRIBUTE),
      contentForSubscriber(routeIn('team-b'), event, TTL_ATTRIBUTE),
    ]

    assert.equal(again, first)
    assert.equal(between.body, other.data)
    assert.deepEqual(elsewhere.headers.slice(-2), ['kn-namespace', 'team-b'])
    assert.deepEqual(first.headers.slice(-2), ['kn-namespace', 'team-a'])
  })

  it('is made anew for a subscriber that sees what another does not', () => {
    contentForSubscriber(routeIn('team-a'), event, TTL_ATTRIBUTE)

    const { headers } = contentForSubscriber(routeIn('team-a'), event, '')

    assert.equal(headers[headers.indexOf('ce-knativebrokerttl') + 1], '7')
  })

  it('leaves the list of headers that a fan-out shares as it was', async () => {
    await send('subscriber')

    const again = await send('subscriber')

    assert.equal(again.rawHeaders.filter((text) => text === 'kn-namespace').length, 1)
  })
})
