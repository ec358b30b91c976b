// The end of a channel that is to leave nothing behind: what is being sent is stored first, and what is left shows.
import assert from 'node:assert/strict'
import { codeOf } from '../../../src/core/errors.ts'
import type { Backend } from '../backend.ts'
import { unavailable } from '../faulty.ts'
import { hangs } from '../subscriber.ts'
import { aGate, anEvent, calm, events, eventually } from '../support.ts'
import { closeRigs, openRig } from './rig.ts'

export function describeSealing(backend: Backend): void {
  describe('sealing', () => {
    afterEach(closeRigs)

    it('`seal` waits for what is being stored, and nothing is taken from its call on', async () => {
      const { channel, faults } = await openRig(backend)
      const gate = aGate()
      faults.delay('append', gate.opened)
      const sending = channel.send(anEvent({ id: 'before' }))
      let isOver = false

      const sealing = channel.seal().finally(() => {
        isOver = true
      })
      await assert.rejects(channel.send(anEvent({ id: 'after' })), isUnavailable)
      await calm()
      assert.equal(isOver, false)
      gate.open()

      await sending
      const unseal = await sealing
      await assert.rejects(channel.send(anEvent({ id: 'after' })), isUnavailable)
      unseal()
      await channel.send(anEvent({ id: 'later' }))
    })

    it('a sealed channel that is closed is gone', async () => {
      const { channel, whileTicking } = await openRig(backend)
      await channel.seal()
      await whileTicking(channel.close({ drainMs: 0 }))

      await assert.rejects(channel.send(anEvent()), (error) => codeOf(error) === 'LOG_GONE')
    })

    it('it holds nothing once all is settled, or nobody wants it', async () => {
      const { channel, subscribe, sendAll, whileTicking } = await openRig(backend)
      await sendAll(events(10, 'nobody-'))
      assert.equal(await whileTicking(channel.holdsUnsettled()), false)
      const subscriber = await subscribe('a')
      await sendAll(events(10))
      await eventually(() => subscriber.settledIds.length === 10, 'all settle')

      assert.equal(await whileTicking(channel.holdsUnsettled()), false)
    })

    it('it holds what one has not settled, be it running, paused, or not read', async () => {
      const { channel, subscribe, sendAll, whileTicking } = await openRig(backend)
      await subscribe('running', hangs)
      await sendAll([anEvent()])
      assert.equal(await whileTicking(channel.holdsUnsettled()), true)
      await whileTicking(channel.unsubscribe('running'))
      assert.equal(await whileTicking(channel.holdsUnsettled()), false)

      await subscribe('paused')
      channel.pause('paused')
      await sendAll(events(10_000))

      assert.equal(await whileTicking(channel.holdsUnsettled()), true)
    })

    it('it holds what waited before a restart, for one that is paused and for one that is not there yet', async () => {
      const rig = await openRig(backend)
      await rig.subscribe('paused', hangs)
      await rig.subscribe('absent', hangs)
      await rig.sendAll(events(3))
      await eventually(() => rig.channel.status().waiting === 3, 'all are matched')

      const restarted = await rig.restart('close')
      restarted.channel.start()
      assert.equal(await restarted.whileTicking(restarted.channel.holdsUnsettled()), true)
      await restarted.whileTicking(restarted.channel.unsubscribe('absent'))
      await restarted.subscribe('paused', hangs, { held: 'its subscriber is not there' })

      assert.equal(await restarted.whileTicking(restarted.channel.holdsUnsettled()), true)
      await restarted.whileTicking(restarted.channel.unsubscribe('paused'))
      assert.equal(await restarted.whileTicking(restarted.channel.holdsUnsettled()), false)
    })

    it('it says that it holds something while that cannot be told', async () => {
      const { channel, sendAll, faults, whileTicking } = await openRig(backend)
      faults.fail('read', unavailable(), 1_000)
      await sendAll(events(3))

      assert.equal(await whileTicking(channel.holdsUnsettled()), true)
      faults.heal()
    })
  })
}

function isUnavailable(error: unknown): boolean {
  return codeOf(error) === 'LOG_UNAVAILABLE'
}
