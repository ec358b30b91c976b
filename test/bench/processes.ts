// The processes of a part: started on their core, asked over IPC, and stopped by whoever opened the fleet. The server
// under measure has a core to itself, so that sender and sink neither slow it down nor lend it their cache.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { responseSchema, type Usage, usageSchema } from './protocol.ts'

/** `server` and `load` have a core each, where the system can pin; `anywhere` is for what is measured by the clock. */
export type Core = 'server' | 'load' | 'anywhere'

export interface StartOptions {
  readonly core: Core
  readonly nodeFlags?: readonly string[]
  readonly cwd?: string
}

export interface Process {
  ask<T>(command: unknown, reply: z.ZodType<T>): Promise<T>
  usage(): Promise<Usage>
  /** The heap in use once what is garbage is gone, in bytes. The process needs the flag --expose-gc. */
  collectedHeapBytes(): Promise<number>
  /** Resolves with the first match in what the process has printed. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL at once; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface Fleet {
  /** How processes are kept apart, in words. */
  readonly pinning: string
  /** The processor of such processes, as `taskset -c` takes it; undefined where they have none to themselves. */
  cpuOf(core: Core): string | undefined
  /** Ends it when the fleet stops, after the processes: they may need it until then. */
  keep(server: AsyncDisposable): void
  /** A script of this folder, through tsx; resolves with its greeting. */
  startScript<T>(
    script: string,
    options: unknown,
    greeting: z.ZodType<T>,
    start: StartOptions,
  ): Promise<Process & { readonly greeting: T }>
  /** Plain node. */
  start(args: readonly string[], options: StartOptions): Process
  stop(): Promise<void>
}

const PROBE = new URL('probe.mjs', import.meta.url).href
const GREETING = 0
const KEPT_OUTPUT = 65_536
const KILL_AFTER_MS = 30_000
const CORES: Readonly<Record<Core, string | undefined>> = { server: '0', load: '1', anywhere: undefined }

export function createFleet(): Fleet {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
  const running: Process[] = []
  const kept: AsyncDisposable[] = []
  const cpuOf = (core: Core): string | undefined => (canPin ? CORES[core] : undefined)

  function start(args: readonly string[], { core, nodeFlags = [], cwd }: StartOptions): Process {
    const command = [process.execPath, '--import', PROBE, ...nodeFlags, ...args]
    const cpu = cpuOf(core)
    const [file = '', ...rest] = cpu === undefined ? command : ['taskset', '-c', cpu, ...command]
    const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], ...(cwd !== undefined && { cwd }) })
    const started = attach(child, args.join(' '))
    running.push(started)
    return started
  }

  return {
    pinning: canPin
      ? 'server on core 0, sender and sink on core 1 (taskset)'
      : 'not pinned: taskset or a core is missing',
    cpuOf,
    keep: (server) => void kept.push(server),
    start,
    async startScript(script, options, greeting, how) {
      const path = fileURLToPath(new URL(script, import.meta.url))
      const nodeFlags = ['--import', 'tsx', ...(how.nodeFlags ?? [])]
      const started = start([path, JSON.stringify(options)], { ...how, nodeFlags })
      return { ...started, greeting: await started.ask(GREETING, greeting) }
    },
    async stop() {
      await Promise.all(running.splice(0).map((each) => each.stop()))
      await Promise.all(kept.splice(0).map((each) => each[Symbol.asyncDispose]()))
    },
  }
}

interface Waiting {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

function attach(child: ChildProcess, name: string): Process {
  const waiting = new Map<number, Waiting>()
  const listeners = new Set<() => void>()
  let output = ''
  let ended: Error | undefined
  let lastId = GREETING

  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = (error: Error): void => {
    ended = error
    for (const { reject } of waiting.values()) reject(error)
    for (const listen of listeners) listen()
  }
  child.once('error', (error) => end(error))
  child.once('close', (code, signal) => end(new Error(`${name} ended (${signal ?? code}):\n${output.slice(-2_000)}`)))
  child.on('message', (message) => {
    const { id, reply } = responseSchema.parse(message)
    waiting.get(id)?.resolve(reply)
    waiting.delete(id)
  })
  const listen = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT)
    for (const listener of listeners) listener()
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)

  /** The greeting comes unasked; all else answers a request of its own number. */
  async function ask<T>(command: unknown, reply: z.ZodType<T>): Promise<T> {
    if (ended) throw ended
    const id = command === GREETING ? GREETING : ++lastId
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
    if (id !== GREETING) child.send({ id, command })
    return reply.parse(await answer)
  }

  return {
    ask,
    usage: () => ask('usage', usageSchema),
    collectedHeapBytes: async () => (await ask('collect', usageSchema)).heapBytes,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output)
          if (!found && !ended) return
          listeners.delete(look)
          if (found) resolve(found)
          else reject(ended)
        }
        listeners.add(look)
        look()
      }),
    async stop() {
      if (ended) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
