// Whether events pass filters, without a server: by the code that matches them on their way.
import { readFile } from 'node:fs/promises'
import type { Event } from '../core/event.ts'
import type { CesqlAttributes } from '../filter/cesql/attribute.ts'
import { compileCesql, evaluate } from '../filter/cesql/compile.ts'
import { parseCesql } from '../filter/cesql/parser.ts'
import { checkFilters, compileTriggerFilter, type FilterProblem, type TriggerFilterSpec } from '../filter/dialects.ts'
import { explainFilter } from '../filter/explain.ts'
import { decodeStructured } from '../http/structured.ts'
import { formatPath } from '../resource/problems.ts'
import { type Fields, isFields } from '../resource/rules.ts'
import { parseYaml } from '../resource/yaml.ts'
import type { FilterTrial } from '../runtime/filter-trial.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, LONG_TIMEOUT_MS, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { BROKER_OPTION, brokerFlag } from './broker-flag.ts'
import {
  type Arguments,
  type Command,
  type Io,
  isJsonWanted,
  JSON_OPTION,
  JSON_USAGE,
  textFlag,
  UsageError,
} from './command.ts'
import { escapeControls } from './event-json.ts'
import { missWords } from './miss-words.ts'

export const filterTest: Command = {
  usage: `tidings filter test --filters FILE --event FILE
tidings filter test --filters FILE --against last:N [--broker NAME] [--trigger NAME]
tidings filter test --batch

Whether an event passes, by the code that matches events in a Broker: {"match":true,"error":null}. Why one does not is
said on stderr.

  --filters FILE    a Trigger, or only its filter or filters, or the list of filters: YAML or JSON
  --event FILE      a CloudEvent in the JSON format
  --against last:N  how many of the last N events that a Broker's log still has would pass, and which; asks the server
  --broker NAME     namespace/name of that Broker, or its name in namespace default (default/default)
  --trigger NAME    which of them only one of the two passes: the filters, or this Trigger as it is
  --batch           from standard input, one JSON a line, each answered with one:
                      {"filters":[...],"event":{...}}, or with "filter":{...}: {"match":...,"error":...}
                      {"cesql":"...","event":{...}}: {"result":...,"error":"KIND: TEXT"}
                    KIND is parse, math, cast, missingAttribute, missingFunction or functionEvaluation

${JSON_USAGE}${SERVER_USAGE}
Exits with 1 when filters or event cannot be read; a line of a batch says so in its answer.
`,
  options: {
    ...SERVER_OPTION,
    ...JSON_OPTION,
    ...BROKER_OPTION,
    filters: { type: 'string' },
    event: { type: 'string' },
    against: { type: 'string' },
    trigger: { type: 'string' },
    batch: { type: 'boolean' },
  },
  async run(args, io) {
    const against = textFlag(args, 'against')
    if (against !== undefined) return testAgainst(args, io, lastOf(against))
    if (args.flags['batch'] !== true) return testOne(args, io)
    if (args.flags['filters'] ?? args.flags['event']) {
      throw new UsageError('--batch: takes filters and events from standard input, not from --filters and --event')
    }
    for await (const line of io.lines()) {
      if (line.trim() === '') continue
      if (!(await io.print(`${escapeControls(JSON.stringify(answerTo(line)))}\n`))) return 0
    }
    return 0
  },
}

async function testOne(args: Arguments, io: Io): Promise<number> {
  const spec = await fromFile(args, 'filters', filtersOf)
  const { attributes } = await fromFile(args, 'event', decodeEvent)
  const { matches, misses } = explainFilter(spec, attributes)
  io.out(`${JSON.stringify({ match: matches, error: null })}\n`)
  io.err(misses.map((miss) => printable(missWords(miss))).join(''))
  return 0
}

function lastOf(text: string): number {
  const count = Number(/^last:(\d{1,5})$/.exec(text)?.[1] ?? 0)
  if (count >= 1 && count <= MOST_TRIED) return count
  throw new UsageError(`--against: expected last:N with N from 1 to ${MOST_TRIED}, got '${printable(text)}'`)
}

const MOST_TRIED = 10_000
/** Of those that are told, for people. */
const MOST_SHOWN = 20

async function testAgainst(args: Arguments, io: Io, last: number): Promise<number> {
  const isJson = isJsonWanted(args)
  const broker = brokerFlag(args)
  const trigger = textFlag(args, 'trigger')
  const spec = await fromFile(args, 'filters', filtersOf)
  const body = { ...spec, last, ...(trigger !== undefined && { trigger }) }
  const question = { method: 'POST', body, timeoutMs: LONG_TIMEOUT_MS } as const
  const answer = await askServer(args, io, `/tidings/v1/filters/${broker}`, question)
  const found = fieldsOf(answer, 'what a filter passes') as unknown as FilterTrial
  io.out(isJson ? `${escapeControls(JSON.stringify(found))}\n` : printable(trialText(found, broker, trigger)))
  return 0
}

