import assert from 'node:assert/strict'
import { channelKind, channelTemplateOf } from '../../../src/resource/kinds/channel.ts'

const MEMORY = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }
const read = (spec?: object, annotations: object = {}) => {
  const metadata = { name: 'c', namespace: 'n', annotations }
  const reading = channelKind.read({ apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', metadata, spec })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('Channel', () => {
  it('is in memory and subscribable when nothing else is said', () => {
    const channel = read()

    assert.deepEqual(channel.spec, { channelTemplate: MEMORY })
    assert.deepEqual(channel.metadata.annotations, { 'messaging.knative.dev/subscribable': 'v1' })
  })

  it('keeps the template it is given', () => {
    const channelTemplate = { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel', spec: { a: 1 } }

    assert.deepEqual(channelTemplateOf(read({ channelTemplate })), channelTemplate)
  })

  it('keeps its annotations', () => {
    const annotations = { 'messaging.knative.dev/subscribable': 'v1beta1', a: 'b' }

    assert.deepEqual(read({}, annotations).metadata.annotations, annotations)
  })

  it('gets its namespace written into its dead letter sink', () => {
    const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }

    const { spec } = read({ delivery: { deadLetterSink: { ref } } })

    assert.deepEqual(spec?.delivery, { deadLetterSink: { ref: { ...ref, namespace: 'n' } } })
  })

  it('may have a list of no subscribers, as a cluster returns it', () => {
    assert.deepEqual(read({ subscribers: [] }).spec, { channelTemplate: MEMORY })
  })
})
