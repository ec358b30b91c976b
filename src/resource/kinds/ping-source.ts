import { z } from 'zod'
import { isBase64 } from '../base64.ts'
import { extensionsOf } from '../ce-overrides.ts'
import { ageColumn, readyColumn, reasonColumn, scheduleColumn, sinkColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { metadataSchema, subdomainName, withNamespace } from '../metadata.ts'
import type { FieldError } from '../problems.ts'
import { type Fields, isFields, withRule } from '../rules.ts'
import { checkCatchUp, checkSchedule, checkTimezoneField } from '../schedule.ts'
import { sinkAndDeliveryFrom, sourceFields } from '../source-spec.ts'

const DEFAULT_SCHEDULE = '* * * * *'
const JSON_TYPE = 'application/json'

const specSchema = withRule(
  z.strictObject({
    schedule: z
      .string()
      .exactOptional()
      .describe('When events are sent, as cron: five fields, or six with seconds first; every minute unless given.'),
    timezone: z.string().exactOptional().describe('Zone of the schedule by its IANA name, such as `Europe/Paris`.'),
    contentType: z.string().exactOptional().describe('Media type of the data.'),
    data: z.string().exactOptional().describe('Data of every event, as text.'),
    dataBase64: z.string().exactOptional().describe('Data of every event, in Base64, instead of `data`.'),
    ...sourceFields,
  }),
  (spec) => [...checkTimes(spec), ...checkData(spec)],
)

const pingSourceSchema = withRule(
  z.strictObject({
    apiVersion: z.enum(['sources.knative.dev/v1', 'sources.knative.dev/v1beta2']),
    kind: z.literal('PingSource'),
    metadata: metadataSchema(subdomainName),
    spec: specSchema,
  }),
  checkCatchUp,
)
export type PingSource = z.infer<typeof pingSourceSchema>

export const pingSourceKind = defineKind(
  {
    group: 'sources.knative.dev',
    versions: ['v1', 'v1beta2'],
    isNamespaced: true,
    kind: 'PingSource',
    plural: 'pingsources',
    singular: 'pingsource',
    shortNames: [],
    categories: ['all', 'knative', 'sources'],
    duckLabels: ['eventing.knative.dev/source', 'duck.knative.dev/source'],
    schema: pingSourceSchema,
    columns: [sinkColumn, scheduleColumn, ageColumn, readyColumn, reasonColumn],
    conditions: { dependents: ['SinkProvided', 'Deployed', 'OIDCIdentityCreated', 'DeadLetterSinkResolved'] },
  },
  withDefaults,
)

/** When it fires: for `parseSchedule` with the grammar `ping`. */
export function pingScheduleOf({ spec }: PingSource): { readonly schedule: string; readonly timezone?: string } {
  const { schedule, timezone } = spec
  return { schedule: schedule || DEFAULT_SCHEDULE, ...(timezone && { timezone }) }
}

/** Extension attributes of every event. */
export function pingExtensionsOf({ spec }: PingSource): Readonly<Record<string, string>> {
  return extensionsOf(spec.ceOverrides)
}

/** Both versions have one shape, so what was read is of the newer, as an API server would hold it. */
function withDefaults(source: PingSource): PingSource {
  const metadata = withNamespace(source.metadata)
  return {
    ...source,
    apiVersion: 'sources.knative.dev/v1',
    metadata,
    spec: {
      ...source.spec,
      schedule: source.spec.schedule || DEFAULT_SCHEDULE,
      ...sinkAndDeliveryFrom(metadata.namespace, source.spec),
    },
  }
}

/** @see knative/eventing pkg/apis/sources/v1/ping_validation.go */
function checkTimes({ schedule, timezone }: Fields): readonly FieldError[] {
  const zone = typeof timezone === 'string' && timezone !== '' ? timezone : undefined
  const zoneErrors = zone === undefined ? [] : checkTimezoneField(zone)
  if (typeof schedule !== 'string' || schedule === '') return zoneErrors
  const isZoned = zone !== undefined && zoneErrors.length === 0
  return [...zoneErrors, ...checkSchedule(schedule, { grammar: 'ping', ...(isZoned && { timezone: zone }) })]
}

/** What stands there is not repeated in messages: it can be long, and confidential. */
function checkData({ contentType, data, dataBase64 }: Fields): readonly FieldError[] {
  const isText = typeof data === 'string' && data !== ''
  const isEncoded = typeof dataBase64 === 'string' && dataBase64 !== ''
  if (isText && isEncoded) return [{ paths: [['data'], ['dataBase64']], message: 'expected exactly one, got both' }]
  if (isEncoded && !isBase64(dataBase64)) {
    return [{ paths: [['dataBase64']], message: 'invalid value: expected Base64 with padding' }]
  }
  if (contentType !== JSON_TYPE || (!isText && !isEncoded)) return []
  if (isJsonObject(isText ? data : Buffer.from(String(dataBase64), 'base64').toString())) return []
  const message = `invalid value: expected a JSON object, or null, because contentType is ${JSON_TYPE}`
  return [{ paths: [[isText ? 'data' : 'dataBase64']], message }]
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value === null || isFields(value)
  } catch {
    return false
  }
}
