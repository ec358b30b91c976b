import assert from 'node:assert/strict'
import { request } from 'undici'
import { createIngress, type Ingress, type IngressTarget, newIngressStats } from '../../src/broker/ingress.ts'
import type { Room } from '../../src/channel/log.ts'
import { Budget } from '../../src/core/budget.ts'
import { EventingError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { type DataServer, startServer } from '../../src/http/server.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock, type FakeClock } from '../support/clock.ts'
import { INGRESS_CASES, INGRESS_RULES, type IngressCase } from './ingress-cases.ts'

const STARTED_AT = Date.parse('2026-01-02T03:04:05.678Z')
const BINARY = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/orders', 'ce-type': 'order.created' }
const BATCH = { 'content-type': 'application/cloudevents-batch+json' }

/** A broker whose log is a list; `failure` makes appends reject from then on. */
interface TestBroker extends IngressTarget {
  ready: boolean
  readonly stored: { readonly event: Event; readonly room: Room }[]
  failure: ((event: Event) => Error | undefined) | undefined
}

describe('ingress', () => {
  let clock: FakeClock
  let broker: TestBroker
  let ingress: Ingress
  let server: DataServer
  let url: string
  let faults: unknown[]

  beforeEach(async () => {
    clock = createFakeClock(STARTED_AT)
    broker = aBroker()
    faults = []
    ingress = createIngress({
      find: (namespace, name) => (namespace === 'ns' && name === 'orders' ? broker : undefined),
      clock,
      maxTtl: 255,
      maxEventBytes: 1_024,
      onError: (error) => faults.push(error),
    })
    server = await startServer({
      host: '127.0.0.1',
      port: 0,
      handle: ingress.handle,
      health: { live: () => true, ready: () => ({ ok: true, text: '' }) },
      budget: new Budget(1_048_576),
      limits: { maxRequestBytes: 65_536, maxHeaderBytes: 32_768, requestTimeoutMs: 10_000 },
      clock,
      onError: (error) => faults.push(error),
    })
    url = `http://127.0.0.1:${server.port}`
  })
  afterEach(() => server.close(0))

  function aBroker(): TestBroker {
    const stored: TestBroker['stored'] = []
    const one: TestBroker = {
      ready: true,
      stats: newIngressStats(),
      stored,
      failure: undefined,
      append: async (event, room) => {
        const failure = one.failure?.(event)
        if (failure) throw failure
        stored.push({ event, room })
      },
    }
    return one
  }

  async function post(headers: Readonly<Record<string, string>>, body = '', path = '/ns/orders') {
    const response = await request(url + path, { method: 'POST', headers, body })
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
  }

  describe('the order of checks', () => {
    for (const rule of INGRESS_RULES) {
      describe(rule, () => {
        const cases = INGRESS_CASES.filter((one) => one.rule === rule)
        it('has a case', () => assert.notEqual(cases.length, 0))
        for (const one of cases) it(`${one.name}: ${one.status}`, () => check(one))
      })
    }
  })

  async function check(one: IngressCase): Promise<void> {
    broker.ready = one.broker !== 'not ready'
    const error = errorOf(one.broker)
    if (error) broker.failure = () => error

    const response = await request(url + one.path, { method: one.method, headers: one.headers, body: one.body ?? null })
    const text = await response.body.text()

    assert.equal(response.statusCode, one.status)
    assert.equal(response.headers['allow'], 'POST, OPTIONS')
    for (const [name, value] of Object.entries(one.answers ?? {})) assert.equal(response.headers[name], value, name)
    assert.equal(text === '', one.text === undefined, `the answer's text is '${text}'`)
    assert.ok(text.includes(one.text ?? ''), `'${text}' does not contain '${one.text}'`)
    assert.equal(broker.stored.length, one.status === 202 ? 1 : 0)
  }

  describe('what is stored', () => {
    it('is the event with its arrival time and a TTL', async () => {
      await post({ ...BINARY, 'content-type': 'text/plain', traceparent: '00-1', 'x-custom': 'x' }, 'hi')

      assert.deepEqual(broker.stored, [
        {
          event: {
            attributes: {
              specversion: '1.0',
              id: 'a-1',
              source: '/orders',
              type: 'order.created',
              datacontenttype: 'text/plain',
              knativearrivaltime: '2026-01-02T03:04:05.678Z',
              knativebrokerttl: '255',
            },
            data: Buffer.from('hi'),
            headers: ['traceparent', '00-1'],
            arrivedAt: STARTED_AT,
          },
          room: 'publish',
        },
      ])
    })

    it('has the arrival time of here, whatever was sent', async () => {
      await post({ ...BINARY, 'ce-knativearrivaltime': '1999-01-01T00:00:00Z' })
      await clock.advance(1)
      await post(BINARY)

      assert.deepEqual(
        broker.stored.map(({ event }) => event.attributes['knativearrivaltime']),
        ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.679Z'],
      )
    })

    for (const [name, sent, stored] of [
      ['2 passes as 1', '2', '1'],
      ['a word is reset', 'ten', '255'],
      ['255 is counted down', '255', '254'],
    ] as const) {
      it(`has a TTL of ${stored} when ${sent} was sent: ${name}`, async () => {
        await post({ ...BINARY, 'ce-knativebrokerttl': sent })

        assert.equal(broker.stored[0]?.event.attributes['knativebrokerttl'], stored)
      })
    }

    it('is stored before the answer is given', async () => {
      let isStored = false
      const slow: IngressTarget = {
        ready: true,
        stats: newIngressStats(),
        append: async () => {
          await clock.sleep(1_000)
          isStored = true
        },
      }
      const accepted = ingress.accept(slow, anEvent(), 'publish').then(() => isStored)

      await clock.advance(1_000)

      assert.equal(await accepted, true)
    })
  })

  describe('a batch', () => {
    const batchOf = (...ttls: readonly (number | null)[]) =>
      JSON.stringify(
        ttls.map((knativebrokerttl, i) => ({
          specversion: '1.0',
          id: `b-${i}`,
          source: '/orders',
          type: 'order.created',
          knativebrokerttl,
        })),
      )

    it('is stored event by event, in order', async () => {
      const { status } = await post(BATCH, batchOf(null, 9, null))

      assert.equal(status, 202)
      assert.deepEqual(
        broker.stored.map(({ event }) => [event.attributes['id'], event.attributes['knativebrokerttl']]),
        [
          ['b-0', '255'],
          ['b-1', '8'],
          ['b-2', '255'],
        ],
      )
      assert.equal(broker.stats.accepted, 3)
    })

    it('is accepted when it is empty', async () => {
      assert.equal((await post(BATCH, '[]')).status, 202)
    })

    it('is refused whole for one event whose TTL is spent', async () => {
      const { status } = await post(BATCH, batchOf(null, 1))

      assert.equal(status, 400)
      assert.deepEqual(broker.stored, [])
    })

    it('is refused whole for one invalid event', async () => {
      const { status, text } = await post(BATCH, '[{"specversion":"1.0","id":"a","source":"/a","type":"t"},{}]')

      assert.equal(status, 400)
      assert.match(text, /^event 1 of the batch: /)
      assert.deepEqual(broker.stored, [])
    })

    it('is answered 503 when one event could not be stored, and says how many', async () => {
      broker.failure = ({ attributes }) => (attributes['id'] === 'b-1' ? errorOf('full') : undefined)

      const { status, headers, text } = await post(BATCH, batchOf(null, null, null))

      assert.equal(status, 503)
      assert.equal(headers['retry-after'], '1')
      assert.match(text, /^1 of 3 events were not stored: the broker's log is full/)
    })

    it('is answered 503 when one failure may pass and another may not', async () => {
      broker.failure = ({ attributes }) => errorOf(attributes['id'] === 'b-0' ? 'too small' : 'full')

      assert.equal((await post(BATCH, batchOf(null, null))).status, 503)
    })
  })

  describe('accept', () => {
    it('counts a reply down and stores it where the caller says', async () => {
      const verdict = await ingress.accept(broker, anEvent({ knativebrokerttl: '7' }), 'internal')

      assert.deepEqual(verdict, { kind: 'accepted' })
      assert.equal(broker.stored[0]?.event.attributes['knativebrokerttl'], '6')
      assert.equal(broker.stored[0]?.event.arrivedAt, STARTED_AT)
      assert.equal(broker.stored[0]?.room, 'internal')
    })

    for (const [name, failure, code, status, retryable] of [
      ['full', 'full', 'LOG_FULL', 503, true],
      ['unavailable', 'unavailable', 'LOG_UNAVAILABLE', 503, true],
      ['gone', 'gone', 'LOG_GONE', 404, false],
      ['meant for smaller events', 'too small', 'EVENT_TOO_LARGE', 413, false],
      ['not ready', 'not ready', 'LOG_UNAVAILABLE', 503, true],
      ['broken in a way nobody thought of', 'broken', 'LOG_UNAVAILABLE', 500, true],
      ['broken for good', 'corrupt', 'LOG_CORRUPT', 500, false],
    ] as const) {
      it(`tells what to do when the log is ${name}`, async () => {
        const error = errorOf(failure)
        if (error) broker.failure = () => error
        broker.ready = failure !== 'not ready'

        const verdict = await ingress.accept(broker, anEvent(), 'internal')

        assert.ok(verdict.kind === 'refused')
        assert.deepEqual([verdict.code, verdict.status, verdict.retryable], [code, status, retryable])
      })
    }

    it('refuses for good what has been through too many brokers', async () => {
      const verdict = await ingress.accept(broker, anEvent({ knativebrokerttl: '1' }), 'internal')

      assert.ok(verdict.kind === 'refused')
      assert.deepEqual([verdict.code, verdict.status, verdict.retryable], ['EVENT_INVALID', 400, false])
    })

    it('reports what nobody thought of, and nothing else', async () => {
      for (const failure of ['full', 'unavailable', 'gone', 'too small', 'broken'] as const) {
        broker.failure = () => errorOf(failure)
        await ingress.accept(broker, anEvent(), 'publish')
      }

      assert.deepEqual(faults, [new Error('disk on fire')])
    })
  })

  it('takes an event of another broker of this process into the room for such', async () => {
    const rawHeaders = Object.entries(BINARY).flat()

    await ingress.handle(
      { method: 'POST', path: '/ns/orders', host: '', rawHeaders, body: Buffer.alloc(0) },
      'internal',
    )

    assert.equal(broker.stored[0]?.room, 'internal')
  })

  it('counts no refusal for a reply, which is tried again', async () => {
    broker.failure = () => errorOf('full')

    await ingress.accept(broker, anEvent(), 'internal')
    await ingress.accept(broker, anEvent({ knativebrokerttl: '1' }), 'internal')

    assert.deepEqual(broker.stats, { accepted: 0, refused: new Map() })
  })

  it('counts each event of a batch', async () => {
    const event = (id: string) => `{"specversion":"1.0","id":"${id}","source":"/s","type":"t"}`
    broker.failure = ({ attributes }) => (attributes['id'] === '1' ? undefined : errorOf('full'))

    await post(BATCH, `[${event('1')},${event('2')},${event('3')}]`)

    assert.deepEqual(broker.stats, { accepted: 1, refused: new Map([[503, 2]]) })
  })

  it('counts what it stored, and what it refused by status', async () => {
    await post(BINARY)
    await post(BINARY)
    await post({})
    await post({ ...BINARY, 'ce-knativebrokerttl': '1' })
    await post({ ...BINARY, 'content-type': 'text/plain' }, 'x'.repeat(1_025))
    broker.failure = () => errorOf('full')
    await post(BINARY)

    assert.deepEqual(broker.stats, {
      accepted: 2,
      refused: new Map([
        [400, 2],
        [413, 1],
        [503, 1],
      ]),
    })
  })
})

function errorOf(state: IngressCase['broker'] | 'corrupt'): Error | undefined {
  switch (state) {
    case 'full':
      return new EventingError('LOG_FULL', 'ns/orders: the log is full', { retryable: true })
    case 'unavailable':
      return new EventingError('LOG_UNAVAILABLE', 'redis://user:secret@host is away', { retryable: true })
    case 'gone':
      return new EventingError('LOG_GONE', 'ns/orders: the log was removed')
    case 'too small':
      return new EventingError('EVENT_TOO_LARGE', 'the record has 2 MiB')
    case 'corrupt':
      return new EventingError('LOG_CORRUPT', 'ns/orders: a record does not match its checksum')
    case 'broken':
      return new Error('disk on fire')
    default:
      return undefined
  }
}
