// The command line: finds the command, reads its flags, turns errors into words and an exit code. One file per command;
// each is loaded only when it is used.
import { parseArgs } from 'node:util'
import { EventingError } from '../core/errors.ts'
import { printable } from '../sink/format-event.ts'
import { type Arguments, type Command, type Io, UsageError } from './command.ts'

interface Entry {
  readonly summary: string
  load(): Promise<Command>
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: { summary: 'run brokers and triggers from manifests', load: async () => (await import('./serve.ts')).serve },
  status: {
    summary: 'what came, what went, what waits, what fails',
    load: async () => (await import('./status.ts')).status,
  },
  validate: {
    summary: 'check manifests, without a server',
    load: async () => (await import('./validate.ts')).validate,
  },
  'event send': { summary: 'send an event to a broker', load: async () => (await import('./event-send.ts')).eventSend },
  sink: { summary: 'a subscriber that prints what it gets', load: async () => (await import('./sink.ts')).sink },
  version: { summary: 'the version of this program', load: async () => (await import('./version.ts')).version },
}

export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const name = Object.keys(COMMANDS).find((each) => each.split(' ').every((word, i) => argv[i] === word))
  if (name === undefined) return explainCommands(argv, io)
  const command = await (COMMANDS[name] as Entry).load()
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

function readArguments(name: string, { options }: Command, rest: readonly string[]): Arguments {
  const { flags, words } = parseWords(name, options, rest)
  const [word] = words
  if (word === undefined) return { flags }
  const instead = 'file' in options ? `; each manifest is given with -f: tidings ${name} -f ${printable(word)}` : ''
  throw new UsageError(`tidings ${name}: unexpected '${printable(word)}'${instead}\nSee: tidings ${name} --help`)
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
  const list = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  const usage = `tidings: events in, matched, delivered\n\n${list.join('\n')}\n\nEach takes --help.\n`
  if (isHelp) {
    io.out(usage)
    return asked === undefined ? 1 : 0
  }
  io.err(`tidings: there is no command '${argv.join(' ').slice(0, 64)}'\n\n${usage}`)
  return 1
}
