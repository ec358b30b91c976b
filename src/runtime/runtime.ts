// Wires everything: the resources that are applied to the reconcilers of their kinds, the data port to the doors, and the
// end of it all in order. Policy lives in the layers below; here is only who knows whom.
import { createIngress, type IngressTarget } from '../broker/ingress.ts'
import { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import { createClient } from '../http/client.ts'
import type { Answer, DataRequest } from '../http/server.ts'
import { createChannelIngress } from '../messaging/ingress.ts'
import type { Logger } from '../observe/logger.ts'
import { createMetrics } from '../observe/metrics.ts'
import type { Problem } from '../resource/problems.ts'
import { createDisplay } from '../sink/display.ts'
import { type Entry, kindOf, type ResourceKey, type ResourceStore } from '../store/resource-store.ts'
import type { Uids } from '../store/uids.ts'
import { type Admin, createAdmin } from './admin.ts'
import { createAttempts } from './attempts.ts'
import { addDefaultBroker, brokerKey, createBrokerReconcile } from './brokers.ts'
import { createChannelReconcile, createInMemoryChannelReconcile, inMemoryChannelKey } from './channels.ts'
import { createCursors } from './cursors.ts'
import { type DataPort, openDataPort } from './data-port.ts'
import { createDeadLetters } from './dead-letters.ts'
import { endBroker, untilDelivered } from './drain.ts'
import { createHubStores } from './hub-stores.ts'
import { createHubs } from './hubs.ts'
import { createKafkaChannelReconcile, kafkaChannelKey } from './kafka-channels.ts'
import { createLocalClient } from './local-client.ts'
import type { Data } from './logs.ts'
import { registerMetrics } from './metrics.ts'
import { startOrphans } from './orphans.ts'
import { startPlausibility } from './plausible.ts'
import { type Look, startReconciler } from './reconcile.ts'
import { createReruns } from './reruns.ts'
import { brokerUrl, channelUrl, isDisplayPath } from './resolve.ts'
import type { Settings } from './settings.ts'
import { createSources } from './sources.ts'
import { describeStatus, type LogSource } from './status.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createTriggerCommands } from './trigger-commands.ts'
import { createTriggers } from './triggers.ts'
import type { World } from './world.ts'

export interface RuntimeOptions {
  readonly settings: Settings
  /** What is applied at the start, and from then on. */
  readonly resources: ResourceStore
  /** What is wrong now with the files that the resources come from, if they come from any. */
  readonly manifestProblems?: () => readonly Problem[]
  /** It stays open when the runtime is closed. */
  readonly data: Data
  /** Opened before anything was applied. */
  readonly uids: Uids
  readonly clock: Clock
  readonly logger: Logger
  /** Where the built-in display subscriber writes. False, and nothing is written, while the reader is behind. */
  readonly print: (text: string) => boolean
}

export interface Runtime extends Admin {
  /** Where the data port is reached, without a slash at the end. */
  readonly dataUrl: string
  readonly resources: ResourceStore
  /** Resolves when all that is applied by now was reconciled. */
  settled(): Promise<void>
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
 * leaves nothing open then that it opened.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, clock, logger } = options
  const port = await openDataPort(settings, clock, logger)
  try {
    return await serveResources(options, port)
  } catch (error) {
    await port.close(0)
    throw error
  }
}

