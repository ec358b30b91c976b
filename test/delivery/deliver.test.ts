import assert from 'node:assert/strict'
import type { Progress, Route } from '../../src/core/delivery-spec.ts'
import type { Event } from '../../src/core/event.ts'
import { createDeliver, type DeliverOptions } from '../../src/delivery/deliver.ts'
import { createClient } from '../../src/http/client.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { CASES, RULES } from './rules.ts'
import { NO_RETRY, play } from './story.ts'

describe('delivery', () => {
  for (const rule of RULES) {
    describe(rule, () => {
      const cases = CASES.filter((each) => each.rule === rule)

      it('has a case', () => {
        assert.notEqual(cases.length, 0)
      })
      for (const { title, outcome, calls, sinkCalls, waits, replies, status, ...setting } of cases) {
        it(title, async () => {
          const story = await play(setting)

          assert.equal(story.outcome, outcome)
          assert.deepEqual(story.waits, waits ?? [])
          assert.equal(story.subscriberRequests.length, calls)
          assert.equal(story.sinkRequests.length, sinkCalls ?? 0)
          assert.equal(story.kept.length, outcome === 'kept' ? 1 : 0)
          assert.deepEqual(
            story.replies.map((reply) => reply.attributes['id']),
            replies ?? [],
          )
          assert.equal(story.failure && (story.failure.status ?? 'no answer'), status)
        })
      }
    })
  }

  describe('a dead letter', () => {
    const event = anEvent({ knativebrokerttl: '7' }, { data: 'the order' })

    it('is the original event, not the reply, and says which subscriber failed and how', async () => {
      const story = await play({ subscriber: { status: 400, body: 'wrong' }, sink: { status: 202 }, event })

      const [request] = story.sinkRequests
      assert.equal(request?.path, '/hook?part=1')
      assert.equal(request?.headers['ce-id'], 'a-1')
      assert.equal(request?.headers['ce-knativebrokerttl'], '7')
      assert.equal(request?.headers['ce-knativeerrordest'], story.subscriberUrl)
      assert.equal(request?.headers['ce-knativeerrorcode'], '400')
      assert.equal(request?.headers['ce-knativeerrordata'], 'd3Jvbmc=')
      assert.equal(request?.body.toString(), 'the order')
    })

    it('says so when there was no answer', async () => {
      const story = await play({ subscriber: 'reset', sink: { status: 202 } })

      const headers = story.sinkRequests[0]?.headers
      assert.equal(headers?.['ce-knativeerrorcode'], '500')
      assert.equal(
        Buffer.from(String(headers?.['ce-knativeerrordata']), 'base64').toString(),
        'dispatch error: other side closed',
      )
    })

    it('names the place that refused the reply', async () => {
      const failure = {
        destination: 'http://broker/x',
        status: 400,
        data: Buffer.from('spent'),
        reason: 'hops used up',
      }
      const reply = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 't' }
      const story = await play({
        subscriber: { status: 200, headers: reply },
        sink: { status: 202 },
        replyVerdict: { kind: 'refused', failure },
      })

      const headers = story.sinkRequests[0]?.headers
      assert.equal(headers?.['ce-id'], 'a-1')
      assert.equal(headers?.['ce-knativeerrordest'], 'http://broker/x')
      assert.equal(headers?.['ce-knativeerrorcode'], '400')
      assert.equal(headers?.['ce-knativeerrordata'], 'c3BlbnQ=')
    })

    it('is kept with its error attributes when nobody takes it, and the reason names both', async () => {
      const story = await play({ subscriber: { status: 400 }, sink: { status: 403 }, event })

      const [kept] = story.kept
      assert.equal(kept?.event.attributes['knativeerrordest'], story.subscriberUrl)
      assert.equal(kept?.event.attributes['knativeerrorcode'], '400')
      assert.equal(kept?.event.attributes['knativebrokerttl'], '7')
      const plain = (url: string) => url.replace('?part=1', '')
      const reason = `${plain(story.subscriberUrl)} answered 400; ${plain(story.sinkUrl)} answered 403`
      assert.equal(kept?.failure.reason, reason)
      assert.equal(story.failure?.reason, reason)
    })
  })

  it('tells the user what to answer instead of a body that is not an event', async () => {
    const story = await play({ subscriber: { status: 200, headers: { 'content-type': 'text/plain' }, body: 'OK' } })

    assert.match(story.failure?.reason ?? '', /answered 200 with a body that is not a CloudEvent \(.+\): answer 202 or/)
    assert.deepEqual(story.failure?.data, Buffer.from('OK'))
  })

  it('shows no password and no query in any text', async () => {
    const url = 'http://me:secret@127.0.0.1:1/path?token=secret'
    const story = await play({
      subscriber: { status: 202 },
      route: { subscriber: { url }, deadLetterSink: { url }, retry: { ...NO_RETRY, retries: 1 } },
    })

    const refused = 'http://127.0.0.1:1/path gave no answer: connect ECONNREFUSED 127.0.0.1:1'
    assert.deepEqual(story.reasons, [refused, refused, refused])
    assert.equal(story.failure?.reason, `${refused}; ${refused}`)
    assert.equal(story.kept[0]?.event.attributes['knativeerrordest'], 'http://127.0.0.1:1/path?token=secret')
  })

  it('hands a reply on with its own attributes, data and carried headers', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'a-1',
      'ce-source': '/sub',
      'ce-type': 'order.paid',
      'x-request-id': '77',
      'set-cookie': 'no',
    }
    const story = await play({ subscriber: { status: 200, headers, body: 'paid' } })

    const [reply] = story.replies
    assert.deepEqual({ ...reply?.attributes }, { specversion: '1.0', id: 'a-1', source: '/sub', type: 'order.paid' })
    assert.equal(reply?.data?.toString(), 'paid')
    assert.deepEqual(reply?.headers, ['x-request-id', '77'])
  })

  it('goes through days of retries', async () => {
    const retry = { ...NO_RETRY, retries: 40, backoff: { policy: 'exponential', delayMs: 1_000 } } as const
    const story = await play({ subscriber: { status: 503 }, route: { retry } })

    assert.equal(story.subscriberRequests.length, 41)
    assert.equal(story.waits.at(15), 65_536_000)
    assert.equal(story.waits.at(16), 86_400_000)
    assert.equal(story.waits.at(-1), 86_400_000)
  })

  describe('goes on after a restart', () => {
    it('with the attempts it had', async () => {
      const story = await play({
        subscriber: { status: 500 },
        route: { retry: { ...NO_RETRY, retries: 3 } },
        progress: { attempt: 2 },
      })

      assert.deepEqual(story.waits, [3_000])
      assert.equal(story.subscriberRequests.length, 2)
    })

    it('with one attempt more when all were made and the failure is forgotten', async () => {
      const story = await play({
        subscriber: { status: 500 },
        sink: { status: 202 },
        route: { retry: { ...NO_RETRY, retries: 3 } },
        progress: { attempt: 9 },
      })

      assert.equal(story.outcome, 'dead-lettered')
      assert.equal(story.subscriberRequests.length, 1)
    })
  })

  describe('one step', () => {
    const clock = createFakeClock()
    let subscriber: Subscriber
    let client: DeliverOptions['client']

    beforeEach(async () => {
      subscriber = await startSubscriber()
      client = createClient({ clock, maxResponseBytes: 1_000 })
    })
    afterEach(async () => {
      await client.close()
      await subscriber.close()
    })

    const aRoute = (change: Partial<Route> = {}): Route => ({
      subscriber: { url: subscriber.url },
      retry: NO_RETRY,
      timeoutMs: 500,
      format: 'binary',
      namespace: 'default',
      ...change,
    })
    const anAttempt = (progress: Progress = { attempt: 0 }, signal = new AbortController().signal) => ({
      event: anEvent(),
      progress,
      signal,
      holdsFloor: () => false,
    })
    const aDeliver = (options: Partial<DeliverOptions> = {}) =>
      createDeliver({
        route: aRoute,
        client,
        clock,
        reply: async () => ({ kind: 'stored' }),
        keep: async () => undefined,
        nonEventBody: 'fails',
        ...options,
      })

    it('ends when its time is up, the answer being half read', async () => {
      subscriber.script('hang-in-body')
      const step = aDeliver({ route: () => aRoute({ retry: { ...NO_RETRY, retries: 1 } }) })(anAttempt())
      await subscriber.received(1)

      await clock.advance(500)

      assert.deepEqual(await step, {
        kind: 'wait',
        delayMs: 1_000,
        progress: { attempt: 1 },
        reason: `${subscriber.url}/ gave no answer: no complete answer within 500 ms`,
      })
    })

    it('rejects when its signal aborts, and counts as nothing', async () => {
      subscriber.script('hang')
      const abort = new AbortController()
      const kept: Event[] = []
      const deliver = aDeliver({ keep: async (event) => void kept.push(event) })
      const step = assert.rejects(deliver(anAttempt({ attempt: 0 }, abort.signal)), /lane lost/)
      await subscriber.received(1)

      abort.abort(new Error('lane lost'))

      await step
      assert.deepEqual(kept, [])
    })

    it('follows the route as it is by then', async () => {
      await using other = await startSubscriber()
      let route = aRoute()
      const deliver = aDeliver({ route: () => route })

      await deliver(anAttempt())
      route = aRoute({ subscriber: { url: other.url } })
      await deliver(anAttempt())

      assert.equal(subscriber.requests.length, 1)
      assert.equal(other.requests.length, 1)
    })

    it('keeps the event when its dead letter sink was taken away', async () => {
      const failure = { destination: 'http://s/', status: 400, data: Buffer.alloc(0), reason: 'http://s/ answered 400' }

      const step = await aDeliver()(anAttempt({ attempt: 1, failure }))

      assert.deepEqual(step, { kind: 'settled', outcome: 'kept', failure })
      assert.equal(subscriber.requests.length, 0)
    })

    for (const what of ['a reply', 'a dead letter'] as const) {
      it(`waits as long as it takes to store ${what}, without another attempt`, async () => {
        const headers = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 't' }
        subscriber.script(what === 'a reply' ? { status: 200, headers } : { status: 400 })
        const full = aGate()
        const asked = aGate()
        const store = async () => {
          asked.open()
          await full.opened
        }
        const reply: DeliverOptions['reply'] = () => store().then(() => ({ kind: 'stored' }))
        let isSettled = false
        const step = aDeliver({ reply, keep: store })(anAttempt()).finally(() => {
          isSettled = true
        })
        await asked.opened

        await clock.advance(86_400_000)
        assert.equal(isSettled, false)
        full.open()

        assert.equal((await step).kind, 'settled')
        assert.equal(subscriber.requests.length, 1)
      })
    }
  })
})

function aGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
