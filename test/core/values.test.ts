import assert from 'node:assert/strict'
import { below, createMemoryValues } from '../../src/core/values.ts'

describe('values in memory', () => {
  it('are what was put last, without what was deleted', async () => {
    const values = createMemoryValues()

    await values.put('a/1', 'old')
    await values.put('a/1', 'new')
    await values.put('a/2', 'gone soon')
    await values.put('b', '')
    await values.delete('a/2')
    await values.delete('never there')

    assert.equal(values.get('a/1'), 'new')
    assert.equal(values.get('a/2'), undefined)
    assert.deepEqual([...values.entries('a/')], [['a/1', 'new']])
    assert.deepEqual([...values.entries('')].length, 2)
  })

  it('below a prefix are others than those beside it', async () => {
    const values = createMemoryValues()
    await values.put('uid/a', 'beside')
    const inner = below(values, 'memory/')

    await inner.put('uid/a', 'below')
    await inner.put('uid/b', 'gone soon')
    await inner.delete('uid/b')

    assert.equal(inner.get('uid/a'), 'below')
    assert.deepEqual([...inner.entries('uid/')], [['uid/a', 'below']])
    assert.deepEqual(
      [...values.entries('')],
      [
        ['uid/a', 'beside'],
        ['memory/uid/a', 'below'],
      ],
    )
  })

  it('are seen once their promise has resolved, as where they are stored', async () => {
    const values = createMemoryValues()

    const put = values.put('a', '1')

    assert.equal(values.get('a'), undefined)
    await put
    assert.equal(values.get('a'), '1')
  })
})
