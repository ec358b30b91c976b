import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import { createOpenings, type Openings } from '../../src/runtime/openings.ts'
import { createFakeClock } from '../support/clock.ts'

const UNAVAILABLE = new EventingError('LOG_UNAVAILABLE', 'away', { retryable: true })

describe('what is opened without being waited for', () => {
  let clock = createFakeClock()
  let changes: string[]
  let failures: unknown[]
  let letGo: string[]
  let openings: Openings<string>

  beforeEach(() => {
    clock = createFakeClock()
    changes = []
    failures = []
    letGo = []
    openings = createOpenings<string>({
      clock,
      onChange: (key) => changes.push(key),
      onFailure: (_, error) => failures.push(error),
      letGo: (value) => letGo.push(value),
    })
  })

  it('is opened once, told of, and handed out', async () => {
    let opened = 0
    const open = async () => String(++opened)

    const before = openings.take('k', 'a', open)
    openings.take('k', 'a', open)
    await clock.advance(0)

    assert.deepEqual(before, { kind: 'opening' })
    assert.deepEqual(changes, ['k'])
    assert.deepEqual(openings.take('k', 'a', open), { kind: 'open', value: '1' })
    assert.equal(openings.has('k'), false)
  })

  it('is tried again, ever more seldom, until it is open', async () => {
    let isAway = true
    const open = async () => {
      if (isAway) throw UNAVAILABLE
      return 'x'
    }

    openings.take('k', 'a', open)
    await clock.advance(120_000)
    const within = failures.length
    assert.deepEqual(openings.take('k', 'a', open), { kind: 'failed', error: UNAVAILABLE })
    isAway = false
    await clock.advance(30_000)

    assert.ok(within >= 9 && within <= 18, `${within} attempts in two minutes`)
    assert.deepEqual(openings.take('k', 'a', open), { kind: 'open', value: 'x' })
    assert.equal(clock.pending(), 0)
  })

  it('is not tried with what was refused more than every five minutes', async () => {
    const open = () => Promise.reject(new EventingError('AUTH_FAILED', 'no'))

    openings.take('k', 'a', open)
    await clock.advance(299_000)
    assert.equal(failures.length, 1)
    await clock.advance(2_000)

    assert.equal(failures.length, 2)
  })

  it('begins anew, at once, with another id', async () => {
    openings.take('k', 'a', () => Promise.reject(new EventingError('AUTH_FAILED', 'no')))
    await clock.advance(0)
    openings.take('k', 'b', async () => 'b')
    await clock.advance(0)

    assert.deepEqual(
      openings.take('k', 'b', async () => 'b'),
      { kind: 'open', value: 'b' },
    )
    assert.equal(clock.pending(), 0)
  })

  it('is let go of when nobody wants it any more', async () => {
    openings.take('k', 'a', async () => 'late')
    openings.take('l', 'a', async () => 'open')
    openings.end('k')
    await clock.advance(0)
    openings.close()

    assert.deepEqual(letGo.sort(), ['late', 'open'])
    assert.deepEqual(changes, ['l'])
  })
})
