import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { backupDirectory } from '../channel/backends/disk/backup.ts'
import { nodeDisk, readOnlyDisk } from '../channel/backends/disk/disk.ts'
import type { Report } from '../channel/backends/disk/report.ts'
import { createClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { bytesText } from './bytes.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'
import { readInWords } from './data-words.ts'
import { formatProblems, oneLine, reportJson } from './log-report.ts'

export const logBackup: Command = {
  usage: `tidings log backup DIR TO [--force] [-o json]

Copies a data directory, in use or not, to a folder that is empty or not there yet. The copy is a data directory itself: it
holds every event that was accepted before the command, how far each Trigger was, and what else the directory keeps. It is on
the disk, and was read again to its end, when the command exits with 0.

To restore: stop the server, move the copy to the place of its data directory, start it.

  --force              replace an earlier copy in TO
${JSON_USAGE}`,
  options: { ...JSON_OPTION, force: { type: 'boolean' } },
  operands: ['DIR', 'TO'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [dir = '', to = ''] = args.words
    await refuseWithin(dir, to)
    const disk = nodeDisk()
    const options = {
      from: readOnlyDisk(),
      dir,
      disk,
      to,
      replaces: args.flags['force'] === true,
      clock: createClock(),
    }
    const report = await readInWords(() => backupDirectory(options)).catch((error: unknown) => {
      if (codeOf(error) !== 'LOG_CONFLICT' || !(error instanceof Error)) throw error
      throw new UsageError(
        `${error.message}\nName a folder that is empty or not there, or replace an earlier copy: --force`,
      )
    })
    await io.print(isJson ? reportJson(report) : formatCopy(report))
    return report.problems.length === 0 ? 0 : 1
  },
}

/** A copy within what is copied would be gone with it. */
async function refuseWithin(dir: string, to: string): Promise<void> {
  const from = await realPathOf(dir)
  const target = await realPathOf(to)
  if (target !== from && !target.startsWith(`${from}${path.sep}`)) return
  throw new UsageError(`${oneLine(to)}: it is within ${oneLine(dir)}; name a folder elsewhere, best on another disk`)
}

/** Of a folder that may not be there yet. */
async function realPathOf(folder: string): Promise<string> {
  const full = path.resolve(folder)
  if (full === path.dirname(full)) return full
  return realpath(full).catch(async () => path.join(await realPathOf(path.dirname(full)), path.basename(full)))
}

function formatCopy(report: Report): string {
  const { dir, journal, backlog, logs, problems } = report
  const entries = logs.reduce((sum, log) => sum + log.entries, 0)
  const files = journal.files + backlog.files
  const copied = `${oneLine(dir)}: ${bytesText(journal.bytes + backlog.bytes)} in ${files} ${files === 1 ? 'file' : 'files'}`
  const held = `${entries} ${entries === 1 ? 'event' : 'events'} of ${logs.length} ${logs.length === 1 ? 'log' : 'logs'}`
  const words = `${copied}, ${held}\n`
  return problems.length === 0 ? words : `${words}It is a copy of what is damaged.\n${formatProblems(report)}`
}
