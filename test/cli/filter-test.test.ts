import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { compatibilityCases } from '../filter/cesql/compatibility.ts'
import { run } from '../support/command.ts'

const EVENT = { specversion: '1.0', id: 'a-1', source: '/orders', type: 'order.created' }

describe('tidings filter test', () => {
  let dir: string

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'tidings-'))
  })

  after(() => rm(dir, { recursive: true }))

  async function test(filters: string, event: string = JSON.stringify(EVENT)) {
    const [filtersFile, eventFile] = ['f.yaml', 'e.json'].map((name) => path.join(dir, name)) as [string, string]
    await writeFile(filtersFile, filters)
    await writeFile(eventFile, event)
    const result = await run(['filter', 'test', '--filters', filtersFile, '--event', eventFile])
    return { ...result, err: result.err.replaceAll(`${dir}/`, '') }
  }

  for (const [form, filters] of [
    ['filters', 'filters:\n- exact: {type: order.created}\n'],
    ['filter', 'filter: {attributes: {type: order.created}}\n'],
    ['a list', '- cesql: "type LIKE \'order.%\'"\n'],
    ['a Trigger', 'kind: Trigger\nspec:\n  broker: default\n  filters: [{prefix: {type: order}}]\n'],
    ['JSON', '{"filters":[{"suffix":{"type":"created"}}]}'],
  ] as const) {
    it(`takes ${form}`, async () => {
      assert.deepEqual(await test(filters), { code: 0, out: '{"match":true,"error":null}\n', err: '' })
    })
  }

  it('says on stderr why an event does not pass, and what would', async () => {
    const result = await test('filter: {attributes: {type: orders.created, subject: x}}')

    assert.deepEqual(result, {
      code: 0,
      out: '{"match":false,"error":null}\n',
      err: [
        'filter.attributes.type: expected equal to "orders.created", got "order.created": differs by "s", which only the filter has',
        '  to match: write "order.created" at filter.attributes.type',
        'filter.attributes.subject: expected equal to "x": the event has no attribute "subject"',
        '  to match: send the attribute "subject", or remove filter.attributes.subject',
        '',
      ].join('\n'),
    })
  })

  for (const [what, filters, event, message] of [
    [
      'filters that are refused',
      'filters: [{cesql: "type ="}]',
      undefined,
      '--filters f.yaml: filters[0].cesql: invalid value: type =: column 7: expected an attribute, a function or a value, got the end\n',
    ],
    ['YAML that is none', 'filters: [', undefined, /^--filters f\.yaml: line \d+: /],
    ['something else', 'kind: Service', undefined, '--filters f.yaml: expected filter or filters\n'],
    ['no event', 'filters: []', '[]', '--event e.json: the event is an array, expected a JSON object\n'],
    [
      'an event that is invalid',
      'filters: []',
      '{"specversion":"1.0","id":"","source":"/a","type":"b"}',
      /^--event e\.json: .*id/,
    ],
  ] as const) {
    it(`ends with 1 and a remedy when given ${what}`, async () => {
      const result = await test(filters, event)

      assert.deepEqual([result.code, result.out], [1, ''])
      if (typeof message === 'string') assert.equal(result.err, message)
      else assert.match(result.err, message)
    })
  }

  it('ends with 1 when it is not told what to test', async () => {
    const { code, err } = await run(['filter', 'test'])

    assert.deepEqual(
      [code, err],
      [1, 'tidings filter test: expected --filters FILE and --event FILE or --against last:500, or --batch\n'],
    )
  })

  describe('--batch', () => {
    async function answers(...lines: readonly (object | string)[]) {
      const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
      const { code, out } = await run(['filter', 'test', '--batch'], {}, texts)
      assert.equal(code, 0)
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    }

    it('answers one line each, in order', async () => {
      const found = await answers(
        { filters: [{ exact: { type: 'order.created' } }], event: EVENT },
        { filter: { attributes: { type: 'x' } }, event: EVENT },
        '',
        { cesql: 'LENGTH(type)', event: EVENT },
        { cesql: '1 / 0', event: EVENT },
        { cesql: 'type =', event: EVENT },
        { cesql: 'flag', event: { ...EVENT, flag: true } },
        { cesql: 'number + 1', event: { ...EVENT, number: 41 } },
      )

      assert.deepEqual(found, [
        { match: true, error: null },
        { match: false, error: null },
        { result: 13, error: null },
        { result: 0, error: 'math: division by zero' },
        { result: false, error: 'parse: column 7: expected an attribute, a function or a value, got the end' },
        { result: true, error: null },
        { result: 42, error: null },
      ])
    })

    it('says in its answer what is wrong with a line', async () => {
      const found = await answers(
        'no JSON',
        { filters: [] },
        { event: EVENT },
        { filters: [{ exact: { type: '' } }], event: EVENT },
        { filters: [], event: { id: 'x' } },
        { cesql: 7, event: EVENT },
      )

      assert.deepEqual(
        found.map(({ error }) => error.split(',')[0]),
        [
          'expected one JSON object a line',
          'expected an object with event',
          'expected filter or filters',
          'filters[0].exact.type: invalid value: "": expected text to compare with',
          "attribute 'specversion' is missing",
          'parse: expected an expression in quotes',
        ],
      )
    })

    const cases = compatibilityCases()
    const itAnswers = cases.length > 0 ? it : it.skip
    itAnswers(
      `answers the compatibility cases of CESQL${cases.length > 0 ? '' : ' [skipped: their file is not here]'}`,
      async () => {
        const found = await answers(...cases.map(({ expression: cesql, event }) => ({ cesql, event })))

        for (const [i, { expression, result, error }] of cases.entries()) {
          const { error: said, result: value } = found[i]
          assert.equal(said === null ? null : said.split(':')[0], error, expression)
          if (result !== undefined) assert.deepEqual(value, result, expression)
        }
        assert.equal(found.length, cases.length)
      },
    )
  })
})
