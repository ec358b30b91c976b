// The admin port: status, metrics and probes. It asks for no login, so it listens on loopback unless told otherwise, and
// then answers only requests that name a loopback host: a web page must not reach it through a name of its own. The
// metrics port has the metrics and the probes alone.
import { createServer, type Server } from 'node:http'
import { isIP } from 'node:net'
import express from 'express'
import type { Logger } from '../observe/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface HttpServer {
  readonly port: number
  close(): Promise<void>
}

export interface ServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly runtime: Pick<Runtime, 'health' | 'metrics' | 'status'>
  readonly logger: Logger
}

/** Rejects with node's error when the port cannot be had. */
export function startAdminServer(options: ServerOptions): Promise<HttpServer> {
  const { runtime } = options
  return startServer(options, (app) => {
    if (isLoopback(options.host)) app.use(refuseForeignHosts)
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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

async function startServer(
  { host, port, logger }: ServerOptions,
  addRoutes: (app: express.Express) => void,
): Promise<HttpServer> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { port: portOf(server), close: () => closeServer(server) }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
