// Kubernetes' own Service, reduced to what has an address without a cluster: a name from outside and a port.
import { z } from 'zod'
import { ageColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { labelName, metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import { shown } from '../problems.ts'

const LARGEST_PORT = 65_535

const portSchema = z.looseObject({
  name: z.string().exactOptional().describe('Tells ports of one Service apart.'),
  port: z.int().min(1).max(LARGEST_PORT).describe('Port that events are sent to.'),
})

const serviceSchema = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: metadataSchema(labelName),
  // Loose: a Service has many fields that mean something only inside a cluster.
  spec: z.looseObject({
    type: z.string().exactOptional().describe('Only ExternalName has an address here.'),
    externalName: subdomainName.exactOptional().describe('Host name that events are sent to.'),
    ports: z.array(portSchema).exactOptional().describe('The first is the one that events are sent to.'),
  }),
})
export type Service = z.infer<typeof serviceSchema>

export const serviceKind = defineKind(
  {
    group: '',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    shortNames: ['svc'],
    categories: ['all'],
    duckLabels: [],
    schema: serviceSchema,
    columns: [
      { name: 'Type', type: 'string', jsonPath: '.spec.type' },
      { name: 'External-IP', type: 'string', jsonPath: '.spec.externalName' },
      { name: 'Port(s)', type: 'string', jsonPath: '.spec.ports[*].port' },
      ageColumn,
    ],
    conditions: { dependents: [] },
  },
  (service) => ({ ...service, metadata: withNamespace(service.metadata) }),
)

export type ServiceTarget =
  | { readonly kind: 'url'; readonly url: string }
  /** `reason` says in words what is missing and what helps. */
  | { readonly kind: 'none'; readonly reason: string }

/** Where events for the Service go without a cluster: `http://<externalName>:<port>`. */
export function serviceTarget({ spec }: Service): ServiceTarget {
  const { type, externalName, ports } = spec
  if (type !== 'ExternalName') {
    const reason = `a Service of type ${shown(type ?? 'ClusterIP')} has no address without a cluster: use type ExternalName with externalName and a port`
    return { kind: 'none', reason }
  }
  const port = ports?.[0]?.port
  if (externalName === undefined || port === undefined) {
    const missing = externalName === undefined ? 'spec.externalName' : 'spec.ports[0].port'
    return { kind: 'none', reason: `the Service has no address: set ${missing}` }
  }
  return { kind: 'url', url: `http://${externalName}:${port}` }
}
