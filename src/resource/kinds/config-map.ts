// Kubernetes' ConfigMap: settings that other resources name, such as a Broker's channel.
import { z } from 'zod'
import { base64Schema } from '../base64.ts'
import { ageColumn } from '../columns.ts'
import { dataKey } from '../data-key.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import type { FieldError } from '../problems.ts'
import { type Fields, isFields, withRule } from '../rules.ts'

const configMapSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata: metadataSchema(subdomainName),
    data: z.record(dataKey, z.string()).exactOptional().describe('Text by key.'),
    binaryData: z.record(dataKey, base64Schema).exactOptional().describe('Bytes by key, in Base64.'),
    immutable: z.boolean().exactOptional().describe('Whether the data may never change.'),
  }),
  checkKeys,
)
export type ConfigMap = z.infer<typeof configMapSchema>

export const configMapKind = defineKind(
  {
    group: '',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'ConfigMap',
    plural: 'configmaps',
    singular: 'configmap',
    shortNames: ['cm'],
    categories: [],
    duckLabels: [],
    schema: configMapSchema,
    columns: [ageColumn],
    conditions: { dependents: [] },
  },
  (configMap) => ({ ...configMap, metadata: withNamespace(configMap.metadata) }),
)

/** The text of a key. */
export function configValueOf({ data }: ConfigMap, key: string): string | undefined {
  return data && Object.hasOwn(data, key) ? data[key] : undefined
}

function checkKeys({ data, binaryData }: Fields): readonly FieldError[] {
  if (!isFields(data) || !isFields(binaryData)) return []
  const both = Object.keys(binaryData).filter((key) => Object.hasOwn(data, key))
  return both.map((key) => ({
    paths: [
      ['data', key],
      ['binaryData', key],
    ],
    message: 'expected exactly one, got both',
  }))
}
