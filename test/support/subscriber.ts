// A real HTTP server on a free port that records what it gets and answers by script.
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'

export interface ReceivedRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What to do with one request. */
export type Reaction =
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Buffer
    }
  /** Never answers. */
  | 'hang'
  /** Sends the head and the first byte of a 200, then nothing more. */
  | 'hang-in-body'
  /** A 200 whose body never ends. */
  | 'flood'
  /** Closes the connection without an answer. */
  | 'reset'

/** The nth request gets the nth reaction, the last one repeats; or a function decides (`index` is 0 for the first). */
export type Script =
  | Reaction
  | readonly Reaction[]
  | ((request: ReceivedRequest, index: number) => Reaction | Promise<Reaction>)

export interface Subscriber extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or https with a `tls` option; without a slash at the end. */
  readonly url: string
  readonly port: number
  /** In order of arrival, each once its body was read. */
  readonly requests: readonly ReceivedRequest[]
  /** Connections opened so far. */
  readonly connections: number
  /** Requests whose connection went away before they were answered. */
  readonly abandoned: number
  /** Replaces the script, from the next request on. */
  script(script: Script): void
  /** Resolves once at least this many requests were recorded. */
  received(count: number): Promise<void>
  /** Resolves once at least this many requests were abandoned. */
  sawAbandoned(count: number): Promise<void>
  /** Cuts every connection, answered or not. */
  close(): Promise<void>
}

export interface SubscriberOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** Answers 202 without a body unless the script says otherwise. */
export async function startSubscriber(
  script: Script = { status: 202 },
  { port = 0, tls }: SubscriberOptions = {},
): Promise<Subscriber> {
  const requests: ReceivedRequest[] = []
  const waiting = new Set<() => void>()
  let current = script
  let begun = 0
  let connections = 0
  let abandoned = 0

  const listener: RequestListener = (request, response) => {
    response.once('close', () => {
      if (response.writableFinished) return
      abandoned++
      wake(waiting)
    })
    respond(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await readRequest(request)
    const index = begun++
    requests.push(received)
    wake(waiting)
    react(response, await nextReaction(current, received, index))
  }
  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) await new Promise<void>((resolve) => waiting.add(resolve))
  }

  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.on('connection', () => connections++)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address')

  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    get connections() {
      return connections
    },
    get abandoned() {
      return abandoned
    },
    script: (next) => {
      current = next
      begun = 0
    },
    received: (count) => until(() => requests.length >= count),
    sawAbandoned: (count) => until(() => abandoned >= count),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(chunks),
  }
}

function nextReaction(script: Script, request: ReceivedRequest, index: number): Reaction | Promise<Reaction> {
  if (typeof script === 'function') return script(request, index)
  if (!isList(script)) return script
  const reaction = script[Math.min(index, script.length - 1)]
  if (reaction === undefined) throw new Error('a script needs at least one reaction')
  return reaction
}

function isList(script: Reaction | readonly Reaction[]): script is readonly Reaction[] {
  return Array.isArray(script)
}

const FLOOD = Buffer.alloc(65_536)

function react(response: ServerResponse, reaction: Reaction): void {
  if (reaction === 'hang') return
  if (reaction === 'reset') {
    response.destroy()
    return
  }
  if (reaction === 'hang-in-body') {
    response.writeHead(200, { 'content-length': '2' })
    response.write('x')
    return
  }
  if (reaction === 'flood') {
    const more = (): boolean => response.write(FLOOD)
    response.on('drain', more)
    more()
    return
  }
  response.writeHead(reaction.status, reaction.headers)
  response.end(reaction.body)
}

function wake(waiting: Set<() => void>): void {
  const due = [...waiting]
  waiting.clear()
  for (const resolve of due) resolve()
}
