import assert from 'node:assert/strict'
import fc from 'fast-check'
import { AbortGroup, abortGroupOf, type Member } from '../../src/http/abort-group.ts'

describe('AbortGroup', () => {
  it('abandons who was added and not removed, each once, in whatever order they came and went', () => {
    const additionsAndRemovals = fc.array(fc.nat({ max: 9 }), { maxLength: 60 })
    fc.assert(
      fc.property(additionsAndRemovals, (toggles) => {
        const abort = new AbortController()
        const group = new AbortGroup(abort.signal)
        const abandoned: number[] = []
        const members = Array.from({ length: 10 }, (_, i): Member => ({ slot: -1, abandon: () => abandoned.push(i) }))
        const inside = new Set<number>()
        for (const i of toggles) {
          const member = members[i]
          assert.ok(member)
          if (inside.delete(i)) group.remove(member)
          else {
            inside.add(i)
            group.add(member)
          }
        }

        abort.abort()

        assert.deepEqual(new Set(abandoned), inside)
        assert.equal(abandoned.length, inside.size)
      }),
    )
  })

  it('lets a member remove itself while it is abandoned', () => {
    const abort = new AbortController()
    const group = new AbortGroup(abort.signal)
    const reasons: unknown[] = []
    const aMember = (): Member => {
      const member: Member = {
        slot: -1,
        abandon: (reason) => {
          group.remove(member)
          reasons.push(reason)
        },
      }
      return member
    }
    group.add(aMember())
    group.add(aMember())

    abort.abort('lane lost')

    assert.deepEqual(reasons, ['lane lost', 'lane lost'])
  })

  it('is one for each signal, whoever asks', () => {
    const abort = new AbortController()

    assert.equal(abortGroupOf(abort.signal), abortGroupOf(abort.signal))
    assert.notEqual(abortGroupOf(abort.signal), abortGroupOf(new AbortController().signal))
  })

  it('knows whether its signal aborted, before it was made or since', () => {
    const abort = new AbortController()
    const group = new AbortGroup(abort.signal)

    assert.equal(group.isAborted, false)
    abort.abort()

    assert.equal(group.isAborted, true)
    assert.equal(new AbortGroup(abort.signal).isAborted, true)
  })
})
