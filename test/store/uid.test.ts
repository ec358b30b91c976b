import assert from 'node:assert/strict'
import { createdAtOf, newUid, sharedUid } from '../../src/store/uid.ts'

describe('a uid', () => {
  it('is a UUID of version 7, and another each time', () => {
    const uid = newUid(1_767_323_045_123)

    assert.match(uid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.notEqual(newUid(1_767_323_045_123), uid)
  })

  for (const atMs of [0, 1, 1_767_323_045_123, 2 ** 48 - 1]) {
    it(`says that it is of ${atMs}`, () => {
      assert.equal(createdAtOf(newUid(atMs)), atMs)
    })
  }

  for (const uid of ['', 'a', '2b8f3c1e-7d40-4c1a-9a55-0d7f7f0c0a11']) {
    it(`has no time as '${uid}'`, () => {
      assert.equal(createdAtOf(uid), undefined)
    })
  }

  it('that is shared is a UUID of version 8, the same for a key and an installation', () => {
    const uid = sharedUid('shop', 'k')

    assert.match(uid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(sharedUid('shop', 'k'), uid)
    assert.equal(new Set([uid, sharedUid('shop', 'l'), sharedUid('other', 'k')]).size, 3)
  })
})
