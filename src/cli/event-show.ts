import { type Fields, isFields, textAt } from '../resource/rules.ts'
import { formatEvent, printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE, unexpected } from './admin-client.ts'
import { BROKER_OPTION, BROKER_USAGE, brokerFlag, idSegment } from './broker-flag.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'
import { shellWord } from './shell.ts'
import { formatTable } from './table.ts'

export const eventShow: Command = {
  usage: `tidings event show ID [--broker NAME] [-o json]

The events with that id in the log of a Broker, and where each stands with the Triggers that it matches.

${BROKER_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...JSON_OPTION, ...BROKER_OPTION },
  operands: ['ID'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [id = ''] = args.words
    const broker = brokerFlag(args)
    const answer = await askServer(args, io, `/tidings/v1/events/${broker}/${idSegment(id)}`)
    if (answer.status === 404) {
      throw new UsageError(`there is no broker ${broker}\nThose that are there: tidings get brokers -A`)
    }
    const { events } = fieldsOf(answer, 'a list of events')
    if (!Array.isArray(events) || !events.every(isFields)) throw unexpected(answer, 'a list of events')
    if (events.length === 0) {
      throw new UsageError(
        `no event ${printable(id)} is in the log of broker ${broker}: it never came, or it is settled and gone\nWhat came and went: tidings status`,
      )
    }
    io.out(isJson ? `${JSON.stringify({ events }, undefined, 2)}\n` : events.map(formatFound).join('\n'))
    return 0
  },
}

function formatFound(found: Fields): string {
  const { attributes, dataBase64, arrivedAt, position, triggers } = found
  const event = formatEvent({
    attributes: isFields(attributes) ? textsOf(attributes) : {},
    data: typeof dataBase64 === 'string' ? Buffer.from(dataBase64, 'base64') : undefined,
    headers: [],
    arrivedAt: 0,
  })
  const rows = (Array.isArray(triggers) ? triggers : []).map((each) => [
    textAt(each, ['name']) ?? '',
    textAt(each, ['state']) ?? '',
  ])
  const table =
    rows.length === 0 ? 'No trigger that was there when it came matches it.\n' : formatTable(['TRIGGER', 'STATE'], rows)
  const next = rows.some(([, state]) => state === 'kept') ? formatKept(attributes) : ''
  return `${event}${printable(`arrived ${String(arrivedAt)}, position ${String(position)}\n${table}${next}`)}`
}

/** Nobody took it. */
function formatKept(attributes: unknown): string {
  const id = shellWord(textAt(attributes, ['id']) ?? '')
  return `Why it is kept in the dead-letter log, and how to deliver it again: tidings deadletter show ${id} -A\n`
}

function textsOf(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
}
