import assert from 'node:assert/strict'
import fc from 'fast-check'
import { comparableTime, filterValue } from '../../src/filter/value.ts'

/** Text, and how it compares. Which attribute a name means is in cases.ts. */
const TIMES: readonly (readonly [string, string])[] = [
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
  ['2024-01-01t00:00:00z', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00.120300Z', '2024-01-01T00:00:00.1203Z'],
  ['2024-01-01T00:00:00.1234567899Z', '2024-01-01T00:00:00.123456789Z'],
  ['2024-01-01T00:00:00.0000000009Z', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:30:00+01:00', '2023-12-31T23:30:00Z'],
  ['2024-02-28T23:30:00.5-05:45', '2024-02-29T05:15:00.5Z'],
  ['2024-01-01T00:00:00-00:00', '2024-01-01T00:00:00Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
  ['2024-02-29T00:00:00+00:00', '2024-02-29T00:00:00Z'],
  // Not RFC 3339: as they are.
  ['', ''],
  ['yesterday', 'yesterday'],
  ['2024-01-01', '2024-01-01'],
  ['2024-01-01T00:00:00', '2024-01-01T00:00:00'],
  ['2024-01-01T00:00:00.Z', '2024-01-01T00:00:00.Z'],
  ['2023-02-29T00:00:00+01:00', '2023-02-29T00:00:00+01:00'],
  ['2024-13-01T00:00:00.0Z', '2024-13-01T00:00:00.0Z'],
  ['2024-01-01T24:00:00.0Z', '2024-01-01T24:00:00.0Z'],
  ['2024-01-01T00:00:00+24:00', '2024-01-01T00:00:00+24:00'],
]

describe('comparableTime', () => {
  for (const [text, comparable] of TIMES) {
    it(`takes '${text}' for '${comparable}'`, () => {
      assert.equal(comparableTime(text), comparable)
    })
  }

  it('gives every offset of an instant one text', () => {
    const instant = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9998-12-30T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instant, fc.integer({ min: -1_439, max: 1_439 }), (date, offsetMinutes) => {
        const wall = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1)
        const offset = new Date(Math.abs(offsetMinutes) * 60_000).toISOString().slice(11, 16)

        assert.equal(
          comparableTime(`${wall}${offsetMinutes < 0 ? '-' : '+'}${offset}`),
          comparableTime(date.toISOString()),
        )
      }),
    )
  })

  it('leaves its own answer as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(...TIMES.map(([text]) => text))), (text) => {
        assert.equal(comparableTime(comparableTime(text)), comparableTime(text))
      }),
    )
  })
})

describe('filterValue', () => {
  it('answers for each event, not for the one before', () => {
    const media = ['text/plain; a=b', 'text/html', 'text/html', 'TEXT/PLAIN'].map((datacontenttype) =>
      filterValue({ datacontenttype }, 'datamediatype'),
    )

    assert.deepEqual(media, ['text/plain', 'text/html', 'text/html', 'text/plain'])
  })
})
