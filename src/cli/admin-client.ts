// How commands reach a running server: the admin port of --server, else TIDINGS_SERVER, else loopback.
import type { RuntimeStatus } from '../runtime/status.ts'
import { type Arguments, type Io, textFlag, UsageError } from './command.ts'

const DEFAULT_SERVER = 'http://127.0.0.1:8081'
const TIMEOUT_MS = 10_000

export const SERVER_OPTION = { server: { type: 'string' } } as const
export const SERVER_USAGE = `  --server URL      admin port of the server (else TIDINGS_SERVER, else ${DEFAULT_SERVER})\n`

export async function fetchStatus(args: Arguments, { env }: Io): Promise<RuntimeStatus> {
  const server = textFlag(args, 'server') ?? env['TIDINGS_SERVER'] ?? DEFAULT_SERVER
  if (!URL.canParse(server)) throw new UsageError(`--server: expected a URL such as ${DEFAULT_SERVER}, got '${server}'`)
  const url = new URL('/tidings/v1/status', server)
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch {
    throw new UsageError(
      `no server answers at ${server}\nStart one with: tidings serve -f DIR   or name another with --server URL`,
    )
  }
  if (!response.ok)
    throw new UsageError(`${url} answered ${response.status}: is that the admin port of a Tidings server?`)
  return (await response.json()) as RuntimeStatus
}
