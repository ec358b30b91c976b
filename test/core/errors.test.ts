import assert from 'node:assert/strict'
import { codeOf, EventingError } from '../../src/core/errors.ts'

describe('EventingError', () => {
  it('carries its code, its cause and whether to try again', () => {
    const cause = new Error('disk full')

    const error = new EventingError('LOG_FULL', 'default/orders: the log is full', { retryable: true, cause })

    assert.equal(codeOf(error), 'LOG_FULL')
    assert.equal(error.retryable, true)
    assert.equal(error.cause, cause)
  })

  it('is not retryable unless said so', () => {
    assert.equal(new EventingError('LOG_GONE', 'gone').retryable, false)
  })

  it('knows no code of foreign errors', () => {
    assert.equal(codeOf(new TypeError('x')), undefined)
  })
})
