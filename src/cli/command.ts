// What a command is, and how it reads its flags.
import type { ParseArgsConfig } from 'node:util'

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** For programs and people: what was asked for. */
  out(text: string): void
  /** The same, for what comes without end: false, and nothing is printed, while the reader is behind. */
  offer(text: string): boolean
  /**
   * The same, for what is long: resolves once more can be taken, so that no more than the reader takes is held. False
   * when the reader is gone: there is nobody to tell, and nothing more to do.
   */
  print(text: string): Promise<boolean>
  /** For people: what went wrong. */
  err(text: string): void
  /** Where somebody sits at a terminal: both its input and its output. */
  terminal(): Terminal | undefined
  /** What comes in, line by line. */
  lines(): AsyncIterable<string>
}

/** The whole screen, until it is closed. */
export interface Terminal {
  rows(): number
  columns(): number
  /** Shows these lines, one a row, cut at its width. */
  draw(lines: readonly string[]): void
  /** Names of keys as they are pressed: `up`, `return`, `q`. Ends when it is closed, or with `ctrl-c`. */
  keys(): AsyncIterable<string>
  close(): void
}

export interface Command {
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Names of the words it takes beside its flags, in order; those in brackets may be left out: `KIND`, `[NAME]`. */
  readonly operands?: readonly string[]
  /** Resolves to the exit code. */
  run(args: Arguments, io: Io): Promise<number>
}

/** A command before it is loaded. */
export interface CommandEntry {
  readonly summary: string
  load(): Promise<Command>
}

export interface Arguments {
  /** As many as the command's `operands` ask for. */
  readonly words: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
}

/** What the user can mend: the text says what happened, why, and what to run next. Exit code 1. */
export class UsageError extends Error {}

/** The value of a flag that takes text. */
export function textFlag({ flags }: Arguments, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

/** The values of a flag that may be given several times. */
export function textFlags({ flags }: Arguments, name: string): readonly string[] {
  const value = flags[name]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

export const JSON_OPTION = { output: { type: 'string', short: 'o' } } as const
export const JSON_USAGE = '  -o, --output json    for programs\n'

/** Whether `-o json` is given; any other form is a UsageError. */
export function isJsonWanted(args: Arguments): boolean {
  const output = textFlag(args, 'output')
  if (output === undefined || output === 'json') return output === 'json'
  throw new UsageError(`-o: expected json, got '${output}'`)
}
