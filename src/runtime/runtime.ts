// Wires everything: opens brokers, resolves references, subscribes triggers, serves the data port, and ends it all in
// order. Policy lives in the layers below; here is only who knows whom.
import { randomUUID } from 'node:crypto'
import { type OpenBroker, openBroker } from '../broker/broker.ts'
import { createIngress, type Ingress } from '../broker/ingress.ts'
import { createTriggerDeliver } from '../broker/trigger.ts'
import { openMemoryStore } from '../channel/backends/memory.ts'
import { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Step } from '../core/delivery-spec.ts'
import { EventingError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import { type Client, createClient } from '../http/client.ts'
import { decodeRequest } from '../http/decode.ts'
import { type Answer, type DataRequest, type DataServer, type Health, startServer } from '../http/server.ts'
import { Histogram } from '../observe/histogram.ts'
import type { Logger } from '../observe/logger.ts'
import { createMetrics, type Labels, type Metrics } from '../observe/metrics.ts'
import { type Broker, brokerKind } from '../resource/kinds/broker.ts'
import { kserviceTarget } from '../resource/kinds/kservice.ts'
import type { Trigger } from '../resource/kinds/trigger.ts'
import type { AnyResource } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { formatEvent } from '../sink/display.ts'
import { brokerLabels, registerMetrics } from './metrics.ts'
import { brokerUrl, createResolver, displayPath, type Resolver } from './resolve.ts'
import type { Settings } from './settings.ts'
import { describeStatus, type RuntimeStatus } from './status.ts'
import { reconcileTrigger, subscriptionSpecOf, type TriggerState } from './trigger-state.ts'

export interface RuntimeOptions {
  readonly settings: Settings
  readonly resources: readonly AnyResource[]
  readonly clock: Clock
  readonly logger: Logger
  /** Where the built-in display subscriber writes. */
  readonly print: (text: string) => void
}

export interface Runtime {
  /** Where the data port is reached, without a slash at the end. */
  readonly dataUrl: string
  readonly health: Health
  readonly metrics: Metrics
  status(): Promise<RuntimeStatus>
  /** Refuses new work, lets running deliveries end for at most `drainMs`, saves, closes. */
  close(): Promise<void>
}

/** Deliveries may hold this much of the process's budget, so that they never keep requests from being read. */
const DELIVERIES_SHARE = 0.75
/** Above it, durations are counted per broker instead of per trigger. */
const MOST_HISTOGRAMS = 500
/** A trigger that keeps failing says so at most so often. */
const WARN_EVERY_MS = 60_000
const REQUEST_TIMEOUT_MS = 10_000
const STARTING: Answer = { status: 503, text: 'starting: send the event again later', retryAfterS: 1 }
const DRAINING: Answer = { status: 503, text: 'shutting down: send the event again later', retryAfterS: 5 }
const MAX_HEADER_BYTES = 32 * 1_024

/** Resolves when every resource was reconciled once and the data port answers. Rejects when a port cannot be had. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, clock, logger } = options
  const started = await listen(options)
  const { server, process, health } = started
  const dataUrl = settings.data.externalUrl ?? `http://${urlHost(settings.data.host)}:${server.port}`
  const resources = withDefaultBroker(options.resources)
  const client = createClient({
    clock,
    maxResponseBytes: settings.delivery.maxResponseBytes,
    connectionsPerOrigin: settings.delivery.connectionsPerOrigin,
  })
  const store = openMemoryStore({ maxEventBytes: settings.data.maxEventBytes })
  const brokers = await openBrokers(
    { ...options, resources },
    store,
    new Budget(DELIVERIES_SHARE * process.limitBytes, process),
  )
  const ingress = createIngress({
    find: (namespace, name) => brokers.get(`${namespace}/${name}`)?.open.target,
    clock,
    maxTtl: settings.broker.maxTtl,
    maxEventBytes: settings.data.maxEventBytes,
    onError: (error) => logger.error({ err: error }, 'an event could not be stored'),
  })
  const resolver = createResolver({ resources, externalUrl: dataUrl })
  const triggers = await subscribeAll({ ...options, resources }, { brokers, ingress, client, resolver, dataUrl })
  const display = createDisplay(options, resources)
  started.serve((request) => display(request) ?? ingress.handle(request))

  const openBrokersList = (): Iterable<OpenBroker> => [...brokers.values()].map(({ open }) => open)
  const metrics = createMetrics()
  registerMetrics(metrics, {
    brokers: openBrokersList,
    triggers: () => triggers.values(),
    durations: () => durationSamples(triggers.values()),
  })
  return {
    dataUrl,
    health,
    metrics,
    status: () =>
      describeStatus({
        ready: health.ready().ok,
        dataUrl,
        backend: store.traits.backend,
        brokers: [...brokers.values()].map(({ open }) => ({
          ...open,
          url: brokerUrl(dataUrl, open.namespace, open.name),
        })),
        triggers: triggers.values(),
      }),
    async close() {
      // The display subscriber is reached through the data port: it closes last.
      started.drain((request) => display(request) ?? DRAINING)
      const deadline = clock.now() + settings.drainMs
      await Promise.all([...brokers.values()].map(({ open }) => endBroker(open, settings.drainMs, logger)))
      await server.close(Math.max(0, deadline - clock.now()))
      await client.close()
      await store.close()
    },
  }
}

/** The data port, refusing events until `serve` is called: nobody is told a broker is missing while it is being opened. */
async function listen({ settings, clock, logger }: RuntimeOptions) {
  const process = new Budget(settings.memory.bodyBudgetBytes)
  let state: 'starting' | 'serving' | 'draining' = 'starting'
  let handle: (request: DataRequest) => Answer | Promise<Answer> = () => STARTING
  const health: Health = {
    live: () => true,
    ready: () => ({ ok: state === 'serving', text: state === 'serving' ? 'ready' : state }),
  }
  const server: DataServer = await startServer({
    host: settings.data.host,
    port: settings.data.port,
    handle: (request) => handle(request),
    health,
    budget: process,
    limits: {
      maxRequestBytes: settings.data.maxRequestBytes,
      maxHeaderBytes: MAX_HEADER_BYTES,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    },
    clock,
    onError: (error) => logger.error({ err: error }, 'a request failed'),
  })
  return {
    server,
    process,
    health,
    serve(next: typeof handle) {
      handle = next
      state = 'serving'
    },
    drain(next: typeof handle) {
      handle = next
      state = 'draining'
    },
  }
}

interface RunningBroker {
  readonly resource: Broker
  readonly open: OpenBroker
}

async function openBrokers(
  { settings, resources, clock, logger }: RuntimeOptions,
  store: ReturnType<typeof openMemoryStore>,
  deliveries: Budget,
): Promise<ReadonlyMap<string, RunningBroker>> {
  const brokers = new Map<string, RunningBroker>()
  const namespaces = new Map<string, Budget>()
  const { namespaceBudgetBytes, brokerBudgetBytes, subscriptionBudgetBytes } = settings.memory
  for (const resource of resources) {
    if (resource.kind !== 'Broker') continue
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    const namespaceBudget = namespaces.get(namespace) ?? new Budget(namespaceBudgetBytes, deliveries)
    namespaces.set(namespace, namespaceBudget)
    const open = await openBroker({
      uid: randomUUID(),
      namespace,
      name,
      store,
      clock,
      budget: new Budget(brokerBudgetBytes, namespaceBudget),
      capBytes: settings.channel.memory.capBytes,
      deadLetterCapBytes: settings.deadLetter.capBytes,
      channel: {
        saveIntervalMs: settings.channel.saveIntervalMs,
        saveBytes: settings.channel.memory.capBytes / 16,
        ringBytes: settings.channel.ringBytes,
        subscriptionBytes: subscriptionBudgetBytes,
      },
      onFault: (what, error) => logger.warn({ namespace, broker: name, err: error }, `cannot ${what}; trying again`),
    })
    brokers.set(`${namespace}/${name}`, { resource, open })
  }
  return brokers
}

/** Standalone, namespace `default` has a Broker `default` unless the user brings one. */
function withDefaultBroker(resources: readonly AnyResource[]): readonly AnyResource[] {
  const has = resources.some(
    (resource) =>
      resource.kind === 'Broker' && namespaceOf(resource) === 'default' && resource.metadata.name === 'default',
  )
  if (has) return resources
  const reading = brokerKind.read({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name: 'default' },
  })
  return reading.kind === 'valid' ? [...resources, reading.resource] : resources
}

