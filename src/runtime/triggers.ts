// Triggers: each is a cursor in its Broker's log, with a filter in the Broker's matcher.
import type { OpenBroker } from '../broker/broker.ts'
import type { DeadLetterLog } from '../broker/dead-letter-log.ts'
import { createTriggerDeliver } from '../broker/trigger.ts'
import type { Route } from '../core/delivery-spec.ts'
import { compileTriggerFilter } from '../filter/dialects.ts'
import type { Histogram } from '../observe/histogram.ts'
import { conditionOf, type Finding } from '../resource/conditions.ts'
import { deadLetterSinkOf, deliveryOf } from '../resource/delivery-policy.ts'
import { brokerNameOf, dependencyOf, isOrdered, type Trigger, triggerKind } from '../resource/kinds/trigger.ts'
import { findKind } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { startAtOf } from '../resource/start-at.ts'
import { type Entry, keyOf, type ResourceKey } from '../store/resource-store.ts'
import { brokerKey, copiedFinding, deadLetterSinkFinding, type RunningBroker, runningBroker } from './brokers.ts'
import type { Cursors } from './cursors.ts'
import { createDurations } from './durations.ts'
import { createFailureLog } from './failure-log.ts'
import type { Hubs } from './hubs.ts'
import { literalTypeOf, plausibleFinding } from './plausible.ts'
import type { Look } from './reconcile.ts'
import { brokerUrl, type Resolution, resolve } from './resolve.ts'
import { uidOf, type World, writeStatus } from './world.ts'

/** A Trigger while it runs. What changes with its manifest is read at every attempt. */
export interface TriggerState {
  readonly key: ResourceKey
  readonly namespace: string
  readonly name: string
  readonly brokerName: string
  /** Shared by all triggers of a broker where there are many. */
  readonly durations: Histogram
  /** Absent while a reference is unresolved: then `held` says which and why. */
  route: Route | undefined
  held: string | undefined
  /** Absent while the broker is. */
  broker: OpenBroker | undefined
  /** Nothing is likely to send what it waits for (plausible.ts). */
  isOdd: boolean
  /** The one type that its events have, where its filter says so. */
  literalType: string | undefined
}

export interface Triggers {
  reconcile(key: ResourceKey, entry: Entry<Trigger> | undefined, look: Look): Promise<void>
  states(): Iterable<TriggerState>
}

