import assert from 'node:assert/strict'
import { type DeadLetterLog, openDeadLetterLog } from '../../src/broker/dead-letter-log.ts'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import type { EventLog } from '../../src/channel/log.ts'
import type { Deliver } from '../../src/channel/subscription.ts'
import { Budget } from '../../src/core/budget.ts'
import type { Progress, Step } from '../../src/core/delivery-spec.ts'
import type { Event } from '../../src/core/event.ts'
import { type Client, createClient } from '../../src/http/client.ts'
import { createSubscriptionDeliver, type SubscriptionRoute } from '../../src/messaging/subscription.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { attemptBy } from '../support/attempt.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock, type FakeClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { type Script, type Subscriber, startSubscriber } from '../support/subscriber.ts'

const REPLY = { 'ce-specversion': '1.0', 'ce-id': 'r-1', 'ce-source': '/sub', 'ce-type': 'order.paid' }
const GIVES_REPLY: Script = { status: 200, headers: { ...REPLY, 'x-request-id': '77' }, body: 'paid' }
/** How long a reply waits before it is sent again. */
const DELAY_MS = 1_000

describe("a subscription's delivery", () => {
  let clock: FakeClock
  let subscriber: Subscriber
  let next: Subscriber
  let sink: Subscriber
  let client: Client
  let budget: Budget
  let kept: EventLog
  let deadLetters: DeadLetterLog
  let durations: Histogram
  let failed: Step[]
  let route: SubscriptionRoute
  let deliver: Deliver

  beforeEach(async () => {
    clock = createFakeClock()
    subscriber = await startSubscriber(GIVES_REPLY)
    next = await startSubscriber()
    sink = await startSubscriber()
    budget = new Budget(2 ** 20)
    client = createClient({ clock, maxResponseBytes: 2 ** 20, budget })
    const store = openMemoryStore({ clock })
    const ref = { uid: 'd', name: 'ns/c/dead-letter' }
    deadLetters = await openDeadLetterLog({
      store,
      ref,
      config: { capBytes: 2 ** 20 },
      clock,
      budget: new Budget(2 ** 20),
    })
    kept = await store.open(ref, { capBytes: 2 ** 20 })
    durations = new Histogram()
    failed = []
    route = {
      subscriber: { url: subscriber.url },
      reply: { url: `${next.url}/in` },
      retry: {
        retries: 2,
        backoff: { policy: 'linear', delayMs: DELAY_MS },
        backoffMaxMs: 86_400_000,
        retryAfterMaxMs: 300_000,
      },
      timeoutMs: 60_000,
      format: 'binary',
      namespace: 'ns',
    }
    deliver = createSubscriptionDeliver({
      name: 'ns/s',
      route: () => route,
      deadLetters,
      client,
      clock,
      durations,
      onAttempt: () => undefined,
      onFailure: (_attempt, step) => failed.push(step),
    })
  })
  afterEach(async () => {
    await client.close()
    await Promise.all([subscriber.close(), next.close(), sink.close()])
  })

  const attempt = (event: Event, progress: Progress = { attempt: 0 }, signal = new AbortController().signal) =>
    attemptBy(deliver, { event, progress, signal, holdsFloor: () => false })
  const withoutReply = (): SubscriptionRoute => {
    const { reply: _taken, ...rest } = route
    return rest
  }
  /** Until the delivery is settled, waits and all. */
  async function play(event: Event): Promise<Step> {
    let step = await moving(attempt(event))
    while (step.kind === 'wait') {
      await clock.advance(step.delayMs)
      step = await moving(attempt(event, step.progress))
    }
    return step
  }
  /** Moves time on while the reply waits. */
  async function moving(running: Promise<Step>): Promise<Step> {
    let step: Step | undefined
    void running.then((given) => {
      step = given
    })
    await eventually(async () => {
      if (step === undefined && clock.pending() > 0 && next.requests.length > 0) await clock.advance(DELAY_MS / 10)
      return step !== undefined
    }, 'the attempt ends')
    return running
  }

  it('shows its subscriber the event as the channel has it, and asks for a reply', async () => {
    await attempt(anEvent({ knativebrokerttl: '7', subject: 'x' }, { data: 'order' }))

    const [request] = subscriber.requests
    assert.equal(request?.headers['ce-knativebrokerttl'], '7')
    assert.equal(request?.headers['ce-subject'], 'x')
    assert.equal(request?.headers['prefer'], 'reply')
    assert.equal(request?.headers['kn-namespace'], 'ns')
    assert.equal(request?.body.toString(), 'order')
  })

  it('sends the reply on with its own attributes, and asks for nothing', async () => {
    const step = await attempt(anEvent({ knativebrokerttl: '7' }))

    assert.deepEqual(step, { kind: 'settled', outcome: 'delivered' })
    const [request] = next.requests
    assert.equal(request?.path, '/in')
    const { host: _host, connection: _connection, ...headers } = request?.headers ?? {}
    assert.deepEqual(headers, { ...REPLY, 'x-request-id': '77', 'kn-namespace': 'ns', 'content-length': '4' })
    assert.equal(request?.body.toString(), 'paid')
  })

  const dropped: readonly { readonly what: string; readonly script: Script; readonly hasReply: boolean }[] = [
    { what: 'a reply, when nobody wants one', script: GIVES_REPLY, hasReply: false },
    { what: 'a body that is not an event', script: { status: 200, body: 'OK' }, hasReply: true },
    { what: 'an event in a 202', script: { status: 202, headers: REPLY }, hasReply: true },
    { what: 'an empty answer', script: { status: 204 }, hasReply: true },
  ]
  for (const { what, script, hasReply } of dropped) {
    it(`is done, and sends nothing on, after ${what}`, async () => {
      subscriber.script(script)
      if (!hasReply) route = withoutReply()

      assert.deepEqual(await attempt(anEvent()), { kind: 'settled', outcome: 'delivered' })
      assert.equal(next.requests.length, 0)
    })
  }

  describe('whose reply is not taken', () => {
    const cases: readonly {
      readonly title: string
      readonly next: Script
      readonly sent: number
      readonly outcome: 'delivered' | 'dead-lettered'
      readonly code?: string
    }[] = [
      { title: 'sends it again after a 503', next: [{ status: 503 }, { status: 202 }], sent: 2, outcome: 'delivered' },
      { title: 'sends it again after a 404', next: [{ status: 404 }, { status: 200 }], sent: 2, outcome: 'delivered' },
      { title: 'sends it again without an answer', next: ['reset', { status: 204 }], sent: 2, outcome: 'delivered' },
      {
        title: 'sends it as often as the subscription says',
        next: { status: 500, body: 'no' },
        sent: 3,
        outcome: 'dead-lettered',
        code: '500',
      },
      {
        title: 'gives it up at once after a 400',
        next: { status: 400, body: 'no' },
        sent: 1,
        outcome: 'dead-lettered',
        code: '400',
      },
      {
        title: 'gives it up at once when it is sent elsewhere',
        next: { status: 307, headers: { location: '/' }, body: 'no' },
        sent: 1,
        outcome: 'dead-lettered',
        code: '307',
      },
    ]
    for (const one of cases) {
      it(`${one.title}, and calls its subscriber once`, async () => {
        next.script(one.next)
        route = { ...route, deadLetterSink: { url: sink.url } }

        const step = await play(anEvent({}, { data: 'order' }))

        assert.ok(step.kind === 'settled')
        assert.equal(step.outcome, one.outcome)
        assert.equal(next.requests.length, one.sent)
        assert.equal(subscriber.requests.length, 1)
        const [letter] = sink.requests
        assert.equal(letter?.headers['ce-knativeerrorcode'], one.code)
        if (one.outcome === 'delivered') return
        assert.equal(letter?.headers['ce-id'], 'a-1')
        assert.equal(letter?.headers['ce-knativeerrordest'], `${next.url}/in`)
        assert.equal(letter?.headers['ce-knativeerrordata'], Buffer.from('no').toString('base64'))
        assert.equal(letter?.body.toString(), 'order')
      })
    }

    it('keeps the event without a dead letter sink, and says which reply it was', async () => {
      next.script({ status: 400 })

      const step = await play(anEvent())

      assert.ok(step.kind === 'settled')
      assert.equal(step.outcome, 'kept')
      assert.equal(step.failure?.reason, `the reply was not taken: ${next.url}/in answered 400`)
      assert.equal(deadLetters.status().waiting, 1)
      const [lane] = await kept.lanes()
      assert.ok(lane)
      for await (const { entries } of kept.read(lane.id, lane.start, new AbortController().signal)) {
        assert.equal(entries[0]?.event.attributes['tidingstrigger'], 'ns/s')
        break
      }
    })

    it('waits between as the subscription says, or longer when it is asked to', async () => {
      next.script([{ status: 503 }, { status: 503, headers: { 'retry-after': '7' } }, { status: 202 }])

      await play(anEvent())

      const reason = `the reply was not taken: ${next.url}/in answered 503`
      assert.deepEqual(failed, [
        { kind: 'wait', delayMs: 1_000, progress: { attempt: 0 }, reason },
        { kind: 'wait', delayMs: 7_000, progress: { attempt: 0 }, reason },
      ])
    })

    it('sends it where the subscription says by then', async () => {
      await using other = await startSubscriber()
      next.script({ status: 503 })
      const step = attempt(anEvent())
      await eventually(() => failed.length === 1, 'the reply waits')

      route = { ...route, reply: { url: other.url } }
      await clock.advance(DELAY_MS)

      assert.deepEqual(await step, { kind: 'settled', outcome: 'delivered' })
      assert.equal(other.requests.length, 1)
    })

    it('drops it when nobody wants it any more', async () => {
      next.script({ status: 503 })
      const step = attempt(anEvent())
      await eventually(() => failed.length === 1, 'the reply waits')

      route = withoutReply()
      await clock.advance(DELAY_MS)

      assert.deepEqual(await step, { kind: 'settled', outcome: 'delivered' })
    })

    it('counts as nothing when the lane is lost meanwhile, and leaves no timer', async () => {
      next.script({ status: 503 })
      await deadLetters.close(0) // it has timers of its own
      const abort = new AbortController()
      const step = assert.rejects(attempt(anEvent(), { attempt: 0 }, abort.signal), /lane lost/)
      await eventually(() => failed.length === 1, 'the reply waits')

      abort.abort(new Error('lane lost'))

      await step
      await client.close()
      assert.equal(clock.pending(), 0)
    })
  })

  it('holds the memory of a reply until it is taken, and none of what is answered to it', async () => {
    subscriber.script({ status: 200, headers: REPLY, body: Buffer.alloc(100_000) })
    next.script([{ status: 503, body: Buffer.alloc(50_000) }, { status: 202 }])
    const step = attempt(anEvent())
    await eventually(() => failed.length === 1, 'the reply waits')

    assert.equal(budget.heldBytes, 100_000)
    await clock.advance(DELAY_MS)
    await step
    assert.equal(budget.heldBytes, 0)
  })

  it('measures each request', async () => {
    await attempt(anEvent())

    assert.equal(
      durations.counts.reduce((sum, count) => sum + count),
      2,
    )
  })
})
