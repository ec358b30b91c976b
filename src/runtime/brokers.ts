// Brokers: each has its logs, an address, and what its Triggers fall back to.
import type { OpenBroker } from '../broker/broker.ts'
import { type Condition, conditionOf, type Finding } from '../resource/conditions.ts'
import {
  type Broker,
  brokerClassOf,
  brokerKind,
  isOurs,
  KAFKA_BROKER_CONDITIONS,
  KAFKA_CLASS,
} from '../resource/kinds/broker.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { BUILT_IN, type Entry, keyOf, type ResourceKey, type ResourceStore } from '../store/resource-store.ts'
import type { Hubs, OpenedHub } from './hubs.ts'
import { annotationsOf, kafkaFindings, openedFinding } from './kafka-status.ts'
import type { Look } from './reconcile.ts'
import { brokerUrl, resolve } from './resolve.ts'
import { type World, writeStatus } from './world.ts'

export interface RunningBroker {
  readonly resource: Broker
  readonly open: OpenBroker
  /** What it says of itself. */
  readonly ready: Condition | undefined
}

const KEY_PREFIX = keyOf('eventing.knative.dev/v1', 'Broker', '', '').slice(0, -1)

/** On every event's path. */
export function brokerKey(namespace: string, name: string): ResourceKey {
  return `${KEY_PREFIX}${namespace}/${name}`
}

/** The broker that a Trigger reads, once it is open. */
export function runningBroker(hubs: Hubs, look: Look, namespace: string, name: string): RunningBroker | undefined {
  const key = brokerKey(namespace, name)
  const entry = look(key)
  const open = hubs.get(key)
  if (entry?.resource.kind !== 'Broker' || !open) return undefined
  return { resource: entry.resource, open, ready: conditionOf(entry.status?.conditions ?? [], 'Ready') }
}

export function createBrokerReconcile(world: World, hubs: Hubs) {
  return async (key: ResourceKey, entry: Entry<Broker> | undefined, look: Look): Promise<void> => {
    if (!entry || !isOurs(entry.resource)) return hubs.delete(key)
    const opened = await hubs.open(entry, look)
    const { resource } = entry
    const url = brokerUrl(world.dataUrl, namespaceOf(resource), resource.metadata.name)
    const sinkManifest = resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const isKafka = brokerClassOf(resource) === KAFKA_CLASS
    const set = isKafka ? KAFKA_BROKER_CONDITIONS : brokerKind.conditions
    const findings = [
      ...(isKafka ? kafkaFindings(opened) : logFindings(opened)),
      { type: 'EventPoliciesReady', status: 'True' } as const,
      deadLetterSinkFinding(sink),
    ]
    writeStatus(world, entry, set, findings, {
      ...annotationsOf(opened),
      ...(opened.kind === 'open' && addressFields(url)),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
}

function logFindings(opened: OpenedHub): readonly Finding[] {
  const found = openedFinding('TriggerChannelReady', opened)
  return [found, ...['IngressReady', 'FilterReady', 'Addressable'].map((type) => ({ ...found, type }))]
}

/** Where it can be reached, in both of the fields that clients read. */
export function addressFields(url: string): Readonly<Record<string, unknown>> {
  const address = { name: 'http', url }
  return { address, addresses: [address] }
}

/** What follows the readiness of another resource; Unknown until that says something. */
export function copiedFinding(type: string, ready: Condition | undefined): Finding {
  if (!ready) return { type, status: 'Unknown' }
  const { status, reason, message } = ready
  return { type, status, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
}

/** What every kind with a dead letter sink says of it. */
export function deadLetterSinkFinding(sink: ReturnType<typeof resolve> | undefined): Finding {
  const type = 'DeadLetterSinkResolved'
  if (!sink) return { type, status: 'True', reason: 'DeadLetterSinkNotConfigured' }
  if (sink.kind === 'resolved') return { type, status: 'True' }
  return { type, status: 'False', reason: "Unable to get the dead letter sink's URI", message: sink.message }
}

/** Standalone, namespace `default` has a Broker `default` unless the user brings one, or deletes it. */
export function addDefaultBroker(resources: ResourceStore): void {
  if (resources.get(brokerKey('default', 'default'))) return
  const manifest = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' } }
  const reading = brokerKind.read(manifest)
  if (reading.kind === 'valid') resources.put(reading.resource, BUILT_IN)
}
