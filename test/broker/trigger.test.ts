import assert from 'node:assert/strict'
import { type DeadLetterLog, openDeadLetterLog } from '../../src/broker/dead-letter-log.ts'
import { createIngress, type IngressTarget, newIngressStats } from '../../src/broker/ingress.ts'
import { createRoomWait, type RoomWait } from '../../src/broker/room-wait.ts'
import { createTriggerDeliver } from '../../src/broker/trigger.ts'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import type { EventLog, Room } from '../../src/channel/log.ts'
import type { Deliver } from '../../src/channel/subscription.ts'
import { Budget } from '../../src/core/budget.ts'
import type { Progress, Route, Step } from '../../src/core/delivery-spec.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { type Client, createClient } from '../../src/http/client.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { attemptBy } from '../support/attempt.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock, type FakeClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const CAP_BYTES = 100_000
const REPLY = { 'ce-specversion': '1.0', 'ce-id': 'r-1', 'ce-source': '/sub', 'ce-type': 'order.paid' }

describe("a trigger's delivery", () => {
  let clock: FakeClock
  let subscriber: Subscriber
  let client: Client
  let log: EventLog
  let target: IngressTarget
  let deadLetters: DeadLetterLog
  let durations: Histogram
  let room: RoomWait
  let deliver: Deliver

  beforeEach(async () => {
    clock = createFakeClock()
    subscriber = await startSubscriber({ status: 200, headers: REPLY, body: Buffer.alloc(1_024) })
    client = createClient({ clock, maxResponseBytes: 2 ** 20 })
    const store = openMemoryStore({ clock })
    log = await store.open({ uid: 'b', name: 'ns/b' }, { capBytes: CAP_BYTES })
    deadLetters = await openDeadLetterLog({
      store,
      ref: { uid: 'd', name: 'ns/b/dead-letter' },
      config: { capBytes: CAP_BYTES },
      clock,
      budget: new Budget(2 ** 20),
    })
    target = { ready: true, stats: newIngressStats(), append: (event, room) => log.append(event, room) }
    durations = new Histogram()
    room = createRoomWait(clock)
    const ingress = createIngress({
      find: () => target,
      clock,
      maxTtl: 255,
      maxEventBytes: 2 ** 20,
      onError: (error) => assert.fail(String(error)),
    })
    const route: Route = {
      subscriber: { url: subscriber.url },
      retry: { retries: 0, backoff: { policy: 'linear', delayMs: 0 }, backoffMaxMs: 0, retryAfterMaxMs: 0 },
      timeoutMs: 60_000,
      format: 'binary',
      namespace: 'ns',
    }
    deliver = createTriggerDeliver({
      name: 'ns/t',
      route: () => route,
      broker: { target, url: 'http://broker/ns/b', room },
      accept: ingress.accept,
      deadLetters,
      client,
      clock,
      durations,
      onAttempt: () => undefined,
      onFailure: () => undefined,
    })
  })
  afterEach(async () => {
    await client.close()
    await subscriber.close()
  })

  const attempt = (event: Event, progress: Progress = { attempt: 0 }, holdsFloor = () => false): Promise<Step> =>
    attemptBy(deliver, { event, progress, signal: new AbortController().signal, holdsFloor })

  async function fill(room: Room): Promise<void> {
    for (;;) {
      try {
        await log.append(anEvent({}, { data: Buffer.alloc(1_000) }), room)
      } catch (error) {
        return assert.equal(codeOf(error), 'LOG_FULL')
      }
    }
  }

  it('puts the reply into the broker', async () => {
    const step = await attempt(anEvent())

    assert.deepEqual(step, { kind: 'settled', outcome: 'delivered' })
    assert.equal(log.size().entries, 1)
  })

  it('holds a reply while the log is full, calling nobody, and counts no refusal and no time', async () => {
    await fill('internal')
    let isFloor = false
    const step = attempt(anEvent(), { attempt: 0 }, () => isFloor)
    await eventually(() => room.waiting === 1, 'the reply waits')

    await clock.advance(3_600_000)
    isFloor = true
    await clock.advance(1_300)

    assert.deepEqual(await step, { kind: 'settled', outcome: 'delivered' })
    assert.equal(subscriber.requests.length, 1)
    assert.deepEqual(target.stats, { accepted: 1, refused: new Map() })
    assert.ok(durations.sumS < 1, `${durations.sumS} s`)
  })

  it('gives up the reply to what holds the floor when even twice the cap is full: the event is a dead letter', async () => {
    await fill('drain')

    const step = await attempt(anEvent(), { attempt: 0 }, () => true)
    assert.ok(step.kind === 'wait')
    const end = await attempt(anEvent(), step.progress, () => true)

    const reason = "the reply was refused: the broker's log is full: send the event again later"
    assert.deepEqual([step.delayMs, step.reason], [0, reason])
    assert.equal(step.progress.failure?.destination, 'http://broker/ns/b')
    assert.ok(end.kind === 'settled')
    assert.equal(end.outcome, 'kept')
    assert.equal(deadLetters.status().waiting, 1)
    assert.equal(subscriber.requests.length, 1)
  })

  it('hides the hop counter from its subscriber', async () => {
    subscriber.script({ status: 202 })

    await attempt(anEvent({ knativebrokerttl: '7' }))

    assert.equal(subscriber.requests[0]?.headers['ce-knativebrokerttl'], undefined)
  })

  it('gives up a reply that is larger than the log', async () => {
    subscriber.script({ status: 200, headers: REPLY, body: Buffer.alloc(CAP_BYTES) })

    const step = await attempt(anEvent())

    assert.ok(step.kind === 'wait')
    assert.match(step.reason, /the reply was refused: the event is larger than the broker's log takes/)
  })

  it('lets an event wait that is larger than the dead-letter log, and says so', async () => {
    subscriber.script({ status: 400 })
    const event = anEvent({}, { data: Buffer.alloc(CAP_BYTES) })

    const failed = await attempt(event)
    assert.ok(failed.kind === 'wait')
    const step = await attempt(event, failed.progress)

    assert.ok(step.kind === 'wait')
    assert.equal(step.delayMs, 1_000)
    assert.match(step.reason, /answered 400; the dead-letter log cannot keep the event: .* at most$/)
    assert.equal(subscriber.requests.length, 1)
  })
})
