import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import { createHubTroubles } from '../../src/runtime/hub-troubles.ts'
import { createFakeClock } from '../support/clock.ts'

const REFUSED = new EventingError('AUTH_FAILED', 'not for you')
const LOST = new EventingError('LOG_LOST', 'gone')

describe('troubles of an open log', () => {
  function aWatch() {
    const clock = createFakeClock()
    const changes: (string | undefined)[] = []
    const troubles = createHubTroubles<string>(clock, (hub) => {
      changes.push((troubles.of(hub) as EventingError | undefined)?.code)
    })
    return { clock, changes, troubles }
  }

  it('that it refuses us is told once, and is over half a minute after the last time', async () => {
    const { clock, changes, troubles } = aWatch()

    troubles.note('hub', REFUSED)
    await clock.advance(20_000)
    troubles.note('hub', REFUSED)
    await clock.advance(20_000)
    const meanwhile = [...changes]
    await clock.advance(10_000)

    assert.deepEqual([meanwhile, changes], [['AUTH_FAILED'], ['AUTH_FAILED', undefined]])
  })

  it('that it is lost stays, whatever else fails', async () => {
    const { clock, changes, troubles } = aWatch()

    troubles.note('hub', REFUSED)
    troubles.note('hub', LOST)
    troubles.note('hub', REFUSED)
    await clock.advance(60_000)

    assert.deepEqual(changes, ['AUTH_FAILED', 'LOG_LOST'])
    assert.ok(troubles.isLost('hub'))
  })

  it('what passes by itself is none', () => {
    const { changes, troubles } = aWatch()

    troubles.note('hub', new EventingError('LOG_UNAVAILABLE', 'away', { retryable: true }))
    troubles.note('hub', new Error('anything'))

    assert.deepEqual(changes, [])
  })

  it('nothing is left of one that is closed', async () => {
    const { clock, changes, troubles } = aWatch()

    troubles.note('hub', REFUSED)
    troubles.forget('hub')
    await clock.advance(60_000)

    assert.deepEqual([troubles.of('hub'), changes], [undefined, ['AUTH_FAILED']])
  })
})
