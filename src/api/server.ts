// The admin port: what is applied, status, what can be told to a runtime, metrics and probes. It asks for no login, so it
// listens on loopback unless told otherwise, and then answers only requests that name a loopback host: a web page must not
// reach it through a name of its own, and a page's requests may change nothing anywhere. The metrics port has the metrics
// and the probes alone, and follows the same rule (docs/decisions/0010).
import { createServer } from 'node:http'
import express from 'express'
import { EventingError } from '../core/errors.ts'
import { closeNow, isLoopback, type ListenAddress, listen } from '../http/listen.ts'
import type { Logger } from '../observe/logger.ts'
import type { Admin } from '../runtime/admin.ts'
import { failure } from './failure.ts'
import { addKubernetesRoutes } from './kubernetes.ts'
import { isRead } from './requests.ts'
import { addTidingsRoutes } from './tidings.ts'

export interface HttpServer {
  readonly port: number
  close(): Promise<void>
}

export interface ServerOptions extends ListenAddress {
  readonly runtime: Pick<Admin, 'health' | 'metrics' | 'status'>
  readonly logger: Logger
}

export interface AdminServerOptions extends ListenAddress {
  readonly admin: Admin
  readonly logger: Logger
}

/** Rejects with node's error when the port cannot be had. */
export function startAdminServer(options: AdminServerOptions): Promise<HttpServer> {
  const { admin } = options
  return startServer(options, (app) => {
    addProbesAndMetrics(app, admin)
    app.use(refuseWebPages)
    app.get('/tidings/v1/status', async (_request, response) => {
      response.json(await admin.status())
    })
    addTidingsRoutes(app, admin)
    addKubernetesRoutes(app, admin)
  })
}

/** Rejects with node's error when the port cannot be had. */
export function startMetricsServer(options: ServerOptions): Promise<HttpServer> {
  return startServer(options, (app) => addProbesAndMetrics(app, options.runtime))
}

function addProbesAndMetrics(app: express.Express, { health, metrics }: Pick<Admin, 'health' | 'metrics'>): void {
  app.get('/healthz', (_request, response) => {
    response.status(health.live() ? 200 : 503).end()
  })
  app.get('/readyz', (_request, response) => {
    const { ok, text } = health.ready()
    response
      .status(ok ? 200 : 503)
      .type('text/plain')
      .send(`${text}\n`)
  })
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await metrics.scrape()
    response.type(contentType).send(text)
  })
}

const refuseForeignHosts: express.RequestHandler = (request, response, next) => {
  if (isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) return next()
  refuse(request, response, 403, 'expected a loopback address in the Host header, such as 127.0.0.1')
}

/** Browsers name an origin with every request of a page that may change something; programs do not. */
const refuseWebPages: express.RequestHandler = (request, response, next) => {
  if (isRead(request) || request.headers.origin === undefined) return next()
  refuse(request, response, 403, 'web pages may change nothing here: there is an Origin header')
}

async function startServer(
  { host, port, logger }: ListenAddress & { readonly logger: Logger },
  addRoutes: (app: express.Express) => void,
): Promise<HttpServer> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  if (isLoopback(host)) app.use(refuseForeignHosts)
  addRoutes(app)
  app.use((request, response) => {
    refuse(request, response, 404, `nothing is served at ${request.method} ${request.path}`)
  })
  const onError: express.ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent) {
      logger.error({ err: error }, 'an admin request failed')
      return next(error)
    }
    const [status, message] = refusalOf(error)
    if (status === 500) logger.error({ err: error }, 'an admin request failed')
    refuse(request, response, status, message)
  }
  app.use(onError)

  const server = createServer({ requestTimeout: 10_000 }, app)
  return { port: await listen(server, { host, port }), close: () => closeNow(server) }
}

/**
 * Express throws what is wrong with a request, with a 4xx as `status`; what may go well later says so, and what is asked
 * for at the wrong moment; everything else is our mistake.
 */
function refusalOf(error: { readonly status?: unknown }): readonly [status: number, message: string] {
  if (error instanceof EventingError) {
    const status = error.retryable ? 503 : STATUSES[error.code]
    if (status !== undefined) return [status, `${error.code}: ${error.message}`]
  }
  switch (error.status) {
    case 400:
      return [400, 'the request cannot be read: expected a valid path, and JSON as body']
    case 413:
      return [413, 'the request is too large: expected a body of at most 64 KiB']
    case 415:
      return [415, 'expected a body in UTF-8 that is not compressed']
    default:
      return [500, 'the request failed: the log says why']
  }
}

/** Of what was asked for at the wrong moment, which is no mistake of ours. */
const STATUSES: Partial<Record<EventingError['code'], number>> = { LOG_GONE: 409, LOG_CONFLICT: 409 }

/** In the form that the path's clients read. */
function refuse(request: express.Request, response: express.Response, code: number, message: string): void {
  const isKubernetes = /^\/apis?(\/|$)/.test(request.path)
  response.status(code).json(isKubernetes ? failure(code, message) : { message })
}
