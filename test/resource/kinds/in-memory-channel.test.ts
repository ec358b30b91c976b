import assert from 'node:assert/strict'
import { inMemoryChannelKind } from '../../../src/resource/kinds/in-memory-channel.ts'

const read = (spec?: object) => {
  const metadata = { name: 'c', annotations: { 'eventing.knative.dev/scope': 'namespace' } }
  const manifest = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', metadata, spec }
  const reading = inMemoryChannelKind.read(manifest)
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('InMemoryChannel', () => {
  it('gets namespace, a spec and the annotation of a subscribable', () => {
    assert.deepEqual(read(), {
      apiVersion: 'messaging.knative.dev/v1',
      kind: 'InMemoryChannel',
      metadata: {
        name: 'c',
        namespace: 'default',
        annotations: { 'eventing.knative.dev/scope': 'namespace', 'messaging.knative.dev/subscribable': 'v1' },
      },
      spec: {},
    })
  })

  it('keeps its delivery, and drops a list of no subscribers', () => {
    assert.deepEqual(read({ delivery: { retry: 3 }, subscribers: [] }).spec, { delivery: { retry: 3 } })
  })
})
