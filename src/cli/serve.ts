import { readFile } from 'node:fs/promises'
import { type HttpServer, startAdminServer, startMetricsServer } from '../api/server.ts'
import { createClock } from '../core/clock.ts'
import { urlHost } from '../http/listen.ts'
import { createLogger, type Logger } from '../observe/logger.ts'
import { formatProblem } from '../resource/problems.ts'
import { openData } from '../runtime/logs.ts'
import { type Runtime, type RuntimeOptions, startRuntime } from '../runtime/runtime.ts'
import { describeSettings, readSettings, type Settings } from '../runtime/settings.ts'
import { type Files, type FilesOptions, openFiles } from '../store/files.ts'
import { createResourceStore } from '../store/resource-store.ts'
import { sharedUid } from '../store/uid.ts'
import { openUids } from '../store/uids.ts'
import { type Arguments, type Command, type Io, textFlag, textFlags, UsageError } from './command.ts'
import { openInWords } from './data-words.ts'
import { listenInWords } from './listen-words.ts'
import { untilSignal } from './signals.ts'

/** Flags of `serve` itself; every setting is a flag too. */
const OWN_OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  config: { type: 'string' },
} as const

export const serve: Command = {
  usage: `tidings serve [-f PATH]... [--port 8080] [--admin-port 8081] [--data-dir DIR] [--config FILE]

Runs the brokers, triggers, channels, subscriptions and sources of manifests, and follows them: what is saved while it
runs is applied, a save with a mistake is told and changes nothing. PATH is a file or a folder.

  -f, --file PATH   manifests; may be repeated
  --port PORT       where events come in (8080; 0 takes a free one)
  --admin-port PORT status, metrics and probes, on loopback (8081)
  --channel NAME    where events are kept: disk (outlives the process), kafka (see --kafka.bootstrapServers), or
                    memory (gone with the process)
  --data-dir DIR    folder for what must survive a restart (.tidings); one process at a time
  --ephemeral       keep nothing: events in memory, no data directory
  --config FILE     settings as YAML

Every setting is a flag by its own name too, and an environment variable:
${settingLines()}`,
  options: { ...OWN_OPTIONS, ...settingOptions() },
  async run(args, io) {
    const settings = await settingsFrom(args, io)
    const logger = createLogger(settings.log.level)
    const clock = createClock()
    const data = await openInWords(() => openData(settings, clock, logger))
    try {
      return await serveUntilSignal({ settings, clock, logger, data }, textFlags(args, 'file'), io)
    } finally {
      await data.close()
    }
  },
}

type Parts = Pick<RuntimeOptions, 'settings' | 'clock' | 'logger' | 'data'>

async function serveUntilSignal(parts: Parts, paths: readonly string[], io: Io): Promise<number> {
  const { settings, clock, logger, data } = parts
  const { admin } = settings
  const { installation } = settings
  const uidFor = (key: string): string => sharedUid(installation ?? '', key)
  const resources = createResourceStore(clock.wall, installation === undefined ? {} : { uidFor })
  const uids = openUids(data.values, resources)
  const follow = await manifestsFrom({ paths, store: resources, clock, logger }, io)
  const stopping = untilSignal() // from the start: a signal while starting stops in order too
  let problems: Files['problems'] = () => []
  const runtime = await listenInWords(settings.data, { portFlag: '--port', hostFlag: '--data.host' }, () =>
    startRuntime({ ...parts, resources, uids, print: io.offer, manifestProblems: () => problems() }),
  )
  const files = follow()
  problems = files.problems
  const servers: HttpServer[] = []
  try {
    const adminServer = await listenInWords(admin, { portFlag: '--admin-port', hostFlag: '--admin.host' }, () =>
      startAdminServer({ ...admin, admin: runtime, logger }),
    )
    servers.push(adminServer)
    const metricsServer = await startMetrics(settings, runtime, logger)
    if (metricsServer) servers.push(metricsServer)
    io.out(await banner(runtime, `http://${urlHost(admin.host)}:${adminServer.port}`))
    logger.info({ signal: await stopping }, 'stopping: running deliveries may end; a second signal forces')
    return 0
  } finally {
    await files.close()
    await runtime.close()
    await Promise.all(servers.map((server) => server.close()))
  }
}

