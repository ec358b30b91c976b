// One Trigger while it runs: what it resolved to, the conditions that follow, and its subscription.
import type { OpenBroker } from '../broker/broker.ts'
import type { SubscriptionSpec } from '../channel/subscription.ts'
import type { Route } from '../core/delivery-spec.ts'
import { compileTriggerFilter } from '../filter/dialects.ts'
import type { Histogram } from '../observe/histogram.ts'
import { applyFindings, type Condition, type Finding, startConditions } from '../resource/conditions.ts'
import { type DeliveryDefaults, deadLetterSinkOf, deliveryOf } from '../resource/delivery-policy.ts'
import type { Broker } from '../resource/kinds/broker.ts'
import { brokerNameOf, isOrdered, type Trigger, triggerKind } from '../resource/kinds/trigger.ts'
import { namespaceOf } from '../resource/metadata.ts'
import type { Resolution, Resolver } from './resolve.ts'

export interface TriggerState {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly brokerName: string
  readonly trigger: Trigger
  readonly conditions: readonly Condition[]
  /** Absent while the broker is. */
  readonly broker: OpenBroker | undefined
  /** Absent while a reference is unresolved: then `held` says which and why. */
  readonly route: Route | undefined
  readonly held: string | undefined
  /** Shared by all triggers of a broker where there are many. */
  readonly durations: Histogram
}

export interface TriggerSurroundings {
  readonly resolver: Resolver
  readonly broker: { readonly resource: Broker; readonly open: OpenBroker } | undefined
  readonly defaults: DeliveryDefaults
  readonly durations: Histogram
  readonly nowMs: number
}

/** What a Trigger comes to among the resources around it. */
export function reconcileTrigger(uid: string, trigger: Trigger, around: TriggerSurroundings): TriggerState {
  const { resolver, broker, defaults, durations, nowMs } = around
  const namespace = namespaceOf(trigger)
  const brokerName = brokerNameOf(trigger)
  const findings: Finding[] = [
    { type: 'OIDCIdentityCreated', status: 'True', reason: 'authentication-oidc feature disabled' },
    // What the annotation names is no resource that Tidings follows yet.
    { type: 'DependencyReady', status: 'True' },
  ]
  const subscriber = resolver.resolve(trigger.spec.subscriber)
  const sinkManifest = broker && deadLetterSinkOf(trigger, broker.resource)
  const sink = sinkManifest && resolver.resolve(sinkManifest)
  if (broker) {
    findings.push({ type: 'BrokerReady', status: 'True' }, subscriberFinding(subscriber), sinkFinding(sink))
  } else {
    const message = `Broker "${brokerName}" does not exist`
    findings.push({ type: 'BrokerReady', status: 'False', reason: 'BrokerDoesNotExist', message })
  }
  const held = heldBy(subscriber, sink)
  if (broker && !held) findings.push({ type: 'SubscriptionReady', status: 'True' })
  return {
    uid,
    namespace,
    name: trigger.metadata.name,
    brokerName,
    trigger,
    conditions: applyFindings(triggerKind.conditions, startConditions(triggerKind.conditions, nowMs), findings, nowMs),
    broker: broker?.open,
    route: broker && routeOf(trigger, broker.resource, subscriber, sink, defaults),
    held,
    durations,
  }
}

/** How the channel serves it. */
export function subscriptionSpecOf(
  { trigger, held }: TriggerState,
  deliver: SubscriptionSpec['deliver'],
  limits: { readonly maxInFlight: number; readonly maxUnsettled: number },
): SubscriptionSpec {
  const { filter, filters } = trigger.spec
  return {
    filter: compileTriggerFilter({ ...(filter && { filter }), ...(filters && { filters }) }),
    ordered: isOrdered(trigger),
    maxInFlight: limits.maxInFlight,
    maxUnsettled: limits.maxUnsettled,
    deliver,
    ...(held !== undefined && { held }),
  }
}

function routeOf(
  trigger: Trigger,
  broker: Broker,
  subscriber: Resolution,
  sink: Resolution | undefined,
  defaults: DeliveryDefaults,
): Route | undefined {
  if (subscriber.kind === 'unresolved' || sink?.kind === 'unresolved') return undefined
  return {
    ...deliveryOf(trigger, broker, defaults),
    subscriber: subscriber.target,
    ...(sink && { deadLetterSink: sink.target }),
    namespace: namespaceOf(trigger),
  }
}

function heldBy(subscriber: Resolution, sink: Resolution | undefined): string | undefined {
  if (subscriber.kind === 'unresolved') return `subscriber: ${subscriber.message}`
  return sink?.kind === 'unresolved' ? `dead letter sink: ${sink.message}` : undefined
}

function subscriberFinding(subscriber: Resolution): Finding {
  if (subscriber.kind === 'resolved') return { type: 'SubscriberResolved', status: 'True' }
  const reason = "Unable to get the Subscriber's URI"
  return { type: 'SubscriberResolved', status: 'False', reason, message: subscriber.message }
}

function sinkFinding(sink: Resolution | undefined): Finding {
  const type = 'DeadLetterSinkResolved'
  if (!sink) return { type, status: 'True', reason: 'DeadLetterSinkNotConfigured' }
  if (sink.kind === 'resolved') return { type, status: 'True' }
  return { type, status: 'False', reason: "Unable to get the dead letter sink's URI", message: sink.message }
}
