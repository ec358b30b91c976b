import assert from 'node:assert/strict'
import { createTailList } from '../../src/cli/tail-list.ts'
import type { TailLine } from '../../src/runtime/tail.ts'

const line = (id: string, more: Partial<TailLine> = {}): TailLine => ({
  at: '2026-01-02T03:04:05.678Z',
  id,
  source: '/s',
  type: 't',
  outcome: 'matched',
  triggers: ['a'],
  ...more,
})
const delivered = (id: string): TailLine => line(id, { outcome: 'delivered', to: 'subscriber', status: 202, ms: 6 })

describe('the list of tidings tail', () => {
  const rowsOf = (list: ReturnType<typeof createTailList>, rows = 6, columns = 80): string[] =>
    list
      .render(rows, columns)
      .slice(1, -1)
      .filter((row) => row !== '')

  it('has a row for each event, with what became of it for each trigger', () => {
    const list = createTailList('x')

    list.add(line('1', { triggers: ['a', 'b'] }))
    list.add(line('2', { outcome: 'unmatched', triggers: [] }))
    list.add(delivered('1'))
    list.add(line('1', { triggers: ['b'], outcome: 'failed', to: 'subscriber', status: 503, retryInMs: 200 }))

    assert.deepEqual(rowsOf(list), [
      '  03:04:05.678  t  /s  1  a: ok 202 6 ms  b: failed 503, again in 200 ms',
      '> 03:04:05.678  t  /s  2  no trigger matches',
    ])
  })

  it('follows what comes until somebody moves, and again from the last row on', () => {
    const list = createTailList('x')
    for (const id of ['1', '2', '3', '4', '5']) list.add(line(id))

    const following = rowsOf(list, 4)
    list.press('up')
    list.add(line('6'))
    const moved = rowsOf(list, 4)
    list.press('end')
    list.add(line('7'))

    assert.match(following.at(-1) ?? '', /^> .*\/s {2}5 /)
    assert.match(moved.find((row) => row.startsWith('>')) ?? '', /\/s {2}4 /)
    assert.match(rowsOf(list, 4).at(-1) ?? '', /^> .*\/s {2}7 /)
  })

  it('says which event is meant when a key asks for something', () => {
    const list = createTailList('x')
    list.add(line('1'))
    list.add(line('2'))

    list.press('k')

    assert.deepEqual(list.press('return'), { kind: 'details', id: '1', source: '/s' })
    assert.deepEqual(list.press('r'), { kind: 'resend', id: '1', source: '/s' })
    assert.deepEqual(list.press('o'), { kind: 'open', id: '1', source: '/s' })
    assert.deepEqual(list.press('q'), { kind: 'quit' })
    assert.equal(list.press('x'), undefined)
  })

  it('does nothing with an empty list', () => {
    const list = createTailList('x')

    assert.deepEqual(
      ['up', 'down', 'return', 'g', 'pagedown'].map((key) => list.press(key)),
      [undefined, undefined, undefined, undefined, undefined],
    )
    assert.deepEqual(rowsOf(list), [])
  })

  it('shows a text, moves in it, and goes back to the list', () => {
    const list = createTailList('x')
    list.add(line('1'))

    list.show(Array.from({ length: 10 }, (_, i) => `line ${i}`).join('\n'))
    const first = rowsOf(list, 5)
    list.press('down')
    const moved = rowsOf(list, 5)
    list.press('pagedown')
    const paged = rowsOf(list, 5)
    list.press('return')

    assert.deepEqual(first, ['line 0', 'line 1', 'line 2'])
    assert.deepEqual(moved, ['line 1', 'line 2', 'line 3'])
    assert.deepEqual(paged, ['line 4', 'line 5', 'line 6'])
    assert.equal(rowsOf(list).length, 1)
  })

  it('wraps a text that is wider than the screen', () => {
    const list = createTailList('x')

    list.show('abcdefghijklmnopqrstuvwxyz\nshort')

    assert.deepEqual(rowsOf(list, 6, 20), ['abcdefghijklmnopqrst', '      uvwxyz', 'short'])
  })

  it('cuts rows at the width, and lets nothing steer the terminal', () => {
    const list = createTailList('x')
    list.add(line('1', { type: `\u001b[2J${'t'.repeat(100)}` }))

    const [row = ''] = rowsOf(list, 6, 40)

    assert.equal(row.length, 40)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    assert.doesNotMatch(row, /[\u0000-\u001f]/)
  })

  it('counts what was missed, says what it is told, and forgets the oldest', () => {
    const list = createTailList('x')
    for (let i = 0; i < 1_100; i++) list.add(line(String(i)))
    list.missed(3)
    list.missed(4)
    list.say('sent again')

    const picture = list.render(6, 80)
    list.press('g')

    assert.equal(picture[0], 'x   1000 events   7 lines missed')
    assert.equal(picture.at(-1), 'sent again')
    assert.match(rowsOf(list)[0] ?? '', /^> .*\/s {2}100 /)
  })
})
