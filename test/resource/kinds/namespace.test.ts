import assert from 'node:assert/strict'
import { namespaceKind } from '../../../src/resource/kinds/namespace.ts'

describe('Namespace', () => {
  it('lives in no namespace', () => {
    const manifest = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'orders' },
      spec: { finalizers: ['kubernetes'] },
    }

    assert.equal(namespaceKind.isNamespaced, false)
    assert.deepEqual(namespaceKind.read(manifest), { kind: 'valid', resource: manifest })
  })
})
