// Wires everything: opens brokers, resolves references, subscribes triggers, serves the data port, and ends it all in
// order. Policy lives in the layers below; here is only who knows whom.
import { randomUUID } from 'node:crypto'
import type { OpenBroker } from '../broker/broker.ts'
import { createIngress, type Ingress } from '../broker/ingress.ts'
import { createTriggerDeliver } from '../broker/trigger.ts'
import { openMemoryStore } from '../channel/backends/memory.ts'
import { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { type Client, createClient } from '../http/client.ts'
import type { Answer, DataRequest, Health } from '../http/server.ts'
import type { Logger } from '../observe/logger.ts'
import { createMetrics, type Metrics } from '../observe/metrics.ts'
import { brokerNameOf, type Trigger } from '../resource/kinds/trigger.ts'
import type { AnyResource } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { createDisplay } from '../sink/display.ts'
import { openBrokers, type RunningBroker, withDefaultBroker } from './brokers.ts'
import { type DataPort, openDataPort } from './data-port.ts'
import { endBroker, untilDelivered } from './drain.ts'
import { createDurations, durationSamples } from './durations.ts'
import { createFailureLog } from './failure-log.ts'
import { createLocalClient, localAddresses } from './local-client.ts'
import { registerMetrics } from './metrics.ts'
import { brokerUrl, createResolver, displayPaths, type Resolver } from './resolve.ts'
import type { Settings } from './settings.ts'
import { describeStatus, type RuntimeStatus } from './status.ts'
import { reconcileTrigger, subscriptionSpecOf, type TriggerState } from './trigger-state.ts'

export interface RuntimeOptions {
  readonly settings: Settings
  readonly resources: readonly AnyResource[]
  readonly clock: Clock
  readonly logger: Logger
  /** Where the built-in display subscriber writes. False, and nothing is written, while the reader is behind. */
  readonly print: (text: string) => boolean
}

export interface Runtime {
  /** Where the data port is reached, without a slash at the end. */
  readonly dataUrl: string
  readonly health: Health
  readonly metrics: Metrics
  status(): Promise<RuntimeStatus>
  /**
   * Refuses new work, lets deliveries end for at most `drainMs`, saves, closes. Where events do not survive the process,
   * those that wait are delivered too, as far as that time goes. Idempotent.
   */
  close(): Promise<void>
}

/** Deliveries may hold this much of the process's budget, so that they never keep requests from being read. */
const DELIVERIES_SHARE = 0.75
/** And answers that are being dealt with this much beside it (docs/decisions/0017). */
const ANSWERS_SHARE = 0.125

/**
 * Resolves when every resource was reconciled once and the data port answers. Rejects when a port cannot be had, and
 * leaves nothing open then.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, clock, logger } = options
  const port = await openDataPort(settings, clock, logger)
  try {
    return await serveBrokers({ ...options, resources: withDefaultBroker(options.resources) }, port)
  } catch (error) {
    await port.close(0)
    throw error
  }
}

async function serveBrokers(options: RuntimeOptions, port: DataPort): Promise<Runtime> {
  const { settings, resources, clock, logger } = options
  const dataUrl = settings.data.externalUrl ?? port.url
  const store = openMemoryStore({ maxEventBytes: settings.data.maxEventBytes })
  const share = (part: number): Budget => new Budget(part * port.budget.limitBytes, port.budget)
  const brokers = await openBrokers(resources, { settings, clock, logger, store, budget: share(DELIVERIES_SHARE) })
  const ingress = createIngress({
    find: (namespace, name) => brokers.get(`${namespace}/${name}`)?.open.target,
    clock,
    maxTtl: settings.broker.maxTtl,
    maxEventBytes: settings.data.maxEventBytes,
    onError: (error) => logger.error({ err: error }, 'an event could not be stored'),
  })
  const display = createDisplayAt(displayPaths(resources), options)
  const client = createLocalClient({
    remote: createClient({
      clock,
      maxResponseBytes: settings.delivery.maxResponseBytes,
      connectionsPerOrigin: settings.delivery.connectionsPerOrigin,
      budget: share(ANSWERS_SHARE),
    }),
    addresses: localAddresses(
      [dataUrl, port.url],
      [...[...brokers.keys()].map((key) => `/${key}`), ...displayPaths(resources)],
    ),
    handle: (request) => display(request) ?? ingress.handle(request, 'internal'),
    onError: (error) => logger.error({ err: error }, 'a delivery to this process failed'),
  })
  const resolver = createResolver({ resources, externalUrl: dataUrl })
  const triggers = await subscribeAll(options, { brokers, ingress, client, resolver, dataUrl })
  const open = [...brokers.values()].map((broker) => broker.open)
  for (const { channel } of open) channel.start()
  port.serve((request) => display(request) ?? ingress.handle(request))

  const metrics = createMetrics()
  registerMetrics(metrics, {
    brokers: () => open,
    triggers: () => triggers.values(),
    durations: () => durationSamples(triggers.values()),
  })

  async function end(): Promise<void> {
    const deadline = clock.now() + settings.drainMs
    const leftMs = (): number => Math.max(0, deadline - clock.now())
    port.drain()
    if (store.traits.survives === 'nothing') await untilDelivered(open, clock, deadline)
    await Promise.all(open.map((broker) => endBroker(broker, leftMs(), logger)))
    await port.close(leftMs())
    await client.close()
    await store.close()
  }
  let ending: Promise<void> | undefined

  return {
    dataUrl,
    health: port.health,
    metrics,
    status: () =>
      describeStatus({
        ready: port.health.ready().ok,
        dataUrl,
        backend: store.traits.backend,
        brokers: open.map((broker) => ({ ...broker, url: brokerUrl(dataUrl, broker.namespace, broker.name) })),
        triggers: triggers.values(),
      }),
    close() {
      ending ??= end()
      return ending
    },
  }
}

/** The display at the paths of the services that it stands in for; undefined for any other path. */
function createDisplayAt(paths: ReadonlySet<string>, { settings, clock, print }: RuntimeOptions) {
  const display = createDisplay({ print, clock, maxEventBytes: settings.data.maxEventBytes })
  return (request: DataRequest): Answer | undefined => (paths.has(request.path) ? display(request) : undefined)
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
  const durationsOf = createDurations(manifests.length)
  const states = new Map<string, TriggerState>()
  const subscribing: Promise<void>[] = []
  for (const trigger of manifests) {
    const brokerKey = `${namespaceOf(trigger)}/${brokerNameOf(trigger)}`
    const state = reconcileTrigger(randomUUID(), trigger, {
      resolver: wiring.resolver,
      broker: wiring.brokers.get(brokerKey),
      defaults: settings.delivery,
      durations: durationsOf(brokerKey),
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
  const { namespace, name, route } = state
  const deliver = createTriggerDeliver({
    name: `${namespace}/${name}`,
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
    onFailure: createFailureLog({ namespace, broker: state.brokerName, trigger: name, clock, logger }),
  })
  return broker.channel.subscribe(state.uid, subscriptionSpecOf(state, deliver, settings.delivery))
}
