import assert from 'node:assert/strict'
import { z } from 'zod'
import { ceOverridesSchema } from '../../src/resource/ce-overrides.ts'
import { deliverySchema } from '../../src/resource/delivery.ts'
import { destinationSchema } from '../../src/resource/destination.ts'
import { knownKinds } from '../../src/resource/known-kinds.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { metadataSchema, subdomainName } from '../../src/resource/metadata.ts'
import { formatProblem } from '../../src/resource/problems.ts'
import { referenceSchema } from '../../src/resource/reference.ts'
import { cases, ownRules } from './corpus.ts'

/** By kind; Serving's Service has the name that its file has. */
const kinds = Object.fromEntries(
  knownKinds.map((each) => [each.group === 'serving.knative.dev' ? `K${each.kind}` : each.kind, each]),
)
const shared = {
  Metadata: jsonSchemaOf(metadataSchema(subdomainName)),
  Destination: jsonSchemaOf(destinationSchema),
  Reference: jsonSchemaOf(referenceSchema),
  Delivery: jsonSchemaOf(deliverySchema),
  CeOverrides: jsonSchemaOf(ceOverridesSchema),
}

describe('validation', () => {
  for (const { rule, text, problems } of cases) {
    it(`refuses ${rule}`, () => {
      const found = loadManifests(text, 'f').problems.map(formatProblem)

      assert.deepEqual(
        found,
        problems.map((problem) => `f:${problem}`),
      )
      assert.notEqual(found.length, 0)
    })
  }

  it('has a case for every rule', () => {
    const fieldRules = [
      ...Object.entries(shared).flatMap(([name, schema]) => rulesOf(name, schema)),
      ...Object.entries(kinds).flatMap(([name, { schema }]) => rulesOf(name, jsonSchemaOf(schema))),
    ]

    assert.deepEqual(cases.map(({ rule }) => rule).sort(), [...fieldRules, ...ownRules].sort())
  })

  it('tells kinds apart', () => {
    assert.equal(Object.keys(kinds).length, knownKinds.length)
  })
})

type JsonSchema = z.core.JSONSchema.BaseSchema

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}

/** Two rules a field: its type, and that it is there when it has to be. Shared schemas have theirs once. */
function rulesOf(path: string, { properties = {}, required = [] }: JsonSchema): string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const field = typeof schema === 'boolean' ? {} : schema
    if (key === 'apiVersion' && isKind(path)) return []
    if (key === 'kind' && isKind(path)) return []
    if (key === 'metadata') return []
    const inner = field.items && !Array.isArray(field.items) && field.items !== true ? field.items : field
    const rules = [`${path}.${key} wrong type`, ...(required.includes(key) ? [`${path}.${key} absent`] : [])]
    return key === 'ownerReferences' || isShared(field) ? rules : [...rules, ...rulesOf(`${path}.${key}`, inner)]
  })
}

function isKind(path: string): boolean {
  return path in kinds
}

function isShared({ properties }: JsonSchema): boolean {
  const text = JSON.stringify(properties)
  return properties !== undefined && Object.values(shared).some((schema) => JSON.stringify(schema.properties) === text)
}