interface Wiring {
  readonly brokers: ReadonlyMap<string, RunningBroker>
  readonly ingress: Ingress
  readonly client: Client
  readonly resolver: Resolver
  readonly dataUrl: string
}

async function subscribeAll(options: RuntimeOptions, wiring: Wiring): Promise<ReadonlyMap<string, TriggerState>> {
  const { settings, resources, clock } = options
  const manifests = resources.filter((resource): resource is Trigger => resource.kind === 'Trigger')
  const perTrigger = manifests.length <= MOST_HISTOGRAMS
  const shared = new Map<string, Histogram>()
  const states = new Map<string, TriggerState>()
  const subscribing: Promise<void>[] = []
  for (const trigger of manifests) {
    const brokerKey = `${namespaceOf(trigger)}/${trigger.spec.broker ?? trigger.spec.brokerRef?.name}`
    const durations = perTrigger ? new Histogram() : (shared.get(brokerKey) ?? new Histogram())
    if (!perTrigger) shared.set(brokerKey, durations)
    const state = reconcileTrigger(randomUUID(), trigger, {
      resolver: wiring.resolver,
      broker: wiring.brokers.get(brokerKey),
      defaults: settings.delivery,
      durations,
      nowMs: clock.wall(),
    })
    states.set(`${state.namespace}/${state.name}`, state)
    if (state.broker) subscribing.push(subscribe(options, wiring, state, state.broker))
  }
  await Promise.all(subscribing)
  return states
}