async function serveResources(options: RuntimeOptions, port: DataPort): Promise<Runtime> {
  const { settings, resources, uids, manifestProblems = () => [], clock, logger } = options
  const { logs, openKafka, values, directory } = options.data
  const dataUrl = settings.data.externalUrl ?? port.url
  const share = (part: number): Budget => new Budget(part * port.budget.limitBytes, port.budget)
  const stores = createHubStores({ settings, clock, logger, values, logs, openKafka })
  const shared = { settings, clock, logger, resources, stores, values, uids, budget: share(DELIVERIES_SHARE), dataUrl }
  const hubs = createHubs(shared, (key) => reconciler.again(key))
  const notStored = (error: unknown, target: IngressTarget): void => {
    logger.error({ err: error }, 'an event could not be stored')
    hubs.failed(target, error)
  }
  const ingress = createIngress({
    find: (namespace, name) => hubs.target(brokerKey(namespace, name)),
    clock,
    maxTtl: settings.broker.maxTtl,
    maxEventBytes: settings.data.maxEventBytes,
    onError: notStored,
  })
  const channels = createChannelIngress({
    find: (namespace, name) =>
      hubs.target(inMemoryChannelKey(namespace, name)) ?? hubs.target(kafkaChannelKey(namespace, name)),
    clock,
    maxEventBytes: settings.data.maxEventBytes,
    clusterDomain: settings.data.clusterDomain,
    onError: notStored,
  })
  const look: Look = (key) => resources.get(key)
  const display = createDisplayAt((path) => isDisplayPath(path, look), options)
  const client = createLocalClient({
    remote: createClient({
      clock,
      maxResponseBytes: settings.delivery.maxResponseBytes,
      connectionsPerOrigin: settings.delivery.connectionsPerOrigin,
      budget: share(ANSWERS_SHARE),
    }),
    bases: [dataUrl, port.url],
    serves: (path) => isDisplayPath(path, look) || hubKeysAt(path).some((key) => hubs.target(key) !== undefined),
    handle: (request) => display(request) ?? channels(request, 'internal') ?? ingress.handle(request, 'internal'),
    onError: (error) => logger.error({ err: error }, 'a delivery to this process failed'),
  })
  const attempts = createAttempts(settings.explain.attempts, clock)
  const world: World = { ...shared, client, accept: ingress.accept, attempts }
  const cursors = createCursors(world)
  const reruns = createReruns(world, hubs, cursors)
  const reconcileBroker = createBrokerReconcile(world, hubs)
  const reconcileInMemoryChannel = createInMemoryChannelReconcile(world, hubs)
  const reconcileKafkaChannel = createKafkaChannelReconcile(world, hubs)
  const reconcileChannel = createChannelReconcile(world)
  const triggers = createTriggers(world, hubs, cursors)
  const subscriptions = createSubscriptions(world, hubs, cursors)
  const sources = createSources(world, hubs, cursors)

  addDefaultBroker(resources)
  const reconciler = startReconciler({
    resources,
    clock,
    logger,
    order: (key) => ORDER.indexOf(kindOf(key)),
    onIdle: () => hubs.startNew(),
    reconcile(key, entry, look) {
      switch (kindOf(key)) {
        case 'Broker':
          return reconcileBroker(key, ofKind(entry, 'Broker'), look)
        case 'Channel':
          return reconcileChannel(key, ofKind(entry, 'Channel'), look)
        case 'InMemoryChannel':
          return reconcileInMemoryChannel(key, ofKind(entry, 'InMemoryChannel'), look)
        case 'KafkaChannel':
          return reconcileKafkaChannel(key, ofKind(entry, 'KafkaChannel'), look)
        case 'Subscription':
          return subscriptions.reconcile(key, ofKind(entry, 'Subscription'), look)
        case 'PingSource':
          return sources.reconcile(key, ofKind(entry, 'PingSource'), look)
        case 'CronJobSource':
          return sources.reconcile(key, ofKind(entry, 'CronJobSource'), look)
        case 'Trigger':
          return triggers.reconcile(key, ofKind(entry, 'Trigger'), look)
        default:
          return undefined
      }
    },
  })
  await reconciler.settled()
  const orphans = startOrphans({ ...world, stores }, hubs, cursors, reruns)
  const plausibility = startPlausibility({ triggers: triggers.states, cursors, again: reconciler.again, clock })
  port.serve((request) => display(request) ?? channels(request) ?? ingress.handle(request))

  const metrics = createMetrics()
  registerMetrics(metrics, {
    brokers: () => hubs.live('Broker'),
    channels: () => CHANNELS.flatMap((kind) => [...hubs.live(kind)]),
    triggers: () => triggers.states(),
    subscriptions: () => subscriptions.states(),
    sources: () => sources.states(),
    cursor: (key) => cursors.status(key),
    resources: () => resources.list(),
    manifestProblems: () => manifestProblems().length,
    directory,
  })

  async function end(): Promise<void> {
    const deadline = clock.now() + settings.drainMs
    const leftMs = (): number => Math.max(0, deadline - clock.now())
    port.drain()
    await reconciler.close()
    sources.close()
    plausibility.stop()
    orphans.stop()
    const open = hubs.all()
    const inMemory = open.filter(({ traits }) => traits.survives === 'nothing')
    if (inMemory.length > 0) await untilDelivered(inMemory, clock, deadline)
    await Promise.all(open.map((broker) => endBroker(broker, leftMs(), logger)))
    await reruns.close()
    cursors.close()
    hubs.close()
    await stores.close()
    await port.close(leftMs())
    await client.close()
  }
  let ending: Promise<void> | undefined

  function logsOf(kinds: readonly string[], urlOf: typeof brokerUrl): readonly LogSource[] {
    const open = kinds.flatMap((kind) => [...hubs.live(kind)])
    return open.map((hub) => ({ open: hub, url: urlOf(dataUrl, hub.namespace, hub.name) }))
  }

  return {
    ...createAdmin({ settings, resources, hubs, cursors, triggers, sources, attempts }),
    triggers: createTriggerCommands(cursors, reruns),
    deadLetters: createDeadLetters(hubs, cursors, reruns),
    reruns,
    dataUrl,
    health: port.health,
    metrics,
    resources,
    settled: () => reconciler.settled(),
    status: () =>
      describeStatus({
        ready: port.health.ready().ok,
        dataUrl,
        backend: settings.channel.backend,
        directory,
        brokers: logsOf(['Broker'], brokerUrl),
        channels: logsOf(CHANNELS, channelUrl),
        kept: hubs.kept(),
        keptCursors: cursors.kept(),
        triggers: triggers.states(),
        subscriptions: subscriptions.states(),
        sources: sources.states(),
        cursor: (key) => cursors.status(key),
        conditions: (key) => resources.get(key)?.status?.conditions ?? [],
        reruns: reruns.list(),
        resources: resources.list(),
        manifestProblems: manifestProblems(),
      }),
    close() {
      ending ??= end()
      return ending
    },
  }
}

