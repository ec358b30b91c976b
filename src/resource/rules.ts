// What schemas cannot say by themselves: rules across fields, and zod's findings told in upstream's words.
import { z } from 'zod'
import { type FieldError, type Path, shown } from './problems.ts'

export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text at a path of something not yet checked. */
export function textAt(value: unknown, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), value)
  return typeof found === 'string' ? found : undefined
}

export function annotationPath(name: string): Path & readonly string[] {
  return ['metadata', 'annotations', name]
}

/** Refuses an annotation that is there and none of `values`. */
export function checkAnnotation(resource: unknown, name: string, values: readonly string[]): readonly FieldError[] {
  const path = annotationPath(name)
  const value = textAt(resource, path)
  if (value === undefined || values.includes(value)) return []
  return [{ paths: [path], message: `invalid value: ${shown(value)}`, details: `expected ${values.join(' or ')}` }]
}

/**
 * A rule across the fields of one object. It runs even when a field is wrong, so that all problems are told at once;
 * hence a field may hold anything. Paths start at the object.
 */
export function withRule<S extends z.ZodType>(schema: S, rule: (fields: Fields) => readonly FieldError[]): S {
  return schema.superRefine(
    (value, context) => {
      if (!isFields(value)) return
      for (const brokenRule of rule(value)) {
        context.addIssue({ code: 'custom', message: brokenRule.message, params: { brokenRule } })
      }
    },
    { when: () => true },
  )
}

/** What a schema says, beside that the field is missing, when it is. */
export const whenAbsent = z.registry<{ readonly details: string }>()

/** Zod's message where ours is better: it tells what would be right. Empty when there is nothing to add. */
export function explain({ input, inst, code }: z.core.$ZodRawIssue): string | undefined {
  if (input === undefined) return (inst instanceof z.ZodType && whenAbsent.get(inst)?.details) || ''
  if (code !== 'unrecognized_keys' || !(inst instanceof z.ZodObject)) return undefined
  return `known: ${Object.keys(inst.shape).join(', ')}`
}

/** Zod's findings in upstream's words (knative.dev/pkg apis/field_error.go). */
export function fieldErrorsOf(issue: z.core.$ZodIssue): readonly FieldError[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const missing: FieldError = { paths: [path], message: 'missing field(s)' }
  if (issue.input === undefined) return [issue.message === '' ? missing : { ...missing, details: issue.message }]
  // Quotes tell "3" from 3 where the type is what is wrong.
  const value = issue.code === 'invalid_type' && typeof issue.input === 'string' ? `"${issue.input}"` : issue.input
  const invalid = (details: string): readonly FieldError[] => [
    { paths: [path], message: `invalid value: ${shown(value)}`, details },
  ]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        paths: [[...path, key]],
        message: `unknown field "${shown(key)}"`,
        details: issue.message,
      }))
    case 'invalid_key':
      return [{ paths: [path], message: `invalid key name "${shown(path.at(-1))}"`, details: keyDetails(issue) }]
    case 'invalid_type':
      return invalid(`expected ${typeNames[issue.expected] ?? issue.expected}`)
    case 'invalid_value':
      return invalid(`expected ${issue.values.map(String).join(' or ')}`)
    case 'too_small':
      // Upstream's types cannot tell an empty text from an absent one.
      return issue.origin === 'string' ? [missing] : invalid(`expected at least ${issue.minimum}`)
    case 'too_big':
      return invalid(`expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`)
    case 'custom':
      return brokenRules(issue, path) ?? invalid(issue.message)
    default:
      return invalid(issue.message)
  }
}

function keyDetails({ issues }: z.core.$ZodIssueInvalidKey): string {
  return issues.map(({ message }) => message).join(', ')
}

function brokenRules({ params }: z.core.$ZodIssueCustom, parent: Path): readonly FieldError[] | undefined {
  const broken: FieldError | undefined = params?.['brokenRule']
  if (!broken) return undefined
  const [first, ...others] = broken.paths
  const below = (path: Path): Path => [...parent, ...path]
  return [{ ...broken, paths: [below(first), ...others.map(below)] }]
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
}
