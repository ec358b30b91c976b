import { readOnlyDisk } from '../channel/backends/disk/disk.ts'
import {
  type DumpedEntry,
  type DumpedRecord,
  dumpEntries,
  dumpRecords,
  type Wanted,
} from '../channel/backends/disk/dump.ts'
import { openView } from '../channel/backends/disk/view.ts'
import { readState } from '../channel/backends/disk/walk.ts'
import { createClock } from '../core/clock.ts'
import { EventingError } from '../core/errors.ts'
import { type Arguments, type Command, type Io, isJsonWanted, JSON_OPTION, textFlag, UsageError } from './command.ts'
import { readInWords } from './data-words.ts'
import { entryJson, entryWords, recordJson, recordWords } from './log-lines.ts'
import { oneLine } from './log-report.ts'

const RANGE_OPTIONS = { from: { type: 'string' }, to: { type: 'string' } } as const

export const logDump: Command = {
  usage: `tidings log dump DIR [--log NAME] [--from POSITION] [--to POSITION] [--raw] [-o json]

Prints the events in a data directory, in use or not, one a line, and changes nothing in it. Those of one log come in the order
in which they were accepted. What cannot be read is said on stderr and passed, and the exit code is 1 then.

  --log NAME           of this log alone, as tidings log verify names it
  --from POSITION      from this position on
  --to POSITION        up to this position
  --raw                every record of every file, needed or not, with FILE:OFFSET; works without a checkpoint
  -o, --output json    an object a line: log, position, time of arrival, and the event as a CloudEvent in JSON
`,
  options: {
    ...JSON_OPTION,
    log: { type: 'string' },
    ...RANGE_OPTIONS,
    raw: { type: 'boolean' },
  },
  operands: ['DIR'],
  async run(args, io) {
    const lines = linesTo(io)
    try {
      await readInWords(() => dump(args, lines))
      await lines.flush()
    } catch (error) {
      // There is nobody to print for any more.
      if (error instanceof ReaderGone) return 0
      throw error
    }
    return lines.hasDamage() ? 1 : 0
  },
}

async function dump(args: Arguments, lines: Lines): Promise<void> {
  const isJson = isJsonWanted(args)
  const isRaw = args.flags['raw'] === true
  const range = rangeFlags(args)
  const [dir = ''] = args.words
  const disk = readOnlyDisk()
  const clock = createClock()
  const view = await openView(disk, dir, clock).catch((error: unknown) => {
    if (isRaw && error instanceof EventingError && error.code === 'LOG_CORRUPT') return undefined
    throw error
  })
  try {
    const state = view && (await readState(view))
    const names = new Map([...(state?.logs.values() ?? [])].map(({ number, name }) => [number, name]))
    const wanted = { ...range, log: wantedLog(args, names) }
    const nameOf = (log: number): string => names.get(log) ?? `#${log}`
    const { damaged } = lines
    if (isRaw) {
      const words = isJson ? recordJson : recordWords
      const found = (record: DumpedRecord): Promise<void> | void => lines.add(words(record, nameOf))
      await dumpRecords(disk, dir, wanted, { found, damaged }, clock)
    } else if (view && state) {
      const words = isJson ? entryJson : entryWords
      const found = (entry: DumpedEntry): Promise<void> | void => lines.add(words(entry, nameOf))
      await dumpEntries(view, state, wanted, { found, damaged })
    }
  } finally {
    await view?.close()
  }
}

function rangeFlags(args: Arguments): Pick<Wanted, keyof typeof RANGE_OPTIONS> {
  return Object.fromEntries(Object.keys(RANGE_OPTIONS).map((name) => [name, positionFlag(args, name)]))
}

function positionFlag(args: Arguments, name: string): number | undefined {
  const text = textFlag(args, name)
  if (text === undefined) return undefined
  const position = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(position)) return position
  throw new UsageError(`--${name}: expected a position such as 0 or 1204, got '${oneLine(text)}'`)
}

function wantedLog(args: Arguments, names: ReadonlyMap<number, string>): number | undefined {
  const wanted = textFlag(args, 'log')
  if (wanted === undefined) return undefined
  for (const [number, name] of names) if (name === wanted) return number
  const known = names.size === 0 ? 'none' : [...names.values()].sort().join(', ')
  throw new UsageError(`there is no log '${oneLine(wanted)}'\nThose that are there: ${oneLine(known)}`)
}

/** Whoever read what is printed has gone. */
class ReaderGone extends Error {}

interface Lines {
  /** Waits while the reader is behind. Throws ReaderGone. */
  add(line: string): void | Promise<void>
  flush(): Promise<void>
  damaged(file: string, damage: { readonly from: number; readonly to: number }): void
  hasDamage(): boolean
}

/** Printed together: a write for each line would cost more than all else. */
const PRINTED_CHARACTERS = 65_536

function linesTo(io: Io): Lines {
  let text = ''
  let hasDamage = false

  async function flush(): Promise<void> {
    const printed = text
    text = ''
    if (printed !== '' && !(await io.print(printed))) throw new ReaderGone()
  }

  return {
    add(line) {
      text += `${line}\n`
      return text.length < PRINTED_CHARACTERS ? undefined : flush()
    },
    flush,
    damaged(file, { from, to }) {
      hasDamage = true
      io.err(`${oneLine(`${file}:${from}: damaged up to ${to}`)}\n`)
    },
    hasDamage: () => hasDamage,
  }
}
