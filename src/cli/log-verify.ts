import { readOnlyDisk } from '../channel/backends/disk/disk.ts'
import { verifyDirectory } from '../channel/backends/disk/verify.ts'
import { createClock } from '../core/clock.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE } from './command.ts'
import { readInWords } from './data-words.ts'
import { formatReport, reportJson } from './log-report.ts'

export const logVerify: Command = {
  usage: `tidings log verify DIR [-o json]

Reads a data directory from end to end, in use or not, and changes nothing in it. Tells what each log holds, how far each
cursor is, and what is damaged or missing, each on a line FILE:OFFSET: WHAT.

Exits with 0 when nothing that was acknowledged can be missing, else with 1.

${JSON_USAGE}`,
  options: { ...JSON_OPTION },
  operands: ['DIR'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const report = await readInWords(() => verifyDirectory(readOnlyDisk(), args.words[0] ?? '', createClock()))
    await io.print(isJson ? reportJson(report) : formatReport(report))
    return report.problems.length === 0 ? 0 : 1
  },
}
