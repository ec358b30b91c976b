import assert from 'node:assert/strict'
import { formatPath, formatProblem, problemAt, shown } from '../../src/resource/problems.ts'

describe('formatProblem', () => {
  it('gives place, path and message in one line', () => {
    const problem = { file: 'a.yaml', line: 12, column: 9, path: 'spec.broker', message: 'missing field(s)' }

    assert.equal(formatProblem(problem), 'a.yaml:12:9 spec.broker: missing field(s)')
  })

  it('leaves the path out where the whole file is meant', () => {
    const problem = { file: 'a.yaml', line: 1, column: 1, path: '', message: 'no such file or folder' }

    assert.equal(formatProblem(problem), 'a.yaml:1:1 no such file or folder')
  })
})

describe('formatPath', () => {
  it('puts indexes, and keys that are no plain words, into brackets', () => {
    assert.equal(formatPath(['spec', 'filters', 0, 'exact']), 'spec.filters[0].exact')
    assert.equal(formatPath(['metadata', 'labels', 'a.io/b']), 'metadata.labels[a.io/b]')
    assert.equal(formatPath([]), '')
  })
})

describe('problemAt', () => {
  it('names every field that an error is about, and its details', () => {
    const error = { paths: [['a'], ['b', 1]] as const, message: 'expected exactly one, got both', details: 'remove b' }

    assert.deepEqual(problemAt({ file: 'f', line: 1, column: 2 }, error), {
      file: 'f',
      line: 1,
      column: 2,
      path: 'a, b[1]',
      message: 'expected exactly one, got both: remove b',
    })
  })
})

describe('shown', () => {
  it('cuts long values and keeps them on one line', () => {
    assert.equal(shown(`a\nb${'c'.repeat(100)}`), `a b${'c'.repeat(61)}...`)
    assert.equal(shown({ a: [1] }), '{"a":[1]}')
    assert.equal(shown(Number.NaN), 'NaN')
  })

  it('hides the user and password of a URL', () => {
    assert.equal(shown('http://user:secret@host/'), 'http://***@host/')
  })
})
