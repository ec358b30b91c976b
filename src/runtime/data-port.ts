// The data port through the life of a runtime: it refuses events while brokers are being opened, serves, and refuses again
// while they drain.
import { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { headerOf } from '../http/headers.ts'
import { isLoopback, urlHost } from '../http/listen.ts'
import { type Answer, type DataRequest, type Health, startServer } from '../http/server.ts'
import type { Logger } from '../observe/logger.ts'
import type { Settings } from './settings.ts'

export type Handle = (request: DataRequest) => Answer | Promise<Answer>

export interface DataPort {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  readonly health: Health
  /** Of the whole process. */
  readonly budget: Budget
  serve(handle: Handle): void
  drain(): void
  /** As `DataServer.close`. */
  close(drainMs: number): Promise<void>
}

const REQUEST_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 32 * 1_024
const STARTING: Answer = { status: 503, text: 'starting: send the event again later', retryAfterS: 1 }
const DRAINING: Answer = { status: 503, text: 'shutting down: send the event again later', retryAfterS: 5 }
const WEB_PAGE: Answer = { status: 403, text: 'web pages may not send events here: there is an Origin header' }

/** Rejects with node's error when the address cannot be had. */
export async function openDataPort(settings: Settings, clock: Clock, logger: Logger): Promise<DataPort> {
  const { host, maxRequestBytes } = settings.data
  const budget = new Budget(settings.memory.bodyBudgetBytes)
  const refusesPages = isPrivate(settings)
  let state: 'starting' | 'serving' | 'draining' = 'starting'
  let handle: Handle = () => STARTING
  const health: Health = {
    live: () => true,
    ready: () => ({ ok: state === 'serving', text: state === 'serving' ? 'ready' : state }),
  }
  const server = await startServer({
    host,
    port: settings.data.port,
    handle: (request) => (refusesPages && isFromWebPage(request) ? WEB_PAGE : handle(request)),
    health,
    budget,
    limits: { maxRequestBytes, maxHeaderBytes: MAX_HEADER_BYTES, requestTimeoutMs: REQUEST_TIMEOUT_MS },
    clock,
    onError: (error) => logger.error({ err: error }, 'a request failed'),
  })
  return {
    url: `http://${urlHost(host)}:${server.port}`,
    health,
    budget,
    serve(next) {
      handle = next
      state = 'serving'
    },
    drain() {
      handle = () => DRAINING
      state = 'draining'
    },
    close: (drainMs) => server.close(drainMs),
  }
}

/** Meant for this machine alone: then its browsers are not to lend web pages a hand (docs/decisions/0010). */
function isPrivate({ data: { host, externalUrl } }: Settings): boolean {
  return isLoopback(host) && externalUrl === undefined
}

/** Browsers say so with every POST that a page makes; programs do not. */
function isFromWebPage({ rawHeaders }: DataRequest): boolean {
  return headerOf(rawHeaders, 'origin') !== undefined
}
