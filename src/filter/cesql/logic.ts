// NOT, AND, OR and XOR over tests of an event.
import type { CesqlAttributes } from './attribute.ts'
import type { Failure } from './cast.ts'
import type { LogicOperator } from './expression.ts'

export type Test = (attributes: CesqlAttributes) => boolean | Failure

export function not(of: Test): Test {
  return (attributes) => {
    const value = of(attributes)
    return typeof value === 'object' ? value : !value
  }
}

export const LOGIC: Readonly<Record<LogicOperator, (tests: readonly Test[]) => Test>> = {
  AND: (tests) => untilNot(true, tests),
  OR: (tests) => untilNot(false, tests),
  XOR: (tests) => (attributes) => {
    let isTrue = false
    for (const test of tests) {
      const value = test(attributes)
      if (typeof value === 'object') return value
      isTrue = isTrue !== value
    }
    return isTrue
  },
}

/** The first that is something else, a failure too, decides. */
function untilNot(neutral: boolean, tests: readonly Test[]): Test {
  const [first, second, third] = tests
  if (first && second && tests.length === 2) {
    return (attributes) => {
      const value = first(attributes)
      return value === neutral ? second(attributes) : value
    }
  }
  if (first && second && third && tests.length === 3) {
    return (attributes) => {
      let value = first(attributes)
      if (value === neutral) value = second(attributes)
      return value === neutral ? third(attributes) : value
    }
  }
  if (tests.length > 3) return untilNot(neutral, [untilNot(neutral, tests.slice(0, 3)), ...tests.slice(3)])
  return first ?? (() => neutral)
}
