import assert from 'node:assert/strict'
import type { Failure, Progress, Step } from '../../src/core/delivery-spec.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { createFailureLog } from '../../src/runtime/failure-log.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'

const FAILURE: Failure = {
  destination: 'http://s/',
  status: 400,
  data: Buffer.alloc(0),
  reason: 'http://s/ answered 400',
}

function start() {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const logger = createLogger('info', { write: (line: string) => void lines.push(JSON.parse(line)) })
  const log = createFailureLog({ about: { namespace: 'shop', broker: 'main', trigger: 'billing' }, clock, logger })
  return { clock, lines, log: (progress: Progress, step: Step) => log({ event: anEvent(), progress }, step) }
}

const failed = (attempt: number): Step => ({
  kind: 'wait',
  delayMs: 200,
  progress: { attempt },
  reason: FAILURE.reason,
})
const givenUp: Step = {
  kind: 'wait',
  delayMs: 0,
  progress: { attempt: 0, failure: FAILURE },
  reason: FAILURE.reason,
}

describe('the log of failures', () => {
  it('has the same fields in both of its lines', () => {
    const { lines, log } = start()

    log({ attempt: 0 }, failed(1))
    log({ attempt: 1 }, { kind: 'settled', outcome: 'kept', failure: FAILURE })

    const [attempt, outcome] = lines.map(({ time, level, ...fields }) => fields)
    const about = {
      namespace: 'shop',
      broker: 'main',
      trigger: 'billing',
      eventId: 'a-1',
      eventType: 'order.created',
      code: 'DELIVERY_REJECTED',
      reason: 'http://s/ answered 400',
    }
    assert.deepEqual(attempt, { ...about, attempt: 1, retryInMs: 200, msg: 'attempt failed' })
    assert.deepEqual(outcome, { ...about, attempt: 2, outcome: 'kept', msg: 'not delivered' })
  })

  it('says once, at the end, how many attempts a subscriber got that was given up', () => {
    const { lines, log } = start()

    log({ attempt: 10 }, givenUp)
    log({ attempt: 0, failure: FAILURE }, { kind: 'settled', outcome: 'dead-lettered', failure: FAILURE })

    assert.deepEqual(
      lines.map(({ msg, attempt }) => ({ msg, attempt })),
      [{ msg: 'not delivered', attempt: 11 }],
    )
  })

  it('tells attempts that are repeated once a minute, and every outcome', async () => {
    const { clock, lines, log } = start()

    for (let i = 0; i < 3; i++) log({ attempt: i }, failed(i + 1))
    for (let i = 0; i < 2; i++) log({ attempt: 0 }, { kind: 'settled', outcome: 'kept', failure: FAILURE })
    await clock.advance(60_000)
    log({ attempt: 3 }, failed(4))

    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['attempt failed', 'not delivered', 'not delivered', 'attempt failed'],
    )
  })
})
