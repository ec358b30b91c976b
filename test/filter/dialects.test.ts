import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Attributes } from '../../src/core/event.ts'
import { checkFilters, compileTriggerFilter, type TriggerFilterSpec } from '../../src/filter/dialects.ts'
import type { IndexKey } from '../../src/filter/filter.ts'
import { anEvent } from '../support/builders.ts'
import { ADMISSION_CASES, ADMISSION_RULES } from './admission-cases.ts'
import { someAttributes, someFilterSpec } from './arbitraries.ts'
import { MATCH_CASES, MATCH_RULES } from './cases.ts'
import { interpret } from './interpreter.ts'

const TYPE_A: IndexKey = { kind: 'exact', attribute: 'type', value: 'a' }
const TYPE_B: IndexKey = { kind: 'exact', attribute: 'type', value: 'b' }
const SOURCE_A: IndexKey = { kind: 'exact', attribute: 'source', value: '/a' }
const SOURCE_B: IndexKey = { kind: 'exact', attribute: 'source', value: '/b' }

describe('compileTriggerFilter', () => {
  for (const { rule, name, spec, event, passes } of MATCH_CASES) {
    it(`${rule}: ${name}`, () => {
      assert.equal(compileTriggerFilter(spec).matches(anEvent(event).attributes), passes)
    })
  }

  it('has a case for every rule', () => {
    assert.deepEqual(missing(MATCH_RULES, MATCH_CASES), [])
  })

  it('says what the plain interpreter says', () => {
    fc.assert(
      fc.property(someFilterSpec, someAttributes, (spec, attributes) => {
        assert.equal(compileTriggerFilter(spec).matches(attributes), interpret(spec, attributes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('compiles whatever it is given to something that does not throw', () => {
    fc.assert(
      fc.property(anySpec(), someAttributes, (spec, attributes) => {
        const { matches } = compileTriggerFilter(spec as TriggerFilterSpec)

        if (checkFilters(spec).length > 0) assert.equal(matches(attributes), false)
        else assert.equal(typeof matches(attributes), 'boolean')
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('covers of a compiled filter', () => {
  it('are none when everything passes', () => {
    assert.deepEqual(compileTriggerFilter({}).covers, [])
  })

  it('are one without keys when nothing passes', () => {
    assert.deepEqual(compileTriggerFilter({ filters: [{ exact: { type: '' } }] }).covers, [[]])
  })

  it('offer each condition of an AND, the exact type first', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ prefix: { id: 'x' } }, { all: [{ exact: { source: '/a' } }, { exact: { type: 'a' } }] }],
    })

    assert.deepEqual(covers, [[TYPE_A], [SOURCE_A], [{ kind: 'prefix', attribute: 'id', value: 'x' }]])
  })

  it('offer few keys before many', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ any: [{ exact: { type: 'a' } }, { exact: { type: 'b' } }] }, { exact: { source: '/a' } }],
    })

    assert.deepEqual(covers, [[SOURCE_A], [TYPE_A, TYPE_B]])
  })

  it('offer each compared attribute of filter, and none for those only required', () => {
    const { covers } = compileTriggerFilter({ filter: { attributes: { subject: '', source: '/a', type: 'a' } } })

    assert.deepEqual(covers, [[TYPE_A], [SOURCE_A]])
  })

  it('join the children of an OR, all by type or all by source', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ any: [{ exact: { type: 'a', source: '/a' } }, { exact: { type: 'b', source: '/b' } }] }],
    })

    assert.deepEqual(covers, [
      [TYPE_A, TYPE_B],
      [SOURCE_A, SOURCE_B],
    ])
  })

  it('name a key once that several children of an OR share', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ any: [{ exact: { type: 'a', source: '/a' } }, { exact: { type: 'a', source: '/b' } }] }],
    })

    assert.deepEqual(covers, [[TYPE_A], [SOURCE_A, SOURCE_B]])
  })

  it('are none for an OR with a child that has none', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ any: [{ exact: { type: 'a' } }, { not: { exact: { type: 'b' } } }] }],
    })

    assert.deepEqual(covers, [])
  })

  it('are none for a negation', () => {
    assert.deepEqual(compileTriggerFilter({ filters: [{ not: { exact: { type: 'a' } } }] }).covers, [])
  })

  it('come from beside a negation in an AND', () => {
    const { covers } = compileTriggerFilter({
      filters: [{ not: { exact: { type: 'b' } } }, { exact: { type: 'a' } }],
    })

    assert.deepEqual(covers, [[TYPE_A]])
  })

  it('hold the comparable text of a time', () => {
    const { covers } = compileTriggerFilter({ filters: [{ exact: { time: '2024-01-01T01:00:00.0+01:00' } }] })

    assert.deepEqual(covers, [[{ kind: 'exact', attribute: 'time', value: '2024-01-01T00:00:00Z' }]])
  })

  it('are at most eight', () => {
    const names = Array.from({ length: 20 }, (_, i) => [`a${i}`, 'v'])

    assert.equal(compileTriggerFilter({ filters: [{ exact: Object.fromEntries(names) }] }).covers.length, 8)
  })

  it('each have a key that holds whenever the filter matches', () => {
    fc.assert(
      fc.property(someFilterSpec, someAttributes, (spec, attributes) => {
        const { matches, covers } = compileTriggerFilter(spec)

        if (!matches(attributes)) return
        for (const cover of covers) assert.ok(cover.some((key) => holds(key, attributes)))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('checkFilters', () => {
  for (const { rule, name, spec, problems } of ADMISSION_CASES) {
    it(`${rule}: ${name}`, () => {
      assert.deepEqual(checkFilters(spec), problems)
    })
  }

  it('has a case for every rule', () => {
    assert.deepEqual(missing(ADMISSION_RULES, ADMISSION_CASES), [])
  })

  it('ends soon on a list that holds itself', () => {
    const items: unknown[] = []
    for (let i = 0; i < 10; i++) items.push({ all: items })

    assert.ok(checkFilters({ filters: items }).some(({ message }) => message.startsWith('more than 1000')))
  })
})

function anySpec(): fc.Arbitrary<{ filter?: unknown; filters?: unknown }> {
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('exact', 'prefix', 'all', 'any', 'not', 'cesql', 'attributes') },
    fc.string(),
  )
  return fc.record({
    filter: fc.object({ key }),
    filters: fc.oneof(fc.anything({ key }), fc.array(fc.object({ key }))),
  })
}

function missing(rules: readonly string[], cases: readonly { readonly rule: string }[]): string[] {
  return rules.filter((rule) => !cases.some((each) => each.rule === rule))
}

function holds({ kind, attribute, value }: IndexKey, attributes: Attributes): boolean {
  const found = Object.hasOwn(attributes, attribute) ? (attributes[attribute] ?? '') : ''
  if (kind === 'exact') return found === value
  return kind === 'prefix' ? found.startsWith(value) : found.endsWith(value)
}
