// What an evaluation comes to: a value, or what failed; and how values of one type become those of another.
// @see cloudevents/spec cesql/spec.md sections 3.3 and 3.7
import type { Value } from './expression.ts'

export type FailureKind = 'math' | 'cast' | 'missingAttribute' | 'missingFunction' | 'functionEvaluation'

/** It ends every expression around it, unless AND or OR is decided without it. */
export interface Failure {
  readonly kind: FailureKind
  readonly text: string
  /** What a function answers beside its failure; seen where nothing is around it. */
  readonly value?: Value
}

export type Result = Value | Failure

/** Type names as `typeof` has them: an integer is a number. */
export type Type = 'string' | 'number' | 'boolean'

export function isFailure(result: Result): result is Failure {
  return typeof result === 'object'
}

const MIN_INTEGER = -(2 ** 31)
const MAX_INTEGER = 2 ** 31 - 1
const INTEGER = /^[+-]?\d+$/
const SHOWN_LENGTH = 40

export function isInteger(value: number): boolean {
  return value >= MIN_INTEGER && value <= MAX_INTEGER
}

/** A failure stays what it is. */
export function castTo(type: Type, result: Result): Result {
  switch (type) {
    case 'string':
      return asString(result)
    case 'number':
      return asInteger(result)
    case 'boolean':
      return asBoolean(result)
  }
}

export function asString(result: Result): string | Failure {
  return typeof result === 'string' || typeof result === 'object' ? result : String(result)
}

export function asInteger(result: Result): number | Failure {
  switch (typeof result) {
    case 'string': {
      const value = INTEGER.test(result) ? Number(result) + 0 : Number.NaN
      return isInteger(value) ? value : castFailure(result, 'Integer')
    }
    case 'boolean':
      return result ? 1 : 0
    default:
      return result
  }
}

export function asBoolean(result: Result): boolean | Failure {
  switch (typeof result) {
    case 'string': {
      // No other text is so long: most that are none are not even copied.
      const text = result.length <= 5 ? result.toLowerCase() : ''
      if (text === 'true') return true
      return text === 'false' ? false : castFailure(result, 'Boolean')
    }
    case 'number':
      return result !== 0
    default:
      return result
  }
}

function castFailure(value: string, type: string): Failure {
  const shown = value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}...` : value
  return { kind: 'cast', text: `"${shown}" is no ${type}` }
}
