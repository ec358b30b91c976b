import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { createClock, type Timer } from '../core/clock.ts'
import { isFields, textAt } from '../resource/rules.ts'
import { TAIL_OUTCOMES, type TailLine } from '../runtime/tail.ts'
import type { Why } from '../runtime/why.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, openStream, SERVER_OPTION, SERVER_USAGE, serverUrl } from './admin-client.ts'
import { BROKER_OPTION, BROKER_USAGE, brokerFlag, idSegment } from './broker-flag.ts'
import {
  type Arguments,
  type Command,
  type Io,
  isJsonWanted,
  JSON_OPTION,
  JSON_USAGE,
  type Terminal,
  textFlag,
  UsageError,
} from './command.ts'
import { escapeControls } from './event-json.ts'
import { brokerUrl, post } from './event-send.ts'
import { formatDuration, timeOfDay } from './moments.ts'
import { untilSignal } from './signals.ts'
import { createTailList, type TailAction, type TailList } from './tail-list.ts'
import { whyText } from './why.ts'

const FILTERS = ['type', 'source', 'trigger', 'outcome'] as const

export const tail: Command = {
  usage: `tidings tail [--broker NAME] [--type TYPE] [--source SOURCE] [--trigger NAME] [--outcome OUTCOME] [-o json]

What goes on at a Broker, as it happens: each event with the Triggers that it matches, and each attempt with what came of it.
On a terminal a list, with keys to move, to see why, to send an event again and to open what is known of it; else lines.

${BROKER_USAGE}  --type TYPE          events of this type; * stands for any text
  --source SOURCE      of this source; * likewise
  --trigger NAME       those that this Trigger matches
  --outcome OUTCOME    ${TAIL_OUTCOMES.join(', ')}
  --lines              lines, also on a terminal
${JSON_USAGE}${SERVER_USAGE}
Lines that were missed because this, or what reads it, is slow are counted.
`,
  options: {
    ...SERVER_OPTION,
    ...JSON_OPTION,
    ...BROKER_OPTION,
    type: { type: 'string' },
    source: { type: 'string' },
    trigger: { type: 'string' },
    outcome: { type: 'string' },
    lines: { type: 'boolean' },
  },
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const broker = brokerFlag(args)
    const ending = new AbortController()
    const stream = await openStream(args, io, `/tidings/v1/tail/${broker}?${queryOf(args)}`, ending.signal)
    const terminal = isJson || args.flags['lines'] === true ? undefined : io.terminal()
    try {
      if (terminal) return await showList(args, io, broker, stream, terminal)
      const end = printLines(stream, isJson, io).then(() => {
        if (!ending.signal.aborted) io.err(ENDED)
        return 1
      })
      return await Promise.race([end, untilSignal().then(() => 0)])
    } finally {
      ending.abort()
    }
  },
}

function queryOf(args: Arguments): string {
  const query = new URLSearchParams()
  for (const name of FILTERS) {
    const value = textFlag(args, name)
    if (value !== undefined) query.set(name, value)
  }
  return query.toString()
}

const ENDED = 'the server ended it: is it still running, and the broker still there? Try: tidings status\n'

type Told = TailLine | { readonly dropped: number }

async function* toldBy(stream: ReadableStream): AsyncGenerator<Told> {
  try {
    for await (const text of createInterface({ input: Readable.fromWeb(stream) })) {
      const line: unknown = JSON.parse(text)
      if (isFields(line) && Object.keys(line).length > 0) yield line as unknown as Told
    }
  } catch (error) {
    // The connection has ended, from here or from there, maybe within a line.
    if (![TypeError, DOMException, SyntaxError].some((kind) => error instanceof kind)) throw error
  }
}

async function printLines(stream: ReadableStream, isJson: boolean, io: Io): Promise<void> {
  let missed = 0
  for await (const told of toldBy(stream)) {
    if ('dropped' in told) {
      missed += told.dropped
      continue
    }
    if (
      missed > 0 &&
      io.offer(isJson ? `${JSON.stringify({ dropped: missed })}\n` : `... ${missed} lines were missed\n`)
    )
      missed = 0
    if (!io.offer(isJson ? `${escapeControls(JSON.stringify(told))}\n` : lineText(told))) missed++
  }
}

