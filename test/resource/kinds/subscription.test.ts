import assert from 'node:assert/strict'
import { channelOf, subscriptionKind } from '../../../src/resource/kinds/subscription.ts'

const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'c' }
const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }
const read = (spec: object) => {
  const metadata = { name: 's', namespace: 'n' }
  const reading = subscriptionKind.read({
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Subscription',
    metadata,
    spec: { channel, ...spec },
  })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('Subscription', () => {
  it('gets its namespace written into its destinations', () => {
    const { spec } = read({ subscriber: { ref }, reply: { ref }, delivery: { deadLetterSink: { ref } } })

    const filled = { ref: { ...ref, namespace: 'n' } }
    assert.deepEqual(spec, { channel, subscriber: filled, reply: filled, delivery: { deadLetterSink: filled } })
  })

  it('names its channel with the namespace', () => {
    assert.deepEqual(channelOf(read({ subscriber: { uri: 'http://h/' } })), { ...channel, namespace: 'n' })
  })
})