export function createTriggers(world: World, hubs: Hubs, cursors: Cursors): Triggers {
  const { settings, clock, logger } = world
  const states = new Map<ResourceKey, TriggerState>()
  const durationsOf = createDurations(() => states.size)

  function stateOf({ key, resource }: Entry<Trigger>): TriggerState {
    const namespace = namespaceOf(resource)
    const brokerName = brokerNameOf(resource)
    const known = states.get(key)
    if (known?.brokerName === brokerName) return known
    const durations = durationsOf(`${namespace}/${brokerName}`)
    const { name } = resource.metadata
    const nothing = { route: undefined, held: undefined, broker: undefined, isOdd: false, literalType: undefined }
    const state: TriggerState = { key, namespace, name, brokerName, durations, ...nothing }
    states.set(key, state)
    return state
  }

  async function place(entry: Entry<Trigger>, state: TriggerState, { open }: RunningBroker): Promise<void> {
    const { filter, filters } = entry.resource.spec
    const filterSource = { ...(filter && { filter }), ...(filters && { filters }) }
    const { maxInFlight, maxUnsettled } = settings.delivery
    const start = startAtOf(entry.resource)
    await cursors.place(state.key, {
      uid: uidOf(entry),
      hub: open,
      filterSource,
      spec: {
        filter: compileTriggerFilter(filterSource),
        ordered: isOrdered(entry.resource),
        maxInFlight,
        maxUnsettled,
        ...(state.held !== undefined && { held: state.held }),
      },
      ...(start && { start }),
      deliverTo: (deadLetters) => deliverOf(state, open, deadLetters),
    })
  }

  /** Conditions that inform only. */
  function hintsOf({ key, resource, status }: Entry<Trigger>, state: TriggerState): readonly Finding[] {
    const cursor = cursors.status(key)
    const found = plausibleFinding(resource, {
      hasMatched: cursor !== undefined && cursor.stats.matched + cursor.behind > 0,
      recentTypes: state.broker?.types ?? [],
      before: status?.conditions ?? [],
    })
    state.literalType = literalTypeOf(resource)
    state.isOdd = found.some((finding) => finding.status === 'Unknown')
    return found
  }

  function deliverOf(state: TriggerState, open: OpenBroker, deadLetters: Pick<DeadLetterLog, 'keep'>) {
    const { namespace, name, brokerName, durations } = state
    return createTriggerDeliver({
      name: `${namespace}/${name}`,
      route: () => {
        if (!state.route) throw new Error(`not resolved: ${state.held}`)
        return state.route
      },
      broker: { target: open.target, room: open.room, url: brokerUrl(world.dataUrl, open.namespace, open.name) },
      accept: world.accept,
      deadLetters,
      client: world.client,
      clock,
      durations,
      onFailure: createFailureLog({ about: { namespace, broker: brokerName, trigger: name }, clock, logger }),
      onAttempt: world.attempts.recorder({ kind: 'Trigger', namespace, name, hub: open.uid }),
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
      const broker = runningBroker(hubs, look, state.namespace, state.brokerName)
      const subscriber = resolve(resource.spec.subscriber, look, world.dataUrl)
      const sinkManifest = broker && deadLetterSinkOf(resource, broker.resource)
      const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
      state.held = heldBy(subscriber, sink)
      state.route = broker && !state.held ? routeOf(resource, broker, subscriber, sink, world) : undefined
      state.broker = broker?.open
      if (broker) await place(entry, state, broker)
      else cursors.hold(key, noBroker(state, look))
      const findings = [
        ...findingsOf(resource, broker ?? unopenedBroker(state, look), subscriber, sink),
        dependencyFinding(resource, look),
        ...hintsOf(entry, state),
      ]
      writeStatus(world, entry, triggerKind.conditions, findings, statusOf(subscriber, sink))
    },
    states: () => states.values(),
  }
}

function routeOf(
  trigger: Trigger,
  { resource }: RunningBroker,
  subscriber: Resolution,
  sink: Resolution | undefined,
  { settings }: World,
): Route | undefined {
  if (subscriber.kind === 'unresolved' || sink?.kind === 'unresolved') return undefined
  return {
    ...deliveryOf(trigger, resource, settings.delivery),
    subscriber: subscriber.target,
    ...(sink && { deadLetterSink: sink.target }),
    namespace: namespaceOf(trigger),
  }
}

export function heldBy(subscriber: Resolution, sink: Resolution | undefined): string | undefined {
  if (subscriber.kind === 'unresolved') return `subscriber: ${subscriber.message}`
  return sink?.kind === 'unresolved' ? `dead letter sink: ${sink.message}` : undefined
}

/** What a Broker that is there, and whose log is not open, says of itself. */
function unopenedBroker({ namespace, brokerName }: TriggerState, look: Look): Pick<RunningBroker, 'ready'> | undefined {
  const entry = look(brokerKey(namespace, brokerName))
  return entry && { ready: conditionOf(entry.status?.conditions ?? [], 'Ready') }
}

function noBroker({ namespace, brokerName }: TriggerState, look: Look): string {
  const isThere = look(brokerKey(namespace, brokerName)) !== undefined
  return `Broker ${namespace}/${brokerName} ${isThere ? 'is not ready' : 'does not exist'}`
}

function findingsOf(
  trigger: Trigger,
  broker: Pick<RunningBroker, 'ready'> | undefined,
  subscriber: Resolution,
  sink: Resolution | undefined,
): readonly Finding[] {
  const findings: Finding[] = [
    { type: 'OIDCIdentityCreated', status: 'True', reason: 'authentication-oidc feature disabled' },
  ]
  if (!broker) {
    const message = `Broker "${brokerNameOf(trigger)}" does not exist`
    return [...findings, { type: 'BrokerReady', status: 'False', reason: 'BrokerDoesNotExist', message }]
  }
  findings.push(
    copiedFinding('BrokerReady', broker.ready),
    subscriberFinding(subscriber),
    sinkFinding(trigger, sink),
    heldBy(subscriber, sink) === undefined
      ? { type: 'SubscriptionReady', status: 'True' }
      : { type: 'SubscriptionReady', status: 'Unknown', reason: 'SubscriptionNotConfigured' },
  )
  return findings
}

/** Whose dead letter sink it is decides where it is to be mended. */
function sinkFinding(trigger: Trigger, sink: Resolution | undefined): Finding {
  const finding = deadLetterSinkFinding(sink)
  if (sink?.kind !== 'unresolved' || trigger.spec.delivery?.deadLetterSink) return finding
  const reason = `Broker ${brokerNameOf(trigger)} didn't set status.deadLetterSinkURI`
  return { ...finding, reason }
}

/**
 * As ready as the object that the annotation `knative.dev/dependency` names. Deliveries do not wait for it.
 * @see knative/eventing pkg/reconciler/broker/trigger/trigger.go, checkDependencyAnnotation
 */
function dependencyFinding(trigger: Trigger, look: Look): Finding {
  const type = 'DependencyReady'
  const reference = dependencyOf(trigger)
  if (!reference) return { type, status: 'True' }
  const { apiVersion, kind, name } = reference
  const found = look(keyOf(apiVersion, kind, namespaceOf(trigger), name))
  if (!found) {
    const message = `Dependency does not exist: ${kind} ${namespaceOf(trigger)}/${name} (${apiVersion})`
    return { type, status: 'False', reason: 'DependencyDoesNotExist', message }
  }
  const { status, resource } = found
  // What has no conditions is there or not.
  if (findKind(apiVersion, kind)?.conditions.dependents.length === 0) return { type, status: 'True' }
  if (status?.observedGeneration !== resource.metadata.generation) {
    return { type, status: 'Unknown', reason: 'GenerationNotEqual', message: `${kind} ${name} is being reconciled` }
  }
  return copiedFinding(type, conditionOf(status?.conditions ?? [], 'Ready'))
}

function subscriberFinding(subscriber: Resolution): Finding {
  if (subscriber.kind === 'resolved') return { type: 'SubscriberResolved', status: 'True' }
  const reason = "Unable to get the Subscriber's URI"
  return { type: 'SubscriberResolved', status: 'False', reason, message: subscriber.message }
}

function statusOf(subscriber: Resolution, sink: Resolution | undefined): Readonly<Record<string, unknown>> {
  return {
    ...(subscriber.kind === 'resolved' && { subscriberUri: subscriber.target.url }),
    ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
  }
}