function lineText({ at, outcome, type, source, id, triggers, to, status, ms, reason, retryInMs }: TailLine): string {
  const about = `${timeOfDay(at)}  ${outcome.padEnd(11)}  ${type}  ${source}  ${id}`
  if (to === undefined)
    return printed(`${about}  ${triggers.length === 0 ? 'no trigger matches' : triggers.join(', ')}`)
  const details = [
    to === 'dead-letter' && ms !== undefined ? 'dead letter sink' : '',
    status === undefined ? '' : String(status),
    ms === undefined ? '' : `${status === undefined ? 'no answer ' : ''}in ${formatDuration(ms)}`,
    retryInMs === undefined ? '' : `again in ${formatDuration(retryInMs)}`,
    reason ?? '',
  ]
  return printed(`${about}  ${triggers.join(', ')}: ${details.filter((part) => part !== '').join('  ')}`)
}

const printed = (text: string): string => `${printable(text).replaceAll('\n', ' ')}\n`

/** Pictures are drawn no more often than people see. */
const FRAME_MS = 50

async function showList(
  args: Arguments,
  io: Io,
  broker: string,
  stream: ReadableStream,
  terminal: Terminal,
): Promise<number> {
  const list = createTailList(`tidings tail ${broker}`)
  const clock = createClock()
  let frame: Timer | undefined
  const draw = (): void => {
    frame ??= clock.after(FRAME_MS, () => {
      frame = undefined
      terminal.draw(list.render(terminal.rows(), terminal.columns()))
    })
  }
  void readInto(list, stream, draw)
  try {
    draw()
    for await (const key of terminal.keys()) {
      const action = list.press(key)
      if (action?.kind === 'quit') break
      if (action) await act(action, args, io, broker, list)
      draw()
    }
  } finally {
    frame?.cancel()
    terminal.close()
  }
  return 0
}

async function readInto(list: TailList, stream: ReadableStream, changed: () => void): Promise<void> {
  for await (const told of toldBy(stream)) {
    if ('dropped' in told) list.missed(told.dropped)
    else list.add(told)
    changed()
  }
  list.say('the server ended it: is it still running, and the broker still there?   q: quit')
  changed()
}

async function act(
  action: Exclude<TailAction, { kind: 'quit' }>,
  args: Arguments,
  io: Io,
  broker: string,
  list: TailList,
) {
  try {
    if (action.kind === 'details') list.show(await detailsOf(action, args, io, broker))
    else if (action.kind === 'resend') list.say(await sendAgain(action, args, io, broker))
    else list.say(open(new URL(`/tidings/v1/why/${broker}/${idSegment(action.id)}`, serverUrl(args, io.env))))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    list.say(printable(error.message).replaceAll('\n', ' '))
  }
}

interface Chosen {
  readonly id: string
  readonly source: string
}

async function detailsOf({ id, source }: Chosen, args: Arguments, io: Io, broker: string): Promise<string> {
  const answer = await askServer(args, io, `/tidings/v1/why/${broker}/${idSegment(id)}`)
  const found = fieldsOf(answer, 'what became of an event') as unknown as Why
  const events = found.events.filter((event) => event.source === source)
  const text = events.length === 0 ? `nothing is known of event ${id} any more` : whyText({ ...found, events })
  return printable(text)
}

/** As it was, but for its id: it is another event. */
async function sendAgain({ id, source }: Chosen, args: Arguments, io: Io, broker: string): Promise<string> {
  const answer = await askServer(args, io, `/tidings/v1/events/${broker}/${idSegment(id)}`)
  const { events } = fieldsOf(answer, 'a list of events')
  const found = (Array.isArray(events) ? events : []).find(
    (event) => textAt(event, ['attributes', 'source']) === source,
  )
  if (!isFields(found) || !isFields(found['attributes'])) {
    throw new UsageError(`event ${id} is not in the log any more, so it cannot be sent again`)
  }
  const data = textAt(found, ['dataBase64'])
  const attributes = Object.fromEntries(
    Object.entries(found['attributes']).map(([name, value]) => [name, String(value)]),
  )
  const again = randomUUID()
  const { status, text } = await post(await brokerUrl(args, io), {
    attributes: { ...attributes, id: again },
    data: data === undefined ? undefined : Buffer.from(data, 'base64'),
    headers: [],
    arrivedAt: 0,
  })
  if (status >= 200 && status < 300) return `sent again, as event ${again}`
  throw new UsageError(`the broker answered ${status}: ${text.trim()}`)
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', win32: 'explorer' }

/** With the desktop's own program; where there is none, its address is what can be said. */
function open(url: URL): string {
  const opener = spawn(OPENERS[process.platform] ?? 'xdg-open', [url.href], { stdio: 'ignore', detached: true })
  opener.on('error', () => undefined)
  opener.unref()
  return url.href
}
