// The source that came before PingSource, kept for manifests that still name it: the ping engine runs it, its events
// keep their own type. Upstream had it in a group of old only; the other one is what people write.
import { z } from 'zod'
import { ageColumn, readyColumn, reasonColumn, scheduleColumn, sinkColumn } from '../columns.ts'
import { checkDestination, type Destination, destinationSchema } from '../destination.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import type { FieldError } from '../problems.ts'
import { type Fields, withRule } from '../rules.ts'
import { checkCatchUp, checkSchedule } from '../schedule.ts'
import { deliveryField, sinkAndDeliveryFrom } from '../source-spec.ts'

/** The reference as fields of the sink itself, from before there was `ref`. */
const INLINE = ['apiVersion', 'kind', 'name', 'namespace'] as const

const inlineField = z.string().exactOptional().describe('Deprecated: part of `ref`.')

const sinkSchema = withRule(
  z.strictObject({
    ...destinationSchema.shape,
    apiVersion: inlineField,
    kind: inlineField,
    name: inlineField,
    namespace: inlineField,
  }),
  checkSink,
)

const quantitiesSchema = z.strictObject({
  cpu: z.string().exactOptional().describe('CPUs, such as `250m`.'),
  memory: z.string().exactOptional().describe('Memory, such as `512Mi`.'),
})

const cronJobSourceSchema = withRule(
  z.strictObject({
    apiVersion: z.enum(['sources.knative.dev/v1', 'sources.eventing.knative.dev/v1alpha1']),
    kind: z.literal('CronJobSource'),
    metadata: metadataSchema(subdomainName),
    spec: withRule(
      z.strictObject({
        schedule: z.string().min(1).describe('When events are sent, as cron: five fields, or such as `@daily`.'),
        data: z
          .string()
          .exactOptional()
          .describe('Data of every event: a JSON object as it is, other text as `{"body": "..."}`.'),
        sink: sinkSchema.describe('Who gets the events.'),
        delivery: deliveryField,
        serviceAccountName: z.string().exactOptional().describe('Read by nobody: no pod is started.'),
        resources: z
          .strictObject({
            requests: quantitiesSchema.exactOptional().describe('What the pod would ask for.'),
            limits: quantitiesSchema.exactOptional().describe('What the pod would be held to.'),
          })
          .exactOptional()
          .describe('Read by nobody: no pod is started.'),
      }),
      ({ schedule }) =>
        typeof schedule === 'string' && schedule !== '' ? checkSchedule(schedule, { grammar: 'cron-job' }) : [],
    ),
  }),
  checkCatchUp,
)
export type CronJobSource = z.infer<typeof cronJobSourceSchema>

export const cronJobSourceKind = defineKind(
  {
    group: 'sources.knative.dev',
    versions: ['v1'],
    oldGroup: { group: 'sources.eventing.knative.dev', versions: ['v1alpha1'] },
    isNamespaced: true,
    kind: 'CronJobSource',
    plural: 'cronjobsources',
    singular: 'cronjobsource',
    shortNames: [],
    categories: ['all', 'knative', 'sources'],
    duckLabels: ['eventing.knative.dev/source', 'duck.knative.dev/source'],
    schema: cronJobSourceSchema,
    columns: [sinkColumn, scheduleColumn, ageColumn, readyColumn, reasonColumn],
    conditions: { dependents: ['ValidSchedule', 'SinkProvided', 'Deployed', 'DeadLetterSinkResolved'] },
  },
  withDefaults,
)

/** Who gets the events, whichever way the manifest names it. */
export function cronJobSinkOf({ spec }: CronJobSource): Destination {
  const { apiVersion, kind, name, namespace, ...sink } = spec.sink
  if (apiVersion === undefined || kind === undefined || name === undefined) return sink
  return { ...sink, ref: { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) } }
}

function withDefaults(source: CronJobSource): CronJobSource {
  const metadata = withNamespace(source.metadata)
  const { delivery } = source.spec
  const sinkAndDelivery = { sink: cronJobSinkOf(source), ...(delivery && { delivery }) }
  return {
    ...source,
    metadata,
    spec: { ...source.spec, ...sinkAndDeliveryFrom(metadata.namespace, sinkAndDelivery) },
  }
}

/** @see knative.dev/pkg apis/duck/v1beta1/destination.go at the revision of eventing v0.13 */
function checkSink(sink: Fields): readonly FieldError[] {
  const given = INLINE.filter((field) => sink[field] !== undefined)
  const [first, ...others] = given
  if (first === undefined) return checkDestination(sink)
  if (sink['ref'] !== undefined) {
    const message = "Ref and [apiVersion, kind, name] can't be both present"
    return [{ paths: [[first], ...others.map((field) => [field]), ['ref']], message }]
  }
  const missing = (['apiVersion', 'kind', 'name'] as const).filter((field) => !sink[field])
  return [
    ...missing.map((field): FieldError => ({ paths: [[field]], message: 'missing field(s)' })),
    ...checkDestination({ ...sink, ref: sink }),
  ]
}
