// How commands reach a running server: the admin port of --server, else TIDINGS_SERVER, else loopback.
import type { ReadableStream } from 'node:stream/web'
import { type Fields, isFields, textAt } from '../resource/rules.ts'
import type { RuntimeStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, type Io, textFlag, UsageError } from './command.ts'

const DEFAULT_SERVER = 'http://127.0.0.1:8081'
const TIMEOUT_MS = 10_000
/** For what reads a whole log before it answers. */
export const LONG_TIMEOUT_MS = 240_000

export const SERVER_OPTION = { server: { type: 'string' } } as const
export const SERVER_USAGE = `  --server URL      admin port of the server (else TIDINGS_SERVER, else ${DEFAULT_SERVER})\n`

const QUESTION = 'is that the admin port of a Tidings server?'

/** What the server answered, whatever its status. */
export interface Answer {
  readonly url: URL
  readonly status: number
  /** Undefined when it was not JSON. */
  readonly body: unknown
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  readonly timeoutMs?: number
}

/** Throws a UsageError when there is no server to ask. Parts of `path` are the caller's to encode. */
export async function askServer(
  args: Arguments,
  { env }: Pick<Io, 'env'>,
  path: string,
  { method = 'GET', body, timeoutMs = TIMEOUT_MS }: Question = {},
): Promise<Answer> {
  const server = serverUrl(args, env)
  const url = new URL(path, server)
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  try {
    const response = await fetch(url, { method, ...content, signal: AbortSignal.timeout(timeoutMs) })
    return { url, status: response.status, body: parseJson(await response.text()) }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      const seconds = timeoutMs / 1_000
      throw new UsageError(
        `the server at ${server} has not answered within ${seconds} s; what was asked for may still be done\nWhat goes on: tidings status`,
      )
    }
    throw notThere(server)
  }
}

function notThere(server: string): UsageError {
  return new UsageError(
    `no server answers at ${server}\nStart one with: tidings serve -f DIR   or name another with --server URL`,
  )
}

/** An answer without end but the signal's. Throws a UsageError when there is none, with the server's reason when it has one. */
export async function openStream(
  args: Arguments,
  { env }: Pick<Io, 'env'>,
  path: string,
  signal: AbortSignal,
): Promise<ReadableStream> {
  const server = serverUrl(args, env)
  const url = new URL(path, server)
  const response = await fetch(url, { signal }).catch(() => {
    throw notThere(server)
  })
  if (response.ok && response.body) return response.body as ReadableStream
  fieldsOf({ url, status: response.status, body: parseJson(await response.text()) }, 'a stream')
  throw unexpected({ url, status: response.status, body: undefined }, 'a stream')
}

/** Throws a UsageError for everything that keeps it from an answer. */
export async function fetchStatus(args: Arguments, io: Pick<Io, 'env'>): Promise<RuntimeStatus> {
  const answer = await askServer(args, io, '/tidings/v1/status')
  const found = fieldsOf(answer, 'a status')
  if (!isStatus(found)) throw unexpected(answer, 'a status')
  return found
}

/** The fields of an answer that went well. Throws a UsageError for any other, with the server's reason when it has one. */
export function fieldsOf(answer: Answer, expected: string): Fields {
  const { url, status, body } = answer
  if (status < 200 || status > 299) {
    const reason = textAt(body, ['message'])
    throw new UsageError(reason === undefined ? `${url} answered ${status}: ${QUESTION}` : printable(reason))
  }
  if (!isFields(body)) throw unexpected(answer, expected)
  return body
}

/** What to say about an answer that went well and has another form. */
export function unexpected({ url }: Answer, expected: string): UsageError {
  return new UsageError(`${url} answered with something else than ${expected}: ${QUESTION}`)
}

/** Throws a UsageError for what is no URL. */
export function serverUrl(args: Arguments, env: Io['env']): string {
  const flag = textFlag(args, 'server')
  const server = flag ?? env['TIDINGS_SERVER'] ?? DEFAULT_SERVER
  if (/^https?:\/\//i.test(server) && URL.canParse(server)) return server
  const withScheme = `http://${server}`
  const example = !server.includes('://') && URL.canParse(withScheme) ? withScheme : DEFAULT_SERVER
  const origin = flag === undefined ? 'TIDINGS_SERVER' : '--server'
  throw new UsageError(`${origin}: expected a URL such as ${example}, got '${printable(server)}'`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const LISTS = ['brokers', 'triggers', 'channels', 'subscriptions', 'sources', 'reruns', 'problems']

/** Looks no further than what tells a status from other JSON. */
function isStatus(value: Fields): value is Fields & RuntimeStatus {
  return LISTS.every((list) => Array.isArray(value[list]))
}
