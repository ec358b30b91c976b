// One process of Kafka's server, both broker and controller.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { eventually } from '../eventually.ts'
import { isOnPath, KAFKA, KAFKA_CLASSES } from './cache.ts'

export interface KafkaNode {
  readonly id: number
  /** Resolves when clients are served; on the same ports, and on what the disk has. */
  start(): Promise<void>
  /** As by `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** As an operator stops it: it hands over what it leads. */
  stop(): Promise<void>
  /** Stops answering, without closing a connection, until `thaw`. */
  freeze(): void
  thaw(): void
  /** Forgets all that was stored; for a node that is down. */
  wipe(): Promise<void>
  /** The last of what it printed. */
  log(): string
}

export interface NodeConfig {
  readonly id: number
  /** Of its own: what it stores, and its configuration. */
  readonly folder: string
  readonly clusterId: string
  readonly properties: Readonly<Record<string, string>>
  /** As `--add-scram` of Kafka's storage tool takes them. */
  readonly scram: readonly string[]
  /** A file for the classes that it used, written when it stops. */
  readonly classesTo?: string | undefined
  /** The processors that it runs on, as `taskset -c` takes them. */
  readonly cpus?: string | undefined
}

const HEAP_MB = 320
/** Starting takes 3 s; on a machine with more to do, many times that. */
const START_LIMIT_MS = 90_000
const STOP_LIMIT_MS = 10_000
/** What is kept of its output. */
const LOG_CHARS = 100_000

/** Formatted, and not started. */
export async function createNode(config: NodeConfig): Promise<KafkaNode> {
  const data = path.join(config.folder, 'data')
  const propertiesFile = path.join(config.folder, 'server.properties')
  mkdirSync(config.folder, { recursive: true })
  writeFileSync(propertiesFile, propertiesText({ ...config.properties, 'log.dirs': data }))
  writeFileSync(path.join(config.folder, 'log4j.properties'), LOG4J)
  const format = (): Promise<void> => runToEnd(config.folder, formatArgs(config, propertiesFile))
  await format()

  let child: ChildProcess | undefined
  let log = ''
  return {
    id: config.id,
    async start() {
      const started = spawnJava(config.folder, ['kafka.Kafka', propertiesFile], config)
      child = started
      let printed = ''
      const keep = (text: string): void => {
        printed = (printed + text).slice(-LOG_CHARS)
        log = printed
      }
      started.stdout?.setEncoding('utf8').on('data', keep)
      started.stderr?.setEncoding('utf8').on('data', keep)
      await eventually(
        () => {
          if (hasEnded(started)) throw new Error(`Kafka's node ${config.id} ended:\n${printed.slice(-3_000)}`)
          return printed.includes('Kafka Server started')
        },
        `node ${config.id} of Kafka has started`,
        START_LIMIT_MS,
      )
    },
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async wipe() {
      rmSync(data, { recursive: true, force: true })
      await format()
    },
    log: () => log,
  }
}

/** A node that has not ended in time after SIGTERM is killed: a broker without its quorum would wait for minutes. */
async function end(child: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child === undefined || hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await ended
  clearTimeout(timer)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function runToEnd(folder: string, args: readonly string[]): Promise<void> {
  const child = spawnJava(folder, args)
  let printed = ''
  const keep = (text: string): void => {
    printed += text
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${args[0]} failed with exit code ${code}:\n${printed.slice(-3_000)}`)
}

/** It ends with this process, also when this one is killed, where the system has a way to ask for that. */
function spawnJava(
  folder: string,
  args: readonly string[],
  { classesTo, cpus }: Pick<NodeConfig, 'classesTo' | 'cpus'> = {},
): ChildProcess {
  const java = ['java', `-Xmx${HEAP_MB}m`, '-Xms64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xlog:disable']
  if (classesTo !== undefined) java.push(`-XX:ArchiveClassesAtExit=${classesTo}`)
  else if (existsSync(KAFKA_CLASSES)) java.push(`-XX:SharedArchiveFile=${KAFKA_CLASSES}`)
  const log4j = `-Dlog4j.configuration=file:${path.join(folder, 'log4j.properties')}`
  const pinned = cpus === undefined ? [] : ['taskset', '-c', cpus]
  const command = [...pinned, ...java, log4j, '-cp', `${KAFKA}/*`, ...args]
  const all = isOnPath('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', ...command] : command
  const child = spawn(all[0] ?? '', all.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.removeListener('exit', kill))
  return child
}

function formatArgs({ clusterId, scram }: NodeConfig, propertiesFile: string): readonly string[] {
  const users = scram.flatMap((user) => ['--add-scram', user])
  return ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', propertiesFile, ...users]
}

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('')
}

const LOG4J = `log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ABSOLUTE} %p %m (%c{1})%n
`
