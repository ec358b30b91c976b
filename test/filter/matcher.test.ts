import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Attributes } from '../../src/core/event.ts'
import { compileTriggerFilter, type TriggerFilterSpec } from '../../src/filter/dialects.ts'
import type { CompiledFilter } from '../../src/filter/filter.ts'
import { createMatcher, type Matcher } from '../../src/filter/matcher.ts'
import { anEvent } from '../support/builders.ts'
import { someAttributes, someFilterSpec } from './arbitraries.ts'

const MANY = 10_000

describe('matcher', () => {
  it('finds the filters that an event passes', () => {
    const matcher = createMatcher<string>()
    matcher.set('created', exactly('type', 'order.created'), 'created')
    matcher.set('paid', exactly('type', 'order.paid'), 'paid')
    matcher.set('orders', exactly('source', '/orders'), 'orders')
    matcher.set('all', compileTriggerFilter({}), 'all')

    assert.deepEqual(matched(matcher, anEvent().attributes), ['all', 'created', 'orders'])
  })

  it('appends, and leaves what was found before', () => {
    const matcher = createMatcher<string>()
    matcher.set('all', compileTriggerFilter({}), 'all')
    const found = ['before']

    matcher.match({}, found)

    assert.deepEqual(found, ['before', 'all'])
  })

  it('finds a filter once that an event meets under several keys', () => {
    const matcher = createMatcher<string>()
    const any = [{ exact: { type: 'order.created' } }, { exact: { source: '/orders' } }, { prefix: { id: 'a' } }]
    matcher.set('any', compileTriggerFilter({ filters: [{ any }] }), 'any')

    assert.deepEqual(matched(matcher, anEvent().attributes), ['any'])
  })

  it('finds a filter again in the next event', () => {
    const matcher = createMatcher<string>()
    matcher.set('created', exactly('type', 'order.created'), 'created')
    matched(matcher, anEvent().attributes)

    assert.deepEqual(matched(matcher, anEvent().attributes), ['created'])
  })

  it('uses the last filter and value set for an id', () => {
    const matcher = createMatcher<string>()
    matcher.set('t', exactly('type', 'order.created'), 'old')
    matcher.set('t', exactly('source', '/orders'), 'new')

    assert.deepEqual(matched(matcher, anEvent().attributes), ['new'])
    assert.equal(matcher.size, 1)
  })

  it('forgets what is deleted', () => {
    const matcher = createMatcher<string>()
    matcher.set('t', exactly('type', 'order.created'), 't')

    matcher.delete('t')

    assert.deepEqual(matched(matcher, anEvent().attributes), [])
    assert.equal(matcher.size, 0)
  })

  it('keeps the others of a key when one is deleted', () => {
    const matcher = createMatcher<string>()
    for (const id of ['a', 'b', 'c']) matcher.set(id, exactly('type', 'order.created'), id)

    matcher.delete('a')

    assert.deepEqual(matched(matcher, anEvent().attributes), ['b', 'c'])
  })

  it('takes the deletion of an unknown id for done', () => {
    const matcher = createMatcher<string>()
    matcher.set('t', exactly('type', 'order.created'), 't')

    matcher.delete('unknown')

    assert.equal(matcher.size, 1)
  })

  for (const dialect of ['prefix', 'suffix'] as const) {
    it(`finds a ${dialect} that is the whole value`, () => {
      const matcher = createMatcher<string>()
      matcher.set('t', compileTriggerFilter({ filters: [{ [dialect]: { source: '/orders' } }] }), 't')

      assert.deepEqual(matched(matcher, anEvent({ source: '/orders' }).attributes), ['t'])
    })
  }

  it('looks up 256 characters of a prefix, and lets the filters see to the rest', () => {
    const matcher = createMatcher<string>()
    const asked: string[] = []
    const long = 'x'.repeat(256)
    for (const end of ['a', 'b']) {
      const filter = compileTriggerFilter({ filters: [{ prefix: { source: `${long}${end}` } }] })
      matcher.set(
        end,
        noting(filter, () => asked.push(end)),
        end,
      )
    }

    assert.deepEqual(matched(matcher, { source: `${long}b/c` }), ['b'])
    assert.deepEqual(asked, ['a', 'b'])
  })

  it('looks up 256 characters of a suffix, and lets the filters see to the rest', () => {
    const matcher = createMatcher<string>()
    const asked: string[] = []
    const long = 'x'.repeat(256)
    for (const start of ['a', 'b']) {
      const filter = compileTriggerFilter({ filters: [{ suffix: { source: `${start}${long}` } }] })
      matcher.set(
        start,
        noting(filter, () => asked.push(start)),
        start,
      )
    }

    assert.deepEqual(matched(matcher, { source: `c/b${long}` }), ['b'])
    assert.deepEqual(asked, ['a', 'b'])
  })

  it('finds by names that the event does not carry, however many names are indexed', () => {
    const matcher = createMatcher<string>()
    for (let i = 0; i < 100; i++) matcher.set(`ext${i}`, exactly(`ext${i}`, 'v'), `ext${i}`)
    matcher.set('media', exactly('datamediatype', 'text/plain'), 'media')
    matcher.set('schema', exactly('schemaurl', 'https://a.example'), 'schema')
    matcher.set('schema-too', exactly('dataschema', 'https://a.example'), 'schema-too')
    const { attributes } = anEvent({
      datacontenttype: 'text/plain; charset=utf-8',
      dataschema: 'https://a.example',
      ext7: 'v',
    })

    assert.deepEqual(matched(matcher, attributes), ['ext7', 'media', 'schema', 'schema-too'])
  })

  it('finds what running every filter finds, after any sets and deletes', () => {
    const change = fc.record({ id: fc.integer({ min: 0, max: 12 }), spec: fc.option(someFilterSpec) })
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(someAttributes, { maxLength: 5 }),
        (changes, events) => {
          const matcher = createMatcher<string>()
          const specs = new Map<string, TriggerFilterSpec>()
          for (const { id, spec } of changes) {
            if (spec) {
              specs.set(`${id}`, spec)
              matcher.set(`${id}`, compileTriggerFilter(spec), `${id}`)
            } else {
              specs.delete(`${id}`)
              matcher.delete(`${id}`)
            }
          }

          assert.equal(matcher.size, specs.size)
          for (const attributes of events) {
            const passed = [...specs].filter(([, spec]) => compileTriggerFilter(spec).matches(attributes))
            assert.deepEqual(matched(matcher, attributes), passed.map(([id]) => id).sort())
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  describe(`with ${MANY.toLocaleString('en')} filters and one match, asks hardly more when they differ in`, () => {
    const shapes: readonly {
      readonly name: string
      readonly specOf: (i: number) => TriggerFilterSpec
      readonly event: Readonly<Record<string, string>>
      readonly asked: readonly string[]
    }[] = [
      {
        name: 'type',
        specOf: (i) => ({ filter: { attributes: { type: `t${i}`, source: '/orders' } } }),
        event: { type: 't4321' },
        asked: ['4321'],
      },
      {
        name: 'source',
        specOf: (i) => ({ filters: [{ exact: { type: 'order.created' } }, { exact: { source: `/s/${i}` } }] }),
        event: { source: '/s/4321' },
        // The first one came when no key was in use, and took the type.
        asked: ['0', '4321'],
      },
      {
        name: 'prefix',
        specOf: (i) => ({ filters: [{ prefix: { source: `/s/${i}/` } }] }),
        event: { source: '/s/4321/a' },
        asked: ['4321'],
      },
      {
        name: 'suffix',
        specOf: (i) => ({ filters: [{ suffix: { source: `/${i}.json` } }] }),
        event: { source: '/a/4321.json' },
        asked: ['4321'],
      },
      {
        name: 'a pair of types',
        specOf: (i) => ({ filters: [{ any: [{ exact: { type: `t${i}` } }, { exact: { type: `u${i}` } }] }] }),
        event: { type: 'u4321' },
        asked: ['4321'],
      },
      {
        name: 'time',
        specOf: (i) => ({ filters: [{ exact: { time: new Date(i * 1_000).toISOString() } }] }),
        event: { time: '1970-01-01T02:12:01+01:00' },
        asked: ['4321'],
      },
      {
        name: 'the name of an extension',
        specOf: (i) => ({ filters: [{ exact: { [`ext${i}`]: 'v' } }] }),
        event: { ext4321: 'v' },
        asked: ['4321'],
      },
    ]

    for (const { name, specOf, event, asked } of shapes) {
      it(name, () => {
        const matcher = createMatcher<string>()
        const notes: string[] = []
        for (let i = 0; i < MANY; i++) {
          matcher.set(
            `${i}`,
            noting(compileTriggerFilter(specOf(i)), () => notes.push(`${i}`)),
            `${i}`,
          )
        }

        assert.deepEqual(matched(matcher, anEvent(event).attributes), ['4321'])
        assert.deepEqual(notes, asked)
      })
    }
  })

  it('asks none of the filters that pass nothing', () => {
    const matcher = createMatcher<string>()
    const asked: string[] = []
    const broken = compileTriggerFilter({ filters: [{ exact: { type: '' } }] })
    matcher.set(
      'broken',
      noting(broken, () => asked.push('broken')),
      'broken',
    )

    assert.deepEqual(matched(matcher, anEvent().attributes), [])
    assert.deepEqual(asked, [])
  })
})

function exactly(attribute: string, value: string): CompiledFilter {
  return compileTriggerFilter({ filters: [{ exact: { [attribute]: value } }] })
}

function noting(filter: CompiledFilter, note: () => void): CompiledFilter {
  return {
    covers: filter.covers,
    matches(attributes) {
      note()
      return filter.matches(attributes)
    },
  }
}

function matched(matcher: Matcher<string>, attributes: Attributes): string[] {
  const found: string[] = []
  matcher.match(attributes, found)
  return found.sort()
}
