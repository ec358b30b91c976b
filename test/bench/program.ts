// The built program under measure: started with generated manifests, sent to, and asked what became of it all.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { brokerNames, manifests, type Triggers } from './manifests.ts'
import type { Context, LedgerLine } from './part.ts'
import type { Core, Process } from './processes.ts'
import type { Payload, Sent } from './protocol.ts'
import { type Sender, type Sink, startSender } from './traffic.ts'

export interface ProgramOptions {
  /** Names its folder, its line in the ledger and its paths at the sink. */
  readonly name: string
  readonly triggers: Triggers
  /** Each with these triggers; 1 unless given. */
  readonly brokers?: number
  /** Memory unless given. A program that is started again by the same name finds what it had stored elsewhere. */
  readonly channel?: 'memory' | 'disk'
  /** `host:port` of the nodes of a cluster that it stores in instead. */
  readonly kafka?: readonly string[]
  readonly core?: Core
  /** Flags of `tidings serve`. */
  readonly flags?: readonly string[]
  readonly nodeFlags?: readonly string[]
}

export interface Program {
  readonly process: Process
  readonly dataPort: number
  readonly adminUrl: string
  readonly dataDir: string
  /** From the start of the process until it says that it is ready. */
  readonly readyMs: number
}

/** Each idle Trigger has a record in the cluster before it is ready. */
const READY_MS = 180_000
const READY_POLL_MS = 100
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export async function startProgram(context: Context, sinkUrl: string, options: ProgramOptions): Promise<Program> {
  const { name, triggers, brokers = 1, core = 'server', flags = [], nodeFlags = [] } = options
  const folder = path.join(context.folder, name)
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, 'manifests.yaml')
  await writeFile(file, manifests(triggers, `${sinkUrl}/${name}`, brokers))
  const dataDir = path.join(folder, 'data')
  const storage = storageFlags(options, dataDir)
  const args = [MAIN, 'serve', '-f', file, '--port', '0', '--admin-port', '0', ...storage, ...flags]
  const startedAt = performance.now()
  const program = context.fleet.start(args, { core, cwd: folder, nodeFlags: [...context.nodeFlags, ...nodeFlags] })
  const [, adminUrl = ''] = await program.printed(/admin +(http:\S+)/)
  // A cluster is opened without being waited for.
  const url = options.kafka ? await urlOnceReady(adminUrl, name) : await printedUrl(program)
  return {
    process: program,
    dataPort: Number(new URL(url).port),
    adminUrl,
    dataDir,
    readyMs: performance.now() - startedAt,
  }
}

function storageFlags({ name, channel = 'memory', kafka }: ProgramOptions, dataDir: string): readonly string[] {
  if (!kafka) return channel === 'memory' ? ['--ephemeral'] : ['--channel', channel, '--data-dir', dataDir]
  return [
    ...['--channel', 'kafka', '--data-dir', dataDir],
    ...['--kafka.bootstrapServers', kafka.join(), '--kafka.replicationFactor', '1'],
    // Programs of a part share the cluster.
    ...['--kafka.brokerTopic', `${name}-{{ .Namespace }}-{{ .Name }}`],
  ]
}

async function printedUrl(program: Process): Promise<string> {
  const [, url = ''] = await program.printed(/broker default\/default +(http:\S+)/)
  return url
}

const resourceSchema = z.object({
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
      address: z.object({ url: z.string() }).optional(),
    })
    .optional(),
})
type Resource = z.infer<typeof resourceSchema>
const listSchema = z.object({ items: z.array(resourceSchema) })

async function readAll(adminUrl: string, kind: string): Promise<readonly Resource[]> {
  const response = await fetch(`${adminUrl}/apis/eventing.knative.dev/v1/namespaces/default/${kind}`)
  return listSchema.parse(await response.json()).items
}

function isReady({ status }: Resource): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
}

