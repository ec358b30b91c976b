import { isFields, textAt } from '../resource/rules.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE, unexpected } from './admin-client.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE } from './command.ts'
import { formatTable } from './table.ts'

export const settings: Command = {
  usage: `tidings settings [-o json]

The effective settings of the server, where each came from, and whether a change of it is taken up without a restart.

${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...JSON_OPTION },
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const answer = await askServer(args, io, '/tidings/v1/settings')
    const { settings: all } = fieldsOf(answer, 'settings')
    if (!Array.isArray(all) || !all.every(isFields)) throw unexpected(answer, 'settings')
    const rows = all.map((each) => [
      textAt(each, ['name']) ?? '',
      shownValue(each['value']),
      textAt(each, ['origin']) ?? '',
      each['reloads'] === true ? 'yes' : 'no',
    ])
    const header = ['NAME', 'VALUE', 'ORIGIN', 'RELOADS']
    io.out(isJson ? `${JSON.stringify({ settings: all }, undefined, 2)}\n` : printable(formatTable(header, rows)))
    return 0
  },
}

function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '-'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
