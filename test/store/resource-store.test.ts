import assert from 'node:assert/strict'
import { findKind } from '../../src/resource/known-kinds.ts'
import { type Change, createResourceStore, keyOf } from '../../src/store/resource-store.ts'

const KEY = keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'b')

describe('a resource store', () => {
  function aBroker(delivery?: object, labels?: Record<string, string>) {
    const metadata = { name: 'b', ...(labels && { labels }) }
    const spec = delivery && { delivery }
    const manifest = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, ...(spec && { spec }) }
    const reading = findKind('eventing.knative.dev/v1', 'Broker')?.read(manifest)
    assert.ok(reading?.kind === 'valid')
    return reading.resource
  }
  function setUp() {
    const store = createResourceStore(() => Date.UTC(2026, 0, 2, 3, 4, 5, 678))
    const changes: Change[] = []
    store.onChange((change) => changes.push(change))
    return { store, changes }
  }

  it('gives a new resource uid, generation, time and version', () => {
    const { store, changes } = setUp()

    const { uid = '', ...metadata } = store.put(aBroker(), 'a.yaml:1').resource.metadata

    assert.match(uid, /^[0-9a-f-]{36}$/)
    assert.deepEqual(
      [metadata.generation, metadata.creationTimestamp, metadata.resourceVersion],
      [1, '2026-01-02T03:04:05Z', '1'],
    )
    assert.deepEqual(
      changes.map(({ type }) => type),
      ['ADDED'],
    )
  })

  it('changes nothing when a manifest says what is there', () => {
    const { store, changes } = setUp()
    const first = store.put(aBroker({ retry: 1 }), 'a.yaml:1')

    assert.equal(store.put(aBroker({ retry: 1 }), 'a.yaml:1'), first)
    assert.equal(changes.length, 1)
  })

  it('counts generations of the spec, and versions of everything', () => {
    const { store } = setUp()
    const generations = [
      store.put(aBroker({ retry: 1 }), 'a.yaml:1'),
      store.put(aBroker({ retry: 1 }, { color: 'red' }), 'a.yaml:1'),
      store.put(aBroker({ retry: 2 }, { color: 'red' }), 'a.yaml:1'),
    ].map(({ resource: { metadata } }) => [metadata.generation, metadata.resourceVersion])

    assert.deepEqual(generations, [
      [1, '1'],
      [1, '2'],
      [2, '3'],
    ])
  })

  it('keeps uid and status over a change', () => {
    const { store } = setUp()
    const first = store.put(aBroker(), 'a.yaml:1')
    store.setStatus(KEY, { observedGeneration: 1, conditions: [] })

    const second = store.put(aBroker({ retry: 3 }), 'a.yaml:1')

    assert.equal(second.resource.metadata.uid, first.resource.metadata.uid)
    assert.deepEqual(second.status, { observedGeneration: 1, conditions: [] })
  })

  it('tells a status once', () => {
    const { store, changes } = setUp()
    store.put(aBroker(), 'a.yaml:1')

    for (const _ of [1, 2]) store.setStatus(KEY, { observedGeneration: 1, conditions: [] })

    assert.equal(changes.length, 2)
  })

  it('gives a new uid after a deletion, unless the old one is kept', () => {
    const { store } = setUp()
    const uidAfterDeletion = (): string => {
      store.delete(KEY)
      store.letGo(KEY)
      return store.put(aBroker(), 'a.yaml:1').resource.metadata.uid ?? ''
    }
    const first = store.put(aBroker(), 'a.yaml:1').resource.metadata.uid ?? ''
    const second = uidAfterDeletion()
    store.keepUid(KEY, second)
    const third = uidAfterDeletion()
    store.forgetUid(KEY)

    assert.notEqual(second, first)
    assert.equal(third, second)
    assert.notEqual(uidAfterDeletion(), second)
  })

  it('gives the same uid to what comes back before its deletion took effect', () => {
    const { store } = setUp()
    const first = store.put(aBroker(), 'a.yaml:1').resource.metadata.uid

    store.delete(KEY)

    assert.equal(store.put(aBroker(), 'a.yaml:1').resource.metadata.uid, first)
  })

  it('tells nobody who has stopped listening', () => {
    const { store } = setUp()
    let told = 0
    const stop = store.onChange(() => told++)
    stop()

    store.put(aBroker(), 'a.yaml:1')

    assert.equal(told, 0)
  })
})
