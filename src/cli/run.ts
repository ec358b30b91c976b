// The command line: finds the command, reads its flags, turns errors into words and an exit code. One file per command;
// each is loaded only when it is used.
import { parseArgs } from 'node:util'
import { EventingError } from '../core/errors.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, type Command, type CommandEntry, type Io, UsageError } from './command.ts'

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: { summary: 'run what manifests say, and follow them', load: async () => (await import('./serve.ts')).serve },
  status: {
    summary: 'what came, what went, what waits, what fails',
    load: async () => (await import('./status.ts')).status,
  },
  validate: {
    summary: 'check manifests, without a server',
    load: async () => (await import('./validate.ts')).validate,
  },
  get: { summary: 'resources of a kind, in columns', load: async () => (await import('./get.ts')).get },
  describe: {
    summary: 'one resource: what is wrong first',
    load: async () => (await import('./describe.ts')).describe,
  },
  'event send': { summary: 'send an event to a broker', load: async () => (await import('./event-send.ts')).eventSend },
  'event show': { summary: 'one event, and who got it', load: async () => (await import('./event-show.ts')).eventShow },
  why: { summary: 'why an event arrived, or did not', load: async () => (await import('./why.ts')).why },
  tail: { summary: 'what goes on at a broker, as it happens', load: async () => (await import('./tail.ts')).tail },
  'trigger pause': {
    summary: 'let the events of a trigger wait',
    load: async () => (await import('./trigger-pause.ts')).triggerPause,
  },
  'trigger resume': {
    summary: 'deliver them again',
    load: async () => (await import('./trigger-pause.ts')).triggerResume,
  },
  'trigger replay': {
    summary: 'hand a trigger once more what its log has',
    load: async () => (await import('./trigger-replay.ts')).triggerReplay,
  },
  'trigger skip': {
    summary: 'have a trigger do without what waits for it',
    load: async () => (await import('./trigger-skip.ts')).triggerSkip,
  },
  'deadletter list': {
    summary: 'events that nobody took, by cause',
    load: async () => (await import('./deadletter-list.ts')).deadletterList,
  },
  'deadletter show': {
    summary: 'one of them, and why',
    load: async () => (await import('./deadletter-show.ts')).deadletterShow,
  },
  'deadletter redrive': {
    summary: 'deliver them again',
    load: async () => (await import('./deadletter-redrive.ts')).deadletterRedrive,
  },
  'deadletter discard': {
    summary: 'do without them',
    load: async () => (await import('./deadletter-discard.ts')).deadletterDiscard,
  },
  cancel: {
    summary: 'end a replay or redrive that goes on',
    load: async () => (await import('./cancel.ts')).cancel,
  },
  'source fire': {
    summary: 'one event of a source on a schedule, now',
    load: async () => (await import('./source-fire.ts')).sourceFire,
  },
  sink: { summary: 'a subscriber that prints what it gets', load: async () => (await import('./sink.ts')).sink },
  'filter test': {
    summary: 'whether an event passes, without a server',
    load: async () => (await import('./filter-test.ts')).filterTest,
  },
  'cron next': { summary: 'when a schedule fires', load: async () => (await import('./cron-next.ts')).cronNext },
  'log backup': {
    summary: 'a copy of a data directory, in use or not',
    load: async () => (await import('./log-backup.ts')).logBackup,
  },
  'log dump': {
    summary: 'the events in a data directory, one a line',
    load: async () => (await import('./log-dump.ts')).logDump,
  },
  'log verify': {
    summary: 'whether a data directory has all that it should',
    load: async () => (await import('./log-verify.ts')).logVerify,
  },
  settings: {
    summary: 'the effective settings of the server',
    load: async () => (await import('./settings.ts')).settings,
  },
  completion: {
    summary: 'commands and flags for a shell',
    load: async () => (await import('./completion.ts')).completionOf(COMMANDS),
  },
  version: { summary: 'the version of this program', load: async () => (await import('./version.ts')).version },
}

export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const name = Object.keys(COMMANDS).find((each) => each.split(' ').every((word, i) => argv[i] === word))
  if (name === undefined) return explainCommands(argv, io)
  const command = await (COMMANDS[name] as CommandEntry).load()
  const rest = argv.slice(name.split(' ').length)
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(command.usage)
    return 0
  }
  try {
    return await command.run(readArguments(name, command, rest), io)
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof EventingError)) throw error
    io.err(`${error.message}\n`)
    return 1
  }
}

function readArguments(name: string, command: Command, rest: readonly string[]): Arguments {
  const { options, operands = [] } = command
  const { flags, words } = parseWords(name, options, rest)
  const seeHelp = `See: tidings ${name} --help`
  const missing = operands[words.length]
  if (missing !== undefined && !missing.startsWith('[')) {
    throw new UsageError(`tidings ${name}: expected ${operands.join(' ')}\n${seeHelp}`)
  }
  const extra = words[operands.length]
  if (extra === undefined) return { flags, words }
  const instead = 'file' in options ? `; each manifest is given with -f: tidings ${name} -f ${printable(extra)}` : ''
  throw new UsageError(`tidings ${name}: unexpected '${printable(extra)}'${instead}\n${seeHelp}`)
}

function parseWords(name: string, options: Command['options'], rest: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...rest], options, allowPositionals: true })
    return { flags: values, words: positionals }
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\. To specify a positional.*$/s, '') : String(error)
    throw new UsageError(`tidings ${name}: ${printable(reason)}\nSee: tidings ${name} --help`)
  }
}

function explainCommands(argv: readonly string[], io: Io): number {
  const asked = argv[0]
  const isHelp = asked === undefined || asked === 'help' || asked === '--help' || asked === '-h'
  const widest = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const list = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(widest)}   ${summary}`)
  const usage = `tidings: events in, matched, delivered\n\n${list.join('\n')}\n\nEach takes --help.\n`
  if (isHelp) {
    io.out(usage)
    return asked === undefined ? 1 : 0
  }
  const below = list.filter((line) => line.startsWith(`  ${asked} `))
  io.err(
    below.length > 0
      ? `tidings ${asked}: expected one of these\n\n${below.join('\n')}\n\nEach takes --help.\n`
      : `tidings: there is no command '${printable(argv.join(' ').slice(0, 64))}'\n\n${usage}`,
  )
  return 1
}
