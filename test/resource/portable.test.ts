// The quick start is to run unchanged on Knative: its manifests are valid and have no field but upstream's.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { loadManifests } from '../../src/resource/load.ts'
import { formatProblem } from '../../src/resource/problems.ts'
import { isFields } from '../../src/resource/rules.ts'
import { parseYaml } from '../../src/resource/yaml.ts'

const folder = path.resolve(import.meta.dirname, '../../config/quickstart')

const METADATA = ['metadata.name', 'metadata.namespace']
const DESTINATION = ['ref.apiVersion', 'ref.kind', 'ref.name', 'ref.namespace', 'uri']
const DELIVERY = ['retry', 'timeout', 'backoffPolicy', 'backoffDelay'].map((field) => `spec.delivery.${field}`)
/** Of knative/eventing config/core/resources and knative/serving config/core/300-resources, as far as they are wanted. */
const UPSTREAM: Readonly<Record<string, readonly string[]>> = {
  'eventing.knative.dev/v1 Broker': DELIVERY,
  'eventing.knative.dev/v1 Trigger': ['spec.broker', ...below('spec.subscriber', DESTINATION), ...DELIVERY],
  'sources.knative.dev/v1 PingSource': [
    ...['schedule', 'timezone', 'contentType', 'data', 'dataBase64'].map((field) => `spec.${field}`),
    ...below('spec.sink', DESTINATION),
  ],
  'serving.knative.dev/v1 Service': ['spec.template.spec.containers.0.image'],
}

describe('the quick start', () => {
  for (const name of readdirSync(folder)) {
    const text = readFileSync(path.join(folder, name), 'utf8')

    it(`${name} is valid`, () => {
      const { resources, problems, notices } = loadManifests(text, name)

      assert.deepEqual([...problems, ...notices].map(formatProblem), [])
      assert.ok(resources.length > 0)
    })

    it(`${name} has upstream's fields only`, () => {
      const { documents } = parseYaml(text, name)
      for (const document of documents) {
        const value: unknown = document.value
        assert.ok(isFields(value))
        const known = UPSTREAM[`${value['apiVersion']} ${value['kind']}`]
        assert.ok(known, `${value['apiVersion']} ${value['kind']} is a kind of Knative`)
        const others = leavesOf(value).filter((leaf) => !['apiVersion', 'kind', ...METADATA, ...known].includes(leaf))
        assert.deepEqual(others, [])
      }
    })
  }
})

function below(field: string, fields: readonly string[]): readonly string[] {
  return fields.map((each) => `${field}.${each}`)
}

/** `spec.sink.ref.kind` of everything that is no map or list. */
function leavesOf(value: unknown, at: readonly string[] = []): readonly string[] {
  if (typeof value !== 'object' || value === null) return [at.join('.')]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...at, key]))
}
