// Kubernetes' Namespace. Standalone, using one creates it, so a manifest of one changes nothing.
import { z } from 'zod'
import { ageColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { labelName, metadataSchema } from '../metadata.ts'
import type { FieldError } from '../problems.ts'
import { type Fields, textAt, withRule } from '../rules.ts'

const namespaceSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Namespace'),
    metadata: metadataSchema(labelName),
    spec: z
      .strictObject({
        finalizers: z.array(z.string()).exactOptional().describe('Who has to let go before it is deleted.'),
      })
      .exactOptional(),
  }),
  checkScope,
)
export type Namespace = z.infer<typeof namespaceSchema>

export const namespaceKind = defineKind(
  {
    group: '',
    versions: ['v1'],
    isNamespaced: false,
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    shortNames: ['ns'],
    categories: [],
    duckLabels: [],
    schema: namespaceSchema,
    columns: [{ name: 'Status', type: 'string', jsonPath: '.status.phase' }, ageColumn],
    conditions: { dependents: [] },
  },
  (namespace) => namespace,
)

function checkScope(namespace: Fields): readonly FieldError[] {
  const path = ['metadata', 'namespace'] as const
  if (textAt(namespace, path) === undefined) return []
  return [{ paths: [path], message: 'must not set the field(s)', details: 'a Namespace lives in no namespace' }]
}
