// Scripts that teach a shell our commands and flags. They hold what the command table says when they are printed, and
// nothing that a user typed; they never call us back.
import { knownKinds } from '../resource/known-kinds.ts'
import { printable } from '../sink/format-event.ts'
import { type Command, type CommandEntry, UsageError } from './command.ts'
import { qualifiedNameOf } from './resources.ts'

const SHELLS: Readonly<Record<string, (commands: readonly Completed[]) => string>> = { bash, zsh, fish }

export function completionOf(table: Readonly<Record<string, CommandEntry>>): Command {
  return {
    usage: `tidings completion bash|zsh|fish

Prints a script that completes commands and flags. To load it:

  bash   source <(tidings completion bash)
  zsh    source <(tidings completion zsh)
  fish   tidings completion fish | source
`,
    options: {},
    operands: ['bash|zsh|fish'],
    async run({ words: [shell = ''] }, io) {
      const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
      if (!script) {
        const known = Object.keys(SHELLS).join(', ')
        throw new UsageError(`there is no completion for '${printable(shell)}'; expected one of ${known}`)
      }
      io.out(script(await Promise.all(Object.entries(table).map(([name, entry]) => completed(name, entry)))))
      return 0
    },
  }
}

/** What one command can be completed with. */
interface Completed {
  /** One or two words. */
  readonly name: string
  readonly summary: string
  /** With their dashes. */
  readonly flags: readonly string[]
  /** What its first operand can be, where that is known beforehand. */
  readonly words: readonly string[]
}

async function completed(name: string, { summary, load }: CommandEntry): Promise<Completed> {
  const { options, operands = [] } = await load()
  const flags = Object.entries(options).flatMap(([flag, { short }]) => [`--${flag}`, ...(short ? [`-${short}`] : [])])
  return {
    name,
    summary,
    flags: [...flags, '--help'],
    words: wordsFor(operands[0]),
  }
}

function wordsFor(operand: string | undefined): readonly string[] {
  if (operand === 'KIND') return knownKinds.map(qualifiedNameOf)
  return operand?.includes('|') ? operand.split('|') : []
}

function bash(commands: readonly Completed[]): string {
  return `# tidings completion for bash
_tidings() {
  local choices=''
  case "$COMP_CWORD:\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${cases(commands)}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _tidings tidings
`
}

function zsh(commands: readonly Completed[]): string {
  return `#compdef tidings
# tidings completion for zsh
_tidings() {
  local choices=''
  case "$((CURRENT - 1)):\${words[2]} \${words[3]}" in
${cases(commands)}
  esac
  compadd -- \${=choices}
}
compdef _tidings tidings
`
}

/** Lines of a `case` over `position:first second`, the same in both shells. */
function cases(commands: readonly Completed[]): string {
  const firsts = firstWords(commands)
  const groups = firsts.filter((first) => commands.some(({ name }) => name.startsWith(`${first} `)))
  const lines = [
    `1:*) choices='${firsts.join(' ')}' ;;`,
    ...groups.map((first) => `2:'${first} '*) choices='${secondWords(commands, first).join(' ')}' ;;`),
    ...commands.map(({ name, flags, words }) => {
      const pattern = name.includes(' ') ? `*:'${name}'` : `*:'${name} '*`
      return `${pattern}) choices='${[...words, ...flags].join(' ')}' ;;`
    }),
  ]
  return lines.map((line) => `    ${line}`).join('\n')
}

function fish(commands: readonly Completed[]): string {
  const firsts = firstWords(commands).map((first) => {
    const summary = commands.find(({ name }) => name === first)?.summary ?? secondWords(commands, first).join(', ')
    return `complete -c tidings -n __fish_use_subcommand -a ${first} -d '${summary}'`
  })
  const others = commands.flatMap(({ name, summary, flags, words }) => {
    const [first = '', second] = name.split(' ')
    const isFirst = `__fish_seen_subcommand_from ${first}`
    const siblings = secondWords(commands, first).join(' ')
    const condition = second === undefined ? isFirst : `${isFirst}; and __fish_seen_subcommand_from ${second}`
    const choose = `complete -c tidings -n '${isFirst}; and not __fish_seen_subcommand_from ${siblings}'`
    return [
      ...(second === undefined ? [] : [`${choose} -a ${second} -d '${summary}'`]),
      ...(words.length === 0 ? [] : [`complete -c tidings -n '${condition}' -a '${words.join(' ')}'`]),
      ...flags.map((flag) => `complete -c tidings -n '${condition}' ${fishFlag(flag)}`),
    ]
  })
  return `${['# tidings completion for fish', 'complete -c tidings -f', ...firsts, ...others].join('\n')}\n`
}

function fishFlag(flag: string): string {
  return flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
}

function firstWords(commands: readonly Completed[]): readonly string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))]
}

function secondWords(commands: readonly Completed[], first: string): readonly string[] {
  return commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []))
}
