import assert from 'node:assert/strict'
import type { Event } from '../../src/core/event.ts'
import { formatEvent } from '../../src/sink/format-event.ts'

const event = (attributes: Record<string, string>, data?: Buffer): Event => ({
  attributes,
  data,
  headers: [],
  arrivedAt: 0,
})
const REQUIRED = { specversion: '1.0', id: '1', source: '/s', type: 't' }

describe('formatEvent', () => {
  it('prints attributes, extensions and JSON data', () => {
    const text = formatEvent(
      event({ ...REQUIRED, datacontenttype: 'application/json', zone: 'b', area: 'a' }, Buffer.from('{"a":1}')),
    )

    assert.equal(
      text,
      [
        '☁  event',
        '   specversion: 1.0',
        '   type: t',
        '   source: /s',
        '   id: 1',
        '   datacontenttype: application/json',
        '   extensions',
        '     area: a',
        '     zone: b',
        '   data',
        '     {',
        '       "a": 1',
        '     }',
        '',
      ].join('\n'),
    )
  })

  it('does not pass control characters on to the terminal', () => {
    assert.ok(!formatEvent(event({ ...REQUIRED, x: '\u001b[2J' }, Buffer.from('a\u001b]0;b'))).includes('\u001b'))
  })

  it('says how much it left out', () => {
    assert.match(formatEvent(event(REQUIRED, Buffer.alloc(5_000, 'x'))), /… 904 more bytes\n$/)
  })

  it('does not print binary data', () => {
    assert.match(
      formatEvent(event({ ...REQUIRED, datacontenttype: 'image/png' }, Buffer.from([0, 1, 2]))),
      /3 bytes of image\/png/,
    )
  })
})
