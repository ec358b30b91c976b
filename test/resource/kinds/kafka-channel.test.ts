import assert from 'node:assert/strict'
import { kafkaChannelKind, kafkaChannelTopicOf } from '../../../src/resource/kinds/kafka-channel.ts'

const read = (spec?: object) => {
  const manifest = { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel', metadata: { name: 'c' }, spec }
  const reading = kafkaChannelKind.read(manifest)
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('KafkaChannel', () => {
  it('gets namespace, partitions, copies and the annotation of a subscribable', () => {
    assert.deepEqual(read(), {
      apiVersion: 'messaging.knative.dev/v1beta1',
      kind: 'KafkaChannel',
      metadata: { name: 'c', namespace: 'default', annotations: { 'messaging.knative.dev/subscribable': 'v1' } },
      spec: { numPartitions: 1, replicationFactor: 1 },
    })
  })

  it('says what its topic is to be', () => {
    const spec = { numPartitions: 3, replicationFactor: 2, retentionDuration: 'PT168H', delivery: { retry: 3 } }

    assert.deepEqual(read(spec).spec, spec)
    assert.deepEqual(kafkaChannelTopicOf(read(spec)), {
      numPartitions: 3,
      replicationFactor: 2,
      retentionMs: 604_800_000,
    })
    assert.equal(kafkaChannelTopicOf(read({ numPartitions: 0 })).numPartitions, 1)
  })
})
