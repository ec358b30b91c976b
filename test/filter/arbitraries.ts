// Random filters and events over so few names and values that they often meet.
import fc from 'fast-check'
import type { Attributes } from '../../src/core/event.ts'
import type { FilterManifest, TriggerFilterSpec } from '../../src/filter/dialects.ts'
import { someTree, type Tree, written } from './cesql/trees.ts'

const name = fc.constantFrom('type', 'type', 'type', 'source', 'source', 'subject', 'constructor')
const text = fc.constantFrom('a', 'ab', 'abb', 'b')
const operands = fc.dictionary(name, text, { minKeys: 1, maxKeys: 2 })

/** Of each expression that was made: nobody has to parse it but what is tested. */
const trees = new Map<string, Tree>()
const cesql = someTree.map((tree) => {
  const expression = written(tree)
  trees.set(expression, tree)
  return { cesql: expression }
})

export function treeOf(expression: string): Tree {
  const tree = trees.get(expression)
  if (!tree) throw new Error(`no tree was made of ${expression}`)
  return tree
}

const filter: fc.Arbitrary<FilterManifest> = fc.letrec<{ filter: FilterManifest }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: fc.record({ exact: operands }) },
    { weight: 4, arbitrary: fc.record({ prefix: operands }) },
    { weight: 4, arbitrary: fc.record({ suffix: operands }) },
    { weight: 4, arbitrary: cesql },
    { weight: 1, arbitrary: fc.constantFrom({}, { exact: {} }, { all: [] }, { any: [] }) },
    { weight: 3, arbitrary: fc.record({ all: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }) },
    { weight: 4, arbitrary: fc.record({ any: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ not: tie('filter') }) },
  ),
})).filter

const attributes = fc.dictionary(name, fc.oneof({ weight: 4, arbitrary: text }, fc.constant('')), { maxKeys: 3 })

/** Specs that `checkFilters` accepts. */
export const someFilterSpec: fc.Arbitrary<TriggerFilterSpec> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ filters: fc.array(filter, { maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ filter: fc.record({ attributes }) }) },
)

export const someAttributes: fc.Arbitrary<Attributes> = fc.record(
  { type: text, source: text, subject: fc.oneof(text, fc.constant('')), constructor: text },
  { requiredKeys: ['type', 'source'], noNullPrototype: true },
)
