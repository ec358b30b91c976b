import assert from 'node:assert/strict'
import { catchUpOf } from '../../src/resource/schedule.ts'

describe('catchUpOf', () => {
  for (const value of ['none', 'last', 'all']) {
    it(`is what the annotation says: ${value}`, () => {
      assert.equal(catchUpOf({ metadata: { name: 's', annotations: { 'tidings.dev/catch-up': value } } }), value)
    })
  }

  it('is undefined without the annotation', () => {
    assert.equal(catchUpOf({ metadata: { name: 's' } }), undefined)
  })
})