/** Of any Broker, once all of them and all Triggers are ready: nothing that is sent from then on is refused, or missed. */
async function urlOnceReady(adminUrl: string, name: string): Promise<string> {
  const startedAt = performance.now()
  for (;;) {
    const brokers = await readAll(adminUrl, 'brokers')
    const triggers = await readAll(adminUrl, 'triggers')
    const url = brokers[0]?.status?.address?.url
    if (url !== undefined && [...brokers, ...triggers].every(isReady)) return url
    if (performance.now() - startedAt > READY_MS) throw new Error(`${name}: not all of it is ready`)
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
}

/** A program with the sender and the sink it is measured with. */
export interface Rig {
  readonly program: Program
  /** Sends, and waits until the sink has all that was accepted. Resolves with what the sender saw. */
  send(forMs: number, ratePerS?: number): Promise<Sent>
  /** Sends and does not wait. */
  sendOnly(forMs: number, ratePerS?: number): Promise<Sent>
  /** Resolves when the sink has all that was accepted, or when nothing has come for long. */
  drained(): Promise<void>
  ledger(): Promise<LedgerLine>
}

export interface RigOptions extends ProgramOptions {
  readonly sink: Sink
  readonly payload: Payload
  readonly connections?: number
  /**
   * Events under way at most, from the sender to the last of their copies at the sink. It keeps a server that takes events
   * faster than it gives them out from measuring a growing backlog instead of a steady state.
   */
  readonly underWay?: number
}

const POLL_MS = 20
/** So long without a delivery, and what is missing does not come. Above the longest backoff that a part runs into. */
const STUCK_MS = 15_000

export async function startRig(context: Context, options: RigOptions): Promise<Rig> {
  const { sink, name, triggers, payload } = options
  const program = await startProgram(context, sink.url, options)
  const copies = triggers.matching + (triggers.forReplies ? 1 : 0)
  const sender: Sender = await startSender(context.fleet, {
    port: program.dataPort,
    paths: brokerNames(options.brokers ?? 1).map((broker) => `/default/${broker}`),
    payload,
    ...(options.connections !== undefined && { connections: options.connections }),
    ...(options.underWay !== undefined && {
      pace: { sinkPort: sink.port, prefix: `/${name}/`, copies, underWay: options.underWay },
    }),
  })
  let accepted = 0
  let refused = 0

  async function sendOnly(forMs: number, ratePerS?: number): Promise<Sent> {
    const sent = await sender.send(forMs, ratePerS)
    accepted += sent.accepted
    refused += Object.values(sent.refused).reduce((sum, each) => sum + each, 0) + sent.broken
    return sent
  }

  async function drained(): Promise<void> {
    let last = -1
    let lastAt = performance.now()
    for (;;) {
      const { distinct } = await sink.count(`/${name}/`)
      if (distinct >= accepted * copies) return
      if (distinct !== last) lastAt = performance.now()
      else if (performance.now() - lastAt > STUCK_MS) return
      last = distinct
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  return {
    program,
    sendOnly,
    drained,
    async send(forMs, ratePerS) {
      const sent = await sendOnly(forMs, ratePerS)
      await drained()
      return sent
    },
    async ledger() {
      const { received, distinct } = await sink.count(`/${name}/`)
      const { waiting, deadLettered } = await readStatus(program)
      const due = accepted * copies
      const duplicates = received - distinct
      const lost = due - distinct - waiting - deadLettered
      return { name, accepted, refused, due, delivered: distinct, duplicates, waiting, deadLettered, lost }
    },
  }
}

export async function pauseTrigger({ adminUrl }: Program, name: string, isPaused: boolean): Promise<void> {
  const verb = isPaused ? 'pause' : 'resume'
  const response = await fetch(`${adminUrl}/tidings/v1/triggers/default/${name}/${verb}`, { method: 'POST' })
  if (!response.ok) throw new Error(`${verb} ${name}: ${response.status} ${await response.text()}`)
}

const brokerSchema = z.object({ metadata: z.object({ uid: z.string() }) })

/** Of the Broker `default`. */
export async function readBrokerUid({ adminUrl }: Program): Promise<string> {
  const response = await fetch(`${adminUrl}/apis/eventing.knative.dev/v1/namespaces/default/brokers/default`)
  return brokerSchema.parse(await response.json()).metadata.uid
}

const settingsSchema = z.object({ settings: z.array(z.object({ name: z.string(), value: z.unknown().optional() })) })

/** The effective ones by name. */
export async function readSettings({ adminUrl }: Program): Promise<ReadonlyMap<string, unknown>> {
  const response = await fetch(`${adminUrl}/tidings/v1/settings`)
  const { settings } = settingsSchema.parse(await response.json())
  return new Map(settings.map(({ name, value }) => [name, value]))
}

const statusSchema = z.object({
  triggers: z.array(z.object({ waiting: z.number(), behind: z.number(), deadLettered: z.number(), kept: z.number() })),
})

/** Of all triggers together. */
export async function readStatus({ adminUrl }: Program) {
  const response = await fetch(`${adminUrl}/tidings/v1/status`)
  const { triggers } = statusSchema.parse(await response.json())
  const sum = (value: (trigger: (typeof triggers)[number]) => number): number =>
    triggers.reduce((total, trigger) => total + value(trigger), 0)
  return {
    waiting: sum(({ waiting, behind }) => waiting + behind),
    deadLettered: sum(({ deadLettered, kept }) => deadLettered + kept),
  }
}
