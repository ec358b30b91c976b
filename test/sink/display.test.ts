import assert from 'node:assert/strict'
import type { DataRequest } from '../../src/http/server.ts'
import { createDisplay } from '../../src/sink/display.ts'
import { createFakeClock } from '../support/clock.ts'

const EVENT = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't']
const request = (rawHeaders: string[]): DataRequest => ({
  method: 'POST',
  path: '/sinks/services/default/show',
  host: '',
  rawHeaders,
  body: Buffer.alloc(0),
})

describe('the display subscriber', () => {
  const displayTo = (print: (text: string) => boolean) =>
    createDisplay({ print, clock: createFakeClock(), maxEventBytes: 1_024 })

  it('prints an event and takes it', () => {
    const printed: string[] = []

    const answer = displayTo((text) => printed.push(text) > 0)(request(EVENT))

    assert.deepEqual(answer, { status: 202 })
    assert.deepEqual(printed, ['☁  event\n   specversion: 1.0\n   type: t\n   source: /s\n   id: 1\n'])
  })

  it('leaves an event where it is while nobody reads what was printed', () => {
    const { status, text } = displayTo(() => false)(request(EVENT))

    assert.deepEqual(
      { status, text },
      { status: 503, text: 'what was printed is not being read: send the event again later' },
    )
  })

  it('refuses what is no event', () => {
    const { status, text } = displayTo(() => assert.fail('it is not printed'))(request([]))

    assert.equal(status, 400)
    assert.match(String(text), /^not a CloudEvent/)
  })
})
