import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE, UsageError } from './command.ts'
import { NAMESPACE_OPTION, NAMESPACE_USAGE, namespaceFlag, nameWord } from './resources.ts'

export const triggerPause = pauseCommand('pause', 'Holds deliveries of a Trigger: its events wait until it is resumed.')
export const triggerResume = pauseCommand('resume', 'Lets deliveries of a paused Trigger go on where they stopped.')

function pauseCommand(verb: 'pause' | 'resume', what: string): Command {
  return {
    usage: `tidings trigger ${verb} NAME [-n NS] [-o json]

${what}

${NAMESPACE_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
    options: { ...SERVER_OPTION, ...NAMESPACE_OPTION, ...JSON_OPTION },
    operands: ['NAME'],
    async run(args, io) {
      const isJson = isJsonWanted(args)
      const [namespace, name] = [namespaceFlag(args), nameWord(args.words[0] ?? '')]
      const path = `/tidings/v1/triggers/${namespace}/${name}/${verb}`
      const answer = await askServer(args, io, path, { method: 'POST' })
      if (answer.status === 404) {
        throw new UsageError(
          `there is no trigger ${namespace}/${name}\nThose that are there: tidings get triggers -n ${namespace}`,
        )
      }
      const state = fieldsOf(answer, 'a trigger')
      const words =
        verb === 'pause'
          ? `trigger ${namespace}/${name} is paused: its events wait\nResume it with: tidings trigger resume ${name} -n ${namespace}\n`
          : `trigger ${namespace}/${name} is resumed\n`
      io.out(isJson ? `${JSON.stringify(state)}\n` : words)
      return 0
    },
  }
}
