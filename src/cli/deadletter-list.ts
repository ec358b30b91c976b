import { createClock } from '../core/clock.ts'
import type { LetterGroup, LetterListing } from '../runtime/dead-letters.ts'
import type { RuntimeStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import {
  askServer,
  fetchStatus,
  fieldsOf,
  LONG_TIMEOUT_MS,
  SERVER_OPTION,
  SERVER_USAGE,
  unexpected,
} from './admin-client.ts'
import { formatAge } from './age.ts'
import { type Arguments, type Command, type Io, isJsonWanted, JSON_OPTION, JSON_USAGE } from './command.ts'
import {
  flagsFor,
  isNarrowed,
  LETTER_OPTIONS,
  LETTER_USAGE,
  type LetterFields,
  letterFlags,
  letterQuery,
} from './letter-flags.ts'
import { namespaceWords, titleOf } from './resources.ts'
import { shellWord } from './shell.ts'
import { formatTable } from './table.ts'

const MOST_ANSWER = 60
const MOST_TYPES = 2

export const deadletterList: Command = {
  usage: `tidings deadletter list [--trigger NAME] [--broker NAME] [--type TYPE] [--code N] [-n NS | -A] [-o json]

The events that nobody took, neither a subscriber nor a dead letter sink, by the cause that they failed for. They wait
until they are redriven or discarded.

${LETTER_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...LETTER_OPTIONS, ...JSON_OPTION },
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const fields = letterFlags(args)
    const found = await fetchListing(args, io, fields)
    if (isJson) {
      io.out(`${JSON.stringify(found, undefined, 2)}\n`)
      return 0
    }
    const waiting = isNarrowed(fields) ? 0 : waitingOutside(fields.namespace, await fetchStatus(args, io))
    io.out(printable([formatListing(found, fields), formatOthers(waiting)].filter(Boolean).join('\n')))
    return 0
  },
}

async function fetchListing(args: Arguments, io: Io, fields: LetterFields): Promise<LetterListing> {
  const path = `/tidings/v1/deadletters?${letterQuery(fields)}`
  const answer = await askServer(args, io, path, { timeoutMs: LONG_TIMEOUT_MS })
  const found = fieldsOf(answer, 'dead letters')
  if (!Array.isArray(found['groups'])) throw unexpected(answer, 'dead letters')
  return found as unknown as LetterListing
}

function formatListing({ groups, scanned, isComplete }: LetterListing, fields: LetterFields): string {
  const [first] = groups
  const cut = `More wait than one look takes in: it looked at the oldest ${scanned}.\n`
  if (!first) return isComplete ? formatNone(fields) : `None of them is meant. ${cut}`
  const nowMs = createClock().wall()
  const header = ['COUNT', 'FAILED FOR', 'CODE', 'DESTINATION', 'OLDEST', 'NEWEST', 'TYPES', 'ANSWER']
  const table = formatTable(
    header,
    groups.map((group) => groupRow(group, nowMs)),
  )
  return `${table}${isComplete ? '' : `\n${cut}`}\n${formatNext(first)}`
}

function formatNone(fields: LetterFields): string {
  const where = fields.namespace === undefined ? '' : ` of namespace ${fields.namespace}`
  return isNarrowed(fields)
    ? `No such event waits in a dead-letter log${where}.\n`
    : `Nothing waits in a dead-letter log${where}.\n`
}

function groupRow(group: LetterGroup, nowMs: number): readonly string[] {
  const { reader, isReaderThere, code, destination, count, oldestAt, newestAt, types, text } = group
  return [
    String(count),
    isReaderThere ? titleOf(reader) : `${titleOf(reader)} (gone)`,
    code,
    destination,
    formatAge(oldestAt, nowMs),
    formatAge(newestAt, nowMs),
    typesCell(types),
    answerCell(text),
  ]
}

function typesCell(types: LetterGroup['types']): string {
  const shown = types.slice(0, MOST_TYPES).map(({ type, count }) => `${type} (${count})`)
  return [...shown, ...(types.length > MOST_TYPES ? ['…'] : [])].join(', ').replace(/\s+/g, ' ')
}

/** Its first line, as far as a table can have it. */
function answerCell(text: string): string {
  const [line = ''] = text.trim().split(/[\r\n]/)
  return line.length > MOST_ANSWER ? `${line.slice(0, MOST_ANSWER)}…` : line
}

/** What to run for the largest group. */
function formatNext({ reader, isReaderThere, ids }: LetterGroup): string {
  const flags = flagsFor(reader)
  const id = shellWord(ids[0] ?? '')
  return `See one of them:      tidings deadletter show ${id}${namespaceWords(reader.namespace)}
Deliver them again:   ${isReaderThere ? '' : `apply ${titleOf(reader)} again, then `}tidings deadletter redrive ${flags}
Do without them:      tidings deadletter discard ${flags}
`
}

/** How many wait in the logs of other namespaces than this. */
function waitingOutside(namespace: string | undefined, { brokers, channels, sources }: RuntimeStatus): number {
  if (namespace === undefined) return 0
  const others = [...brokers, ...channels, ...sources].filter((each) => each.namespace !== namespace)
  return others.reduce((sum, { deadLetters }) => sum + deadLetters.waiting, 0)
}

function formatOthers(waiting: number): string {
  if (waiting === 0) return ''
  return `${waiting} more ${waiting === 1 ? 'waits' : 'wait'} in other namespaces: tidings deadletter list -A\n`
}
