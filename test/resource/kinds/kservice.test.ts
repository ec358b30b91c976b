import assert from 'node:assert/strict'
import { kserviceKind, kserviceTarget } from '../../../src/resource/kinds/kservice.ts'

const read = (spec: object, annotations: object = {}) => {
  const metadata = { name: 's', annotations }
  const reading = kserviceKind.read({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}
const running = (image: string) => ({ template: { spec: { containers: [{ image }, { image: 'sidecar' }] } } })

describe('Knative Service', () => {
  it('keeps a spec it does not know', () => {
    const spec = { traffic: [{ revisionName: 's-v1', percent: 90 }], anything: { at: ['all'] } }

    assert.deepEqual(read(spec).spec, spec)
  })

  it('is reached where its annotation says', () => {
    const service = read(running('mine:v1'), { 'tidings.dev/url': 'http://127.0.0.1:9000/in' })

    assert.deepEqual(kserviceTarget(service), { kind: 'url', url: 'http://127.0.0.1:9000/in' })
  })

  for (const image of [
    'gcr.io/knative-releases/knative.dev/eventing/cmd/event_display',
    'gcr.io/knative-releases/knative.dev/eventing/cmd/event_display:v1.20',
    'localhost:5000/event_display@sha256:0123',
  ]) {
    it(`is the built-in display for ${image}`, () => {
      assert.deepEqual(kserviceTarget(read(running(image))), { kind: 'event-display' })
    })
  }

  it('says what to do when its image is not started here', () => {
    assert.deepEqual(kserviceTarget(read(running('mine/event_display/v1'))), {
      kind: 'none',
      reason:
        'image mine/event_display/v1 is not started here: run it yourself and set annotation tidings.dev/url to its URL',
    })
  })

  for (const spec of [{}, { template: 5 }, { template: { spec: { containers: {} } } }, running('')]) {
    it(`has no address with spec ${JSON.stringify(spec)}`, () => {
      assert.equal(kserviceTarget(read(spec)).kind, 'none')
    })
  }
})
