import assert from 'node:assert/strict'
import type { Backend } from '../backend.ts'
import { answersFor, settles, waits } from '../subscriber.ts'
import { anEvent, calm, events, eventually } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

const HOUR_MS = 3_600_000

export function describeWaits(backend: Backend): void {
  describe('waits', () => {
    afterEach(closeRigs)

    for (const delayMs of [50, 1_000, 5_000, 5_001, 90_000, 40 * 24 * HOUR_MS]) {
      it(`C15 a wait of ${delayMs} ms ends then, not before and not 250 ms later`, async () => {
        const { subscribe, sendAll, advance, clock } = await openRig(backend)
        const subscriber = await subscribe('a', answersOnce(delayMs))
        await sendAll([anEvent()])
        await eventually(
          () => subscriber.attempts.length === 1 && subscriber.running === 0,
          'the first attempt is over',
        )
        const waitingSince = clock.now()

        await advance(delayMs - 1)
        await calm()
        assert.equal(subscriber.attempts.length, 1)
        await advance(250)

        await eventually(() => subscriber.attempts.length === 2, 'the second attempt is made')
        const late = (subscriber.attempts[1]?.at ?? 0) - waitingSince - delayMs
        assert.ok(late >= 0 && late <= 250, `${late} ms late`)
      })
    }

    it('C15 the attempt number rises with each wait', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', (delivery, nth) => (nth < 5 ? waits(10_000) : settles)(delivery, nth))
      await sendAll([anEvent()])
      await eventually(() => subscriber.attempts.length === 1, 'the first attempt is made')

      for (let turn = 0; turn < 12; turn++) await advance(5_000)

      assert.deepEqual(
        subscriber.attempts.map(({ attempt }) => attempt),
        [0, 1, 2, 3, 4],
      )
    })

    it('hands the failure of the subscriber to the next attempt', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const failure = { destination: 'http://subscriber', status: 503, data: Buffer.alloc(0), reason: 'HTTP 503' }
      const subscriber = await subscribe('a', (delivery, nth) =>
        nth === 1
          ? { kind: 'wait', delayMs: 8_000, progress: { attempt: 0, failure }, reason: 'HTTP 503' }
          : settles(delivery, nth),
      )
      await sendAll([anEvent()])
      await eventually(() => subscriber.attempts.length === 1, 'the first attempt is made')

      await advance(9_000)

      await eventually(() => subscriber.attempts.length === 2, 'the second attempt is made')
      assert.deepEqual(subscriber.attempts[1]?.delivery.progress, { attempt: 0, failure })
    })

    it('C33 a wall clock that jumps an hour ahead starts no attempt early', async () => {
      const { subscribe, sendAll, advance, jumpWall } = await openRig(backend)
      const subscriber = await subscribe('a', answersOnce(60_000))
      await sendAll(events(20))
      await eventually(() => subscriber.attempts.length === 20, 'all wait')

      jumpWall(HOUR_MS)
      await advance(59_000)

      assert.equal(subscriber.attempts.length, 20)
    })

    it('C33 a wall clock that jumps an hour back delays no attempt', async () => {
      const { subscribe, sendAll, advance, jumpWall } = await openRig(backend)
      const subscriber = await subscribe('a', answersOnce(60_000))
      await sendAll(events(20))
      await eventually(() => subscriber.attempts.length === 20, 'all wait')

      jumpWall(-HOUR_MS)
      await advance(61_000)

      await eventually(() => subscriber.settledIds.length === 20, 'all are attempted again')
    })

    it('C33 a wall clock that jumps an hour back makes no wait longer across a pause', async () => {
      const { channel, subscribe, sendAll, advance, jumpWall } = await openRig(backend)
      const subscriber = await subscribe('a', answersOnce(4_000))
      await sendAll([anEvent()])
      await eventually(() => subscriber.attempts.length === 1 && subscriber.running === 0, 'it waits')

      jumpWall(-HOUR_MS)
      channel.pause('a')
      channel.resume('a')
      await advance(4_500)

      await eventually(() => subscriber.settledIds.length === 1, 'it is attempted')
    })

    it('C33 a wall clock that jumped while it was stopped makes no wait longer than it was', async () => {
      const { subscribe, sendAll, advance, jumpWall, restart } = await openRig(backend)
      const before = await subscribe('a', waits(60_000))
      await sendAll([anEvent()])
      await eventually(() => before.attempts.length === 1, 'it waits')
      await advance(2_000)

      jumpWall(-HOUR_MS)
      const restarted = await restart('close')
      const after = await restarted.subscribe('a')
      await restarted.advance(60_500)

      await eventually(() => after.settledIds.length === 1, 'it is attempted')
    })

    it('a wait over five seconds gives its slot back', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['e1'], waits(5_001)), { maxInFlight: 1 })

      await sendAll(events(10))

      await eventually(() => subscriber.settledIds.length === 9, 'all others settle while it waits')
      const { inFlight, waiting, unsettled } = channel.subscription('a') ?? {}
      assert.deepEqual({ inFlight, waiting, unsettled }, { inFlight: 0, waiting: 1, unsettled: 1 })
    })

    it('a wait of five seconds or less keeps its slot', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', answersFor(['e1'], answersOnce(5_000)), { maxInFlight: 1 })
      await sendAll(events(3))
      await eventually(() => subscriber.attempts.length === 1, 'the first attempt is made')

      await advance(4_900)
      await calm()
      assert.deepEqual(subscriber.ids, ['e1'])
      await advance(200)

      await eventually(() => subscriber.settledIds.length === 3, 'the others follow')
    })

    it('a wait over five seconds gives its body back, and reads it again when due', async () => {
      const { subscribe, sendAll, advance, budget } = await openRig(backend)
      const subscriber = await subscribe('a', answersOnce(60_000))
      const event = anEvent({ data: Buffer.from('the very bytes') })
      await sendAll([event])
      await eventually(() => subscriber.attempts.length === 1 && subscriber.running === 0, 'the first attempt is over')
      await calm()
      assert.equal(budget.heldBytes, 0)

      await advance(61_000)

      await eventually(() => subscriber.settledIds.length === 1, 'it is attempted again')
      assert.deepEqual(subscriber.attempts[1]?.event.data, event.data)
      assert.deepEqual(subscriber.attempts[1]?.event.attributes, event.attributes)
    })

    it('waits count as unsettled: a subscription whose every event waits stops at its bound', async () => {
      const { channel, subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', waits(HOUR_MS), { maxUnsettled: 30 })

      await sendAll(events(200))
      await eventually(() => subscriber.attempts.length === 30, 'thirty wait')
      await advance(60_000)
      await calm()

      assert.equal(subscriber.attempts.length, 30)
      assert.equal(channel.subscription('a')?.unsettled, 30)
    })

    it('one poisonous type that waits for hours does not stop the other events', async () => {
      const { subscribe, sendAll } = await openRig(backend)
      const subscriber = await subscribe(
        'a',
        (delivery, nth) => (delivery.event.attributes['type'] === 'poison' ? waits(HOUR_MS) : settles)(delivery, nth),
        { maxInFlight: 4 },
      )

      await sendAll(Array.from({ length: 900 }, (_, i) => anEvent({ type: i % 3 === 0 ? 'poison' : 'good' })))

      await eventually(() => subscriber.settledIds.length === 600, 'all the good ones settle')
    })

    it('many waits that end at once respect the bound of running attempts', async () => {
      const { subscribe, sendAll, advance } = await openRig(backend)
      const subscriber = await subscribe('a', answersOnce(30_000), { maxInFlight: 3 })
      await sendAll(events(200))
      await eventually(() => subscriber.attempts.length === 200, 'all wait')

      await advance(31_000)

      await eventually(() => subscriber.settledIds.length === 200, 'all settle')
      assert.equal(subscriber.mostRunning, 3)
    })
  })
}

function answersOnce(delayMs: number) {
  return (delivery: Parameters<typeof settles>[0], nth: number) => (nth === 1 ? waits(delayMs) : settles)(delivery, nth)
}
