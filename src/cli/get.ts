import { createClock } from '../core/clock.ts'
import { valuesAt } from '../resource/json-path.ts'
import type { Column, Kind } from '../resource/kind.ts'
import { type Fields, textAt } from '../resource/rules.ts'
import { formatYaml } from '../resource/yaml.ts'
import { printable } from '../sink/format-event.ts'
import { SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { formatAge } from './age.ts'
import { type Command, textFlag, UsageError } from './command.ts'
import {
  fetchList,
  fetchObject,
  findKindByName,
  NAMESPACE_OPTION,
  NAMESPACE_USAGE,
  namespaceFlag,
  nameWord,
} from './resources.ts'
import { formatTable } from './table.ts'

const OUTPUTS = ['wide', 'json', 'yaml', 'name']

export const get: Command = {
  usage: `tidings get KIND [NAME] [-n NS] [-A] [-o wide|json|yaml|name]

What is applied, in the columns that kubectl prints. KIND is a plural, singular, kind or short name: triggers, trigger,
Trigger, ksvc; with its group where two have the same: services.serving.knative.dev.

${NAMESPACE_USAGE}  -A, --all-namespaces of all namespaces
  -o, --output FORM    wide (as without), json, yaml, or name
${SERVER_USAGE}`,
  options: {
    ...SERVER_OPTION,
    ...NAMESPACE_OPTION,
    'all-namespaces': { type: 'boolean', short: 'A' },
    output: { type: 'string', short: 'o' },
  },
  operands: ['KIND', '[NAME]'],
  async run(args, io) {
    const [kindName = '', name] = args.words
    const output = textFlag(args, 'output') ?? 'wide'
    if (!OUTPUTS.includes(output)) throw new UsageError(`-o: expected one of ${OUTPUTS.join(', ')}, got '${output}'`)
    const wanted = findKindByName(kindName)
    const isOfAll = args.flags['all-namespaces'] === true
    if (isOfAll && name !== undefined) throw new UsageError('-A shows all of a kind: give a NAME or -A, not both')
    const namespace = namespaceFlag(args)
    if (name !== undefined) {
      const object = await fetchObject(args, io, wanted, namespace, nameWord(name))
      io.out(format(output, wanted.kind, object, [object], false))
      return 0
    }
    const list = await fetchList(args, io, wanted, isOfAll ? undefined : namespace)
    if (list.items.length === 0 && (output === 'wide' || output === 'name')) {
      const isOfOne = wanted.kind.isNamespaced && !isOfAll
      io.err(isOfOne ? `No resources found in ${namespace} namespace.\n` : 'No resources found\n')
      return 0
    }
    io.out(format(output, wanted.kind, list, list.items, isOfAll && wanted.kind.isNamespaced))
    return 0
  },
}

/** `whole` is what was asked for, one object or a list; `items` are the objects in it. */
function format(output: string, kind: Kind, whole: Fields, items: readonly Fields[], withNamespaces: boolean): string {
  switch (output) {
    case 'json':
      return `${JSON.stringify(whole, undefined, 2)}\n`
    case 'yaml':
      return formatYaml(whole)
    case 'name':
      return printable(formatNames(kind, items))
    default:
      return printable(formatItems(kind, items, withNamespaces))
  }
}

function formatNames({ singular, group }: Kind, items: readonly Fields[]): string {
  const prefix = group === '' ? singular : `${singular}.${group}`
  return items.map((item) => `${prefix}/${nameOf(item)}\n`).join('')
}

function formatItems({ columns }: Kind, items: readonly Fields[], withNamespaces: boolean): string {
  const nowMs = createClock().wall()
  const header = [...(withNamespaces ? ['NAMESPACE'] : []), 'NAME', ...columns.map(({ name }) => name.toUpperCase())]
  const rows = items.map((item) => [
    ...(withNamespaces ? [textAt(item, ['metadata', 'namespace']) ?? ''] : []),
    nameOf(item),
    ...columns.map((column) => cellOf(column, item, nowMs)),
  ])
  return formatTable(header, rows)
}

/** Empty when the object has no such field. */
function cellOf({ type, jsonPath }: Column, item: Fields, nowMs: number): string {
  const text = valuesAt(item, jsonPath)
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))
    .join()
    .replace(/\s+/g, ' ')
  return type === 'date' && text !== '' ? formatAge(text, nowMs) : text
}

function nameOf(item: Fields): string {
  return textAt(item, ['metadata', 'name']) ?? ''
}
