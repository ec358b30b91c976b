// The admin port: status, metrics and probes. It asks for no login, so it listens on loopback unless told otherwise, and
// then answers only requests that name a loopback host: a web page must not reach it through a name of its own. The
// metrics port has the metrics and the probes alone, and follows the same rule (docs/decisions/0010).
import { createServer } from 'node:http'
import express from 'express'
import { closeNow, isLoopback, type ListenAddress, listen } from '../http/listen.ts'
import type { Logger } from '../observe/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface HttpServer {
  readonly port: number
  close(): Promise<void>
}

export interface ServerOptions extends ListenAddress {
  readonly runtime: Pick<Runtime, 'health' | 'metrics' | 'status'>
  readonly logger: Logger
}

/** Rejects with node's error when the port cannot be had. */
export function startAdminServer(options: ServerOptions): Promise<HttpServer> {
  const { runtime } = options
  return startServer(options, (app) => {
    addProbesAndMetrics(app, options)
    app.get('/tidings/v1/status', async (_request, response) => {
      response.json(await runtime.status())
    })
  })
}

/** Rejects with node's error when the port cannot be had. */
export function startMetricsServer(options: ServerOptions): Promise<HttpServer> {
  return startServer(options, (app) => addProbesAndMetrics(app, options))
}

function addProbesAndMetrics(app: express.Express, { runtime }: ServerOptions): void {
  app.get('/healthz', (_request, response) => {
    response.status(runtime.health.live() ? 200 : 503).end()
  })
  app.get('/readyz', (_request, response) => {
    const { ok, text } = runtime.health.ready()
    response
      .status(ok ? 200 : 503)
      .type('text/plain')
      .send(`${text}\n`)
  })
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await runtime.metrics.scrape()
    response.type(contentType).send(text)
  })
}

const refuseForeignHosts: express.RequestHandler = (request, response, next) => {
  if (isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) return next()
  response.status(403).json({ message: 'expected a loopback address in the Host header, such as 127.0.0.1' })
}

async function startServer(
  { host, port, logger }: ServerOptions,
  addRoutes: (app: express.Express) => void,
): Promise<HttpServer> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  if (isLoopback(host)) app.use(refuseForeignHosts)
  addRoutes(app)
  app.use((request, response) => {
    response.status(404).json({ message: `nothing is served at ${request.method} ${request.path}` })
  })
  const onError: express.ErrorRequestHandler = (error, _request, response, next) => {
    logger.error({ err: error }, 'an admin request failed')
    if (response.headersSent) return next(error)
    response.status(500).json({ message: 'the request failed: the log says why' })
  }
  app.use(onError)

  const server = createServer({ requestTimeout: 10_000 }, app)
  return { port: await listen(server, { host, port }), close: () => closeNow(server) }
}
