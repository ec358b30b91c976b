// What a command is, and how it reads its flags.
import type { ParseArgsConfig } from 'node:util'

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** For programs and people: what was asked for. */
  out(text: string): void
  /** The same, for what comes without end: false, and nothing is printed, while the reader is behind. */
  offer(text: string): boolean
  /** For people: what went wrong. */
  err(text: string): void
}

export interface Command {
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Resolves to the exit code. */
  run(args: Arguments, io: Io): Promise<number>
}

export interface Arguments {
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
