// What is refused before a Trigger's filters are compiled: knative/eventing pkg/apis/eventing/v1/trigger_validation.go,
// and what only we refuse.
import type { FilterProblem } from '../../src/filter/dialects.ts'

export const ADMISSION_RULES = [
  'absent fields are accepted',
  'null is absent',
  'a valid spec is accepted',
  'key name of filter.attributes',
  'key name of exact, prefix and suffix',
  'multiple dialects',
  'a dialect set to an empty value is not set',
  'an empty value in filter.attributes is accepted',
  'ours: an empty value in exact, prefix and suffix',
  'cesql must parse',
  'ours: cesql of the wrong type',
  'ours: a value that is not a string',
  'ours: a field of the wrong type',
  'ours: an unknown field',
  'ours: nested too deep',
  'ours: too many',
  'all problems at once',
] as const

export interface AdmissionCase {
  readonly rule: (typeof ADMISSION_RULES)[number]
  readonly name: string
  readonly spec: { readonly filter?: unknown; readonly filters?: unknown }
  readonly problems: readonly FilterProblem[]
}

const NAME_DETAILS = 'Attribute name must start with a letter and can only contain lowercase alphanumeric'
const DIALECT_DETAILS = 'known: exact, prefix, suffix, all, any, not, cesql'
const MULTIPLE = 'multiple dialects found, filters can have only one dialect set'
const EXACT = { exact: { type: 'a' } }

