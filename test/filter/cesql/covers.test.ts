import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Attributes } from '../../../src/core/event.ts'
import { coversOf } from '../../../src/filter/cesql/covers.ts'
import { parseCesql } from '../../../src/filter/cesql/parser.ts'
import { compileTriggerFilter } from '../../../src/filter/dialects.ts'
import type { IndexKey } from '../../../src/filter/filter.ts'
import { createMatcher } from '../../../src/filter/matcher.ts'
import { someAttributes } from '../arbitraries.ts'

/** Each cover as its keys: `=`, `^` and `$` for exact, prefix and suffix. */
const CASES: readonly (readonly [expression: string, covers: readonly (readonly string[])[]])[] = [
  ["type = 'a'", [['type=a']]],
  ["'a' = type", [['type=a']]],
  ["type = 'a' AND source = 'b'", [['type=a'], ['source=b']]],
  ["type = 'a' AND LENGTH(id) > 3", [['type=a']]],
  ["type = 'a' OR type = 'b'", [['type=a', 'type=b']]],
  ["type = 'a' OR EXISTS id", []],
  ["(type = 'a' OR type = 'b') AND source = 'c'", [['type=a', 'type=b'], ['source=c']]],
  ["type IN ('a', 'b')", [['type=a', 'type=b']]],
  ["type IN ('a', id)", []],
  ["type LIKE 'a%'", [['type^a']]],
  ["type LIKE '%a'", [['type$a']]],
  ["type LIKE 'a%b'", [['type^a'], ['type$b']]],
  ["type LIKE 'a_c'", [['type^a'], ['type$c']]],
  ["type LIKE 'a'", [['type=a']]],
  ["type LIKE '%a%'", []],
  ["time = '2024-01-01T01:00:00+01:00'", [['time=2024-01-01T00:00:00Z']]],
  // None of these is told by one value of an attribute.
  ["NOT (type = 'a')", []],
  ["type != 'a'", []],
  ["type NOT IN ('a')", []],
  ["type NOT LIKE 'a%'", []],
  ["type = 'a' XOR source = 'b'", []],
  ['type = 5', []],
  ['type IN (5)', []],
  ['LENGTH(type) = 5', []],
  ["UPPER(type) = 'A'", []],
  ["datamediatype = 'text/plain'", []],
]

const SIGNS = { exact: '=', prefix: '^', suffix: '$' } as const

describe('what an expression is indexed under', () => {
  for (const [expression, expected] of CASES) {
    it(`${expression}: ${expected.map((keys) => keys.join(' or ')).join(', ') || 'nothing'}`, () => {
      const found = coversOf(parseCesql(expression))

      assert.deepEqual(
        found.map((keys) => keys.map(({ attribute, kind, value }: IndexKey) => `${attribute}${SIGNS[kind]}${value}`)),
        expected,
      )
    })
  }

  it('never hides an event from an expression that it passes', () => {
    let matched = 0
    fc.assert(
      fc.property(
        fc.array(someExpression, { minLength: 1, maxLength: 8 }),
        someAttributes,
        (expressions, attributes) => {
          const filters = expressions.map((cesql) => compileTriggerFilter({ filters: [{ cesql }] }))
          const matcher = createMatcher<number>()
          for (const [i, filter] of filters.entries()) matcher.set(String(i), filter, i)

          const passed = filters.flatMap(({ matches }, i) => (matches(attributes) ? [i] : []))

          matched += passed.length
          assert.deepEqual(found(matcher, attributes).sort(), passed.sort())
        },
      ),
      { numRuns: 3_000 },
    )
    assert.ok(matched > 1_000, `${matched} matched`)
  })
})

function found(matcher: ReturnType<typeof createMatcher<number>>, attributes: Attributes): number[] {
  const values: number[] = []
  matcher.match(attributes, values)
  return values
}

const name = fc.constantFrom('type', 'source')
const text = fc.constantFrom('a', 'ab', 'abb', 'b')
const condition = fc.oneof(
  fc.tuple(name, text).map(([attribute, value]) => `${attribute} = '${value}'`),
  fc.tuple(name, text, text).map(([attribute, one, other]) => `${attribute} IN ('${one}', '${other}')`),
  fc
    .tuple(name, fc.constantFrom('a%', '%b', 'a%b', 'a_', '%', '_%b', 'ab'))
    .map(([attribute, pattern]) => `${attribute} LIKE '${pattern}'`),
  fc.tuple(name, text).map(([attribute, value]) => `NOT (${attribute} = '${value}')`),
)
/** Of conditions that often hold. */
const someExpression: fc.Arbitrary<string> = fc
  .tuple(condition, fc.array(fc.tuple(fc.constantFrom('AND', 'OR'), condition), { maxLength: 3 }))
  .map(([first, others]) => [first, ...others.flat()].join(' '))
