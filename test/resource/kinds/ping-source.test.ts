import assert from 'node:assert/strict'
import { pingExtensionsOf, pingScheduleOf, pingSourceKind } from '../../../src/resource/kinds/ping-source.ts'

const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }
const read = (spec: object, apiVersion = 'sources.knative.dev/v1') => {
  const metadata = { name: 'p', namespace: 'n' }
  const reading = pingSourceKind.read({ apiVersion, kind: 'PingSource', metadata, spec: { sink: { ref }, ...spec } })
  assert.equal(reading.kind, 'valid')
  return reading.resource
}

describe('PingSource', () => {
  for (const spec of [{}, { schedule: '' }, { schedule: '', timezone: '' }]) {
    it(`fires every minute with ${JSON.stringify(spec)}`, () => {
      const source = read(spec)

      assert.equal(source.spec.schedule, '* * * * *')
      assert.deepEqual(pingScheduleOf(source), { schedule: '* * * * *' })
    })
  }

  for (const schedule of [
    '*/10 * * * * *',
    '0 9 * * MON-FRI',
    '@daily',
    'CRON_TZ=Europe/Paris 0 9 * * *',
    '0 0 31 2 *',
  ]) {
    it(`takes the schedule ${schedule}`, () => {
      assert.deepEqual(pingScheduleOf(read({ schedule })), { schedule })
    })
  }

  it('has a schedule in its zone', () => {
    const schedule = { schedule: '0 9 * * *', timezone: 'Europe/Paris' }

    assert.deepEqual(pingScheduleOf(read(schedule)), schedule)
  })

  it('gets its namespace written into its destinations', () => {
    const { spec } = read({ delivery: { deadLetterSink: { ref } } })

    const filled = { ref: { ...ref, namespace: 'n' } }
    assert.deepEqual([spec.sink, spec.delivery], [filled, { deadLetterSink: filled }])
  })

  it('is of the newer version once it is read', () => {
    assert.deepEqual(read({}, 'sources.knative.dev/v1beta2'), read({}))
  })

  it('sets extensions in lower case', () => {
    const source = read({ ceOverrides: { extensions: { teamName: 'a', n1: 'B' } } })

    assert.deepEqual(pingExtensionsOf(source), { teamname: 'a', n1: 'B' })
    assert.deepEqual(pingExtensionsOf(read({})), {})
  })
})
