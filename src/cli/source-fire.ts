import { groupsOf } from '../resource/kind.ts'
import { knownKinds } from '../resource/known-kinds.ts'
import { textAt } from '../resource/rules.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import {
  type Arguments,
  type Command,
  type Io,
  isJsonWanted,
  JSON_OPTION,
  JSON_USAGE,
  textFlag,
  UsageError,
} from './command.ts'
import { findObject, NAMESPACE_OPTION, NAMESPACE_USAGE, namespaceFlag, nameWord } from './resources.ts'

const KINDS = ['PingSource', 'CronJobSource']

export const sourceFire: Command = {
  usage: `tidings source fire NAME [-n NS] [--kind PingSource|CronJobSource] [-o json]

Emits one event of a source on a schedule now; its schedule goes on as it is.

  --kind KIND          needed only where sources of both kinds have that name
${NAMESPACE_USAGE}${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...NAMESPACE_OPTION, ...JSON_OPTION, kind: { type: 'string' } },
  operands: ['NAME'],
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const [namespace, name] = [namespaceFlag(args), nameWord(args.words[0] ?? '')]
    const kind = kindFlag(args) ?? (await findSourceKind(args, io, namespace, name))
    const path = `/tidings/v1/sources/${kind}/${namespace}/${name}/fire`
    const fired = fieldsOf(await askServer(args, io, path, { method: 'POST' }), 'an event')
    const [id, sink] = [textAt(fired, ['eventId']), textAt(fired, ['sink'])]
    io.out(
      isJson
        ? `${JSON.stringify(fired)}\n`
        : printable(`${kind} ${namespace}/${name} emitted event ${id} to ${sink}\n`),
    )
    return 0
  },
}

function kindFlag(args: Arguments): string | undefined {
  const given = textFlag(args, 'kind')
  if (given === undefined || KINDS.includes(given)) return given
  throw new UsageError(`--kind: expected ${KINDS.join(' or ')}, got '${printable(given)}'`)
}

async function findSourceKind(args: Arguments, io: Io, namespace: string, name: string): Promise<string> {
  const found: string[] = []
  for (const kind of knownKinds) {
    if (!KINDS.includes(kind.kind)) continue
    if (await findObject(args, io, { kind, groups: groupsOf(kind) }, namespace, name)) found.push(kind.kind)
  }
  const [only, other] = found
  if (only === undefined) {
    const lists = KINDS.map((kind) => `tidings get ${kind.toLowerCase()}s -n ${namespace}`).join('   or ')
    throw new UsageError(`there is no PingSource or CronJobSource ${namespace}/${name}\nThose that are there: ${lists}`)
  }
  if (other === undefined) return only
  throw new UsageError(`there are a ${only} and a ${other} ${namespace}/${name}: choose with --kind ${only}`)
}
