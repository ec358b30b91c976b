import assert from 'node:assert/strict'
import { serviceKind, serviceTarget } from '../../../src/resource/kinds/service.ts'

const targetOf = (spec: object) => {
  const reading = serviceKind.read({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec })
  assert.equal(reading.kind, 'valid')
  return serviceTarget(reading.resource)
}

describe('Service', () => {
  it('of type ExternalName is reached at its first port', () => {
    const ports = [{ name: 'http', port: 9000, targetPort: 80 }, { port: 9001 }]

    assert.deepEqual(targetOf({ type: 'ExternalName', externalName: 'host.example.com', ports }), {
      kind: 'url',
      url: 'http://host.example.com:9000',
    })
  })

  const none: readonly { readonly what: string; readonly spec: object; readonly reason: string }[] = [
    {
      what: 'no type',
      spec: { selector: { app: 's' }, ports: [{ port: 80 }] },
      reason:
        'a Service of type ClusterIP has no address without a cluster: use type ExternalName with externalName and a port',
    },
    {
      what: 'no port',
      spec: { type: 'ExternalName', externalName: 'h' },
      reason: 'the Service has no address: set spec.ports[0].port',
    },
    {
      what: 'no external name',
      spec: { type: 'ExternalName', ports: [{ port: 80 }] },
      reason: 'the Service has no address: set spec.externalName',
    },
  ]
  for (const { what, spec, reason } of none) {
    it(`with ${what} has no address, and says why`, () => {
      assert.deepEqual(targetOf(spec), { kind: 'none', reason })
    })
  }
})
