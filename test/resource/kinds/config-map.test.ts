import assert from 'node:assert/strict'
import { configMapKind, configValueOf } from '../../../src/resource/kinds/config-map.ts'

describe('ConfigMap', () => {
  it('has text by key', () => {
    const reading = configMapKind.read({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      data: { 'channel-template-spec': 'kind: InMemoryChannel\n' },
      binaryData: { logo: 'aGk=' },
    })

    assert.equal(reading.kind, 'valid')
    assert.equal(configValueOf(reading.resource, 'channel-template-spec'), 'kind: InMemoryChannel\n')
    assert.equal(configValueOf(reading.resource, 'logo'), undefined)
    assert.equal(configValueOf(reading.resource, 'toString'), undefined)
  })
})
