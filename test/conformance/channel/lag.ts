import assert from 'node:assert/strict'
import type { Backend } from '../backend.ts'
import { aSpec, hangs, settles, settlesAfter } from '../subscriber.ts'
import { aGate, anEvent, calm, eventually, typeIs } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeLag(backend: Backend): void {
  describe('lag', () => {
    afterEach(closeRigs)

    it('C29 lag is exact at the head: published and passed by the filter, less settled', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      const gate = aGate()
      const subscriber = await subscribe('a', settlesAfter(gate), { filter: typeIs('wanted') })

      await sendAll(Array.from({ length: 600 }, (_, i) => anEvent({ type: i % 3 === 0 ? 'wanted' : 'other' })))
      await eventually(() => channel.status().unmatched === 400, 'all are seen')

      assert.deepEqual(lagOf(channel.subscription('a')), { lag: 200, exact: true })
      gate.open()
      await eventually(() => subscriber.settledIds.length === 200, 'all settle')
      await eventually(() => lagOf(channel.subscription('a')).lag === 0, 'nothing is left')
    })

    it('C29 lag is exact for one that is behind', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('a', hangs, { filter: typeIs('wanted'), maxUnsettled: 20 })

      await sendAll(Array.from({ length: 3_000 }, (_, i) => anEvent({ type: i % 3 === 0 ? 'wanted' : 'other' })))

      await eventually(() => channel.status().unmatched === 2_000, 'all are seen')
      assert.deepEqual(lagOf(channel.subscription('a')), { lag: 1_000, exact: true })
    })

    it('C29 lag is exact for a paused one', async () => {
      const { channel, subscribe, sendAll } = await openRig(backend)
      await subscribe('a', settles, { filter: typeIs('wanted') })
      channel.pause('a')

      await sendAll(Array.from({ length: 300 }, (_, i) => anEvent({ type: i % 3 === 0 ? 'wanted' : 'other' })))

      await eventually(() => channel.status().unmatched === 200, 'all are seen')
      assert.deepEqual(lagOf(channel.subscription('a')), { lag: 100, exact: true })
    })

    it('C29 lag that is not known exactly says so, and is exact again once it caught up', async () => {
      const { channel, subscribe, sendAll, clock, advance } = await openRig(backend)
      const subscriber = await subscribe('a', settles, { filter: typeIs('wanted') })
      channel.pause('a')
      await sendAll(Array.from({ length: 300 }, (_, i) => anEvent({ type: i % 3 === 0 ? 'wanted' : 'other' })))
      await eventually(() => channel.status().unmatched === 200, 'all are seen')

      channel.change('a', aSpec(subscriber.deliver, { filter: typeIs('other') }))
      assert.equal(channel.subscription('a')?.exact, false)
      channel.resume('a')

      for (let turn = 0; turn < 200 && subscriber.settledIds.length < 200; turn++) await advance(5)
      await calm()
      assert.deepEqual(lagOf(channel.subscription('a')), { lag: 0, exact: true })
      assert.ok(clock.now() < 60_000)
    })
  })
}

function lagOf(status: { readonly unsettled: number; readonly behind: number; readonly exact: boolean } | undefined): {
  lag: number
  exact: boolean
} {
  assert.ok(status)
  return { lag: status.unsettled + status.behind, exact: status.exact }
}