async function settingsFrom(args: Arguments, { env }: Io): Promise<Settings> {
  const file = textFlag(args, 'config')
  const flags: Record<string, string | boolean> = {}
  for (const [name, value] of Object.entries(args.flags)) {
    if (!(name in OWN_OPTIONS) && (typeof value === 'string' || typeof value === 'boolean')) flags[name] = value
  }
  return readSettings({ flags, env, ...(file !== undefined && { configFile: await configFile(file) }) })
}

async function configFile(name: string): Promise<{ name: string; text: string }> {
  try {
    return { name, text: await readFile(name, 'utf8') }
  } catch (error) {
    throw new UsageError(`--config ${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Applies the manifests, or tells what is wrong with them. */
async function manifestsFrom(options: FilesOptions, io: Io): Promise<() => Files> {
  const first = await openFiles(options)
  if (first.kind === 'refused') {
    const problems = first.problems.map(formatProblem).join('\n')
    throw new UsageError(`${problems}\nNothing was started: mend these and run it again.`)
  }
  for (const notice of first.notices) io.err(`${formatProblem(notice)}\n`)
  return () => first.follow()
}

async function startMetrics({ metrics: { host, port } }: Settings, runtime: Runtime, logger: Logger) {
  if (port === undefined) return undefined
  const flags = { portFlag: '--metrics.port', hostFlag: '--metrics.host' }
  return listenInWords({ host, port }, flags, () => startMetricsServer({ host, port, runtime, logger }))
}

/** What somebody needs who just started it: addresses, and what to try. */
async function banner(runtime: Runtime, adminUrl: string): Promise<string> {
  const { dataUrl, brokers, triggers, channels, subscriptions, sources, problems } = await runtime.status()
  const isDefaultAdmin = adminUrl === 'http://127.0.0.1:8081'
  const server = isDefaultAdmin ? '' : ` --server ${adminUrl}`
  const others = [
    ...(channels.length > 0 ? [count(channels.length, 'channel')] : []),
    ...(subscriptions.length > 0 ? [count(subscriptions.length, 'subscription')] : []),
    ...(sources.length > 0 ? [count(sources.length, 'source')] : []),
  ]
  const lines = [
    `Tidings is ready: ${[count(brokers.length, 'broker'), count(triggers.length, 'trigger'), ...others].join(', ')}.`,
    '',
    ...brokers.map(({ namespace, name, url }) => `  broker ${namespace}/${name}   ${url}`),
    // None is open yet where they are in Kafka: nobody waits for a cluster.
    ...(brokers.length === 0 ? [`  data    ${dataUrl}`] : []),
    `  admin   ${adminUrl}`,
    '',
    'Next, in a second terminal:',
    `  npx tidings event send${server} --type com.example.hello --data '{"hello":"world"}'`,
    `  npx tidings status${server}`,
    `  curl ${adminUrl}/metrics`,
    '',
    ...problems.map((problem) => `  ! ${problem}`),
    ...(problems.length > 0 ? [''] : []),
  ]
  return `${lines.join('\n')}\n`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function settingOptions(): Command['options'] {
  const options: Command['options'] = {}
  for (const { flags, value } of describeSettings({ origins: new Map() })) {
    for (const flag of flags) options[flag] = { type: typeof value === 'boolean' ? 'boolean' : 'string' }
  }
  return options
}

function settingLines(): string {
  return describeSettings({ origins: new Map() })
    .map(
      ({ name, value, description }) =>
        `  --${name}${value === undefined ? '' : ` (${value})`}\n      ${description}\n`,
    )
    .join('')
}
