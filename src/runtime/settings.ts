// Settings of the process: each value, and where it came from. Read once, at start, and passed down as plain values; main.ts
// hands in the environment, which no other file reads. What there is to set: settings-schema.ts.
import { EventingError } from '../core/errors.ts'
import { shown } from '../resource/problems.ts'
import { isFields } from '../resource/rules.ts'
import { type ConfigFile, NO_SUCH_SETTING, type Origin, readConfigFile } from './config-file.ts'
import { leaves, type SettingValues, schema } from './settings-schema.ts'

/** Short names of the flags that are typed most; every setting also has its own name as a flag. */
const shortFlags: Readonly<Record<string, string>> = {
  port: 'data.port',
  'admin-port': 'admin.port',
  channel: 'channel.backend',
  'data-dir': 'dataDir',
}

/** Variables that other programs read too. */
const sharedVariables: Readonly<Record<string, string>> = { 'kafka.bootstrapServers': 'KAFKA_BROKERS' }

export type Settings = SettingValues & {
  /** Where each value came from, by name of the setting. */
  readonly origins: ReadonlyMap<string, Origin>
}

export interface SettingSources {
  /** Flag names without dashes, and their values as text; a flag without a value is true. */
  readonly flags?: Readonly<Record<string, string | boolean>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly configFile?: ConfigFile
}

/**
 * The effective settings: flag, else environment, else --config file, else default. Throws SETTING_INVALID with a line
 * for every value that is wrong: where it came from, its name, what was expected.
 */
export function readSettings({ flags = {}, env = {}, configFile }: SettingSources = {}): Settings {
  const file = readConfigFile(configFile, names)
  const fromFlags = readFlags(flags)
  const given = new Map([...file.given, ...readEnvironment(env), ...fromFlags.given])
  const parsed = schema.safeParse(nested(given), { reportInput: true })
  const invalid = (parsed.error?.issues ?? []).map(({ path, input, message }) => {
    const name = path.join('.')
    return `${given.get(name)?.from ?? 'default'} ${name}: invalid value: ${shown(input)}: ${message}`
  })
  const problems = [...fromFlags.problems, ...file.problems, ...invalid, ...contradictions(parsed.data, given)]
  if (!parsed.success || problems.length > 0) throw new EventingError('SETTING_INVALID', problems.join('\n'))
  const isInMemory = parsed.data.ephemeral && !isElsewhere(parsed.data)
  const effective = isInMemory ? { ...parsed.data, channel: inMemory(parsed.data.channel) } : parsed.data
  const origins = leaves.map(({ name, value }): [string, Origin] => [name, originOf(name, value, given)])
  return { ...effective, origins: new Map(origins) }
}

function contradictions(read: SettingValues | undefined, given: ReadonlyMap<string, Origin>): string[] {
  const backend = given.get('channel.backend')
  if (read?.channel.backend === 'kafka' && !read.kafka.bootstrapServers) {
    return [`${backend?.from} channel.backend: kafka needs to know where: set kafka.bootstrapServers, or KAFKA_BROKERS`]
  }
  if (!read?.ephemeral || backend === undefined || read.channel.backend === 'memory' || isElsewhere(read)) return []
  const [ephemeral, other] = [given.get('ephemeral')?.from, `${backend.from} (${read.channel.backend})`]
  return [`${ephemeral} keeps nothing, ${other} keeps events: leave one of them out, or add --channel memory`]
}

/** Nothing need be kept here to find it again. */
function isElsewhere({ channel, installation }: SettingValues): boolean {
  return channel.backend === 'kafka' && installation !== undefined
}

function inMemory(channel: Settings['channel']): Settings['channel'] {
  return { ...channel, backend: 'memory' }
}

/** What is ephemeral is in memory, whether or not somebody says so. */
function originOf(name: string, value: unknown, given: ReadonlyMap<string, Origin>): Origin {
  const ephemeral = given.get('ephemeral')
  const isImplied = name === 'channel.backend' && String(ephemeral?.value) === 'true'
  return (
    given.get(name) ?? (ephemeral && isImplied ? { value: 'memory', from: ephemeral.from } : { value, from: 'default' })
  )
}

export interface SettingDescription {
  readonly name: string
  /** As it was given; undefined when the setting is optional and not set. */
  readonly value: unknown
  readonly from: string
  readonly description: string
  readonly flags: readonly string[]
  readonly variable: string
}

/** Every setting with its effective value, for people and for the command line's parser. */
export function describeSettings({ origins }: Pick<Settings, 'origins'>): readonly SettingDescription[] {
  return leaves.map(({ name, description, value }) => ({
    name,
    description,
    ...(origins.get(name) ?? { value, from: 'default' }),
    flags: flagsOf(name),
    variable: variableOf(name),
  }))
}

const names: ReadonlySet<string> = new Set(leaves.map(({ name }) => name))

function flagsOf(name: string): readonly string[] {
  return [...Object.keys(shortFlags).filter((short) => shortFlags[short] === name), name]
}

/** `data.maxEventBytes` is TIDINGS_DATA_MAX_EVENT_BYTES. */
function variableOf(name: string): string {
  const words = name.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`)
  return `TIDINGS_${words.toUpperCase()}`
}

function readFlags(flags: Readonly<Record<string, string | boolean>>) {
  const given = new Map<string, Origin>()
  const problems: string[] = []
  for (const [flag, value] of Object.entries(flags)) {
    const name = shortFlags[flag] ?? flag
    if (names.has(name)) given.set(name, { value: String(value), from: `flag --${flag}` })
    else problems.push(`flag --${flag}: ${NO_SUCH_SETTING}`)
  }
  return { given, problems }
}

/** An empty variable is as good as none. Others with our prefix are left alone: Kubernetes makes some for each Service. */
function readEnvironment(env: Readonly<Record<string, string | undefined>>): [string, Origin][] {
  return leaves.flatMap(({ name }): [string, Origin][] => {
    const variable = [variableOf(name), sharedVariables[name] ?? ''].find((each) => env[each])
    const value = variable && env[variable]
    return value ? [[name, { value, from: `environment ${variable}` }]] : []
  })
}

/** `{ 'data.port': 1 }` as `{ data: { port: 1 } }`. */
function nested(given: ReadonlyMap<string, Origin>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [name, { value }] of given) {
    const path = name.split('.')
    const last = path.pop() ?? name
    let group = root
    for (const key of path) {
      const inner = group[key]
      const next: Record<string, unknown> = isFields(inner) ? inner : {}
      group[key] = next
      group = next
    }
    group[last] = value
  }
  return root
}
