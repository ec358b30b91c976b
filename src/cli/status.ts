import type { BrokerStatus, RuntimeStatus, TriggerStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import { fetchStatus, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Command, textFlag, UsageError } from './command.ts'
import { formatTable } from './table.ts'

export const status: Command = {
  usage: `tidings status [-o json]

Per broker and per trigger: what came, what went, what waits, what fails. Exits with 1 if anything fails.
  broker:  accepted = unmatched + settled + waiting
  trigger: matched = delivered + dead-lettered (to a sink) + kept (in the dead-letter log) + waiting

${SERVER_USAGE}  -o json           for programs
`,
  options: { ...SERVER_OPTION, output: { type: 'string', short: 'o' } },
  async run(args, io) {
    const output = textFlag(args, 'output')
    if (output !== undefined && output !== 'json') throw new UsageError(`-o: expected json, got '${output}'`)
    const found = await fetchStatus(args, io)
    io.out(output === 'json' ? `${JSON.stringify(found, undefined, 2)}\n` : printable(formatStatus(found)))
    return found.problems.length === 0 ? 0 : 1
  },
}

function formatStatus({ brokers, triggers, problems, backend }: RuntimeStatus): string {
  const parts = [
    formatTable(
      ['BROKER', 'ACCEPTED', 'UNMATCHED', 'SETTLED', 'WAITING', 'DEAD-LETTER LOG', `LOG (${backend.toUpperCase()})`],
      brokers.map(brokerRow),
    ),
  ]
  if (triggers.length > 0) {
    const header = ['TRIGGER', 'READY', 'MATCHED', 'DELIVERED', 'DEAD-LETTERED', 'KEPT', 'WAITING', 'BEHIND', 'OLDEST']
    parts.push(formatTable(header, triggers.map(triggerRow)))
  }
  parts.push(
    problems.length === 0 ? 'Nothing fails.\n' : `Needs attention:\n${problems.map((each) => `  ${each}\n`).join('')}`,
  )
  return parts.join('\n')
}

function brokerRow({
  namespace,
  name,
  accepted,
  unmatched,
  settled,
  waiting,
  deadLetters,
  log,
}: BrokerStatus): string[] {
  const full = `${Math.round((100 * log.bytes) / log.capBytes)} % of ${Math.round(log.capBytes / 2 ** 20)} MiB`
  return [`${namespace}/${name}`, ...[accepted, unmatched, settled, waiting, deadLetters.waiting].map(String), full]
}

function triggerRow(trigger: TriggerStatus): string[] {
  const { namespace, name, ready, matched, delivered, deadLettered, kept, waiting, behind, oldestWaiting } = trigger
  const counts = [matched, delivered, deadLettered, kept, waiting, behind].map(String)
  return [`${namespace}/${name}`, ready, ...counts, oldestWaiting ?? '-']
}
