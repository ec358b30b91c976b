// The Kubernetes-shaped part of the admin port: discovery, lists and objects of every kind, to be read. Nothing is changed
// through it yet, and what it cannot do it refuses in a Status rather than answering something else.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type express from 'express'
import { apiVersionOf, type Kind } from '../resource/kind.ts'
import { DEFAULT_NAMESPACE } from '../resource/metadata.ts'
import type { Admin } from '../runtime/admin.ts'
import { keyOf, type ResourceReader } from '../store/resource-store.ts'
import { coreVersions, describeGroup, findServed, type GroupVersion, groupList, resourceList } from './discovery.ts'
import { type Failure, failure, objectNotFound, pathNotFound } from './failure.ts'
import { listText, objectAt } from './objects.ts'
import { isRead, parameter } from './requests.ts'

export function addKubernetesRoutes(app: express.Express, { resources }: Pick<Admin, 'resources'>): void {
  app.use(['/api', '/apis'], refuseUnsupported)
  app.get('/api', (_request, response) => answer(response, coreVersions()))
  app.get('/apis', (_request, response) => answer(response, groupList()))
  app.get('/apis/:group', (request, response) => answer(response, describeGroup(parameter(request, 'group'))))
  for (const prefix of ['/api/:version', '/apis/:group/:version']) {
    app.get(prefix, (request, response) => answer(response, resourceList(groupVersionOf(request))))
    app.get([`${prefix}/:plural`, `${prefix}/namespaces/:namespace/:plural`], (request, response) =>
      answerList(request, response, resources),
    )
    app.get([`${prefix}/:plural/:name`, `${prefix}/namespaces/:namespace/:plural/:name`], (request, response) =>
      answerObject(request, response, resources),
    )
  }
  app.use(['/api', '/apis'], (_request, response) => fail(response, pathNotFound()))
}

const refuseUnsupported: express.RequestHandler = (request, response, next) => {
  if (!isRead(request)) {
    return fail(response, failure(405, 'the server does not allow this method on the requested resource'))
  }
  const unsupported = unsupportedQuery(request.query)
  if (unsupported !== undefined) return fail(response, failure(400, `${unsupported} is not supported here`))
  next()
}

/** A list that leaves out what was asked for would be a wrong answer. */
function unsupportedQuery(query: express.Request['query']): string | undefined {
  return ['watch', 'labelSelector', 'fieldSelector', 'continue'].find((name) => {
    const value = query[name]
    return value !== undefined && value !== '' && !(name === 'watch' && (value === 'false' || value === '0'))
  })
}

async function answerList(
  request: express.Request,
  response: express.Response,
  resources: ResourceReader,
): Promise<void> {
  const served = servedAt(request)
  if (!served) return fail(response, pathNotFound())
  const { apiVersion, kind, namespace } = served
  response.type('application/json')
  await send(response, listText(resources, { apiVersion, kind: kind.kind, namespace }))
}

function answerObject(request: express.Request, response: express.Response, resources: ResourceReader): void {
  const served = servedAt(request)
  if (!served) return fail(response, pathNotFound())
  const { apiVersion, group, kind, namespace } = served
  if (kind.isNamespaced && namespace === undefined) return fail(response, pathNotFound())
  const name = parameter(request, 'name')
  const entry = resources.get(keyOf(apiVersion, kind.kind, namespace ?? DEFAULT_NAMESPACE, name))
  if (!entry) return fail(response, objectNotFound(group, kind.plural, name))
  response.json(objectAt(entry, apiVersion))
}

interface Served extends GroupVersion {
  readonly apiVersion: string
  readonly kind: Kind
  readonly namespace: string | undefined
}

/** What a path names, but for the object's name; undefined when no kind is served there. */
function servedAt(request: express.Request): Served | undefined {
  const { group, version } = groupVersionOf(request)
  const kind = findServed({ group, version }, parameter(request, 'plural'))
  const namespace = parameter(request, 'namespace') || undefined
  if (!kind || (namespace !== undefined && !kind.isNamespaced)) return undefined
  return { group, version, apiVersion: apiVersionOf({ group, versions: [version] }), kind, namespace }
}

function groupVersionOf(request: express.Request): GroupVersion {
  return { group: parameter(request, 'group'), version: parameter(request, 'version') }
}

function answer(response: express.Response, found: unknown): void {
  if (found === undefined) return fail(response, pathNotFound())
  response.json(found)
}

function fail(response: express.Response, status: Failure): void {
  response.status(status.code).json(status)
}

/** As fast as it is read. Resolves also when the reader goes away. */
async function send(response: express.Response, text: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(text), response)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET' && code !== 'EPIPE') throw error
  }
}