function subscribe(options: RuntimeOptions, wiring: Wiring, state: TriggerState, broker: OpenBroker): Promise<void> {
  const { settings, clock, logger } = options
  const { route } = state
  const deliver = createTriggerDeliver({
    name: `${state.namespace}/${state.name}`,
    route: () => {
      if (!route) throw new Error(`not resolved: ${state.held}`)
      return route
    },
    broker: {
      target: broker.target,
      room: broker.room,
      url: brokerUrl(wiring.dataUrl, broker.namespace, broker.name),
    },
    accept: wiring.ingress.accept,
    deadLetters: broker.deadLetters,
    client: wiring.client,
    clock,
    durations: state.durations,
    onFailure: createFailureLog(state, clock, logger),
  })
  return broker.channel.subscribe(state.uid, subscriptionSpecOf(state, deliver, settings.delivery))
}

/** One line for each event that was not delivered; while attempts fail and are repeated, one line a minute. */
function createFailureLog(state: TriggerState, clock: Clock, logger: Logger): (event: Event, step: Step) => void {
  const { namespace, name: trigger, brokerName: broker } = state
  let quietUntil = Number.NEGATIVE_INFINITY
  return (event, step) => {
    const { id: eventId, type: eventType } = event.attributes
    const about = { namespace, broker, trigger, eventId, eventType }
    if (step.kind === 'settled') {
      logger.warn({ ...about, outcome: step.outcome, reason: step.failure?.reason }, 'not delivered')
      return
    }
    const { attempt } = step.progress
    const code = 'DELIVERY_REJECTED'
    if (clock.now() < quietUntil) return
    quietUntil = clock.now() + WARN_EVERY_MS
    logger.warn({ ...about, attempt, code, reason: step.reason, retryInMs: step.delayMs }, 'attempt failed')
  }
}

function* durationSamples(triggers: Iterable<TriggerState>): Generator<{ labels: Labels; histogram: Histogram }> {
  const seen = new Map<Histogram, number>()
  const states = [...triggers]
  for (const { durations } of states) seen.set(durations, (seen.get(durations) ?? 0) + 1)
  for (const state of states) {
    const sharedBy = seen.get(state.durations)
    if (sharedBy === undefined) continue
    seen.delete(state.durations)
    if (state.durations.counts.every((count) => count === 0)) continue
    const broker = brokerLabels({ namespace: state.namespace, name: state.brokerName })
    yield { labels: sharedBy === 1 ? { ...broker, trigger: state.name } : broker, histogram: state.durations }
  }
}

/** The built-in display subscriber, for the services that it stands in for; undefined when the path is none of theirs. */
function createDisplay({ settings, clock, print }: RuntimeOptions, resources: readonly AnyResource[]) {
  const paths = new Set(
    resources
      .filter(
        (resource) =>
          resource.apiVersion === 'serving.knative.dev/v1' && kserviceTarget(resource).kind === 'event-display',
      )
      .map((service) => displayPath(namespaceOf(service), service.metadata.name)),
  )
  const { maxEventBytes } = settings.data
  return ({ path, rawHeaders, body }: DataRequest): Answer | undefined => {
    if (!paths.has(path)) return undefined
    try {
      const events = decodeRequest(rawHeaders, body, { allowBatch: true, arrivedAt: clock.wall(), maxEventBytes })
      for (const event of events) print(formatEvent(event))
      return { status: 202 }
    } catch (error) {
      if (!(error instanceof EventingError)) throw error
      return { status: 400, text: error.message }
    }
  }
}

/** What waits in memory is gone with the process: that is said, never silent. */
async function endBroker(broker: OpenBroker, drainMs: number, logger: Logger): Promise<void> {
  const { namespace, name, channel, deadLetters, close } = broker
  await close(drainMs)
  const { waiting } = channel.status()
  const deadLettersWaiting = deadLetters.status().waiting
  if (waiting + deadLettersWaiting === 0) return
  logger.error({ namespace, broker: name, waiting, deadLettersWaiting }, 'events that waited in memory are lost')
}

function urlHost(host: string): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return reachable.includes(':') ? `[${reachable}]` : reachable
}