function trialText(
  { asked, matched, from, to, events }: FilterTrial,
  broker: string,
  trigger: string | undefined,
): string {
  if (asked === 0) return `the log of broker ${broker} has no events\n`
  const head = `${matched} of the last ${asked} events of broker ${broker} match, ${from} to ${to}\n`
  const more = events.filter(({ matches }) => matches).length
  const beside = trigger === undefined ? '' : `beside trigger ${trigger}: ${more} more, ${events.length - more} less\n`
  const shown = events.slice(-MOST_SHOWN).map(({ id, source, type, arrivedAt, matches }) => {
    return `  ${trigger === undefined ? '' : matches ? '+ ' : '- '}${arrivedAt}  ${type}  ${source}  ${id}\n`
  })
  const hidden = events.length - shown.length
  return `${head}${beside}${shown.join('')}${hidden > 0 ? `  and ${hidden} before them; all of them: -o json\n` : ''}`
}

async function fromFile<T>(args: Arguments, flag: 'filters' | 'event', read: (text: string) => T): Promise<T> {
  const file = textFlag(args, flag)
  if (file === undefined) {
    throw new UsageError(
      'tidings filter test: expected --filters FILE and --event FILE or --against last:500, or --batch',
    )
  }
  try {
    return read(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`--${flag} ${printable(file)}: ${printable(messageOf(error))}`)
  }
}

/** Of a Trigger, of what is below its `spec`, or of what is below its `filters`. */
function filtersOf(text: string): TriggerFilterSpec {
  const { documents, problems } = parseYaml(text, '')
  const [problem] = problems
  if (problem) throw new UsageError(`line ${problem.line}: ${problem.message}`)
  if (documents.length !== 1) throw new UsageError(`expected one document, got ${documents.length}`)
  const value = documents[0]?.value
  const spec =
    isFields(value) && isFields(value['spec']) ? value['spec'] : Array.isArray(value) ? { filters: value } : value
  if (!isFields(spec)) throw new UsageError('expected a Trigger, or its filter or filters')
  return checked(spec)
}

/** Fields beside them are a Trigger's other ones. */
function checked({ filter, filters }: Fields): TriggerFilterSpec {
  if (filter === undefined && filters === undefined) throw new UsageError('expected filter or filters')
  const [problem] = checkFilters({ filter, filters })
  if (problem) throw new UsageError(problemText(problem))
  return { filter, filters } as TriggerFilterSpec
}

function problemText({ path, message, details }: FilterProblem): string {
  return `${formatPath(path)}: ${message}${details === undefined ? '' : `: ${details}`}`
}

type LineAnswer =
  | { readonly match: boolean; readonly error: string | null }
  | { readonly result: unknown; readonly error: string | null }

function answerTo(line: string): LineAnswer {
  try {
    const value = parseLine(line)
    if (value['cesql'] !== undefined) return cesqlAnswer(value)
    const spec = checked(value)
    const { attributes } = decodeEvent(JSON.stringify(value['event']))
    return { match: compileTriggerFilter(spec).matches(attributes), error: null }
  } catch (error) {
    return { match: false, error: messageOf(error) }
  }
}

function parseLine(line: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new UsageError('expected one JSON object a line')
  }
  if (!isFields(value) || value['event'] === undefined) {
    throw new UsageError('expected an object with event, and with filters, filter or cesql')
  }
  return value
}

function cesqlAnswer({ cesql, event }: Fields): LineAnswer {
  if (typeof cesql !== 'string') return { result: false, error: 'parse: expected an expression in quotes' }
  let attributes: CesqlAttributes
  try {
    attributes = withTypes(decodeEvent(JSON.stringify(event)), event)
  } catch (error) {
    return { result: false, error: `event: ${messageOf(error)}` }
  }
  try {
    const expression = parseCesql(cesql)
    const { value, error } = evaluate(expression, compileCesql(expression), attributes)
    return { result: value, error: error ? `${error.kind}: ${error.text}` : null }
  } catch (error) {
    return { result: false, error: `parse: ${messageOf(error)}` }
  }
}

/** Integers and booleans, which an event that is sent has as texts, keep their types here, as the specification has it. */
function withTypes({ attributes }: Event, event: unknown): CesqlAttributes {
  const given = isFields(event) ? event : {}
  const typed = Object.entries(attributes).map(([name, text]) => {
    const value = given[name]
    return [name, typeof value === 'boolean' || Number.isInteger(value) ? (value as boolean | number) : text] as const
  })
  return Object.fromEntries(typed)
}

function decodeEvent(text: string): Event {
  return decodeStructured(Buffer.from(text), { headers: [], arrivedAt: 0, maxEventBytes: Number.POSITIVE_INFINITY })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
