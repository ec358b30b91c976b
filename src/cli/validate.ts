import { loadPaths } from '../resource/load.ts'
import { formatProblem, type Problem } from '../resource/problems.ts'
import { printable } from '../sink/format-event.ts'
import { type Command, textFlags, UsageError } from './command.ts'

export const validate: Command = {
  usage: `tidings validate -f PATH...

Checks manifests against every rule, without a server. PATH is a file, or a folder with all .yaml, .yml and .json files
below it. Prints one line for each problem:

  FILE:LINE:COLUMN FIELD: MESSAGE

  -f, --file PATH   may be repeated

Exits with 0 when there is no problem, else with 1.
`,
  options: { file: { type: 'string', short: 'f', multiple: true } },
  async run(args, io) {
    const paths = textFlags(args, 'file')
    if (paths.length === 0) throw new UsageError('tidings validate: expected what to check: tidings validate -f PATH')
    const { resources, problems, notices } = await loadPaths(paths)
    for (const notice of notices) io.err(lineOf(notice))
    for (const problem of problems) io.out(lineOf(problem))
    if (problems.length > 0) return 1
    const count = resources.length + notices.length
    if (count === 0) throw new UsageError(`no resources in ${paths.join(', ')}: expected .yaml, .yml or .json files`)
    io.out(count === 1 ? '1 resource is valid\n' : `${count} resources are valid\n`)
    return 0
  },
}

/** One line, whatever a manifest has as its keys. */
function lineOf(problem: Problem): string {
  return `${printable(formatProblem(problem)).replaceAll('\n', ' ')}\n`
}
