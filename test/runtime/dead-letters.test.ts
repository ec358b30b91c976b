import assert from 'node:assert/strict'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

describe('dead letters', () => {
  it('are shown no more of at once than one answer should hold', async () => {
    const subscriber = await startSubscriber({ status: 400 })
    try {
      await using tidings = await startTestRuntime(aTrigger('a', subscriber.url, '  delivery: {retry: 0}\n'))
      const data = Buffer.alloc(1_000_000, 'x')
      for (let i = 1; i <= 10; i++) {
        assert.equal((await tidings.send(anEvent({ id: `e${i}` }, { data }))).status, 202)
      }
      await eventually(async () => (await tidings.broker()).deadLetters.waiting === 10, 'ten wait')

      const shown = await tidings.runtime.deadLetters.show({}, 100)

      assert.equal(shown.length, 8)
    } finally {
      await subscriber.close()
    }
  }).timeout(20_000)
})
