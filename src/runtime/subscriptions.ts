// Subscriptions: each is a cursor in its channel's log that lets everything pass.
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLog } from '../broker/dead-letter-log.ts'
import { compileTriggerFilter } from '../filter/dialects.ts'
import { createSubscriptionDeliver, type SubscriptionRoute } from '../messaging/subscription.ts'
import type { Histogram } from '../observe/histogram.ts'
import { type Condition, conditionOf, type Finding } from '../resource/conditions.ts'
import { deadLetterSinkOf, deliveryOf, ONE_ATTEMPT } from '../resource/delivery-policy.ts'
import type { InMemoryChannel } from '../resource/kinds/in-memory-channel.ts'
import type { KafkaChannel } from '../resource/kinds/kafka-channel.ts'
import { channelOf, type Subscription, subscriptionKind } from '../resource/kinds/subscription.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { textAt } from '../resource/rules.ts'
import { startAtOf } from '../resource/start-at.ts'
import type { Entry, ResourceKey } from '../store/resource-store.ts'
import { copiedFinding } from './brokers.ts'
import { channelKey, inMemoryChannelKey } from './channels.ts'
import type { Cursors } from './cursors.ts'
import { createDurations } from './durations.ts'
import { createFailureLog } from './failure-log.ts'
import type { Hubs } from './hubs.ts'
import { kafkaChannelKey } from './kafka-channels.ts'
import type { Look } from './reconcile.ts'
import { notReady, type Resolution, resolve } from './resolve.ts'
import { uidOf, type World, writeStatus } from './world.ts'

/** A Subscription while it runs. What changes with its manifest is read at every attempt. */
export interface SubscriptionState {
  readonly key: ResourceKey
  readonly namespace: string
  readonly name: string
  readonly channelName: string
  readonly durations: Histogram
  /** Absent while a reference is unresolved: then `held` says which and why. */
  route: SubscriptionRoute | undefined
  held: string | undefined
}

export interface Subscriptions {
  reconcile(key: ResourceKey, entry: Entry<Subscription> | undefined, look: Look): Promise<void>
  states(): Iterable<SubscriptionState>
}

interface RunningChannel {
  readonly resource: InMemoryChannel | KafkaChannel
  readonly open: OpenBroker
  /** What the channel that the Subscription names says of itself. */
  readonly ready: Condition | undefined
}

/** What its destinations resolved to; the optional ones are absent when there are none. */
interface Resolved {
  readonly subscriber: Resolution
  readonly reply: Resolution | undefined
  readonly sink: Resolution | undefined
}

const EVERYTHING = {}

/** Of the channels that may be named. */
const KEYS: ReadonlyMap<string, (namespace: string, name: string) => ResourceKey> = new Map([
  ['Channel', channelKey],
  ['InMemoryChannel', inMemoryChannelKey],
  ['KafkaChannel', kafkaChannelKey],
])

export function createSubscriptions(world: World, hubs: Hubs, cursors: Cursors): Subscriptions {
  const { settings, clock, logger } = world
  const states = new Map<ResourceKey, SubscriptionState>()
  const durationsOf = createDurations(() => states.size)

  function stateOf({ key, resource }: Entry<Subscription>): SubscriptionState {
    const channelName = channelOf(resource).name
    const known = states.get(key)
    if (known?.channelName === channelName) return known
    const namespace = namespaceOf(resource)
    const state: SubscriptionState = {
      key,
      namespace,
      name: resource.metadata.name,
      channelName,
      durations: durationsOf(`${namespace}/${channelName}`),
      route: undefined,
      held: undefined,
    }
    states.set(key, state)
    return state
  }

  /** A Channel is followed to the one that does its work; why not, where that cannot be. */
  function runningChannel(subscription: Subscription, look: Look): RunningChannel | string {
    const { kind, namespace, name } = channelOf(subscription)
    const what = `${kind} ${namespace}/${name}`
    const named = KEYS.get(kind)
    if (!named) return `${what} is not available in this version`
    const entry = look(named(namespace, name))
    if (!entry) return `${what} does not exist: add its manifest`
    const backing = kind === 'Channel' ? textAt(entry.status, ['channel', 'kind']) : kind
    const key = KEYS.get(backing ?? '')?.(namespace, name)
    if (key === undefined) return notReady(what, entry.status)
    const resource = look(key)?.resource
    const open = hubs.get(key)
    const isThere = resource?.kind === 'InMemoryChannel' || resource?.kind === 'KafkaChannel'
    if (!isThere || !open) return notReady(what, entry.status)
    return { resource, open, ready: conditionOf(entry.status?.conditions ?? [], 'Ready') }
  }

  function deliverOf(state: SubscriptionState, hub: string, deadLetters: Pick<DeadLetterLog, 'keep'>) {
    const { namespace, name, channelName } = state
    return createSubscriptionDeliver({
      name: `${namespace}/${name}`,
      route: () => {
        if (!state.route) throw new Error(`not resolved: ${state.held}`)
        return state.route
      },
      deadLetters,
      client: world.client,
      clock,
      durations: state.durations,
      onFailure: createFailureLog({ about: { namespace, channel: channelName, subscription: name }, clock, logger }),
      onAttempt: world.attempts.recorder({ kind: 'Subscription', namespace, name, hub }),
    })
  }

  async function place(entry: Entry<Subscription>, state: SubscriptionState, open: OpenBroker): Promise<void> {
    const { maxInFlight, maxUnsettled } = settings.delivery
    const start = startAtOf(entry.resource)
    await cursors.place(state.key, {
      uid: uidOf(entry),
      hub: open,
      filterSource: EVERYTHING,
      spec: {
        filter: compileTriggerFilter(EVERYTHING),
        ordered: false,
        maxInFlight,
        maxUnsettled,
        ...(state.held !== undefined && { held: state.held }),
      },
      ...(start && { start }),
      deliverTo: (deadLetters) => deliverOf(state, open.uid, deadLetters),
    })
  }

  return {
    async reconcile(key, entry, look) {
      if (!entry) {
        states.delete(key)
        return cursors.delete(key)
      }
      const { resource } = entry
      const state = stateOf(entry)
      const channel = runningChannel(resource, look)
      const found = resolveAll(resource, typeof channel === 'string' ? undefined : channel, look, world)
      state.held = heldBy(found)
      state.route = typeof channel === 'string' ? undefined : routeOf(resource, channel, found, world)
      if (typeof channel === 'string') cursors.hold(key, channel)
      else await place(entry, state, channel.open)
      writeStatus(world, entry, subscriptionKind.conditions, findingsOf(channel, found), statusOf(found))
    },
    states: () => states.values(),
  }
}

