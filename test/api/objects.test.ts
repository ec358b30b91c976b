import assert from 'node:assert/strict'
import { objectAt, withoutPasswords } from '../../src/api/objects.ts'
import type { AnyResource } from '../../src/resource/known-kinds.ts'
import type { Entry } from '../../src/store/resource-store.ts'

describe('what is shown of an object', () => {
  const cases: readonly (readonly [text: string, shown: string])[] = [
    ['http://user:secret@a.example/b?c=d#e', 'http://a.example/b?c=d#e'],
    ['https://token@a.example/', 'https://a.example/'],
    ['http://u:se@cr:et@a.example/', 'http://a.example/'],
    ['http://u:with space@a.example/', 'http://a.example/'],
    ['kafka://user:secret@broker:9092', 'kafka://broker:9092'],
    ['{"uri":"http://user:secret@a.example/"}', '{"uri":"http://a.example/"}'],
    ['sends to http://u:p@a.example/ and //q:r@b.example', 'sends to http://a.example/ and //b.example'],
    ['http://a.example/me@home', 'http://a.example/me@home'],
    ['http://a.example/?to=me@home', 'http://a.example/?to=me@home'],
    ['me@home.example', 'me@home.example'],
    ['{"a":"//b","c":"d@e"}', '{"a":"//b","c":"d@e"}'],
    ['http://a.example', 'http://a.example'],
  ]
  for (const [text, shown] of cases) {
    it(`of ${JSON.stringify(text)} is ${JSON.stringify(shown)}`, () => {
      assert.deepEqual(withoutPasswords({ a: [{ b: text }] }), { a: [{ b: shown }] })
    })
  }

  it('of other values is all', () => {
    const value = { a: 1, b: true, c: null, d: [], e: {} }

    assert.deepEqual(withoutPasswords(value), value)
  })

  it('of a Secret is no value, in no place', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'default',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"token":"c2VjcmV0"}}', a: 'b' },
      },
      type: 'Opaque',
      data: { token: 'c2VjcmV0' },
      stringData: { password: 'secret' },
    }

    assert.deepEqual(objectAt(entryOf(secret), 'v1'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'default',
        annotations: { a: 'b', 'tidings.dev/redacted': 'data,stringData' },
      },
      type: 'Opaque',
      data: { token: '' },
      stringData: { password: '' },
    })
  })

  it('of a kind in another version is the same with that version', () => {
    const old = { apiVersion: 'sources.knative.dev/v1beta2', kind: 'PingSource', metadata: { name: 'p' } }

    assert.deepEqual(objectAt(entryOf(old), 'sources.knative.dev/v1'), { ...old, apiVersion: 'sources.knative.dev/v1' })
  })
})

function entryOf(manifest: object): Entry {
  const resource = manifest as AnyResource
  return { key: '', resource, status: undefined, origin: 'test.yaml:1' }
}
