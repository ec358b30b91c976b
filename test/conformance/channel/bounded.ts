// Subscriptions that end by themselves: what replays and redrives are made of.
import assert from 'node:assert/strict'
import type { CursorStart } from '../../../src/channel/log.ts'
import type { Bounds } from '../../../src/channel/subscription.ts'
import type { Backend } from '../backend.ts'
import { type Answer, answersFor, aSpec, hangs, settles, settlesAfter, waits } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually, idsOf, typeIs } from '../support.ts'
import { closeRigs, openRig, type Rig } from './rig.ts'

export function describeBounded(backend: Backend): void {
  describe('bounded subscriptions', () => {
    afterEach(closeRigs)

    it('hands out what is between its start and its end, beside the live one, and ends once', async () => {
      const rig = await openRig(backend)
      const { subscribe, sendAll } = rig
      const live = await subscribe('live')
      const before = events(50, 'a')
      await subscribe('keeper', hangs)
      await sendAll(before)
      const end = await endNow(rig)

      const replay = await bounded(rig, 'replay', end)
      await sendAll(events(10, 'b'))

      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.deepEqual(replay.ids, idsOf(before))
      await eventually(() => live.settledIds.length === 60, 'the live one has all, each once')
      await calm()
      assert.equal(end.lanes.length, 1)
    })

    it('ends although nothing after its last match matches', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll([...events(3, 'a', { type: 'wanted' }), ...events(20, 'b')])
      const end = await endNow(rig)

      const replay = await bounded(rig, 'replay', end, settles, { filter: typeIs('wanted') })

      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.equal(replay.ids.length, 3)
    })

    it('ends when there is nothing for it', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll(events(5))
      const end = await endNow(rig)

      await bounded(rig, 'replay', end, settles, {}, 'now')

      await eventually(() => end.lanes.length === 1, 'it ends')
    })

    it('does not end before what it handed out is settled', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll(events(5))
      const end = await endNow(rig)
      const gate = aGate()

      const replay = await bounded(rig, 'replay', end, settlesAfter(gate))
      await eventually(() => replay.ids.length === 5, 'all are handed out')
      await calm()
      assert.equal(end.lanes.length, 0)

      gate.open()
      await eventually(() => end.lanes.length === 1, 'it ends')
    })

    it('goes on after a crash where it stood, and ends there', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      const all = events(40)
      await rig.sendAll(all)
      const end = await endNow(rig)
      const rest = all.slice(10)
      const first = await bounded(rig, 'replay', end, answersFor(idsOf(rest), hangs))
      await eventually(() => first.settledIds.length === 10, 'ten settle')
      await rig.whileTicking(rig.channel.save())

      const restarted = await rig.restart('crash')
      await restarted.subscribe('keeper', hangs)
      const again = await bounded(restarted, 'replay', end)
      await restarted.sendAll(events(10, 'later'))

      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.deepEqual(again.ids, idsOf(rest))
    })

    it('is attempted again as any other, the end not before', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll(events(3))
      const end = await endNow(rig)
      const twice: Answer = (delivery, nth) => (nth === 1 ? waits(60_000)(delivery, nth) : settles(delivery, nth))

      const replay = await bounded(rig, 'replay', end, twice)
      await eventually(() => replay.ids.length === 3, 'each is tried')
      await calm()
      assert.equal(end.lanes.length, 0)

      await rig.advance(60_000)
      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.equal(replay.settledIds.length, 3)
    })

    it('stands while it is paused', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll(events(30))
      const end = await endNow(rig)
      const replay = await bounded(rig, 'replay', end, settles, { held: 'not yet' })
      await calm()
      assert.equal(replay.ids.length, 0)
      assert.equal(rig.channel.subscription('replay')?.unread, 30)

      rig.channel.change('replay', aSpec(replay.deliver, { bounds: end.bounds }))

      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.equal(replay.ids.length, 30)
    })

    it('hands out no more in a second than its rate says', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      await rig.sendAll(events(100))
      const end = await endNow(rig, 20)

      const replay = await bounded(rig, 'replay', end)
      await eventually(() => replay.ids.length > 0, 'it begins')
      await rig.advance(1_000)
      await calm()
      assert.ok(replay.ids.length >= 19 && replay.ids.length <= 21, `${replay.ids.length} in the first second`)

      for (let second = 0; second < 5; second++) await rig.advance(1_000)
      await eventually(() => end.lanes.length === 1, 'it ends')
      assert.equal(replay.ids.length, 100)
    })

    it('starts at a time', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('keeper', hangs)
      const at = (id: string, arrivedAt: number) => anEvent({ id, arrivedAt })
      for (const event of [at('a', 1_000), at('b', 2_000), at('c', 3_000), at('d', 4_000)])
        await rig.channel.send(event)
      const lanes: string[] = []
      const until = await rig.channel.positionsAt({ timeMs: 3_500 })

      const bounds: Bounds = { until, ended: (lane) => lanes.push(lane) }
      const replay = await rig.subscribe('replay', settles, { bounds }, { timeMs: 1_500 })

      await eventually(() => lanes.length === 1, 'it ends')
      assert.deepEqual(replay.ids, ['b', 'c'])
    })
  })
}

interface End {
  readonly bounds: Bounds
  /** Those that ended. */
  readonly lanes: readonly string[]
}

async function endNow({ channel }: Rig, ratePerSecond?: number): Promise<End> {
  const lanes: string[] = []
  const until = await channel.positionsAt('now')
  const ended = (lane: string): void => void lanes.push(lane)
  return { lanes, bounds: { until, ended, ...(ratePerSecond !== undefined && { ratePerSecond }) } }
}

function bounded(
  rig: Rig,
  id: string,
  { bounds }: End,
  answer: Answer = settles,
  options: Parameters<Rig['subscribe']>[2] = {},
  start: CursorStart = 'earliest',
) {
  return rig.subscribe(id, answer, { ...options, bounds }, start)
}
