import assert from 'node:assert/strict'
import { valuesAt } from '../../src/resource/json-path.ts'
import { knownKinds } from '../../src/resource/known-kinds.ts'

const OBJECT = {
  metadata: { name: 'a', annotations: { 'example.com/class': 'Red' } },
  spec: { ports: [{ port: 80 }, { port: 443 }], count: 0, off: false, nothing: null },
  status: {
    conditions: [
      { type: 'Other', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
}

describe('a path of a column', () => {
  const cases: readonly (readonly [path: string, values: readonly unknown[]])[] = [
    ['.metadata.name', ['a']],
    ['.metadata.annotations.example\\.com/class', ['Red']],
    ['.spec.ports[*].port', [80, 443]],
    ['.spec.ports[1].port', [443]],
    ['.spec.ports[2].port', []],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.type=="Absent")].status', []],
    ['.spec.count', [0]],
    ['.spec.off', [false]],
    ['.nothing.at.all', []],
    ['.metadata.name.length', []],
    ['.spec.ports.length', []],
    ['.constructor', []],
    ['.metadata[*]', []],
  ]
  for (const [path, values] of cases) {
    it(`${path} leads to ${JSON.stringify(values)}`, () => {
      assert.deepEqual(valuesAt(OBJECT, path), values)
    })
  }

  for (const path of ['spec', '.spec.', '.a[', '.a[x]', '..a', '$.a', '.a[?(@.b>1)]']) {
    it(`${path} is none`, () => {
      assert.throws(() => valuesAt(OBJECT, path), /^Error: not a path that columns may have: /)
    })
  }

  for (const { kind, columns } of knownKinds) {
    it(`is what every column of ${kind} has`, () => {
      for (const { jsonPath } of columns) assert.deepEqual(valuesAt({}, jsonPath), [])
    })
  }
})
