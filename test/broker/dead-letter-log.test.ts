import assert from 'node:assert/strict'
import { openDeadLetterLog } from '../../src/broker/dead-letter-log.ts'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import { Budget } from '../../src/core/budget.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'

const HOUR_MS = 3_600_000
const STORER = { signal: new AbortController().signal, holdsFloor: () => false }

describe('a dead-letter log', () => {
  it('gives up what has waited for too long, and counts it', async () => {
    const clock = createFakeClock(1_000 * HOUR_MS)
    const log = await openDeadLetterLog({
      store: openMemoryStore({ clock }),
      ref: { uid: 'd', name: 'ns/b/dead-letter' },
      config: { capBytes: 2 ** 20, expiry: { bytes: Infinity, ms: 3 * HOUR_MS } },
      clock,
      budget: new Budget(2 ** 20),
    })
    // How old the event itself is does not matter.
    await log.keep(anEvent({ id: 'old' }, { arrivedAt: 0 }), 'ns/t', STORER)
    await clock.advance(2 * HOUR_MS)
    await log.keep(anEvent({ id: 'young' }), 'ns/t', STORER)
    assert.deepEqual([log.status().waiting, log.status().expired], [2, 0])

    await clock.advance(2 * HOUR_MS)

    assert.deepEqual([log.status().waiting, log.status().expired], [1, 1])
    const listed: (string | undefined)[] = []
    for await (const { entry } of log.list()) listed.push(entry.event.attributes['id'])
    assert.deepEqual(listed, ['young'])
    await log.close(0)
  })
})
