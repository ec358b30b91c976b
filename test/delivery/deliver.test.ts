import assert from 'node:assert/strict'
import { Budget } from '../../src/core/budget.ts'
import type { Progress, Route } from '../../src/core/delivery-spec.ts'
import { EventingError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { createDeliver, type DeliverOptions } from '../../src/delivery/deliver.ts'
import { createClient } from '../../src/http/client.ts'
import { attemptBy } from '../support/attempt.ts'
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
    assert.equal(story.waits.at(-2), 86_400_000)
  })

  describe('goes on after a restart', () => {
    it('with the attempts it had', async () => {
      const story = await play({
        subscriber: { status: 500 },
        route: { retry: { ...NO_RETRY, retries: 3 } },
        progress: { attempt: 2 },
      })

      assert.deepEqual(story.waits, [3_000, 0])
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
    /** Of a delivery that the subscriber is done with. */
    const failure = { destination: 'http://s/', status: 400, data: Buffer.alloc(0), reason: 'http://s/ answered 400' }
    const aDeliver = (options: Partial<DeliverOptions> = {}) => {
      const deliver = createDeliver({
        route: aRoute,
        client,
        clock,
        reply: async () => ({ kind: 'stored' }),
        keep: async () => undefined,
        nonEventBody: 'fails',
        omit: '',
        onRequestEnd: () => undefined,
        onAttempt: () => undefined,
        onFailure: () => undefined,
        ...options,
      })
      return (about: ReturnType<typeof anAttempt>) => attemptBy(deliver, about)
    }

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
      const step = await aDeliver()(anAttempt({ attempt: 1, failure }))

      assert.deepEqual(step, { kind: 'settled', outcome: 'kept', failure })
      assert.equal(subscriber.requests.length, 0)
    })

    for (const what of ['a reply', 'a dead letter'] as const) {
      it(`waits as long as it takes to store ${what}, without another attempt`, async () => {
        const headers = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 't' }
        subscriber.script({ status: 200, headers })
        const full = aGate()
        const asked = aGate()
        const store = async () => {
          asked.open()
          await full.opened
        }
        const reply: DeliverOptions['reply'] = () => store().then(() => ({ kind: 'stored' }))
        let isSettled = false
        const progress = what === 'a reply' ? { attempt: 0 } : { attempt: 0, failure }
        const step = aDeliver({ reply, keep: store })(anAttempt(progress)).finally(() => {
          isSettled = true
        })
        await asked.opened

        await clock.advance(86_400_000)
        assert.equal(isSettled, false)
        full.open()

        assert.equal((await step).kind, 'settled')
        assert.equal(subscriber.requests.length, what === 'a reply' ? 1 : 0)
      })
    }

    describe('whose dead letter can never be kept', () => {
      const refuse = async () => {
        throw new EventingError('EVENT_TOO_LARGE', '9 bytes, at most 8')
      }
      const cannot = 'the dead-letter log cannot keep the event: 9 bytes, at most 8'

      it('is a wait that says so, and the subscriber is not called again', async () => {
        subscriber.script({ status: 400 })
        const deliver = aDeliver({ keep: refuse })

        const given = await deliver(anAttempt())
        assert.ok(given.kind === 'wait')
        const step = await deliver(anAttempt(given.progress))

        assert.ok(step.kind === 'wait')
        assert.equal(step.reason, `${subscriber.url}/ answered 400; ${cannot}`)
        assert.equal(step.progress.failure, given.progress.failure)
        assert.equal(subscriber.requests.length, 1)
      })

      it('is tried again ever more seldom, at least once a minute', async () => {
        const deliver = aDeliver({ keep: refuse })
        const waits: number[] = []
        let progress: Progress = { attempt: 0, failure }

        for (let i = 0; i < 9; i++) {
          const step = await deliver(anAttempt(progress))
          assert.ok(step.kind === 'wait')
          waits.push(step.delayMs)
          progress = step.progress
        }

        assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
      })

      it('goes to the dead letter sink once that takes it', async () => {
        subscriber.script([{ status: 400 }, { status: 202 }])
        const route = () => aRoute({ deadLetterSink: { url: `${subscriber.url}/sink` } })
        const deliver = aDeliver({ route, keep: refuse })

        const refused = await deliver(anAttempt({ attempt: 0, failure }))
        assert.ok(refused.kind === 'wait')
        const step = await deliver(anAttempt(refused.progress))

        assert.equal(refused.reason, `http://s/ answered 400; ${subscriber.url}/sink answered 400; ${cannot}`)
        assert.deepEqual(step, { kind: 'settled', outcome: 'dead-lettered', failure })
      })

      it('rejects when its signal aborts meanwhile, and counts as nothing', async () => {
        const abort = new AbortController()
        const keep = async () => {
          abort.abort(new Error('lane lost'))
          throw abort.signal.reason
        }

        const step = aDeliver({ keep })(anAttempt({ attempt: 0, failure }, abort.signal))

        await assert.rejects(step, /lane lost/)
      })
    })

    describe('with memory for answers', () => {
      const reply = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 't' }
      const body = Buffer.alloc(500)
      let budget: Budget

      beforeEach(async () => {
        await client.close()
        budget = new Budget(1_000)
        client = createClient({ clock, maxResponseBytes: 1_000, budget })
      })

      it('holds a reply from its first byte until it is stored', async () => {
        subscriber.script({ status: 200, headers: reply, body })
        const held: number[] = []
        const deliver = aDeliver({
          reply: async () => {
            held.push(budget.heldBytes)
            return { kind: 'stored' }
          },
        })

        await deliver(anAttempt())

        assert.deepEqual(held, [500])
        assert.equal(budget.heldBytes, 0)
      })

      it('lets go of a reply when it is given up', async () => {
        subscriber.script({ status: 200, headers: reply, body })
        const failing = async () => {
          throw new Error('lane lost')
        }

        await assert.rejects(aDeliver({ reply: failing })(anAttempt()), /lane lost/)

        assert.equal(budget.heldBytes, 0)
      })

      for (const status of [200, 202, 400, 500]) {
        it(`holds nothing of a ${status} with a text afterwards`, async () => {
          subscriber.script({ status, body })

          await aDeliver()(anAttempt())

          assert.equal(budget.heldBytes, 0)
        })
      }

      it("holds nothing of a dead letter sink's answer while the event is being kept", async () => {
        subscriber.script({ status: 400, body })
        const route = () => aRoute({ deadLetterSink: { url: subscriber.url } })
        const held: number[] = []
        const deliver = aDeliver({ route, keep: async () => void held.push(budget.heldBytes) })

        await deliver(anAttempt({ attempt: 0, failure }))

        assert.deepEqual(held, [0])
      })
    })

    describe('measures', () => {
      it('a request until its answer, and not how long its reply waits for room', async () => {
        subscriber.script({
          status: 200,
          headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/s', 'ce-type': 't' },
        })
        const durations: number[] = []
        const reply: DeliverOptions['reply'] = async () => {
          await clock.advance(86_400_000)
          return { kind: 'stored' }
        }

        await aDeliver({ reply, onRequestEnd: (ms) => durations.push(ms) })(anAttempt())

        assert.deepEqual(durations, [0])
      })

      it('a request that has no answer in time', async () => {
        subscriber.script('hang')
        const durations: number[] = []
        const step = aDeliver({ onRequestEnd: (ms) => durations.push(ms) })(anAttempt())
        await subscriber.received(1)

        await clock.advance(500)
        await step

        assert.deepEqual(durations, [500])
      })

      it('a request to the dead letter sink', async () => {
        const durations: number[] = []
        const route = () => aRoute({ deadLetterSink: { url: subscriber.url } })

        await aDeliver({ route, onRequestEnd: (ms) => durations.push(ms) })(anAttempt({ attempt: 0, failure }))

        assert.deepEqual(durations, [0])
      })

      it('nothing where nothing is sent', async () => {
        const durations: number[] = []

        await aDeliver({ onRequestEnd: (ms) => durations.push(ms) })(anAttempt({ attempt: 0, failure }))

        assert.deepEqual(durations, [])
      })
    })
  })
})

function aGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
