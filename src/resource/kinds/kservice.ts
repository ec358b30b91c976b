// Knative Serving's Service, reduced to what an event can be sent to: its other fields are kept, unread.
import { z } from 'zod'
import { readyColumn, reasonColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { labelName, metadataSchema, withNamespace } from '../metadata.ts'
import { type FieldError, shown } from '../problems.ts'
import { annotationPath, type Fields, isFields, textAt, withRule } from '../rules.ts'

/** Where the service listens: nothing is started for it. */
const URL_ANNOTATION = 'tidings.dev/url'
/** The one image whose work Tidings does itself. */
const EVENT_DISPLAY = 'event_display'

const kserviceSchema = withRule(
  z.strictObject({
    apiVersion: z.literal('serving.knative.dev/v1'),
    kind: z.literal('Service'),
    metadata: metadataSchema(labelName),
    spec: z.record(z.string(), z.unknown()).describe('As in Knative Serving; only the image is read.'),
  }),
  checkUrl,
)
export type KService = z.infer<typeof kserviceSchema>

export const kserviceKind = defineKind(
  {
    group: 'serving.knative.dev',
    versions: ['v1'],
    isNamespaced: true,
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    shortNames: ['kservice', 'ksvc'],
    categories: ['all', 'knative', 'serving'],
    duckLabels: ['duck.knative.dev/addressable', 'duck.knative.dev/podspecable'],
    schema: kserviceSchema,
    columns: [
      { name: 'URL', type: 'string', jsonPath: '.status.url' },
      { name: 'LatestCreated', type: 'string', jsonPath: '.status.latestCreatedRevisionName' },
      { name: 'LatestReady', type: 'string', jsonPath: '.status.latestReadyRevisionName' },
      readyColumn,
      reasonColumn,
    ],
    conditions: { dependents: ['ConfigurationsReady', 'RoutesReady'] },
  },
  (service) => ({ ...service, metadata: withNamespace(service.metadata) }),
)

export type KServiceTarget =
  | { readonly kind: 'url'; readonly url: string }
  /** The sink that Tidings has built in. */
  | { readonly kind: 'event-display' }
  /** `reason` says in words what is missing and what helps. */
  | { readonly kind: 'none'; readonly reason: string }

/** Where events for the service go when nobody starts its containers. */
export function kserviceTarget(service: KService): KServiceTarget {
  const url = service.metadata.annotations?.[URL_ANNOTATION]
  if (url !== undefined) return { kind: 'url', url }
  const image = imageOf(service)
  if (image !== undefined && nameOfImage(image) === EVENT_DISPLAY) return { kind: 'event-display' }
  const what = image === undefined ? 'it names no image' : `image ${shown(image)} is not started here`
  return { kind: 'none', reason: `${what}: run it yourself and set annotation ${URL_ANNOTATION} to its URL` }
}

function checkUrl(service: Fields): readonly FieldError[] {
  const path = annotationPath(URL_ANNOTATION)
  const url = textAt(service, path)
  if (url === undefined || (/^https?:\/\/[^/]/i.test(url) && URL.canParse(url))) return []
  const details = 'expected a URL such as http://127.0.0.1:9000/'
  return [{ paths: [path], message: `invalid value: ${shown(url)}`, details }]
}

/** Of the first container: the others are sidecars. */
function imageOf({ spec }: KService): string | undefined {
  const template = isFields(spec['template']) ? spec['template'] : {}
  const podSpec = isFields(template['spec']) ? template['spec'] : {}
  const containers: unknown = podSpec['containers']
  return Array.isArray(containers) ? textAt(containers[0], ['image']) : undefined
}

/** `gcr.io/a/name:tag@sha256:...` is `name`. */
function nameOfImage(image: string): string {
  return (image.split('/').at(-1) ?? image).replace(/[:@].*$/, '')
}
