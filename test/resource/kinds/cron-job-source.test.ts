import assert from 'node:assert/strict'
import { cronJobSinkOf, cronJobSourceKind } from '../../../src/resource/kinds/cron-job-source.ts'
import { findKind } from '../../../src/resource/known-kinds.ts'

const inline = { apiVersion: 'v1', kind: 'Service', name: 's' }
const read = (spec: object, apiVersion = 'sources.knative.dev/v1') => {
  const metadata = { name: 'c', namespace: 'n' }
  const manifest = { apiVersion, kind: 'CronJobSource', metadata }
  const reading = cronJobSourceKind.read({ ...manifest, spec: { schedule: '0 2 * * *', sink: inline, ...spec } })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('CronJobSource', () => {
  it('is one kind in two groups, and keeps the one it was written in', () => {
    for (const apiVersion of ['sources.knative.dev/v1', 'sources.eventing.knative.dev/v1alpha1']) {
      assert.equal(findKind(apiVersion, 'CronJobSource'), cronJobSourceKind)
      assert.equal(read({}, apiVersion).apiVersion, apiVersion)
    }
  })

  it('has its sink as a reference, whichever way it is written', () => {
    const filled = { ref: { ...inline, namespace: 'n' } }

    assert.deepEqual(read({}).spec.sink, filled)
    assert.deepEqual(cronJobSinkOf(read({ sink: { ref: inline } })), filled)
  })

  it('keeps the namespace and the path beside an inline reference', () => {
    const source = read({ sink: { ...inline, namespace: 'other', uri: '/in' } })

    assert.deepEqual(cronJobSinkOf(source), { ref: { ...inline, namespace: 'other' }, uri: '/in' })
  })

  it('takes an address as sink', () => {
    assert.deepEqual(cronJobSinkOf(read({ sink: { uri: 'http://h/' } })), { uri: 'http://h/' })
  })

  it('takes @every, and keeps what only a pod would need', () => {
    const spec = { schedule: '@every 1h30m', serviceAccountName: 'a', resources: { limits: { cpu: '1' } } }

    const { schedule, serviceAccountName, resources } = read(spec).spec

    assert.deepEqual({ schedule, serviceAccountName, resources }, spec)
  })
})
