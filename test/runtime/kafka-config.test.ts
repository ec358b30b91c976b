import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import { kafkaConfigKeys, readKafkaConfig } from '../../src/runtime/kafka-config.ts'

const KEYS = {
  'bootstrap.servers': 'a:9092,b:9092',
  'default.topic.partitions': '10',
  'default.topic.replication.factor': '3',
}

describe('the ConfigMap of a Kafka cluster', () => {
  it('names servers, what topics are to be, and a Secret', () => {
    const keys = {
      ...{ ...KEYS, 'bootstrap.servers': ' a:9092 ,, b:9092' },
      ...{ 'default.topic.config.retention.ms': '1', 'default.topic.config.cleanup.policy': 'delete' },
      ...{ 'auth.secret.ref.name': 's', 'auth.secret.ref.namespace': 'n', 'something.else': 'x' },
    }

    assert.deepEqual(readKafkaConfig(keys), {
      bootstrapServers: ['a:9092', 'b:9092'],
      partitions: 10,
      replicationFactor: 3,
      topicConfig: { 'retention.ms': '1', 'cleanup.policy': 'delete' },
      secretName: 's',
      secretNamespace: 'n',
    })
  })

  it('can be written again from what it says', () => {
    const keys = {
      ...KEYS,
      'default.topic.config.a.b': 'c',
      'auth.secret.ref.name': 's',
      'auth.secret.ref.namespace': 'n',
    }

    assert.deepEqual(kafkaConfigKeys(readKafkaConfig(keys)), keys)
    assert.deepEqual(kafkaConfigKeys(readKafkaConfig(KEYS)), KEYS)
  })

  const refused: readonly (readonly [keys: Record<string, string>, says: RegExp])[] = [
    [{}, /^key bootstrap\.servers is missing/],
    [{ ...KEYS, 'default.topic.partitions': '0' }, /^key default\.topic\.partitions is "0", expected a whole number/],
    [{ ...KEYS, 'default.topic.partitions': '1.5' }, /^key default\.topic\.partitions is "1\.5"/],
    [{ ...KEYS, 'default.topic.replication.factor': '-1' }, /^key default\.topic\.replication\.factor is "-1"/],
  ]

  for (const [keys, says] of refused) {
    it(`is refused: ${says.source}`, () => {
      assert.throws(
        () => readKafkaConfig(keys),
        (error) => error instanceof EventingError && error.code === 'MANIFEST_INVALID' && says.test(error.message),
      )
    })
  }
})
