// Kubernetes' Secret: what other resources name and nobody may see. Its values never get into a message.
import { z } from 'zod'
import { base64Schema } from '../base64.ts'
import { ageColumn } from '../columns.ts'
import { dataKey } from '../data-key.ts'
import { defineKind, type Kind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import type { FieldError } from '../problems.ts'

const DEFAULT_TYPE = 'Opaque'

const secretSchema = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: metadataSchema(subdomainName),
  type: z.string().exactOptional().describe('What the data is for; `Opaque` unless given.'),
  data: z.record(dataKey, base64Schema).exactOptional().describe('Values by key, in Base64.'),
  stringData: z
    .record(dataKey, z.string())
    .exactOptional()
    .describe('Values by key, as text; reading moves them to `data`.'),
  immutable: z.boolean().exactOptional().describe('Whether the data may never change.'),
})
export type Secret = z.infer<typeof secretSchema>

const telltaleKind = defineKind(
  {
    group: '',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Secret',
    plural: 'secrets',
    singular: 'secret',
    shortNames: [],
    categories: [],
    duckLabels: [],
    schema: secretSchema,
    columns: [{ name: 'Type', type: 'string', jsonPath: '.type' }, ageColumn],
    conditions: { dependents: [] },
  },
  withDefaults,
)

export const secretKind: Kind<Secret> = {
  ...telltaleKind,
  read(manifest) {
    const reading = telltaleKind.read(manifest)
    return reading.kind === 'valid' ? reading : { kind: 'invalid', errors: reading.errors.map(withoutValue) }
  },
}

/** The bytes of a key, in a Secret that has been read. */
export function secretValueOf({ data }: Secret, key: string): Buffer | undefined {
  const value = data && Object.hasOwn(data, key) ? data[key] : undefined
  return value === undefined ? undefined : Buffer.from(value, 'base64')
}

/** As an API server does it: text becomes Base64 and wins over what `data` says. */
function withDefaults({ stringData = {}, ...secret }: Secret): Secret {
  const fromText = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return {
    ...secret,
    metadata: withNamespace(secret.metadata),
    type: secret.type || DEFAULT_TYPE,
    data: { ...secret.data, ...Object.fromEntries(fromText) },
  }
}

function withoutValue(error: FieldError): FieldError {
  const [field] = error.paths[0]
  if (field !== 'data' && field !== 'stringData') return error
  return { ...error, message: error.message.replace(/^invalid value: .*/s, 'invalid value') }
}
