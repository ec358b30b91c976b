import assert from 'node:assert/strict'
import { brokerNameOf, isOrdered, triggerKind } from '../../../src/resource/kinds/trigger.ts'

const ORDER = 'kafka.eventing.knative.dev/delivery.order'
const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }
const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'b' }
const read = (spec: object, metadata: object = { name: 't' }) => {
  const reading = triggerKind.read({ apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata, spec })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('Trigger', () => {
  it('gets namespace, the label of its Broker and an empty filter', () => {
    assert.deepEqual(read({ broker: 'b', subscriber: { uri: 'http://h/' } }), {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 't', namespace: 'default', labels: { 'eventing.knative.dev/broker': 'b' } },
      spec: { broker: 'b', filter: {}, subscriber: { uri: 'http://h/' } },
    })
  })

  it('gets its namespace written into its references, unless they name one', () => {
    const other = { ...ref, namespace: 'other' }

    const { spec } = read(
      { broker: 'b', subscriber: { ref, uri: '/x' }, delivery: { deadLetterSink: { ref: other } } },
      { name: 't', namespace: 'n' },
    )

    assert.deepEqual(spec.subscriber, { ref: { ...ref, namespace: 'n' }, uri: '/x' })
    assert.deepEqual(spec.delivery, { deadLetterSink: { ref: other } })
  })

  it('keeps its filters as they are', () => {
    const filters = [{ any: [{ prefix: { type: 'a.' } }, { not: { exact: { source: '/b' } } }] }]

    assert.deepEqual(read({ broker: 'b', subscriber: { ref }, filters }).spec.filters, filters)
  })

  it('does not get a delivery it does not have', () => {
    assert.equal('delivery' in read({ broker: 'b', subscriber: { ref } }).spec, false)
  })

  it('may name its Broker by reference', () => {
    const trigger = read({ brokerRef, subscriber: { ref } })

    assert.equal(brokerNameOf(trigger), 'b')
    assert.deepEqual(trigger.metadata.labels, { 'eventing.knative.dev/broker': 'b' })
  })

  it('is ordered only when its annotation says so', () => {
    const spec = { broker: 'b', subscriber: { ref } }

    assert.equal(isOrdered(read(spec, { name: 't', annotations: { [ORDER]: 'ordered' } })), true)
    assert.equal(isOrdered(read(spec, { name: 't', annotations: { [ORDER]: 'unordered' } })), false)
    assert.equal(isOrdered(read(spec)), false)
  })

  it('may depend on an object of its own namespace and ask for injection', () => {
    const annotations = {
      'knative.dev/dependency':
        '{"apiVersion":"sources.knative.dev/v1","kind":"PingSource","name":"p","namespace":"n"}',
      'eventing.knative.dev/injection': 'enabled',
    }

    const trigger = read({ broker: 'default', subscriber: { ref } }, { name: 't', namespace: 'n', annotations })

    assert.deepEqual(trigger.metadata.annotations, annotations)
  })
})