function resolveAll(
  subscription: Subscription,
  channel: RunningChannel | undefined,
  look: Look,
  { dataUrl }: World,
): Resolved {
  const { subscriber, reply } = subscription.spec
  const sink = deadLetterSinkOf(subscription, channel?.resource ?? {})
  return {
    subscriber: resolve(subscriber, look, dataUrl),
    reply: reply && resolve(reply, look, dataUrl),
    sink: sink && resolve(sink, look, dataUrl),
  }
}

function routeOf(
  subscription: Subscription,
  { resource }: RunningChannel,
  { subscriber, reply, sink }: Resolved,
  { settings }: World,
): SubscriptionRoute | undefined {
  if (subscriber.kind === 'unresolved' || reply?.kind === 'unresolved' || sink?.kind === 'unresolved') return undefined
  return {
    ...deliveryOf(subscription, resource, settings.delivery, ONE_ATTEMPT),
    subscriber: subscriber.target,
    ...(reply && { reply: reply.target }),
    ...(sink && { deadLetterSink: sink.target }),
    namespace: namespaceOf(resource),
  }
}

/** The destinations in the order in which upstream resolves them, with what it calls their failures. */
function destinationsOf({ subscriber, reply, sink }: Resolved) {
  return [
    { what: 'subscriber', resolution: subscriber, reason: 'SubscriberResolveFailed' },
    { what: 'reply', resolution: reply, reason: 'ReplyResolveFailed' },
    { what: 'dead letter sink', resolution: sink, reason: 'DeadLetterSinkResolveFailed' },
  ] as const
}

function heldBy(found: Resolved): string | undefined {
  for (const { what, resolution } of destinationsOf(found)) {
    if (resolution?.kind === 'unresolved') return `${what}: ${resolution.message}`
  }
  return undefined
}

function findingsOf(channel: RunningChannel | string, found: Resolved): readonly Finding[] {
  const oidc: Finding = {
    type: 'OIDCIdentityCreated',
    status: 'True',
    reason: 'authentication-oidc feature disabled',
  }
  if (typeof channel === 'string') {
    const reason = 'ChannelReferenceFailed'
    return [
      oidc,
      { type: 'ReferencesResolved', status: 'False', reason, message: channel },
      { type: 'AddedToChannel', status: 'Unknown' },
      { type: 'ChannelReady', status: 'Unknown' },
    ]
  }
  return [
    oidc,
    referencesFinding(found),
    { type: 'AddedToChannel', status: 'True' },
    copiedFinding('ChannelReady', channel.ready),
  ]
}

function referencesFinding(found: Resolved): Finding {
  const type = 'ReferencesResolved'
  for (const { resolution, reason } of destinationsOf(found)) {
    if (resolution?.kind === 'unresolved') return { type, status: 'False', reason, message: resolution.message }
  }
  return { type, status: 'True' }
}

function statusOf({ subscriber, reply, sink }: Resolved): Readonly<Record<string, unknown>> {
  const physicalSubscription = {
    ...(subscriber.kind === 'resolved' && { subscriberUri: subscriber.target.url }),
    ...(reply?.kind === 'resolved' && { replyUri: reply.target.url }),
    ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
  }
  return Object.keys(physicalSubscription).length === 0 ? {} : { physicalSubscription }
}
