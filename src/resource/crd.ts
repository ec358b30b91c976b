// CustomResourceDefinitions made from the kinds, for the Helm chart. What an API server checks with them is as permissive
// as upstream's own: every rule beyond types is ours to check when we read the resource.
import { z } from 'zod'
import { apiVersionOf, type GroupVersions, groupsOf, type Kind } from './kind.ts'
import { isFields } from './rules.ts'
import { formatYaml } from './yaml.ts'

/** Defined by Kubernetes and Knative Serving: a second definition would fight theirs. */
const FOREIGN_GROUPS: readonly string[] = ['', 'serving.knative.dev']

export interface CrdFile {
  readonly name: string
  readonly text: string
}

/** One file for each kind and group, as a template of the chart. */
export function crdFilesOf(kinds: readonly Kind[]): readonly CrdFile[] {
  return kinds.flatMap((kind) =>
    groupsOf(kind)
      .filter(({ group }) => !FOREIGN_GROUPS.includes(group))
      .map((served) => ({ name: `${kind.plural}.${served.group}.yaml`, text: templateOf(crdOf(kind, served)) })),
  )
}

function templateOf(crd: object): string {
  return `{{- if .Values.crds.install }}
# Written by \`npm run generate\` from src/resource/kinds/: change it there.
${formatYaml(crd)}{{- end }}
`
}

/** @see kubernetes.io "Extend the Kubernetes API with CustomResourceDefinitions", and knative/eventing config/core/resources */
function crdOf(kind: Kind, served: GroupVersions): object {
  const { plural, singular, shortNames, categories } = kind
  const labels = ['knative.dev/crd-install', ...kind.duckLabels].map((label) => [label, 'true'])
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${served.group}`,
      // Uninstalling the chart must not delete what users applied.
      annotations: { 'helm.sh/resource-policy': 'keep' },
      labels: Object.fromEntries(labels),
    },
    spec: {
      group: served.group,
      scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
      names: { kind: kind.kind, listKind: `${kind.kind}List`, plural, singular, shortNames, categories },
      conversion: { strategy: 'None' },
      versions: served.versions.map((version, i) => ({
        name: version,
        served: true,
        storage: i === 0,
        ...(i > 0 && {
          deprecated: true,
          deprecationWarning: `${apiVersionOf(served, version)} ${kind.kind} is deprecated; use ${apiVersionOf(served)}`,
        }),
        subresources: { status: {} },
        additionalPrinterColumns: kind.columns,
        schema: { openAPIV3Schema: structuralSchemaOf(kind.schema) },
      })),
    },
  }
}

const PRESERVE = { 'x-kubernetes-preserve-unknown-fields': true }
/** Fields of which upstream keeps what it does not know, in every kind. */
const PRESERVED: readonly string[] = ['delivery']
/** What a structural schema may have of what zod says; not lengths and patterns, which upstream leaves to admission. */
const KEPT = ['description', 'type', 'enum', 'minimum', 'maximum'] as const

/** An OpenAPI v3 schema as API servers want it: every node has a type or keeps everything, nothing else is in the way. */
function structuralSchemaOf(schema: z.ZodType): object {
  const { properties = {}, required } = structural(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...own } = properties
  const ownRequired = required?.filter((field) => field in own) ?? []
  return {
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of this resource.' },
      kind: { type: 'string', description: 'Kind of this resource.' },
      metadata: { type: 'object' },
      ...own,
      status: { type: 'object', description: 'What the runtime found; written by it alone.', ...PRESERVE },
    },
    ...(ownRequired.length > 0 && { required: ownRequired }),
  }
}

type JsonSchema = z.core.JSONSchema.BaseSchema

interface Structural {
  readonly properties?: Readonly<Record<string, object>>
  readonly required?: readonly string[]
  readonly [key: string]: unknown
}

function structural(schema: JsonSchema | boolean): Structural {
  if (typeof schema === 'boolean') return PRESERVE
  const kept = Object.fromEntries(KEPT.filter((key) => isWorthKeeping(schema[key])).map((key) => [key, schema[key]]))
  const { properties, additionalProperties, items, required } = schema
  if (typeof items === 'object' && !Array.isArray(items)) return { ...kept, items: structural(items) }
  if (properties) {
    const fields = Object.entries(properties).map(([key, field]) => [
      key,
      PRESERVED.includes(key) ? { ...structural(field), ...PRESERVE } : structural(field),
    ])
    return { ...kept, properties: Object.fromEntries(fields), ...(required && { required }) }
  }
  if (isFields(additionalProperties) && Object.keys(additionalProperties).length > 0) {
    return { ...kept, additionalProperties: structural(additionalProperties) }
  }
  return schema.type === undefined || schema.type === 'object' ? { ...kept, ...PRESERVE } : kept
}

/** Every whole number has the bounds of a double. */
function isWorthKeeping(value: unknown): boolean {
  return value !== undefined && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER
}
