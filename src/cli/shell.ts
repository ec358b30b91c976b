import { printable } from '../sink/format-event.ts'

/**
 * A word of a command that is printed for people to run: what came from outside, an event's id say, must not be more than
 * a word to their shell. Control characters and line ends are
 * replaced: where there are some, it is not the word that was meant.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text)
    ? text
    : `'${printable(text).replace(/\s/g, ' ').replaceAll("'", `'\\''`)}'`
}
