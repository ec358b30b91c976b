// The --config file: settings as YAML, each with the place where it stands. Which settings there are and what is valid
// is settings.ts.
import { formatProblem, type Path, problemAt } from '../resource/problems.ts'
import { isFields } from '../resource/rules.ts'
import { parseYaml, type YamlDocument } from '../resource/yaml.ts'

/** YAML with the settings' names as nested keys, or dotted as `tidings serve --help` lists them. */
export interface ConfigFile {
  readonly name: string
  readonly text: string
}

/** Where the value of a setting came from. */
export interface Origin {
  /** The value as it was given there. */
  readonly value: unknown
  /** `flag --port`, `environment TIDINGS_DATA_PORT`, `tidings.yaml:3:5` or `default`. */
  readonly from: string
}

export const NO_SUCH_SETTING = 'there is no such setting; `tidings serve --help` lists them'

/** What a file gives of the settings in `names`, and a line for everything in it that is none. Never throws. */
export function readConfigFile(
  file: ConfigFile | undefined,
  names: ReadonlySet<string>,
): { readonly given: ReadonlyMap<string, Origin>; readonly problems: readonly string[] } {
  const given = new Map<string, Origin>()
  if (!file) return { given, problems: [] }
  const { documents, problems } = parseYaml(file.text, file.name)
  const found = problems.map(formatProblem)
  const [document, second] = documents
  if (document) readKeys(document, file.name, names, given, found)
  if (second) {
    const place = { file: file.name, ...second.positionOf([]) }
    found.push(formatProblem(problemAt(place, { paths: [[]], message: 'expected one document' })))
  }
  return { given, problems: found }
}

function readKeys(
  document: YamlDocument,
  file: string,
  names: ReadonlySet<string>,
  given: Map<string, Origin>,
  problems: string[],
): void {
  const read = (value: unknown, path: readonly string[]): void => {
    const name = path.join('.')
    const place = { file, ...document.positionOf(path) }
    const refuse = (message: string): void => {
      problems.push(formatProblem(problemAt(place, { paths: [name.split('.').filter(Boolean)], message })))
    }
    if (value === null) return
    if (names.has(name)) {
      if (given.has(name)) return refuse(`set twice, first at ${given.get(name)?.from}`)
      given.set(name, { value, from: `${file}:${place.line}:${place.column}` })
      return
    }
    const known = keysBelow(path, names)
    if (known.length === 0) return refuse(NO_SUCH_SETTING)
    if (!isFields(value)) return refuse(`expected a map with ${known.join(', ')}`)
    for (const [key, inner] of Object.entries(value)) read(inner, [...path, key])
  }
  read(document.value, [])
}

/** Names of the settings and groups directly below a group; none when there is no such group. */
function keysBelow(path: Path, names: ReadonlySet<string>): readonly string[] {
  const prefix = path.map((part) => `${part}.`).join('')
  const below = [...names].filter((name) => name.startsWith(prefix))
  return [...new Set(below.map((name) => name.slice(prefix.length).replace(/\..*/, '')))]
}
