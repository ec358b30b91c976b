import assert from 'node:assert/strict'
import { failureOf, withErrorAttributes } from '../../src/delivery/dead-letter.ts'
import type { Answer } from '../../src/http/client.ts'
import { anEvent } from '../support/builders.ts'

const url = 'http://me:secret@sub.example/path?token=secret'

function answered(status: number, body: string | Buffer): Answer {
  return { kind: 'answer', status, rawHeaders: [], body: Buffer.from(body) }
}

describe('a failure', () => {
  it('names destination, status and reason, and keeps the body', () => {
    assert.deepEqual(failureOf('http://sub.example/path', answered(503, 'busy')), {
      destination: 'http://sub.example/path',
      status: 503,
      data: Buffer.from('busy'),
      reason: 'http://sub.example/path answered 503',
    })
  })

  it('without an answer has no status and says why in its data', () => {
    assert.deepEqual(failureOf('http://sub.example/path', { kind: 'none', reason: 'refused' }), {
      destination: 'http://sub.example/path',
      status: undefined,
      data: Buffer.from('dispatch error: refused'),
      reason: 'http://sub.example/path gave no answer: refused',
    })
  })

  for (const answer of [answered(503, 'busy'), { kind: 'none', reason: 'refused' } as const]) {
    it(`shows no password, and no query in its reason (${answer.kind})`, () => {
      const { destination, reason } = failureOf(url, answer)

      assert.equal(destination, 'http://sub.example/path?token=secret')
      assert.doesNotMatch(reason, /secret/)
    })
  }

  it('keeps the first 768 bytes, and nothing of the buffer they came in', () => {
    const body = Buffer.alloc(1_000_000, 'x')

    const { data } = failureOf(url, answered(500, body))

    assert.equal(data.length, 768)
    assert.notEqual(data.buffer, body.buffer)
  })
})

describe('a dead letter', () => {
  it('is the event with three attributes more', () => {
    const event = anEvent({ knativebrokerttl: '7', mine: 'x' }, { data: 'data', headers: ['traceparent', 't'] })

    const letter = withErrorAttributes(event, failureOf('http://sub.example/', answered(400, 'no')))

    assert.deepEqual(letter, {
      ...event,
      attributes: {
        ...event.attributes,
        knativeerrordest: 'http://sub.example/',
        knativeerrorcode: '400',
        knativeerrordata: 'bm8=',
      },
    })
  })

  it('has the code 500 when there was no answer', () => {
    const letter = withErrorAttributes(anEvent(), failureOf(url, { kind: 'none', reason: 'refused' }))

    assert.equal(letter.attributes['knativeerrorcode'], '500')
    assert.equal(letter.attributes['knativeerrordata'], Buffer.from('dispatch error: refused').toString('base64'))
  })

  it('has the first 768 bytes of the body, as 1024 characters', () => {
    const body = Buffer.concat([Buffer.alloc(768, 'a'), Buffer.from('b')])

    const letter = withErrorAttributes(anEvent(), failureOf(url, answered(500, body)))

    assert.equal(letter.attributes['knativeerrordata'], 'YWFh'.repeat(256))
  })

  it('has empty error data for an empty body', () => {
    const letter = withErrorAttributes(anEvent(), failureOf(url, answered(500, '')))

    assert.equal(letter.attributes['knativeerrordata'], '')
  })

  it('says nothing of an earlier failure', () => {
    const earlier = withErrorAttributes(anEvent(), failureOf('http://old.example/', answered(404, 'old')))

    const letter = withErrorAttributes(earlier, failureOf('http://new.example/', answered(503, '')))

    assert.equal(letter.attributes['knativeerrordest'], 'http://new.example/')
    assert.equal(letter.attributes['knativeerrorcode'], '503')
    assert.equal(letter.attributes['knativeerrordata'], '')
  })
})
