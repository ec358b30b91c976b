import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compileTriggerFilter, type FilterManifest, type TriggerFilterSpec } from '../../src/filter/dialects.ts'
import { explainFilter, type Miss } from '../../src/filter/explain.ts'
import { createMatcher } from '../../src/filter/matcher.ts'
import { anEvent } from '../support/builders.ts'
import { someAttributes, someFilterSpec } from './arbitraries.ts'
import { interpret } from './interpreter.ts'

const PUSH = {
  type: 'dev.knative.source.github.push',
  source: 'https://github.com/acme/mon-repo',
  subject: 'a1b2c3',
  time: '2026-01-02T04:00:00+01:00',
}

function missesOf(spec: TriggerFilterSpec, attributes: Record<string, string | undefined> = {}): readonly Miss[] {
  return explainFilter(spec, anEvent({ ...PUSH, ...attributes }).attributes).misses
}

describe('why an event does not pass a filter', () => {
  it('names each attribute of `filter` that differs, by what, and what to write instead', () => {
    const attributes = { type: 'dev.knative.github.push', source: 'github.com/mon-repo' }

    assert.deepEqual(missesOf({ filter: { attributes } }), [
      {
        path: 'filter.attributes.type',
        expected: 'equal to "dev.knative.github.push"',
        actual: 'dev.knative.source.github.push',
        difference: 'differs by "source.", which only the event has',
        change: 'write "dev.knative.source.github.push" at filter.attributes.type',
      },
      {
        path: 'filter.attributes.source',
        expected: 'equal to "github.com/mon-repo"',
        actual: 'https://github.com/acme/mon-repo',
        difference: 'differs by "https://" and "/acme", which only the event has',
        change: 'write "https://github.com/acme/mon-repo" at filter.attributes.source',
      },
    ])
  })

  it('has no misses of a filter that the event passes', () => {
    const filters = [{ prefix: { type: 'dev.' } }, { cesql: "subject LIKE 'a1%'" }]

    const { attributes } = anEvent(PUSH)

    assert.deepEqual(explainFilter({ filters }, attributes), { matches: true, misses: [] })
    assert.deepEqual(explainFilter({}, attributes), { matches: true, misses: [] })
  })

  for (const [what, wanted, difference] of [
    ['case', 'DEV.knative.source.github.push', 'differs only by upper and lower case'],
    ['spaces', 'dev.knative.source.github.push ', 'differs only by spaces'],
    ['a piece more', 'dev.knative.source.github.push.v1', 'differs by ".v1", which only the filter has'],
    ['another piece', 'dev.knative.source.gitlab.push', 'has "github" where the filter has "gitlab"'],
    ['everything', 'order.created', null],
  ] as const) {
    it(`says when the difference is ${what}`, () => {
      assert.equal(missesOf({ filters: [{ exact: { type: wanted } }] })[0]?.difference, difference)
    })
  }

  it('says how far a prefix goes along, and what both have', () => {
    const [miss] = missesOf({ filters: [{ prefix: { type: 'dev.knative.sources.' } }] })

    assert.equal(miss?.path, 'filters[0].prefix.type')
    assert.equal(miss?.expected, 'beginning with "dev.knative.sources."')
    assert.equal(miss?.difference, 'is the same as far as "dev.knative.source"')
    assert.equal(miss?.change, 'write "dev.knative.source" at filters[0].prefix.type')
  })

  it('says how far a suffix does', () => {
    const [miss] = missesOf({ filters: [{ suffix: { type: 'hub_push' } }] })

    assert.deepEqual(
      [miss?.difference, miss?.change],
      ['is the same from "push" on', 'write "push" at filters[0].suffix.type'],
    )
  })

  it('says that an attribute is missing, and which may be meant', () => {
    const [miss] = missesOf({ filters: [{ exact: { Subject: 'x' } }] }, {})
    const [missing] = missesOf({ filters: [{ exact: { subjects: 'x' } }] })
    const [empty] = missesOf({ filter: { attributes: { subject: '' } } }, { subject: '' })

    assert.equal(miss?.difference, 'invalid key name "Subject"')
    assert.equal(missing?.difference, 'the event has no attribute "subjects", but it has "subject"')
    assert.equal(missing?.change, 'send the attribute "subjects", or remove filters[0].exact.subjects')
    assert.deepEqual(
      [empty?.expected, empty?.actual, empty?.difference],
      ['any value but an empty one', '', 'is empty'],
    )
  })

  it('tells of alternatives the one that lacks least', () => {
    const misses = missesOf({
      filters: [
        {
          any: [
            { exact: { type: 'a', source: 'b' } },
            { all: [{ prefix: { type: 'dev.' } }, { exact: { type: 'dev.knative.source.github.pull' } }] },
            { exact: { type: 'x' } },
          ],
        },
      ],
    })

    assert.deepEqual(
      misses.map(({ path }) => path),
      ['filters[0].any[1].all[1].exact.type'],
    )
  })

  it('tells of a negation what it matches', () => {
    const [miss] = missesOf({ filters: [{ not: { prefix: { type: 'dev.' } } }] })

    assert.deepEqual(miss, {
      path: 'filters[0].not',
      expected: 'no match of {"prefix":{"type":"dev."}}',
      actual: 'type "dev.knative.source.github.push"',
      difference: 'it matches',
      change: 'remove filters[0].not, or ask for something that this event is not',
    })
  })

  it('tells of an expression the parts that are not true', () => {
    const cesql = "type = 'dev.knative.github.push' AND EXISTS id AND (LENGTH(subject) > 10 OR priority = 'high')"

    assert.deepEqual(missesOf({ filters: [{ cesql }] }), [
      {
        path: 'filters[0].cesql',
        expected: "type = 'dev.knative.github.push'",
        actual: 'type "dev.knative.source.github.push"',
        difference: 'differs by "source.", which only the event has',
        change: "write type = 'dev.knative.source.github.push' at filters[0].cesql",
      },
      {
        path: 'filters[0].cesql',
        expected: "LENGTH(subject) > 10 OR priority = 'high'",
        actual: 'subject "a1b2c3", no priority',
        difference: 'missingAttribute: the event has no attribute "priority"',
        change: 'send the attribute, or leave this part out of filters[0].cesql',
      },
    ])
  })

  it('compares times as the filter does', () => {
    const [miss] = missesOf({ filters: [{ exact: { time: '2026-01-02T03:00:01Z' } }] })

    assert.equal(miss?.actual, '2026-01-02T03:00:00Z')
  })

  it('proposes to remove no condition of an alternative: what is left passes nothing', () => {
    const changeOf = (alternative: FilterManifest): string | null | undefined =>
      missesOf({ filters: [{ any: [alternative] }] })[0]?.change

    assert.equal(changeOf({ exact: { missing: 'x' } }), 'send the attribute "missing"')
    assert.equal(changeOf({ not: { prefix: { type: 'dev.' } } }), 'ask for something that this event is not')
    assert.equal(changeOf({ cesql: "missing = 'x'" }), 'send the attribute')
    assert.equal(missesOf({ filters: [{ any: [{ exact: { subject: 'x' } }] }] }, { subject: '' })[0]?.change, null)
  })

  it('proposes only what an expression can say', () => {
    const changeOf = (subject: string): string | null | undefined =>
      missesOf({ filters: [{ cesql: "subject = 'x'" }] }, { subject })[0]?.change

    assert.equal(changeOf("it's"), "write subject = 'it\\'s' at filters[0].cesql")
    assert.equal(changeOf('a\\b'), "write subject = 'a\\b' at filters[0].cesql")
    assert.equal(changeOf('a\\'), null)
    assert.equal(changeOf("a\\'b"), null)
  })

  it('says of an expression that is no boolean what it is', () => {
    assert.equal(missesOf({ filters: [{ cesql: 'subject' }] })[0]?.difference, 'cast: "a1b2c3" is no Boolean')
  })

  it('has no attribute for an expression that only other dialects know', () => {
    const [miss] = missesOf({ filters: [{ cesql: "datamediatype = 'a'" }] }, { datacontenttype: 'text/plain' })

    assert.equal(miss?.actual, 'no datamediatype')
  })

  it('cuts what is long: an attribute may be as large as an event', () => {
    const subject = 'a'.repeat(100_000)
    const filters: FilterManifest[] = [
      { exact: { subject: `${subject}b` } },
      { prefix: { subject: `${subject}b` } },
      { suffix: { subject: `b${subject}` } },
      { not: { prefix: { subject: 'a' } } },
      { cesql: "subject = 'b'" },
      { cesql: 'INT(subject) = 1' },
      { cesql: 'x'.repeat(8_000) },
    ]

    for (const filter of filters) {
      const misses = missesOf({ filters: [filter] }, { subject })

      assert.equal(misses.length, 1)
      assert.ok(JSON.stringify(misses).length < 5_000, Object.keys(filter).join())
    }
    const [miss] = missesOf({ filters: [{ exact: { subject: 'b' } }] }, { subject })
    assert.equal(miss?.actual, `${'a'.repeat(1_000)}... (100000 characters)`)
    assert.equal(miss?.change, "write the event's subject at filters[0].exact.subject")
  })

  it('tells of at most 20 conditions', () => {
    const cesql = Array.from({ length: 400 }, () => "id = 'x'").join(' AND ')

    assert.equal(missesOf({ filters: [{ cesql }] }).length, 20)
  })

  it('never throws, whatever a spec is', () => {
    const { misses } = explainFilter({ filters: [{ cesql: 'type = ' }] }, anEvent().attributes)

    assert.equal(misses[0]?.difference, 'invalid value: type = ')
    assert.equal(misses[0]?.expected, 'column 8: expected an attribute, a function or a value, got the end')
  })

  it('agrees with the router and with a plain interpreter on 100,000 pairs', function () {
    this.timeout(120_000)
    const specs = fc.sample(someFilterSpec, { numRuns: 200, seed: Number(process.env['SEED'] ?? 1) })
    const events = fc.sample(someAttributes, { numRuns: 500, seed: Number(process.env['SEED'] ?? 1) })
    const router = createMatcher<TriggerFilterSpec>()
    for (const [i, spec] of specs.entries()) router.set(String(i), compileTriggerFilter(spec), spec)
    let matching = 0

    for (const attributes of events) {
      const found: TriggerFilterSpec[] = []
      router.match(attributes, found)
      const routed = new Set(found)
      for (const spec of specs) {
        const { matches, misses } = explainFilter(spec, attributes)
        const says = [routed.has(spec), matches, misses.length === 0]
        const expected = interpret(spec, attributes)
        if (says.some((each) => each !== expected)) {
          assert.fail(`${JSON.stringify(spec)} of ${JSON.stringify(attributes)}: ${says}, expected ${expected}`)
        }
        if (expected) matching++
      }
    }

    assert.ok(matching > 1_000 && matching < 99_000, `${matching} of the pairs match`)
  })
})
