import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Clock, createClock } from '../core/clock.ts'
import type { Event } from '../core/event.ts'
import { encodeBinary } from '../http/encode.ts'
import { printable } from '../sink/format-event.ts'
import { fetchStatus, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Arguments, type Command, type Io, textFlag, textFlags, UsageError } from './command.ts'

const TIMEOUT_MS = 30_000

export const eventSend: Command = {
  usage: `tidings event send [--type TYPE] [--data TEXT] ...

Sends one event to a broker and says what the broker answered.

  --broker NAME     namespace/name of the broker, or its name in namespace default (default/default)
  --url URL         send here instead of to a broker of the server
  --type TYPE       (com.example.hello)
  --source SOURCE   (/tidings/cli)
  --id ID           (a new uuid)
  --subject TEXT
  --data TEXT       the data; its content type is JSON when it parses as JSON, else text
  --data-file FILE  the data from a file
  --content-type T  media type of the data
  --ext NAME=VALUE  an extension attribute; may be repeated
${SERVER_USAGE}`,
  options: {
    ...SERVER_OPTION,
    broker: { type: 'string' },
    url: { type: 'string' },
    type: { type: 'string' },
    source: { type: 'string' },
    id: { type: 'string' },
    subject: { type: 'string' },
    data: { type: 'string' },
    'data-file': { type: 'string' },
    'content-type': { type: 'string' },
    ext: { type: 'string', multiple: true },
  },
  async run(args, io) {
    const event = await eventFrom(args, createClock())
    const url = textFlag(args, 'url') ?? (await brokerUrl(args, io))
    const answer = await post(url, event)
    const { type, id } = event.attributes
    if (answer.status >= 200 && answer.status < 300) {
      io.out(`${answer.status}: ${url} took event ${id} of type ${type}\n`)
      return 0
    }
    const reason = printable(answer.text.trim()) || 'no reason given'
    throw new UsageError(`${answer.status}: ${url} refused event ${id}: ${reason}`)
  },
}

async function eventFrom(args: Arguments, clock: Clock): Promise<Event> {
  const data = await dataFrom(args)
  const contentType = contentTypeFrom(args) ?? (data && guessContentType(data))
  const subject = textFlag(args, 'subject')
  return {
    attributes: {
      specversion: '1.0',
      id: textFlag(args, 'id') ?? randomUUID(),
      source: textFlag(args, 'source') ?? '/tidings/cli',
      type: textFlag(args, 'type') ?? 'com.example.hello',
      time: new Date(clock.wall()).toISOString(),
      ...(subject !== undefined && { subject }),
      ...(contentType !== undefined && { datacontenttype: contentType }),
      ...Object.fromEntries(textFlags(args, 'ext').map(extension)),
    },
    data,
    headers: [],
    arrivedAt: 0,
  }
}

async function dataFrom(args: Arguments): Promise<Buffer | undefined> {
  const file = textFlag(args, 'data-file')
  const text = textFlag(args, 'data')
  if (file !== undefined && text !== undefined) throw new UsageError('expected one of --data and --data-file, got both')
  if (file === undefined) return text === undefined ? undefined : Buffer.from(text)
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`--data-file ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Goes into a header as it is, unlike attributes, which are encoded. */
function contentTypeFrom(args: Arguments): string | undefined {
  const given = textFlag(args, 'content-type')
  if (given === undefined || /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(given)) return given
  throw new UsageError(`--content-type: expected a media type such as application/json, got ${JSON.stringify(given)}`)
}

function guessContentType(data: Buffer): string {
  try {
    JSON.parse(data.toString())
    return 'application/json'
  } catch {
    return 'text/plain'
  }
}

function extension(text: string): [string, string] {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at < 1 || !/^[a-z0-9]+$/.test(name))
    throw new UsageError(`--ext: expected name=value with a name of a-z and 0-9, got '${text}'`)
  return [name, text.slice(at + 1)]
}

/** Of the broker that the flags name. */
export async function brokerUrl(args: Arguments, io: Io): Promise<string> {
  const wanted = textFlag(args, 'broker') ?? 'default/default'
  const name = wanted.includes('/') ? wanted : `default/${wanted}`
  const { brokers, problems } = await fetchStatus(args, io)
  const broker = brokers.find((each) => `${each.namespace}/${each.name}` === name)
  if (broker) return broker.url
  const problem = problems.find((each) => each.startsWith(`Broker ${name}: `))
  if (problem !== undefined) throw new UsageError(problem)
  const known = brokers.map((each) => `${each.namespace}/${each.name}`).join(', ')
  throw new UsageError(`no broker ${name}; there are: ${known}`)
}

/** Throws a UsageError when nobody answers. */
export async function post(url: string, event: Event): Promise<{ status: number; text: string }> {
  const flat = encodeBinary(event)
  const headers = new Headers()
  for (let i = 0; i + 1 < flat.length; i += 2) headers.append(flat[i] as string, flat[i + 1] as string)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: event.data ?? null,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new UsageError(`cannot send to ${url}: ${cause}\nIs it running? Try: tidings status`)
  }
}
