// What dialects are built from: a test with three verdicts, joined by AND, OR and NOT, and beside each test the keys under
// which the matcher may index it.
import type { Attributes } from '../core/event.ts'
import type { CompiledFilter, IndexKey } from './filter.ts'
import { comparableTime, filterValue } from './value.ts'

/**
 * What an event comes to (knative/eventing pkg/eventfilter): true is Pass, and only false, Fail, rejects it. Undefined is
 * NoFilter: a filter that has nothing to say, such as `not: {}`, so that its negation does not reject either.
 */
export type Verdict = boolean | undefined

export type Covers = CompiledFilter['covers']

/** A part of a filter. Its covers are best first. */
export interface Node extends CompiledFilter {
  readonly test: (attributes: Attributes) => Verdict
  /** Set when the node is nothing but an AND of these. */
  readonly conditions?: readonly IndexKey[]
}

export const SILENT: Node = { test: () => undefined, matches: () => true, covers: [] }

/**
 * An AND of comparisons, most filters by far: one flat list, so that an event touches little memory. A missing attribute
 * fails. A whole `time` is compared as an instant, part of one as text.
 */
export function conditions(kind: IndexKey['kind'], operands: readonly (readonly [string, string])[]): Node {
  return conjunction(
    operands.map(([attribute, operand]) => ({
      kind,
      attribute,
      value: kind === 'exact' && attribute === 'time' ? comparableTime(operand) : operand,
    })),
  )
}

function conjunction(keys: readonly IndexKey[]): Node {
  const [first, second, ...others] = keys
  const isPair = first?.kind === 'exact' && second?.kind === 'exact' && others.length === 0
  const test = isPair ? bothEqual(first, second) : everyHolds(keys)
  return { test, matches: test, covers: best(keys.map((key) => [key])), conditions: keys }
}

/**
 * What `everyHolds` says of two exact keys, the form of most Triggers, reading fewer objects: with 10,000 of them, most
 * not in the processor's cache, a match costs about a third less.
 */
function bothEqual(first: IndexKey, second: IndexKey): (attributes: Attributes) => boolean {
  const { attribute: firstName, value: firstValue } = first
  const { attribute: secondName, value: secondValue } = second
  return (attributes) =>
    filterValue(attributes, firstName) === firstValue && filterValue(attributes, secondName) === secondValue
}

function everyHolds(keys: readonly IndexKey[]): (attributes: Attributes) => boolean {
  return (attributes) => {
    for (const key of keys) {
      if (!holds(key, filterValue(attributes, key.attribute))) return false
    }
    return true
  }
}

function holds({ kind, value }: IndexKey, found: string | undefined): boolean {
  if (found === undefined) return false
  if (kind === 'exact') return found === value
  return kind === 'prefix' ? found.startsWith(value) : found.endsWith(value)
}

/** Passes an attribute that is there and not empty. */
export function present(name: string): Node {
  const test = (attributes: Attributes): boolean => Boolean(filterValue(attributes, name))
  return { test, matches: test, covers: [] }
}

/** One that always passes or fails. */
export function fromPredicate(matches: (attributes: Attributes) => boolean, covers: Covers): Node {
  return { test: matches, matches, covers: best(covers) }
}

/** Fail if one child fails, else what the last child says. */
export function allOf(children: readonly Node[]): Node {
  const [first = SILENT, ...others] = children
  if (others.length === 0) return first
  if (children.every((child) => child.conditions)) {
    // Copied, because flatMap leaves room to grow, and a Trigger would keep it.
    return conjunction(children.flatMap((child) => child.conditions ?? []).slice())
  }

  const tests = children.map((child) => child.test)
  const test = (attributes: Attributes): Verdict => {
    let verdict: Verdict
    for (const childTest of tests) {
      verdict = childTest(attributes)
      if (verdict === false) return false
    }
    return verdict
  }
  return fromTest(test, best(children.flatMap((child) => child.covers)))
}

/** Pass if one child passes, else what the last child says. */
export function anyOf(children: readonly Node[]): Node {
  const [first = SILENT, ...others] = children
  if (others.length === 0) return first
  const tests = children.map((child) => child.test)
  const test = (attributes: Attributes): Verdict => {
    let verdict: Verdict
    for (const childTest of tests) {
      verdict = childTest(attributes)
      if (verdict) return true
    }
    return verdict
  }
  return fromTest(test, best(joined(children.map((child) => child.covers))))
}

/** No covers: what makes a negation true is a key that does not hold. */
export function negation({ test }: Node): Node {
  return fromTest((attributes) => {
    const verdict = test(attributes)
    return verdict === undefined ? undefined : !verdict
  }, [])
}

function fromTest(test: Node['test'], covers: Covers): Node {
  return { test, matches: (attributes) => test(attributes) !== false, covers }
}

/** Bounds what one Trigger's covers take: more choice than this gains nothing. */
const MAX_COVERS = 8

/** The covers most worth having, best first: of few keys, then those on the exact `type`, then other exact ones. */
function best(covers: Covers): Covers {
  return covers.toSorted((a, b) => a.length - b.length || rank(a) - rank(b)).slice(0, MAX_COVERS)
}

function rank(cover: readonly IndexKey[]): number {
  if (!cover.every((key) => key.kind === 'exact')) return 2
  return cover.every((key) => key.attribute === 'type') ? 0 : 1
}

/**
 * Covers of an OR: its n-th joins every child's n-th (or last), so that children of one shape keep their choice, such as
 * all their types or all their sources. None when a child has none.
 */
export function joined(children: readonly Covers[]): Covers {
  if (children.some((covers) => covers.length === 0)) return []
  const most = Math.max(...children.map((covers) => covers.length))
  return Array.from({ length: most }, (_, n) =>
    withoutRepeats(children.flatMap((covers) => covers[Math.min(n, covers.length - 1)] ?? [])),
  )
}

function withoutRepeats(keys: readonly IndexKey[]): readonly IndexKey[] {
  return [...new Map(keys.map((key) => [`${key.kind} ${key.attribute} ${key.value}`, key])).values()]
}
