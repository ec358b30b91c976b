import { textAt } from '../resource/rules.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'

export const cancel: Command = {
  usage: `tidings cancel ID [-o json]

Ends a replay or a redrive that goes on: what it has not handed out yet is not handed out, what it has stays delivered.
tidings status shows which go on.

${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...JSON_OPTION },
  operands: ['ID'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [id = ''] = args.words
    if (!/^\w+$/.test(id)) throw new UsageError(`expected the id of a replay or redrive, got '${printable(id)}'`)
    const answer = await askServer(args, io, `/tidings/v1/reruns/${id}/cancel`, { method: 'POST' })
    if (answer.status === 404) {
      throw new UsageError(`there is no replay or redrive ${id}\nThose that go on: tidings status`)
    }
    const cancelled = fieldsOf(answer, 'a replay or redrive')
    io.out(
      isJson
        ? `${JSON.stringify(cancelled)}\n`
        : `${printable(textAt(cancelled, ['kind']) ?? '')} ${id} is cancelled\n`,
    )
    return 0
  },
}
