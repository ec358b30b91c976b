// Extension attributes that a source sets on all its events.
import { z } from 'zod'
import type { FieldError } from './problems.ts'
import { type Fields, isFields, withRule } from './rules.ts'

/** Upstream admits these; then every event is invalid and none is ever sent. */
const OWN_ATTRIBUTES: readonly string[] = [
  'data',
  'datacontenttype',
  'dataschema',
  'id',
  'source',
  'specversion',
  'subject',
  'time',
  'type',
]

const extensionName = z
  .string()
  .regex(/^[A-Za-z0-9]+$/, { message: 'expected letters and digits only', abort: true })
  .refine((name) => !OWN_ATTRIBUTES.includes(name.toLowerCase()), 'it is no extension: the source sets it')

/** @see knative.dev/pkg apis/duck/v1/source_types.go, CloudEventOverrides */
export const ceOverridesSchema = withRule(
  z.strictObject({
    extensions: z
      .record(extensionName, z.string())
      .exactOptional()
      .describe('Extension attributes by name; they win over those that the source sets.'),
  }),
  checkRepeats,
)
export type CeOverrides = z.infer<typeof ceOverridesSchema>

/** The extension attributes as events have them: names in lower case. */
export function extensionsOf(overrides: CeOverrides | undefined): Readonly<Record<string, string>> {
  const extensions = Object.entries(overrides?.extensions ?? {})
  return Object.fromEntries(extensions.map(([name, value]) => [name.toLowerCase(), value]))
}

function checkRepeats({ extensions }: Fields): readonly FieldError[] {
  if (!isFields(extensions)) return []
  const seen = new Set<string>()
  return Object.keys(extensions).flatMap((name): FieldError[] => {
    const attribute = name.toLowerCase()
    if (!seen.has(attribute)) {
      seen.add(attribute)
      return []
    }
    const details = `"${attribute}" stands there already, and names are not told apart by case`
    return [{ paths: [['extensions', name]], message: `invalid key name "${name}"`, details }]
  })
}
