// The part of JSONPath that columns of kinds use: `.spec.broker`, `.metadata.annotations.a\.b/c`, `.spec.ports[*].port`,
// `.spec.ports[0]`, `.status.conditions[?(@.type=="Ready")].status`.
import { isFields } from './rules.ts'

type Step = (value: unknown) => readonly unknown[]

/** Every value that the path leads to. Throws on a path in another form: paths are ours, not a user's. */
export function valuesAt(value: unknown, path: string): readonly unknown[] {
  return stepsOf(path).reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value])
}

/** A dot and a name, in which a backslash takes the next character as it is; or brackets. */
const STEP = /\.((?:[^.[\\]|\\.)+)|\[([^\]]+)\]/y
const CONDITION = /^\?\(@\.(\w+)=="([^"]*)"\)$/

function stepsOf(path: string): readonly Step[] {
  const steps: Step[] = []
  let end = 0
  for (const [text, name, inBrackets = ''] of path.matchAll(new RegExp(STEP, 'gy'))) {
    end += text.length
    steps.push(name === undefined ? bracketStep(inBrackets) : fieldStep(name.replace(/\\(.)/g, '$1')))
  }
  if (end !== path.length) throw new Error(`not a path that columns may have: ${path}`)
  return steps
}

function fieldStep(name: string): Step {
  return (value) => (isFields(value) && Object.hasOwn(value, name) ? [value[name]] : [])
}

function bracketStep(text: string): Step {
  const [, field, wanted] = CONDITION.exec(text) ?? []
  if (field !== undefined) return (value) => itemsOf(value).filter((item) => isFields(item) && item[field] === wanted)
  if (text === '*') return itemsOf
  if (/^\d+$/.test(text)) return (value) => itemsOf(value).slice(Number(text), Number(text) + 1)
  throw new Error(`not a path that columns may have: [${text}]`)
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
