import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatProblem } from '../../src/resource/problems.ts'
import { formatYaml, parseYaml, yamlLimits } from '../../src/resource/yaml.ts'

const valuesOf = (text: string) => parseYaml(text, 'f').documents.map(({ value }) => value)
const problemsOf = (text: string) => parseYaml(text, 'f').problems.map(formatProblem)

describe('parseYaml', () => {
  it('reads every document of a text and skips empty ones', () => {
    assert.deepEqual(valuesOf('# first\na: 1\n---\n---\nb: [2]\n---\n# nothing\n'), [{ a: 1 }, { b: [2] }])
  })

  it('reads JSON', () => {
    assert.deepEqual(valuesOf('{"a": {"b": [1, "x", null]}}'), [{ a: { b: [1, 'x', null] } }])
  })

  it('leaves times, yes and no as text', () => {
    assert.deepEqual(valuesOf('a: 2024-01-01T00:00:00Z\nb: yes\n'), [{ a: '2024-01-01T00:00:00Z', b: 'yes' }])
  })

  it('follows anchors, aliases and merge keys', () => {
    assert.deepEqual(valuesOf('x: &x {p: 1}\ny: *x\nz: {<<: *x, q: 2}\n'), [
      { x: { p: 1 }, y: { p: 1 }, z: { p: 1, q: 2 } },
    ])
  })

  it('knows where each field stands, through lists, documents and aliases', () => {
    const [, document] = parseYaml('a: 1\n---\nb: &b\n  - c: 1\n  - d:\n      e: 2\nf: *b\n', 'f').documents

    assert.deepEqual(document?.positionOf(['b', 1, 'd', 'e']), { line: 6, column: 7 })
    assert.deepEqual(document?.positionOf(['b', 1]), { line: 5, column: 5 })
    assert.deepEqual(document?.positionOf(['f', 0, 'c']), { line: 4, column: 5 })
  })

  it('points at the nearest field above one that is absent', () => {
    const [document] = parseYaml('a:\n  b: 1\n', 'f').documents

    assert.deepEqual(document?.positionOf(['a', 'x', 'y']), { line: 1, column: 1 })
    assert.deepEqual(document?.positionOf(['a', 'b', 'y']), { line: 2, column: 3 })
    assert.deepEqual(document?.positionOf(['x']), { line: 1, column: 1 })
  })

  it('tells what is wrong in each document and still reads the others', () => {
    const text = 'a: [1\n---\nb: 2\n---\nc: "x\n'

    assert.deepEqual(valuesOf(text), [{ b: 2 }])
    assert.equal(problemsOf(text).length, 2)
  })

  const refused: readonly { readonly what: string; readonly text: string; readonly problems: readonly string[] }[] = [
    { what: 'a repeated key', text: 'a:\n  b: 1\n  b: 2\n', problems: ['f:3:3 a.b: duplicate key "b"'] },
    { what: 'keys that are the same as text', text: '1: x\n"1": y\n', problems: ['f:2:1 1: duplicate key "1"'] },
    { what: 'an alias without its anchor', text: 'a: *b\n', problems: ['f:1:4 a: no anchor &b before this alias'] },
    { what: 'a tag it does not know', text: 'a: !secret b\n', problems: ['f:1:4 Unresolved tag: !secret'] },
    {
      what: 'a value that holds itself',
      text: 'a: &x [*x]\n',
      problems: ['f:1:1 expected at most 100 maps and lists inside each other'],
    },
    {
      what: 'more than 100 aliases',
      text: `a: &x 1\nb: [${'*x, '.repeat(101)}]\n`,
      problems: ['f:2:405 b[100]: expected at most 100 aliases in one document'],
    },
    {
      what: 'aliases that multiply',
      text: 'a: &a [1, 1]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n',
      problems: ['f:1:1 Excessive alias count indicates a resource exhaustion attack'],
    },
    {
      what: 'deep lists in flow style',
      text: '['.repeat(100_000),
      problems: ['f:1:103 expected at most 100 maps and lists inside each other'],
    },
    {
      what: 'deep lists in block style',
      text: '- '.repeat(100_000),
      problems: ['f:1:204 expected at most 100 maps and lists inside each other'],
    },
    {
      what: 'a document of more than 1 MiB',
      text: `a: 1\n---\nb: ${'x'.repeat(yamlLimits.documentBytes)}\n`,
      problems: ['f:2:1 expected at most 1048576 characters in one document'],
    },
    {
      what: 'a text of more than 16 MiB',
      text: ' '.repeat(yamlLimits.textBytes + 1),
      problems: ['f:1:1 expected at most 16777216 bytes in one file'],
    },
    {
      what: 'more than 20,000 documents',
      text: '---\n'.repeat(20_001),
      problems: ['f:20001:1 expected at most 20000 documents in one file'],
    },
  ]
  for (const { what, text, problems } of refused) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(problemsOf(text), problems)
    })
  }

  it('accepts 100 levels', () => {
    assert.equal(valuesOf(`${'['.repeat(100)}${']'.repeat(100)}`).length, 1)
  })

  it('finds repeated keys of a large map in little time', () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n')

    assert.deepEqual(problemsOf(`${keys}\nk7: 1\n`), ['f:50001:1 k7: duplicate key "k7"'])
  }).timeout(30_000)

  it('never throws', () => {
    const token = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&x ',
      '*x',
      '---\n',
      '? ',
      '|',
      "'",
      '"',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 60 }).map((parts) => parts.join('')),
    )

    fc.assert(
      fc.property(text, (text) => {
        const { documents, problems } = parseYaml(text, 'f')
        for (const document of documents) document.positionOf(['a', 0, 'b'])
        assert.ok(problems.every(({ line, column }) => line >= 1 && column >= 1))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('formatYaml', () => {
  it('writes what parseYaml reads back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z<]{1,8}$/), fc.jsonValue({ maxDepth: 3 })), (fields) => {
        const value: unknown = JSON.parse(JSON.stringify(fields))
        assert.deepEqual(parseYaml(formatYaml(value), 'a.yaml').documents[0]?.value, value)
      }),
    )
  })

  for (const text of ['on', '010', '0o7', '1_000', '2026-01-02T03:04:05Z', '~', 'null', '1e3', '<<', '# a', 'a: b']) {
    it(`quotes the text ${text}`, () => {
      assert.match(formatYaml({ a: text }), /^a: "/)
    })
  }
})
