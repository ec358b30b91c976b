import assert from 'node:assert/strict'
import { brokerClassOf, brokerKind, externalTopicOf, isOurs } from '../../../src/resource/kinds/broker.ts'

const CLASS = 'eventing.knative.dev/broker.class'
const read = (metadata: object, spec?: object) => {
  const reading = brokerKind.read({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, spec })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('Broker', () => {
  it('gets namespace, class and a spec when it has none', () => {
    assert.deepEqual(read({ name: 'b' }), {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'b', namespace: 'default', annotations: { [CLASS]: 'Tidings' } },
      spec: {},
    })
  })

  it('keeps its class and other annotations', () => {
    const broker = read({ name: 'b', annotations: { [CLASS]: 'Other', a: 'b' } })

    assert.deepEqual(broker.metadata.annotations, { [CLASS]: 'Other', a: 'b' })
    assert.equal(brokerClassOf(broker), 'Other')
    assert.equal(isOurs(broker), false)
  })

  it('is ours with a class of upstream, which may name a topic of its own', () => {
    const topic = 'kafka.eventing.knative.dev/external.topic'
    const classes = ['Tidings', 'MTChannelBasedBroker', 'Kafka'].map((name) =>
      read({ name: 'b', annotations: { [CLASS]: name } }),
    )

    assert.deepEqual(classes.map(isOurs), [true, true, true])
    assert.equal(externalTopicOf(read({ name: 'b', annotations: { [topic]: 'theirs' } })), 'theirs')
    assert.equal(externalTopicOf(read({ name: 'b' })), undefined)
  })

  it('gets its namespace written into its references', () => {
    const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }
    const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', namespace: 'knative-eventing' }

    const { spec } = read({ name: 'b', namespace: 'n' }, { config, delivery: { retry: 1, deadLetterSink: { ref } } })

    assert.deepEqual(spec, { config, delivery: { retry: 1, deadLetterSink: { ref: { ...ref, namespace: 'n' } } } })
  })

  it('is taken as an API server returns it', () => {
    const broker = read({
      name: 'b',
      uid: '6f1c',
      resourceVersion: '17',
      generation: 2,
      creationTimestamp: '2024-01-01T00:00:00Z',
      finalizers: ['brokers.eventing.knative.dev'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'n', uid: '1', controller: true }],
      managedFields: [{ manager: 'kubectl' }],
    })

    assert.equal(broker.metadata.uid, '6f1c')
  })
})
