// The admin port: status, metrics and probes. It asks for no login, so it listens on loopback unless told otherwise.
import { createServer, type Server } from 'node:http'
import express from 'express'
import type { Logger } from '../observe/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

export interface AdminOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly runtime: Pick<Runtime, 'health' | 'metrics' | 'status'>
  readonly logger: Logger
}

/** Rejects with node's error when the port cannot be had. */
export async function startAdminServer({ host, port, runtime, logger }: AdminOptions): Promise<AdminServer> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')

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
  app.get('/tidings/v1/status', async (_request, response) => {
    response.json(await runtime.status())
  })
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
