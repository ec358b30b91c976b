// The subscribers and dead letter sinks of a storm, in the process that survives: what comes in is noted before it is
// answered, and each answers as its reader does.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Random } from '../support/random.ts'
import type { Run } from './attempts.ts'
import type { Ledger } from './ledger.ts'
import { MENDED, type Reaction, type Reader } from './readers.ts'

export interface Subscribers extends AsyncDisposable {
  readonly url: string
  /** Another address of the same, which can go away. */
  readonly awayUrl: string
  setAway(isAway: boolean): Promise<void>
}

export interface SubscribersOptions {
  readonly ledger: Ledger
  readonly random: Random
  readonly readers: () => readonly Reader[]
  /** Whether that reader which is mended now and then is broken. */
  readonly isBroken: () => boolean
  /** The process that connects now. */
  readonly run: () => Run
}

const SINK: Reaction = { status: 202 }
const BROKEN: Reaction = { status: 500 }

export async function startSubscribers({
  ledger,
  random,
  readers,
  isBroken,
  run,
}: SubscribersOptions): Promise<Subscribers> {
  /** What a process that is dead had sent may be read after the next one has begun. */
  const runs = new WeakMap<Socket, Run>()
  const server = await listening(createServer(onRequest), 0)
  const port = portOf(server)
  let away = await listening(createServer(onRequest), 0)
  const awayPort = portOf(away)
  track(server)
  track(away)

  function track(one: Server): void {
    one.on('connection', (socket) => runs.set(socket, run()))
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => onEvent(request, Buffer.concat(chunks), response))
    request.on('error', () => undefined)
    response.on('error', () => undefined)
  }

  function reactionOf(reader: Reader | undefined): Reaction {
    if (reader?.name === MENDED && isBroken()) return BROKEN
    return reader ? reader.react(random) : SINK
  }

  function onEvent(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const place = (request.url ?? '').slice(1)
    const id = String(request.headers['ce-id'])
    const replay = request.headers['ce-tidingsreplay']
    const by = runs.get(request.socket) ?? run()
    const attempt = ledger.arrive(place, id, by, body, replay === undefined ? undefined : String(replay))
    const reader = readers().find(({ name }) => name === place)
    const { status, delayMs = 0, replies = false } = reactionOf(reader)
    const reply = replies && reader?.repliesTo ? ledger.reply(place, id, reader.repliesTo) : undefined

    response.on('close', () => {
      if (attempt && attempt.answeredAt === undefined) attempt.givenUpAt = performance.now()
    })

    function answer(): void {
      if (response.destroyed) return
      if (attempt) {
        attempt.answeredAt = performance.now()
        attempt.isTaken = status < 300
      }
      if (reply) {
        response.writeHead(status, { ...headersOf(reply.id, reply.type), 'content-length': reply.body.length })
        response.end(reply.body)
      } else {
        response.writeHead(status, { 'content-length': 0 }).end()
      }
    }
    if (delayMs > 0) setTimeout(answer, delayMs)
    else answer()
  }

  return {
    url: `http://127.0.0.1:${port}`,
    awayUrl: `http://127.0.0.1:${awayPort}`,
    async setAway(isAway) {
      if (isAway === !away.listening) return
      if (isAway) return closed(away)
      away = await listening(createServer(onRequest), awayPort)
      track(away)
    },
    async [Symbol.asyncDispose]() {
      await closed(server)
      await closed(away)
    },
  }
}

export function headersOf(id: string, type: string): Record<string, string> {
  return { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/crash', 'ce-type': type, 'content-type': 'text/plain' }
}

async function listening(server: Server, port: number): Promise<Server> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
  return address.port
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return
  const done = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await done
}
