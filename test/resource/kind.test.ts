import assert from 'node:assert/strict'
import { apiVersionsOf } from '../../src/resource/kind.ts'
import { brokerKind } from '../../src/resource/kinds/broker.ts'
import { cronJobSourceKind } from '../../src/resource/kinds/cron-job-source.ts'
import { kserviceKind } from '../../src/resource/kinds/kservice.ts'
import { namespaceKind } from '../../src/resource/kinds/namespace.ts'
import { pingSourceKind } from '../../src/resource/kinds/ping-source.ts'
import { serviceKind } from '../../src/resource/kinds/service.ts'
import { findKind, knownKinds } from '../../src/resource/known-kinds.ts'

const service = (spec: object) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec,
})

describe('Kind.read', () => {
  it('refuses a value that holds itself', () => {
    const spec: Record<string, unknown> = {}
    spec['again'] = spec

    assert.deepEqual(kserviceKind.read(service(spec)), {
      kind: 'invalid',
      errors: [{ paths: [['spec']], message: 'more than 100 maps and lists inside each other' }],
    })
  })

  it('drops fields that are null or undefined, at any depth', () => {
    const reading = kserviceKind.read(service({ a: null, b: [{ c: null, d: undefined, e: 1 }, null] }))

    assert.equal(reading.kind, 'valid')
    assert.deepEqual(reading.resource.spec, { b: [{ e: 1 }, null] })
  })

  it('leaves the manifest as it was', () => {
    const manifest = Object.freeze(service({}))

    kserviceKind.read(manifest)

    assert.deepEqual(manifest, service({}))
  })

  for (const value of [undefined, null, 5, 'text', []]) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.equal(brokerKind.read(value).kind, 'invalid')
    })
  }
})

describe('apiVersionsOf', () => {
  it('has every version of every group, the preferred first', () => {
    assert.deepEqual(apiVersionsOf(namespaceKind), ['v1'])
    assert.deepEqual(apiVersionsOf(pingSourceKind), ['sources.knative.dev/v1', 'sources.knative.dev/v1beta2'])
    assert.deepEqual(apiVersionsOf(cronJobSourceKind), [
      'sources.knative.dev/v1',
      'sources.eventing.knative.dev/v1alpha1',
    ])
  })
})

describe('findKind', () => {
  it('needs both apiVersion and kind', () => {
    assert.equal(findKind('v1', 'Service'), serviceKind)
    assert.equal(findKind('serving.knative.dev/v1', 'Service'), kserviceKind)
    assert.equal(findKind('v2', 'Service'), undefined)
    assert.equal(findKind('v1', 'Broker'), undefined)
  })

  it('finds every known kind by each of its names', () => {
    for (const kind of knownKinds) {
      for (const apiVersion of apiVersionsOf(kind)) assert.equal(findKind(apiVersion, kind.kind), kind)
    }
  })
})
