// What Tidings can be asked and told beside the kinds: status, pausing, firing a source, one event's way, settings,
// services that stand for a URL, and what files beside this one add. Errors are `{"message": ...}` with the reason in words.
import express from 'express'
import { checkFilters, type TriggerFilterSpec } from '../filter/dialects.ts'
import { printableUrl } from '../http/address.ts'
import { labelName } from '../resource/metadata.ts'
import { formatPath, shown } from '../resource/problems.ts'
import { isFields, textAt } from '../resource/rules.ts'
import type { Admin } from '../runtime/admin.ts'
import { addDeadLetterRoutes } from './dead-letters.ts'
import { withoutPasswords } from './objects.ts'
import { parameter, refuse } from './requests.ts'
import { addRerunRoutes } from './reruns.ts'
import { addTailRoutes } from './tail.ts'

const LARGEST_BODY_BYTES = 64 * 1024

export function addTidingsRoutes(app: express.Express, admin: Admin): void {
  // Any content type, since only JSON can be meant: `curl -d` names another one unless told otherwise.
  app.use('/tidings/v1', express.json({ limit: LARGEST_BODY_BYTES, inflate: false, type: () => true }))
  app.get('/tidings/v1/settings', (_request, response) => {
    response.json({ settings: withoutPasswords(admin.settings()) })
  })
  app.post('/tidings/v1/triggers/:namespace/:name/pause', (request, response) =>
    setPaused(admin, request, response, true),
  )
  app.post('/tidings/v1/triggers/:namespace/:name/resume', (request, response) =>
    setPaused(admin, request, response, false),
  )
  app.post('/tidings/v1/sources/:kind/:namespace/:name/fire', (request, response) => fire(admin, request, response))
  app.get('/tidings/v1/events/:namespace/:broker/:id', (request, response) => findEvents(admin, request, response))
  app.get('/tidings/v1/why/:namespace/:broker/:id', (request, response) => why(admin, request, response))
  app.post('/tidings/v1/filters/:namespace/:broker', (request, response) => tryFilter(admin, request, response))
  app.put('/tidings/v1/services/:namespace/:name', (request, response) => register(admin, request, response))
  app.delete('/tidings/v1/services/:namespace/:name', (request, response) => {
    admin.releaseService(parameter(request, 'namespace'), parameter(request, 'name'))
    response.status(204).end()
  })
  addDeadLetterRoutes(app, admin)
  addRerunRoutes(app, admin)
  addTailRoutes(app, admin)
}

async function setPaused(
  admin: Admin,
  request: express.Request,
  response: express.Response,
  paused: boolean,
): Promise<void> {
  const { namespace, name } = namesOf(request)
  const isThere = await admin.setTriggerPaused(namespace, name, paused)
  if (!isThere) return refuse(response, 404, `no trigger ${namespace}/${name}`)
  response.json({ namespace, name, paused })
}

async function fire(admin: Admin, request: express.Request, response: express.Response): Promise<void> {
  const { namespace, name } = namesOf(request)
  const kind = parameter(request, 'kind')
  if (kind !== 'PingSource' && kind !== 'CronJobSource') {
    return refuse(response, 404, `no kind of source ${kind}: expected PingSource or CronJobSource`)
  }
  const fired = await admin.fireSource(kind, namespace, name)
  if (fired.kind === 'unknown') return refuse(response, 404, `no ${kind} ${namespace}/${name}`)
  if (fired.kind === 'refused') return refuse(response, 409, `${kind} ${namespace}/${name}: ${fired.reason}`)
  response.json({ eventId: fired.eventId, sink: printableUrl(fired.sink) })
}

async function findEvents(admin: Admin, request: express.Request, response: express.Response): Promise<void> {
  const [namespace, broker] = [parameter(request, 'namespace'), parameter(request, 'broker')]
  const events = await admin.findEvents(namespace, broker, parameter(request, 'id'))
  if (!events) return refuse(response, 404, `no broker ${namespace}/${broker}`)
  response.json({ events })
}

async function why(admin: Admin, request: express.Request, response: express.Response): Promise<void> {
  const [namespace, broker] = [parameter(request, 'namespace'), parameter(request, 'broker')]
  const { trigger } = request.query
  if (trigger !== undefined && typeof trigger !== 'string') return refuse(response, 400, 'trigger: expected it once')
  const found = await admin.why(namespace, broker, parameter(request, 'id'), trigger)
  if (!found) return refuse(response, 404, `no broker ${namespace}/${broker}`)
  response.json(found)
}

/** Events that one trial asks about at most. */
const MOST_TRIED = 10_000

async function tryFilter(admin: Admin, request: express.Request, response: express.Response): Promise<void> {
  const [namespace, broker] = [parameter(request, 'namespace'), parameter(request, 'broker')]
  const body = isFields(request.body) ? request.body : {}
  const { filter, filters, last = 500 } = body
  const trigger = textAt(body, ['trigger'])
  if (!Number.isInteger(last) || Number(last) < 1 || Number(last) > MOST_TRIED) {
    return refuse(response, 400, `last: expected a whole number from 1 to ${MOST_TRIED}`)
  }
  const [problem] = checkFilters({ filter, filters })
  if (problem) return refuse(response, 400, `${formatPath(problem.path)}: ${problem.message}`)
  const options = { most: Number(last), ...(trigger !== undefined && { trigger }) }
  const found = await admin.tryFilter(namespace, broker, { filter, filters } as TriggerFilterSpec, options)
  if (found === 'no broker') return refuse(response, 404, `no broker ${namespace}/${broker}`)
  if (found === 'no trigger')
    return refuse(response, 404, `broker ${namespace}/${broker} has no trigger ${shown(trigger)}`)
  response.json(found)
}

function register(admin: Admin, request: express.Request, response: express.Response): void {
  const { namespace, name } = namesOf(request)
  const wrong = [namespace, name].find((each) => !labelName.safeParse(each).success)
  if (wrong !== undefined) {
    return refuse(response, 400, `expected a name of a-z, 0-9 and -, at most 63 characters, got '${shown(wrong)}'`)
  }
  const url = textAt(request.body, ['url'])
  if (url === undefined || !/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    return refuse(response, 400, 'expected {"url": "http://127.0.0.1:9000/"}')
  }
  const registration = admin.registerService(namespace, name, url)
  if (registration.kind === 'taken') {
    return refuse(response, 409, `service ${namespace}/${name} is taken by ${registration.origin}`)
  }
  response.json({ namespace, name, url: printableUrl(url) })
}

function namesOf(request: express.Request) {
  return { namespace: parameter(request, 'namespace'), name: parameter(request, 'name') }
}
