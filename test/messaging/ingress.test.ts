import assert from 'node:assert/strict'
import { type IngressTarget, newIngressStats } from '../../src/broker/ingress.ts'
import type { Room } from '../../src/channel/log.ts'
import { EventingError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import type { DataRequest } from '../../src/http/server.ts'
import { type ChannelIngress, createChannelIngress } from '../../src/messaging/ingress.ts'
import { createFakeClock } from '../support/clock.ts'
import { CHANNEL_INGRESS_CASES, CHANNEL_INGRESS_RULES, type ChannelIngressCase } from './ingress-cases.ts'

const STARTED_AT = Date.parse('2026-01-02T03:04:05.678Z')
const BINARY = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/orders', 'ce-type': 'order.created' }

describe("a channel's ingress", () => {
  let channel: IngressTarget & { ready: boolean }
  let stored: { readonly event: Event; readonly room: Room }[]
  let failure: Error | undefined
  let faults: unknown[]
  let ingress: ChannelIngress

  beforeEach(() => {
    stored = []
    failure = undefined
    faults = []
    channel = {
      ready: true,
      stats: newIngressStats(),
      append: async (event, room) => {
        if (failure) throw failure
        stored.push({ event, room })
      },
    }
    ingress = createChannelIngress({
      find: (namespace, name) => (namespace === 'ns' && name === 'orders' ? channel : undefined),
      clock: createFakeClock(STARTED_AT),
      maxEventBytes: 1_024,
      clusterDomain: 'cluster.local',
      onError: (error) => faults.push(error),
    })
  })

  function aRequest({ path, host = '', headers, body = '' }: Partial<ChannelIngressCase>): DataRequest {
    const rawHeaders = Object.entries(headers ?? BINARY).flat()
    return { method: 'POST', path: path ?? '/channels/ns/orders', host, rawHeaders, body: Buffer.from(body) }
  }

  for (const rule of CHANNEL_INGRESS_RULES) {
    describe(rule, () => {
      const cases = CHANNEL_INGRESS_CASES.filter((one) => one.rule === rule)
      it('has a case', () => assert.notEqual(cases.length, 0))
      for (const one of cases) it(`${one.name}: ${one.status ?? 'not for a channel'}`, () => check(one))
    })
  }

  async function check(one: ChannelIngressCase): Promise<void> {
    channel.ready = one.channel !== 'not ready'
    failure = errorOf(one.channel)

    const answer = await ingress(aRequest(one))

    assert.equal(answer?.status, one.status)
    assert.equal(answer?.retryAfterS, one.status === 503 ? 1 : undefined)
    assert.equal(answer?.text === undefined, one.text === undefined, `the answer's text is '${answer?.text}'`)
    assert.ok((answer?.text ?? '').includes(one.text ?? ''), `'${answer?.text}' does not contain '${one.text}'`)
    assert.equal(stored.length, one.status === 202 ? 1 : 0)
  }

  it('stores the event as it came', async () => {
    const headers = { ...BINARY, 'ce-knativebrokerttl': '7', 'content-type': 'text/plain', 'x-request-id': '1' }

    await ingress(aRequest({ headers, body: 'hi' }))

    assert.deepEqual(stored, [
      {
        event: {
          attributes: {
            specversion: '1.0',
            id: 'a-1',
            source: '/orders',
            type: 'order.created',
            knativebrokerttl: '7',
            datacontenttype: 'text/plain',
          },
          data: Buffer.from('hi'),
          headers: ['x-request-id', '1'],
          arrivedAt: STARTED_AT,
        },
        room: 'publish',
      },
    ])
  })

  it('takes an event of this process into the room for such', async () => {
    await ingress(aRequest({}), 'internal')

    assert.equal(stored[0]?.room, 'internal')
  })

  it('knows channels by the domain of the cluster it is in', async () => {
    const elsewhere = createChannelIngress({
      find: () => channel,
      clock: createFakeClock(),
      maxEventBytes: 1_024,
      clusterDomain: 'example.org',
      onError: (error) => faults.push(error),
    })

    const answer = await elsewhere(aRequest({ path: '/', host: 'orders-kn-channel.ns.svc.example.org' }))

    assert.equal(answer?.status, 202)
  })

  it('counts what it stored, and what it refused by status', async () => {
    await ingress(aRequest({}))
    await ingress(aRequest({}))
    await ingress(aRequest({ headers: {} }))
    await ingress(aRequest({ body: 'x'.repeat(1_025) }))
    failure = errorOf('full')
    await ingress(aRequest({}))

    assert.deepEqual(channel.stats, {
      accepted: 2,
      refused: new Map([
        [400, 1],
        [413, 1],
        [503, 1],
      ]),
    })
  })

  it('reports what nobody thought of, and nothing else', async () => {
    for (const state of ['full', 'unavailable', 'gone', 'too small', 'broken'] as const) {
      failure = errorOf(state)
      await ingress(aRequest({}))
    }

    assert.deepEqual(faults, [new Error('disk on fire')])
  })
})

function errorOf(state: ChannelIngressCase['channel']): Error | undefined {
  switch (state) {
    case 'full':
      return new EventingError('LOG_FULL', 'ns/orders: the log is full', { retryable: true })
    case 'unavailable':
      return new EventingError('LOG_UNAVAILABLE', 'redis://user:secret@host is away', { retryable: true })
    case 'gone':
      return new EventingError('LOG_GONE', 'ns/orders: the log was removed')
    case 'too small':
      return new EventingError('EVENT_TOO_LARGE', 'the record has 2 MiB')
    case 'broken':
      return new Error('disk on fire')
    default:
      return undefined
  }
}
