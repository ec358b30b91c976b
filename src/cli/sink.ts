import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Clock, createClock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import { decodeRequest } from '../http/decode.ts'
import { closeNow, listen } from '../http/listen.ts'
import { formatEvent } from '../sink/format-event.ts'
import { SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Arguments, type Command, type Io, textFlag, UsageError } from './command.ts'
import { listenInWords } from './listen-words.ts'
import { NAMESPACE_OPTION } from './resources.ts'
import { registerService, type ServiceName, serviceNameFrom } from './service-registration.ts'
import { untilSignal } from './signals.ts'

const LARGEST_BODY_BYTES = 16 * 2 ** 20

export const sink: Command = {
  usage: `tidings sink [--port 9000] [--status 202] [--delay 0] [--as ksvc/NAME]

A subscriber on loopback that prints each event it gets, and answers as it is told.

  --port PORT      where it listens (9000; 0 takes a free one)
  --status CODES   what it answers, in turn, the last for ever: 503,503,202
  --delay MS       how long it waits before it answers
  --as ksvc/NAME   as long as it runs, it is the Knative Service of that name, which Triggers can name
  -n NS            namespace of that Service (default)
${SERVER_USAGE}`,
  options: {
    ...SERVER_OPTION,
    ...NAMESPACE_OPTION,
    port: { type: 'string' },
    status: { type: 'string' },
    delay: { type: 'string' },
    as: { type: 'string' },
  },
  async run(args, io) {
    const script = {
      statuses: (textFlag(args, 'status') ?? '202').split(',').map((code) => wholeNumber('status', code, 200, 599)),
      delayMs: wholeNumber('delay', textFlag(args, 'delay') ?? '0', 0, 3_600_000),
    }
    const address = { host: '127.0.0.1', port: portFlag(args) }
    const as = textFlag(args, 'as')
    const service = as === undefined ? undefined : serviceNameFrom(args, as)
    const stopped = new AbortController()
    const stopping = untilSignal() // from the start: a signal while it registers releases what is registered
    const server = createServer(createListener(script, io, createClock(), stopped.signal))
    const port = await listenInWords(address, { portFlag: '--port' }, () => listen(server, address))
    const url = `http://127.0.0.1:${port}/`
    io.out(`A subscriber at ${url} prints what it gets. Stop it with Ctrl-C.\n`)
    try {
      if (service) await standInFor(service, url, stopping, args, io)
      else await stopping
      return 0
    } finally {
      stopped.abort()
      await closeNow(server)
    }
  },
}

/** Is the Service until it is told to stop. */
async function standInFor(
  service: ServiceName,
  url: string,
  stopping: Promise<unknown>,
  args: Arguments,
  io: Io,
): Promise<void> {
  const title = `ksvc/${service.name} in namespace ${service.namespace}`
  const release = await registerService(args, io, service, url)
  io.out(`It is ${title}: what is sent to that Service comes here.\n`)
  await stopping
  try {
    await release()
    io.out(`It is ${title} no longer.\n`)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.err(`The server answers no longer: it knows ${title} as long as it runs.\n`)
  }
}

interface Script {
  readonly statuses: readonly number[]
  readonly delayMs: number
}

/** Where what was printed is not being read, an event is answered 503 instead of being kept for printing. */
function createListener({ statuses, delayMs }: Script, io: Io, clock: Clock, stopped: AbortSignal) {
  let answered = 0

  async function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const status = statuses[Math.min(answered, statuses.length - 1)] as number
    const isPrinted = io.offer(`${describe(request.rawHeaders, body, clock.wall())}   answered ${status}\n`)
    if (isPrinted) answered++
    await clock.sleep(delayMs, stopped)
    response.writeHead(isPrinted ? status : 503).end()
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= LARGEST_BODY_BYTES) chunks.push(chunk)
      else request.destroy()
    })
    request.on('end', () => {
      answer(request, response, Buffer.concat(chunks)).catch((error: unknown) => {
        response.destroy()
        if (!stopped.aborted) throw error
      })
    })
  }
}

function describe(rawHeaders: readonly string[], body: Buffer, arrivedAt: number): string {
  try {
    const options = { allowBatch: true, arrivedAt, maxEventBytes: LARGEST_BODY_BYTES }
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