export const ADMISSION_CASES: readonly AdmissionCase[] = [
  { rule: 'absent fields are accepted', name: 'both', spec: {}, problems: [] },
  { rule: 'null is absent', name: 'both', spec: { filter: null, filters: null }, problems: [] },
  { rule: 'null is absent', name: 'attributes', spec: { filter: { attributes: null } }, problems: [] },
  {
    rule: 'null is absent',
    name: 'every dialect',
    spec: { filters: [{ exact: null, prefix: null, suffix: null, all: null, any: null, not: null, cesql: null }] },
    problems: [],
  },
  {
    rule: 'a valid spec is accepted',
    name: 'every dialect',
    spec: {
      filter: { attributes: { type: 'a', mydata2: 'b' } },
      filters: [
        EXACT,
        { prefix: { type: 'a' } },
        { suffix: { type: 'a', source: 'b' } },
        { all: [{ any: [EXACT] }, { not: EXACT }] },
      ],
    },
    problems: [],
  },
  ...['', '1abc', 'Type', 'my-attr', 'my_attr', 'a b', 'é', '__proto__'].map(
    (name): AdmissionCase => ({
      rule: 'key name of filter.attributes',
      name: `'${name}'`,
      spec: { filter: { attributes: Object.fromEntries([[name, 'a']]) } },
      problems: [{ path: ['filter', 'attributes'], message: `invalid key name "${name}"`, details: NAME_DETAILS }],
    }),
  ),
  ...['exact', 'prefix', 'suffix'].map(
    (dialect): AdmissionCase => ({
      rule: 'key name of exact, prefix and suffix',
      name: dialect,
      spec: { filters: [EXACT, { [dialect]: { Type: 'a' } }] },
      problems: [{ path: ['filters', 1, dialect], message: 'invalid key name "Type"', details: NAME_DETAILS }],
    }),
  ),
  {
    rule: 'multiple dialects',
    name: 'exact and suffix',
    spec: { filters: [{ exact: { type: 'a' }, suffix: { source: 'b' } }] },
    problems: [{ path: ['filters', 0], message: MULTIPLE }],
  },
  {
    rule: 'multiple dialects',
    name: 'in a nested filter',
    spec: { filters: [{ any: [{ not: { all: [EXACT], not: {} } }] }] },
    problems: [{ path: ['filters', 0, 'any', 0, 'not'], message: MULTIPLE }],
  },
  {
    rule: 'a dialect set to an empty value is not set',
    name: 'beside exact',
    spec: { filters: [{ ...EXACT, prefix: {}, all: [], any: [], cesql: '' }] },
    problems: [],
  },
  {
    rule: 'a dialect set to an empty value is not set',
    name: 'but an empty not is',
    spec: { filters: [{ ...EXACT, not: {} }] },
    problems: [{ path: ['filters', 0], message: MULTIPLE }],
  },
  {
    rule: 'an empty value in filter.attributes is accepted',
    name: 'type',
    spec: { filter: { attributes: { type: '' } } },
    problems: [],
  },
  ...['exact', 'prefix', 'suffix'].map(
    (dialect): AdmissionCase => ({
      rule: 'ours: an empty value in exact, prefix and suffix',
      name: dialect,
      spec: { filters: [{ [dialect]: { type: '' } }] },
      problems: [
        {
          path: ['filters', 0, dialect, 'type'],
          message: 'invalid value: ""',
          details: 'expected text to compare with',
        },
      ],
    }),
  ),
  {
    rule: 'cesql must parse',
    name: 'it does, and what it calls need not be there',
    spec: { filters: [{ cesql: "type = 'a' AND NONE(id, 1)" }] },
    problems: [],
  },
  {
    rule: 'cesql must parse',
    name: 'it does not, nested',
    spec: { filters: [{ not: { cesql: 'type = ' } }] },
    problems: [
      {
        path: ['filters', 0, 'not', 'cesql'],
        message: 'invalid value: type = ',
        details: 'column 8: expected an attribute, a function or a value, got the end',
      },
    ],
  },
  {
    rule: 'ours: cesql of the wrong type',
    name: 'a map',
    spec: { filters: [{ not: { cesql: {} } }] },
    problems: [{ path: ['filters', 0, 'not', 'cesql'], message: 'expected an expression in quotes, got a map' }],
  },
  {
    rule: 'ours: a value that is not a string',
    name: 'a number in exact',
    spec: { filters: [{ exact: { priority: 7 } }] },
    problems: [
      {
        path: ['filters', 0, 'exact', 'priority'],
        message: 'expected a string (quote numbers and booleans), got a number',
      },
    ],
  },
  {
    rule: 'ours: a value that is not a string',
    name: 'a boolean in filter.attributes',
    spec: { filter: { attributes: { sampled: true } } },
    problems: [
      {
        path: ['filter', 'attributes', 'sampled'],
        message: 'expected a string (quote numbers and booleans), got a boolean',
      },
    ],
  },
  {
    rule: 'ours: a value that is not a string',
    name: 'null in prefix',
    spec: { filters: [{ prefix: { type: null } }] },
    problems: [
      { path: ['filters', 0, 'prefix', 'type'], message: 'expected a string (quote numbers and booleans), got null' },
    ],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'filter',
    spec: { filter: 'type=a' },
    problems: [{ path: ['filter'], message: 'expected a map with attributes, got a string' }],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'filter.attributes',
    spec: { filter: { attributes: [] } },
    problems: [{ path: ['filter', 'attributes'], message: 'expected a map of attribute names to strings, got a list' }],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'filters',
    spec: { filters: EXACT },
    problems: [{ path: ['filters'], message: 'expected a list of filters, got a map' }],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'an item',
    spec: { filters: [null] },
    problems: [{ path: ['filters', 0], message: 'expected a filter with one dialect, got null' }],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'exact',
    spec: { filters: [{ exact: 'type' }] },
    problems: [
      { path: ['filters', 0, 'exact'], message: 'expected a map of attribute names to strings, got a string' },
    ],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'all',
    spec: { filters: [{ all: EXACT }] },
    problems: [{ path: ['filters', 0, 'all'], message: 'expected a list of filters, got a map' }],
  },
  {
    rule: 'ours: a field of the wrong type',
    name: 'not',
    spec: { filters: [{ not: [EXACT] }] },
    problems: [{ path: ['filters', 0, 'not'], message: 'expected a filter with one dialect, got a list' }],
  },
  {
    rule: 'ours: an unknown field',
    name: 'of a filter',
    spec: { filters: [{ exat: { type: 'a' } }] },
    problems: [{ path: ['filters', 0, 'exat'], message: 'unknown field "exat"', details: DIALECT_DETAILS }],
  },
  {
    rule: 'ours: an unknown field',
    name: 'of filter',
    spec: { filter: { sourceAndType: {} } },
    problems: [
      { path: ['filter', 'sourceAndType'], message: 'unknown field "sourceAndType"', details: 'known: attributes' },
    ],
  },
  {
    rule: 'ours: nested too deep',
    name: '32 levels are accepted',
    spec: { filters: [nested(32)] },
    problems: [],
  },
  {
    rule: 'ours: nested too deep',
    name: '33 are not',
    spec: { filters: [nested(33)] },
    problems: [
      {
        path: ['filters', 0, ...Array.from({ length: 32 }, () => 'not')],
        message: 'filters are nested deeper than 32 levels',
      },
    ],
  },
  {
    rule: 'ours: too many',
    name: '1,000 filters and attributes are accepted',
    spec: { filters: Array.from({ length: 500 }, () => EXACT) },
    problems: [],
  },
  {
    rule: 'ours: too many',
    name: 'one more is not',
    spec: { filters: [...Array.from({ length: 500 }, () => EXACT), {}] },
    problems: [{ path: ['filters'], message: 'more than 1000 filters and attributes' }],
  },
  {
    rule: 'ours: too many',
    name: 'what not holds is counted',
    spec: { filters: Array.from({ length: 334 }, () => ({ not: EXACT })) },
    problems: [{ path: ['filters'], message: 'more than 1000 filters and attributes' }],
  },
  {
    rule: 'ours: too many',
    name: 'attributes of filter',
    spec: {
      filter: { attributes: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`a${i}`, 'v'])) },
    },
    problems: [{ path: ['filter'], message: 'more than 1000 filters and attributes' }],
  },
  {
    rule: 'all problems at once',
    name: 'of both fields, in their order',
    spec: { filter: { attributes: { A: 'a' } }, filters: [{ exact: { B: '' } }, { cesql: 'x', not: 7 }] },
    problems: [
      { path: ['filter', 'attributes'], message: 'invalid key name "A"', details: NAME_DETAILS },
      { path: ['filters', 0, 'exact'], message: 'invalid key name "B"', details: NAME_DETAILS },
      { path: ['filters', 0, 'exact', 'B'], message: 'invalid value: ""', details: 'expected text to compare with' },
      { path: ['filters', 1], message: MULTIPLE },
      { path: ['filters', 1, 'not'], message: 'expected a filter with one dialect, got a number' },
    ],
  },
]

/** A filter of so many levels. */
function nested(levels: number): unknown {
  return levels === 1 ? EXACT : { not: nested(levels - 1) }
}
