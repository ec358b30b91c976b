import assert from 'node:assert/strict'
import type { Route } from '../../src/core/delivery-spec.ts'
import { contentForSink } from '../../src/delivery/send.ts'
import { answerTo, createClient } from '../../src/http/client.ts'
import { type Ping, pingEvent } from '../../src/source/ping.ts'
import { createFakeClock } from '../support/clock.ts'
import { startSubscriber } from '../support/subscriber.ts'

const PING: Ping = { uid: '0c1d7c2e-9f0a-4c8e-8d6b-0d1f5a3b2c1d', namespace: 'ns', name: 'p' }
const TICK = { scheduledAt: Date.parse('2026-01-02T03:04:00Z'), now: Date.parse('2026-01-02T03:04:00.321Z') }
const ATTRIBUTES = {
  specversion: '1.0',
  id: 'ea26f11b-90d5-51d6-ad00-98102be64426',
  source: '/apis/v1/namespaces/ns/pingsources/p',
  type: 'dev.knative.sources.ping',
  time: '2026-01-02T03:04:00.321Z',
  scheduledtime: '2026-01-02T03:04:00.000Z',
}

describe("a ping source's event", () => {
  const cases: readonly {
    readonly title: string
    readonly ping: Partial<Ping>
    readonly adds?: Readonly<Record<string, string>>
    readonly data?: string
  }[] = [
    { title: 'has no data when there is none', ping: {} },
    { title: 'has no content type without data', ping: { contentType: 'application/json', data: '' } },
    { title: 'has the text as it is written', ping: { data: ' {"a": "\u00e9"} ' }, data: ' {"a": "\u00e9"} ' },
    {
      title: 'has the content type of its data',
      ping: { contentType: 'text/plain', data: 'hi' },
      adds: { datacontenttype: 'text/plain' },
      data: 'hi',
    },
    {
      title: 'has the bytes that base64 says',
      ping: { contentType: 'text/plain', dataBase64: 'aGVsbG8=' },
      adds: { datacontenttype: 'text/plain' },
      data: 'hello',
    },
    {
      title: 'has the extensions that its source adds, in lower case',
      ping: { extensions: { Team: 'a', stage: 'test' } },
      adds: { team: 'a', stage: 'test' },
    },
    {
      title: 'lets its source replace the time that was due',
      ping: { extensions: { scheduledtime: 'x' } },
      adds: { scheduledtime: 'x' },
    },
    {
      title: 'lets its source replace no attribute of the specification',
      ping: { extensions: { id: 'x', type: 'x', source: 'x', time: 'x', specversion: 'x' } },
    },
  ]
  for (const { title, ping, adds, data } of cases) {
    it(title, () => {
      const event = pingEvent({ ...PING, ...ping }, TICK)

      assert.deepEqual(event.attributes, { ...ATTRIBUTES, ...adds })
      assert.equal(event.data?.toString(), data)
      assert.equal(event.arrivedAt, TICK.now)
    })
  }

  it('has the same id for the same tick, whoever makes it and when', () => {
    const idOf = (ping: Partial<Ping>, scheduledAt = TICK.scheduledAt, now = TICK.now) =>
      pingEvent({ ...PING, ...ping }, { scheduledAt, now }).attributes['id']

    assert.match(idOf({}) ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(idOf({ data: 'x', name: 'renamed' }, TICK.scheduledAt, TICK.now + 1), idOf({}))
    assert.notEqual(idOf({}, TICK.scheduledAt + 1_000), idOf({}))
    assert.notEqual(idOf({ uid: 'another' }), idOf({}))
  })

  it('is sent without a Content-Type when it has none', async () => {
    await using subscriber = await startSubscriber()
    const client = createClient({ clock: createFakeClock(), maxResponseBytes: 1_000 })
    const target = { url: subscriber.url }
    const retry: Route['retry'] = {
      retries: 0,
      backoff: { policy: 'linear', delayMs: 0 },
      backoffMaxMs: 0,
      retryAfterMaxMs: 0,
    }
    const route: Route = { subscriber: target, retry, timeoutMs: 60_000, format: 'binary', namespace: 'ns' }

    const content = () => contentForSink(route, pingEvent({ ...PING, data: 'hi' }, TICK))
    await answerTo(client, {
      target,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      content,
      holdsFloor: () => false,
    })
    await client.close()

    const [request] = subscriber.requests
    const { host: _host, connection: _connection, ...headers } = request?.headers ?? {}
    assert.deepEqual(headers, {
      'ce-specversion': '1.0',
      'ce-id': 'ea26f11b-90d5-51d6-ad00-98102be64426',
      'ce-source': '/apis/v1/namespaces/ns/pingsources/p',
      'ce-type': 'dev.knative.sources.ping',
      'ce-time': '2026-01-02T03:04:00.321Z',
      'ce-scheduledtime': '2026-01-02T03:04:00.000Z',
      'kn-namespace': 'ns',
      'content-length': '2',
    })
    assert.equal(request?.body.toString(), 'hi')
  })
})