/** What others refer to comes before those who refer to it. */
const ORDER = [
  ...['Broker', 'Channel', 'InMemoryChannel', 'KafkaChannel', 'Subscription', 'Trigger', 'PingSource', 'CronJobSource'],
]
/** Those that have logs. */
const CHANNELS = ['InMemoryChannel', 'KafkaChannel']

function ofKind<K extends Entry['resource']['kind']>(entry: Entry | undefined, kind: K) {
  return entry?.resource.kind === kind ? (entry as Entry<Extract<Entry['resource'], { kind: K }>>) : undefined
}

/** The Broker or channels that a path of the data port would be of. */
function hubKeysAt(path: string): readonly ResourceKey[] {
  const [, first = '', second = '', third] = path.split('/')
  if (third === undefined || first !== 'channels') return [brokerKey(first, second)]
  return [inMemoryChannelKey(second, third), kafkaChannelKey(second, third)]
}

/** The display at the paths where it stands in for a service; undefined for any other path. */
function createDisplayAt(isAt: (path: string) => boolean, { settings, clock, print }: RuntimeOptions) {
  const display = createDisplay({ print, clock, maxEventBytes: settings.data.maxEventBytes })
  return (request: DataRequest): Answer | undefined => (isAt(request.path) ? display(request) : undefined)
}
