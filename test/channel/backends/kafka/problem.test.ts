import assert from 'node:assert/strict'
import { isRefusal, problemOf, typeOf } from '../../../../src/channel/backends/kafka/problem.ts'

describe('an error of Kafka', () => {
  it('that stands in a list of one is that one', () => {
    const refused = Object.assign(new Error('Replication-factor is invalid'), {
      type: 'INVALID_REPLICATION_FACTOR',
    })
    const error = Object.assign(new Error('Topic creation errors'), { errors: [refused] })

    assert.equal(typeOf(error), 'INVALID_REPLICATION_FACTOR')
    assert.equal(isRefusal(error), false)
    assert.equal(
      problemOf(error, 'reach Kafka').message,
      'reach Kafka: Replication-factor is invalid: it has fewer nodes than a topic is to have copies',
    )
  })

  it('may be anything, and is then one that may be over', () => {
    for (const error of [undefined, null, 'text', {}, new Error('x')]) {
      assert.deepEqual([problemOf(error, 'a').code, problemOf(error, 'a').retryable], ['LOG_UNAVAILABLE', true])
    }
  })
})
