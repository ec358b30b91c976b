// The data port: requests in, whole bodies in memory, answers out. It bounds what a request may cost (bytes, time) before
// anything looks at it, and answers for itself what no event needs: probes, OPTIONS, wrong methods. What a path means is
// decided by the `handle` it is given.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { headerOf } from './headers.ts'
import { listen } from './listen.ts'

export interface DataRequest {
  readonly method: string
  /** As sent, without the query. */
  readonly path: string
  /** The Host header; empty when there was none. */
  readonly host: string
  /** Name, value, name, value: one character per byte. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface Answer {
  readonly status: number
  /** One line for people, sent as text/plain. */
  readonly text?: string
  readonly retryAfterS?: number
  /** Name, value, name, value. */
  readonly headers?: readonly string[]
}

export interface Health {
  live(): boolean
  /** `text` says what is being waited for. */
  ready(): { readonly ok: boolean; readonly text: string }
}

export interface DataServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Called with POST requests whose body is complete. A rejection is answered with 500. */
  readonly handle: (request: DataRequest) => Answer | Promise<Answer>
  readonly health: Health
  /** Bodies are charged to it from their first byte until their request is answered. */
  readonly budget: Budget
  readonly limits: DataServerLimits
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface DataServerLimits {
  /** Bound of one body; design.md's default is 16 MiB. */
  readonly maxRequestBytes: number
  /** Bound of all headers of a request; design.md's default is 32 KiB. */
  readonly maxHeaderBytes: number
  /** Bound of reading one whole request; upstream's is 10 s. */
  readonly requestTimeoutMs: number
}

export interface DataServer {
  readonly port: number
  /**
   * From now on probes say 503 and no connection is kept. Resolves when every request in hand is answered; those that
   * are not within `drainMs` are cut off. Until half of that time it goes on listening while requests come, for clients
   * that have not heard of it. Idle, it resolves at once.
   */
  close(drainMs: number): Promise<void>
}

const ALLOW = ['Allow', 'POST, OPTIONS']
const NO_TEXT_HEADERS = [...ALLOW, 'Content-Length', '0']
/** Long enough for proxies, which keep connections for about a minute. */
const KEEP_ALIVE_MS = 75_000
/** How long bytes that nobody wants are read and dropped, so that their sender gets to read why. */
const LINGER_MS = 1_000
/** Node's code for a request that was not read whole within `requestTimeoutMs`. */
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'

const OK: Answer = { status: 200 }
/** The web-hook handshake, for any path: nothing is found out by it. */
const HANDSHAKE: Answer = { status: 200, headers: ['WebHook-Allowed-Origin', '*', 'WebHook-Allowed-Rate', '*'] }
const WRONG_METHOD: Answer = { status: 405, text: 'expected POST: events are sent to /{namespace}/{broker}' }
const ENCODED: Answer = { status: 400, text: 'Content-Encoding is not accepted: send the body as it is' }
const NO_ROOM: Answer = { status: 503, text: 'too many events are in hand: send the event again later', retryAfterS: 1 }
const FAILED: Answer = { status: 500, text: 'the request failed here: the log of the broker says why' }

interface ServerState {
  readonly options: DataServerOptions
  draining: boolean
  /** Connections with a request that is not answered yet. */
  readonly inHand: Set<Duplex>
  /** Called when the last of them is. */
  onIdle: (() => void) | undefined
  /** Answers of this turn of the event loop. */
  ready: { readonly response: ServerResponse; readonly answer: Answer }[]
}

/** Listens; resolves when it does. Rejects with node's error when the address cannot be had. */
export async function startServer(options: DataServerOptions): Promise<DataServer> {
  const { limits } = options
  const state: ServerState = { options, draining: false, inHand: new Set(), onIdle: undefined, ready: [] }
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      // How often node looks for requests that take too long: its own 30 s would make 40 s of 10 s.
      connectionsCheckingInterval: Math.ceil(limits.requestTimeoutMs / 10),
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => receive(state, request, response),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseConnection(state, error, socket))
  const port = await listen(server, options)
  server.on('error', options.onError)
  return { port, close: (drainMs) => drain(state, server, drainMs) }
}

