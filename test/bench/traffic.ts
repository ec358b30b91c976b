// What stands around the program under measure: sender and sink, and the two bare processes its cost is compared with.
import type { Fleet, Process } from './processes.ts'
import {
  type BatchSenderOptions,
  type Behaviour,
  type Count,
  countSchema,
  doneSchema,
  filledSchema,
  type Latency,
  latencySchema,
  listeningSchema,
  type Payload,
  type SenderOptions,
  type Sent,
  type SinkCommand,
  sentSchema,
} from './protocol.ts'

/** Connections of a sender, and requests of the bare client under way. */
export const IN_FLIGHT = 64

export interface Sender {
  /** Resolves when all that was sent in the time given is answered. */
  send(forMs: number, ratePerS?: number): Promise<Sent>
}

export async function startSender(
  fleet: Fleet,
  options: Omit<SenderOptions, 'connections'> & { readonly connections?: number },
): Promise<Sender> {
  const sender = await fleet.startScript('sender.ts', { connections: IN_FLIGHT, ...options }, doneSchema, {
    core: 'load',
  })
  return { send: (forMs, ratePerS) => sender.ask({ forMs, ratePerS }, sentSchema) }
}

export interface Sink {
  readonly url: string
  readonly port: number
  /** Until told otherwise every path answers 202 at once. */
  behave(path: string, behaviour: Partial<Behaviour>): Promise<void>
  count(prefix: string): Promise<Count>
  /** What events that come during `task` took to get here, to all paths or to those that start so. */
  latencyDuring(task: () => Promise<unknown>, prefix?: string): Promise<Latency>
}

export async function startBatchSender(
  fleet: Fleet,
  options: BatchSenderOptions,
): Promise<{ fill(events: number): Promise<number>; stop(): Promise<void> }> {
  const sender = await fleet.startScript('batch-sender.ts', options, doneSchema, { core: 'load' })
  return {
    fill: async (events) => (await sender.ask({ events }, filledSchema)).accepted,
    stop: sender.stop,
  }
}

/** Appends and syncs at a rate, on the core of the program that does the same. */
export async function startFdatasync(
  fleet: Fleet,
  file: string,
  bytes: number,
): Promise<{ run(forMs: number, ratePerS: number): Promise<Latency> }> {
  const disk = await fleet.startScript('fdatasync.ts', { file, bytes }, doneSchema, { core: 'server' })
  return { run: (forMs, ratePerS) => disk.ask({ forMs, ratePerS }, latencySchema) }
}

export async function startSink(fleet: Fleet): Promise<Sink> {
  const sink = await fleet.startScript('sink.ts', {}, listeningSchema, { core: 'load' })
  const { port } = sink.greeting
  const command = (command: SinkCommand): SinkCommand => command
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async behave(path, behaviour) {
      await sink.ask(command({ do: 'behave', path, behaviour: { delayMs: 0, hold: false, ...behaviour } }), doneSchema)
    },
    count: (prefix) => sink.ask(command({ do: 'count', prefix }), countSchema),
    async latencyDuring(task, prefix = '/') {
      await sink.ask(command({ do: 'record', prefix }), doneSchema)
      await task()
      return sink.ask(command({ do: 'latency' }), latencySchema)
    },
  }
}

/** Something with a CPU of its own that deals with events while `run` runs; resolves with how many. */
export interface Load {
  readonly process: Process
  run(forMs: number): Promise<number>
}

/** Bare receive: node:http that collects the body and answers 202. */
export async function startBareServer(fleet: Fleet, payload: Payload, connections = IN_FLIGHT): Promise<Load> {
  const server = await fleet.startScript('bare-server.ts', {}, listeningSchema, { core: 'server' })
  const { port } = server.greeting
  const sender = await startSender(fleet, { port, paths: ['/'], payload, connections })
  return { process: server, run: async (forMs) => (await sender.send(forMs)).accepted }
}

/** One bare undici request, as many of them at once as the program has. */
export async function startBareClient(fleet: Fleet, sink: Sink, payload: Payload, inFlight = IN_FLIGHT): Promise<Load> {
  const client = await fleet.startScript('bare-client.ts', { port: sink.port, payload, inFlight }, doneSchema, {
    core: 'server',
  })
  return { process: client, run: async (forMs) => (await client.ask({ forMs }, sentSchema)).accepted }
}
