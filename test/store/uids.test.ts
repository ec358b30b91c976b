import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import { createMemoryValues, type Values } from '../../src/core/values.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { createResourceStore, type ResourceStore } from '../../src/store/resource-store.ts'
import { openUids } from '../../src/store/uids.ts'
import { aTrigger } from '../support/runtime.ts'

describe('uids across restarts', () => {
  let values: Values

  beforeEach(() => {
    values = createMemoryValues()
  })

  async function start(names: readonly string[]) {
    const resources = createResourceStore(Date.now)
    const uids = openUids(values, resources)
    const given = names.map((name) => put(resources, name))
    await uids.saved()
    return {
      resources,
      uids,
      keys: given.map(({ key }) => key),
      given: given.map((each) => each.resource.metadata.uid),
    }
  }

  it('are the same for the same names', async () => {
    const first = await start(['a', 'b'])
    const second = await start(['b', 'a', 'c'])

    assert.deepEqual([second.given[1], second.given[0]], first.given)
    assert.deepEqual(
      [...values.entries('')].map(([key]) => key),
      ['a', 'b', 'c'].map((name) => `uid/eventing.knative.dev/Trigger/default/${name}`),
    )
  })

  it('tell whose resources are gone', async () => {
    const { given } = await start(['a', 'b'])
    const { uids } = await start(['b'])

    assert.deepEqual(uids.orphans(), [{ key: 'eventing.knative.dev/Trigger/default/a', uid: given[0] }])
  })

  it('are new once they were forgotten', async () => {
    const first = await start(['a'])
    first.uids.forget(first.keys[0] ?? '')
    await first.uids.saved()

    const second = await start(['a'])

    assert.notEqual(second.given[0], first.given[0])
  })

  it('are stored once asked for, also those that came while others were being stored', async () => {
    const { resources, uids } = await start([])
    let lastKey = ''
    for (let i = 0; i < 30; i++) {
      resources.delete(lastKey)
      uids.forget(lastKey)
      const first = uids.saved()
      for (let turn = 0; turn < i % 6; turn++) await undefined
      const { key, resource } = put(resources, `t${i}`)
      lastKey = key
      await uids.saved()
      await first
      assert.deepEqual([...values.entries('')], [[`uid/${key}`, resource.metadata.uid]])
    }
  })

  it('that cannot be stored are told to all who wait, and stored when somebody asks again', async () => {
    const full = new EventingError('LOG_FULL', 'no room', { retryable: true })
    let isFull = true
    const stored = values
    values = { ...stored, put: (key, value) => (isFull ? Promise.reject(full) : stored.put(key, value)) }
    const resources = createResourceStore(Date.now)
    const uids = openUids(values, resources)
    const { key, resource } = put(resources, 'a')

    await assert.rejects(uids.saved(), { code: 'LOG_FULL' })
    isFull = false
    await uids.saved()

    assert.equal(stored.get(`uid/${key}`), resource.metadata.uid)
  })
})

function put(resources: ResourceStore, name: string) {
  const [loaded] = loadManifests(aTrigger(name, 'http://s'), 'a.yaml').resources
  assert.ok(loaded)
  return resources.put(loaded.resource, 'a.yaml:1')
}
