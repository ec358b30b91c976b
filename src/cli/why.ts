import { isFields } from '../resource/rules.ts'
import type { Why, WhyAttempt, WhyEvent, WhyTrigger } from '../runtime/why.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE, unexpected } from './admin-client.ts'
import { BROKER_OPTION, BROKER_USAGE, brokerFlag, idSegment } from './broker-flag.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, textFlag, UsageError } from './command.ts'
import { escapeControls } from './event-json.ts'
import { missWords } from './miss-words.ts'
import { formatDuration, timeOfDay } from './moments.ts'
import { shellWord } from './shell.ts'

export const why: Command = {
  usage: `tidings why EVENT_ID [--trigger NAME] [--broker NAME] [-o json]

Why an event arrived, or did not: for each Trigger whether it matched and, if not, which condition failed and what would
have passed; then each attempt that is remembered, and where the event is now.

  --trigger NAME       this Trigger only
${BROKER_USAGE}${JSON_USAGE}${SERVER_USAGE}
Filters are asked as they are now. Exits with 1 when nothing is known of the event.
`,
  options: { ...SERVER_OPTION, ...JSON_OPTION, ...BROKER_OPTION, trigger: { type: 'string' } },
  operands: ['EVENT_ID'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [id = ''] = args.words
    const broker = brokerFlag(args)
    const trigger = textFlag(args, 'trigger')
    const query = trigger === undefined ? '' : `?${new URLSearchParams({ trigger })}`
    const answer = await askServer(args, io, `/tidings/v1/why/${broker}/${idSegment(id)}${query}`)
    if (answer.status === 404) {
      throw new UsageError(`there is no broker ${broker}\nThose that are there: tidings get brokers -A`)
    }
    const fields = fieldsOf(answer, 'what became of an event')
    if (!Array.isArray(fields['events']) || !fields['events'].every(isFields)) {
      throw unexpected(answer, 'what became of an event')
    }
    const found = fields as unknown as Why
    if (trigger !== undefined) checkKnown(found, trigger)
    if (found.events.length === 0) throw new UsageError(unknownText(found))
    io.out(isJson ? `${escapeControls(JSON.stringify(found, undefined, 2))}\n` : printable(whyText(found)))
    return 0
  },
}

function checkKnown({ broker, triggers }: Why, trigger: string): void {
  if (triggers.includes(trigger)) return
  const known = triggers.join(', ') || 'none'
  throw new UsageError(`broker ${broker} has no trigger ${printable(trigger)}; there are: ${known}`)
}

function unknownText({ eventId, broker, attemptsSince }: Why): string {
  return [
    `no event ${printable(eventId)} is known to broker ${broker}: it never came, or it is settled and gone from the log, and no attempt at it`,
    `since ${attemptsSince} is remembered. A sender that got a 2xx answer sent it to the address of this broker?`,
    'What came and went: tidings status   How long settled events are kept: the setting retention.time',
  ].join('\n')
}

export function whyText({ broker, eventId, events, attemptsSince }: Why): string {
  return events.map((event) => eventText(event, eventId, broker, attemptsSince)).join('\n')
}

function eventText(event: WhyEvent, id: string, broker: string, attemptsSince: string): string {
  const { source, attributes, arrivedAt, position, triggers, others } = event
  const type = attributes?.['type']
  const about = [type && `type ${type}`, `source ${source}`].filter(Boolean).join(', ')
  const came = arrivedAt === null ? '' : `, arrived ${arrivedAt}`
  const gone =
    position !== null
      ? ''
      : `It is not in the log any more; what follows is what is remembered of attempts since ${attemptsSince}.\n`
  const none = triggers.length === 0 ? 'Broker has no trigger: nobody waits for events.\n' : ''
  return [
    `event ${id} at broker ${broker}: ${about}${came}\n${gone}${none}`,
    ...triggers.map((trigger) => triggerText(trigger, id, broker)),
    ...(others > 0
      ? [`${others} more triggers ${attributes ? 'did not match' : 'left nothing'}; of one of them: --trigger NAME\n`]
      : []),
  ].join('\n')
}

function triggerText(trigger: WhyTrigger, id: string, broker: string): string {
  const { name, misses, attempts } = trigger
  const lines = [`trigger ${name}: ${verdictOf(trigger)}`]
  for (const miss of misses) lines.push(indented(missWords(miss)))
  for (const attempt of attempts) lines.push(`  ${attemptText(attempt)}`)
  lines.push(...nextSteps(trigger, id, broker).map((step) => `  ${step}`))
  return `${lines.join('\n')}\n`
}

function verdictOf(trigger: WhyTrigger): string {
  const { matches, cameLater, state, held, waiting } = trigger
  if (matches === null) return state === null ? 'nothing is known' : `matched; ${state}`
  if (!matches) return state === null ? 'did not match' : `does not match now, but did; ${state}`
  if (cameLater) return 'matches, but the trigger came later than the event'
  if (held !== null && state === 'waiting') return `matched; waiting: ${held}`
  if (state === 'settled')
    return 'matches; settled: how is not remembered, or it was passed by while the filter was another'
  if (state !== 'waiting') return state === null ? 'matches' : `matched; ${state}`
  const due = waiting?.dueAt == null ? '' : `, next at ${timeOfDay(waiting.dueAt)}`
  return `matched; waiting${waiting ? ` after ${waiting.attempts} attempts${due}` : ' for its turn'}`
}

function attemptText({ at, ms, status, to, outcome, reason, retryInMs }: WhyAttempt): string {
  const answer =
    status === null
      ? ms === null
        ? ''
        : `no answer, ${formatDuration(ms)}`
      : `${status} in ${formatDuration(ms ?? 0)}`
  const where = to === 'dead-letter' && ms !== null ? 'dead letter sink' : ''
  const next = retryInMs === null ? '' : `again in ${formatDuration(retryInMs)}`
  const what = outcome === 'failed' ? '' : outcome === 'kept' ? 'kept in the dead-letter log' : outcome
  return [timeOfDay(at), ...[where, answer, what, next, reason ?? ''].filter((part) => part !== '')].join('  ')
}

function nextSteps({ state, name, held }: WhyTrigger, id: string, broker: string): readonly string[] {
  const [namespace] = broker.split('/')
  const flags = namespace === 'default' ? '' : ` -n ${namespace}`
  if (state === 'kept')
    return [
      `it is in the dead-letter log; deliver it again: tidings deadletter redrive --id ${shellWord(id)} --trigger ${name}${flags}`,
    ]
  if (state === 'waiting' && held !== null) return [`why: tidings describe trigger ${name}${flags}`]
  return []
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
