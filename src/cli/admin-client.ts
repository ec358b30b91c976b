// How commands reach a running server: the admin port of --server, else TIDINGS_SERVER, else loopback.
import { isFields } from '../resource/rules.ts'
import type { RuntimeStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, type Io, textFlag, UsageError } from './command.ts'

const DEFAULT_SERVER = 'http://127.0.0.1:8081'
const TIMEOUT_MS = 10_000

export const SERVER_OPTION = { server: { type: 'string' } } as const
export const SERVER_USAGE = `  --server URL      admin port of the server (else TIDINGS_SERVER, else ${DEFAULT_SERVER})\n`

/** Throws a UsageError for everything that keeps it from an answer. */
export async function fetchStatus(args: Arguments, { env }: Io): Promise<RuntimeStatus> {
  const server = serverUrl(args, env)
  const url = new URL('/tidings/v1/status', server)
  const question = 'is that the admin port of a Tidings server?'
  let response: Response
  let text: string
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    text = await response.text()
  } catch {
    throw new UsageError(
      `no server answers at ${server}\nStart one with: tidings serve -f DIR   or name another with --server URL`,
    )
  }
  if (!response.ok) throw new UsageError(`${url} answered ${response.status}: ${question}`)
  const status = parseStatus(text)
  if (!status) throw new UsageError(`${url} answered with something else than a status: ${question}`)
  return status
}

function serverUrl(args: Arguments, env: Io['env']): string {
  const flag = textFlag(args, 'server')
  const server = flag ?? env['TIDINGS_SERVER'] ?? DEFAULT_SERVER
  if (/^https?:\/\//i.test(server) && URL.canParse(server)) return server
  const withScheme = `http://${server}`
  const example = !server.includes('://') && URL.canParse(withScheme) ? withScheme : DEFAULT_SERVER
  const origin = flag === undefined ? 'TIDINGS_SERVER' : '--server'
  throw new UsageError(`${origin}: expected a URL such as ${example}, got '${printable(server)}'`)
}

/** Undefined when it is none. Looks no further than what tells a status from other JSON. */
function parseStatus(text: string): RuntimeStatus | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const isStatus =
    isFields(value) && [value['brokers'], value['triggers'], value['problems']].every((list) => Array.isArray(list))
  return isStatus ? (value as unknown as RuntimeStatus) : undefined
}
