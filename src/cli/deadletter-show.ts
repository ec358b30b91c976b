import { createClock } from '../core/clock.ts'
import type { Letter } from '../runtime/dead-letters.ts'
import { formatEvent, printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, LONG_TIMEOUT_MS, SERVER_OPTION, SERVER_USAGE, unexpected } from './admin-client.ts'
import { formatAge } from './age.ts'
import { type Arguments, type Command, type Io, isJsonWanted, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'
import { flagsFor, LETTER_OPTIONS, LETTER_USAGE, type LetterFields, letterFlags, letterQuery } from './letter-flags.ts'
import { titleOf } from './resources.ts'
import { shellWord } from './shell.ts'

export const deadletterShow: Command = {
  usage: `tidings deadletter show EVENT_ID [--trigger NAME] [--broker NAME] [-n NS | -A] [-o json]

An event that nobody took: what it is, whom it failed for and why. If it failed for several, it is shown for each.

${LETTER_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...LETTER_OPTIONS, ...JSON_OPTION },
  operands: ['EVENT_ID'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [id = ''] = args.words
    const fields = { ...letterFlags(args), ids: [id] }
    const letters = await fetchLetters(args, io, fields)
    if (letters.length === 0) throw new UsageError(missing(fields, id))
    io.out(isJson ? `${JSON.stringify({ letters }, undefined, 2)}\n` : letters.map(formatLetter).join('\n'))
    return 0
  },
}

async function fetchLetters(args: Arguments, io: Io, fields: LetterFields): Promise<readonly Letter[]> {
  const path = `/tidings/v1/deadletters/letters?${letterQuery(fields)}`
  const answer = await askServer(args, io, path, { timeoutMs: LONG_TIMEOUT_MS })
  const { letters } = fieldsOf(answer, 'dead letters')
  if (!Array.isArray(letters)) throw unexpected(answer, 'dead letters')
  return letters
}

function missing({ namespace }: LetterFields, id: string): string {
  const where = namespace === undefined ? '' : ` of namespace ${namespace}`
  return `no event ${printable(id)} waits in a dead-letter log${where}: it never failed, or it was redriven or discarded
Those that wait: tidings deadletter list -A   One that is still in its broker's log: tidings event show ${shellWord(id)}`
}

/** The event as it was, then what became of it. */
function formatLetter({ attributes, dataBase64, log, reader, code, destination, text, keptAt }: Letter): string {
  const original = Object.entries(attributes).filter(([name]) => !/^(knativeerror|tidingstrigger)/.test(name))
  const event = formatEvent({
    attributes: Object.fromEntries(original),
    data: dataBase64 === null ? undefined : Buffer.from(dataBase64, 'base64'),
    headers: [],
    arrivedAt: 0,
  })
  const age = formatAge(keptAt, createClock().wall())
  const said = text.trim() === '' ? ' nothing' : `:\n  ${text.trim().replace(/\r?\n/g, '\n  ')}`
  return `${event}${printable(`failed for ${titleOf(reader)}, and waits in the dead-letter log of ${titleOf(log)} since ${keptAt} (${age})
${code} from ${destination}, which said${said}
Deliver it again: tidings deadletter redrive ${flagsFor(reader)} --id ${shellWord(attributes['id'] ?? '')}
`)}`
}
