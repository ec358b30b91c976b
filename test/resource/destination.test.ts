import assert from 'node:assert/strict'
import { checkDestination } from '../../src/resource/destination.ts'

const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }

describe('a uri beside a reference', () => {
  for (const uri of ['//host/x', '//me:secret@host/x', 'mailto:a@b', 'file:///x', 'HTTP://h/']) {
    it(`may not lead elsewhere: ${uri}`, () => {
      assert.deepEqual(
        checkDestination({ ref, uri }).map(({ message }) => message),
        ['Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present'],
      )
    })
  }

  for (const uri of ['/x', 'x/y?a=b:c', '?a', './a:b']) {
    it(`may be below it: ${uri}`, () => {
      assert.deepEqual(checkDestination({ ref, uri }), [])
    })
  }
})
