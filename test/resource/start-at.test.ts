import assert from 'node:assert/strict'
import { checkStartAt, type StartAt, startAtOf } from '../../src/resource/start-at.ts'

describe('the annotation tidings.dev/start-at', () => {
  const cases: readonly (readonly [text: string, startAt: StartAt | undefined])[] = [
    ['now', 'now'],
    ['earliest', 'earliest'],
    ['2026-01-02T03:04:05Z', { timeMs: 1_767_323_045_000 }],
    ['2026-01-02T04:04:05.5+01:00', { timeMs: 1_767_323_045_500 }],
    ['latest', undefined],
    ['Earliest', undefined],
    ['2026-01-02', undefined],
    ['2026-02-30T00:00:00Z', undefined],
    ['PT1H', undefined],
    ['', undefined],
  ]
  for (const [text, startAt] of cases) {
    it(`is ${startAt ? 'read' : 'refused'} as '${text}'`, () => {
      const resource = { metadata: { name: 'a', annotations: { 'tidings.dev/start-at': text } } }

      assert.deepEqual(startAtOf(resource), startAt)
      assert.equal(checkStartAt(resource).length, startAt ? 0 : 1)
    })
  }

  it('may be absent', () => {
    assert.equal(startAtOf({ metadata: { name: 'a' } }), undefined)
    assert.deepEqual(checkStartAt({ metadata: { name: 'a' } }), [])
  })
})
