import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { EventingError } from '../core/errors.ts'
import { decodeRequest } from '../http/decode.ts'
import { formatEvent } from '../sink/display.ts'
import { type Arguments, type Command, type Io, textFlag, UsageError } from './command.ts'
import { untilSignal } from './signals.ts'

const LARGEST_BODY_BYTES = 16 * 2 ** 20

export const sink: Command = {
  usage: `tidings sink [--port 9000] [--status 202] [--delay 0]

A subscriber on loopback that prints each event it gets, and answers as it is told.

  --port PORT      where it listens (9000; 0 takes a free one)
  --status CODES   what it answers, in turn, the last for ever: 503,503,202
  --delay MS       how long it waits before it answers
`,
  options: { port: { type: 'string' }, status: { type: 'string' }, delay: { type: 'string' } },
  async run(args, io) {
    const script = {
      statuses: (textFlag(args, 'status') ?? '202').split(',').map((code) => wholeNumber('status', code, 200, 599)),
      delayMs: wholeNumber('delay', textFlag(args, 'delay') ?? '0', 0, 3_600_000),
    }
    const port = portFlag(args)
    const server = createServer(createListener(script, io))
    const listening = await listen(server, port)
    io.out(`A subscriber at http://127.0.0.1:${listening}/ prints what it gets. Stop it with Ctrl-C.\n`)
    await untilSignal()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    return 0
  },
}

interface Script {
  readonly statuses: readonly number[]
  readonly delayMs: number
}

function createListener({ statuses, delayMs }: Script, io: Io) {
  let answered = 0
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= LARGEST_BODY_BYTES) chunks.push(chunk)
      else request.destroy()
    })
    request.on('end', () => {
      const status = statuses[Math.min(answered++, statuses.length - 1)] as number
      io.out(`${describe(request.rawHeaders, Buffer.concat(chunks))}   answered ${status}\n`)
      setTimeout(() => response.writeHead(status).end(), delayMs)
    })
  }
}

function describe(rawHeaders: readonly string[], body: Buffer): string {
  try {
    const options = { allowBatch: true, arrivedAt: Date.now(), maxEventBytes: LARGEST_BODY_BYTES }
    return decodeRequest(rawHeaders, body, options).map(formatEvent).join('')
  } catch (error) {
    if (!(error instanceof EventingError)) throw error
    return `not an event: ${error.message}\n`
  }
}

function portFlag(args: Arguments): number {
  return wholeNumber('port', textFlag(args, 'port') ?? '9000', 0, 65_535)
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`--${flag}: expected a whole number from ${least} to ${most}, got '${text}'`)
}

/** Resolves to the port. */
async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw new UsageError(`port ${port} is taken: choose another with --port`)
    throw error
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