async function drain(state: ServerState, server: Server, drainMs: number): Promise<void> {
  state.draining = true
  await idle(state, drainMs / 2)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await idle(state, drainMs / 2)
  // What is left has no request in hand, or had its time.
  server.closeAllConnections()
  await closed
}

/** Resolves when no request is in hand, or after `ms`. */
function idle(state: ServerState, ms: number): Promise<void> {
  if (state.inHand.size === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = state.options.clock.after(ms, done)
    state.onIdle = done
    function done(): void {
      timer.cancel()
      state.onIdle = undefined
      resolve()
    }
  })
}

function receive(state: ServerState, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  state.inHand.add(socket)
  let breakOff: (() => void) | undefined
  // Answered, or its connection is gone. The one listener for both: every event's request has it.
  response.on('close', () => {
    breakOff?.()
    state.inHand.delete(socket)
    if (state.inHand.size === 0) state.onIdle?.()
  })
  const path = pathOf(request.url ?? '')
  const answer = answerUnread(state, request, path)
  if (answer) send(state, response, answer)
  else breakOff = readBody(state, request, response, path)
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** The answer to what needs no body; undefined for a request that may hold an event. */
function answerUnread(state: ServerState, { method, rawHeaders }: IncomingMessage, path: string): Answer | undefined {
  const { health } = state.options
  const isReading = method === 'GET' || method === 'HEAD'
  if (isReading && path === '/healthz') return probeAnswer(state, { ok: health.live(), text: 'not alive' })
  if ((isReading && path === '/readyz') || isProbe(rawHeaders)) return probeAnswer(state, health.ready())
  if (method === 'OPTIONS') return HANDSHAKE
  if (method !== 'POST') return WRONG_METHOD
  const encoding = headerOf(rawHeaders, 'content-encoding')
  return encoding && encoding.toLowerCase() !== 'identity' ? ENCODED : undefined
}

/** The kubelet probes any path with any method: it is known by its name. */
function isProbe(rawHeaders: readonly string[]): boolean {
  return headerOf(rawHeaders, 'user-agent')?.startsWith('kube-probe/') ?? false
}

function probeAnswer({ draining }: ServerState, { ok, text }: { ok: boolean; text: string }): Answer {
  if (draining) return { status: 503, text: 'draining: this server is about to stop' }
  return ok ? OK : { status: 503, text }
}

/** Returns what to call when the request was broken off; it may be called at any time. */
function readBody(
  state: ServerState,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): (() => void) | undefined {
  const { budget, limits } = state.options
  const declaredBytes = Number(headerOf(request.rawHeaders, 'content-length') ?? 0)
  if (declaredBytes > limits.maxRequestBytes) {
    refuseBody(state, request, response)
    return undefined
  }
  if (!budget.hasRoom(declaredBytes)) {
    send(state, response, NO_ROOM)
    return undefined
  }

  const chunks: Buffer[] = []
  let bytes = 0
  let isReading = true
  const giveUp = (): void => {
    isReading = false
    chunks.length = 0
    budget.release(bytes)
  }
  request.on('data', (chunk: Buffer) => {
    // After a refusal the rest is read and dropped, so that the connection can be used again.
    if (!isReading) return
    if (bytes + chunk.length > limits.maxRequestBytes) {
      giveUp()
      refuseBody(state, request, response)
    } else if (budget.hasRoom(chunk.length)) {
      budget.take(chunk.length)
      bytes += chunk.length
      chunks.push(chunk)
    } else {
      giveUp()
      send(state, response, NO_ROOM)
    }
  })
  request.on('end', () => {
    if (!isReading) return
    isReading = false
    const [first] = chunks
    const body = first && chunks.length === 1 ? first : Buffer.concat(chunks, bytes)
    void respond(state, request, response, path, body)
  })
  return () => {
    if (isReading) giveUp()
  }
}

/** Never rejects. */
async function respond(
  state: ServerState,
  { method = '', rawHeaders }: IncomingMessage,
  response: ServerResponse,
  path: string,
  body: Buffer,
): Promise<void> {
  const { handle, budget, onError } = state.options
  let answer = FAILED
  try {
    answer = await handle({ method, path, host: headerOf(rawHeaders, 'host') ?? '', rawHeaders, body })
  } catch (error) {
    onError(error)
  }
  budget.release(body.length)
  sendSoon(state, response, answer)
}

/**
 * Answers that are ready in one turn of the event loop are written together: a peer is woken once for all, not once for
 * each, which is a good part of what a write costs.
 */
function sendSoon(state: ServerState, response: ServerResponse, answer: Answer): void {
  if (state.ready.push({ response, answer }) > 1) return
  setImmediate(() => {
    const ready = state.ready
    state.ready = []
    for (const { response, answer } of ready) send(state, response, answer)
  })
}

function send(state: ServerState, response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return
  const { status, text, retryAfterS, headers } = answer
  // Nearly every answer.
  if (text === undefined && retryAfterS === undefined && headers === undefined && !state.draining) {
    response.writeHead(status, NO_TEXT_HEADERS)
    response.end()
    return
  }
  const body = bodyOf(text)
  const list = [...ALLOW, ...bodyHeaders(body), ...(headers ?? [])]
  if (retryAfterS !== undefined) list.push('Retry-After', String(retryAfterS))
  if (state.draining) list.push('Connection', 'close')
  response.writeHead(status, list)
  response.end(body)
}

function bodyOf(text: string | undefined): string {
  return text === undefined ? '' : `${text}\n`
}

function bodyHeaders(body: string): string[] {
  const length = ['Content-Length', String(Buffer.byteLength(body))]
  return body === '' ? length : ['Content-Type', 'text/plain; charset=utf-8', ...length]
}

/**
 * Answers 413 and closes the connection. The whole answer is written, its end held back until the sender stops or
 * LINGER_MS passed: a connection closed on bytes unread is reset, which can take the answer from its reader.
 */
function refuseBody({ options }: ServerState, request: IncomingMessage, response: ServerResponse): void {
  const body = bodyOf(
    `the body has more than ${options.limits.maxRequestBytes} bytes: send it in parts, or a reference`,
  )
  response.writeHead(413, [...ALLOW, ...bodyHeaders(body), 'Connection', 'close'])
  response.write(body)
  const end = (): void => {
    timer.cancel()
    response.end()
  }
  const timer = options.clock.after(LINGER_MS, end)
  request.once('close', end)
  request.resume()
}

/** Answers what never became a request, or took too long to: written by hand, as there is no response object. */
function refuseConnection({ options, inHand }: ServerState, error: NodeJS.ErrnoException, socket: Duplex): void {
  // An answer to another request may be on its way: this one would be taken for it.
  if (!socket.writable || (inHand.has(socket) && error.code !== TOO_SLOW)) {
    socket.destroy()
    return
  }
  const [status, text] = refusalOf(error, options.limits)
  const body = bodyOf(text)
  const headers = [...ALLOW, ...bodyHeaders(body), 'Connection', 'close']
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []))
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  options.clock.after(LINGER_MS, () => socket.destroy())
}

/** Status line and text for what node found wrong. */
function refusalOf({ code }: NodeJS.ErrnoException, limits: DataServerLimits): readonly [status: string, text: string] {
  switch (code) {
    case TOO_SLOW:
      return ['408 Request Timeout', `the request took more than ${limits.requestTimeoutMs} ms: send it faster`]
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', `the headers have more than ${limits.maxHeaderBytes} bytes`]
    default:
      return ['400 Bad Request', 'not HTTP/1.1']
  }
}
