// Channels: a Channel has another kind do its work, and copies what that says; an InMemoryChannel has logs of its own.
import { type Condition, conditionOf, type Finding } from '../resource/conditions.ts'
import { apiVersionsOf, type Kind } from '../resource/kind.ts'
import { type Channel, channelKind, channelTemplateOf } from '../resource/kinds/channel.ts'
import { type InMemoryChannel, inMemoryChannelKind } from '../resource/kinds/in-memory-channel.ts'
import { type KafkaChannel, kafkaChannelKind } from '../resource/kinds/kafka-channel.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { retentionAnnotationsOf } from '../resource/retention.ts'
import { type Entry, keyOf, type ResourceKey } from '../store/resource-store.ts'
import { addressFields, copiedFinding, deadLetterSinkFinding } from './brokers.ts'
import type { Hubs } from './hubs.ts'
import { kafkaChannelKey } from './kafka-channels.ts'
import { annotationsOf, openedFinding } from './kafka-status.ts'
import type { Look } from './reconcile.ts'
import { channelUrl, resolve } from './resolve.ts'
import { uidOf, type World, writeStatus } from './world.ts'

const API_VERSION = 'messaging.knative.dev/v1'

export function channelKey(namespace: string, name: string): ResourceKey {
  return keyOf(API_VERSION, 'Channel', namespace, name)
}

/** Of the channel that has the logs. One behind a Channel has its name. */
export function inMemoryChannelKey(namespace: string, name: string): ResourceKey {
  return keyOf(API_VERSION, 'InMemoryChannel', namespace, name)
}

export function createInMemoryChannelReconcile(world: World, hubs: Hubs) {
  return async (key: ResourceKey, entry: Entry<InMemoryChannel> | undefined, look: Look): Promise<void> => {
    if (!entry) return hubs.delete(key)
    const opened = await hubs.open(entry, look)
    const { resource } = entry
    const sinkManifest = resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const parts = ['DispatcherReady', 'ServiceReady', 'EndpointsReady', 'ChannelServiceReady']
    const findings: Finding[] = [
      ...[...parts, 'Addressable'].map((type) => openedFinding(type, opened)),
      { type: 'EventPoliciesReady', status: 'True' },
      deadLetterSinkFinding(sink),
    ]
    writeStatus(world, entry, inMemoryChannelKind.conditions, findings, {
      ...annotationsOf(opened),
      ...(opened.kind === 'open' && addressOf(world, resource)),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
}

export function createChannelReconcile(world: World) {
  const { resources } = world

  /** The name of its origin tells whose it is. */
  const originOf = (namespace: string, name: string): string => `Channel ${namespace}/${name}`

  /** Why there is no channel that does the work; undefined when there is one. */
  function makeBacking(entry: Entry<Channel>, backing: Backing, look: Look): string | undefined {
    const { resource } = entry
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    const template = channelTemplateOf(resource)
    const owner = {
      apiVersion: API_VERSION,
      kind: 'Channel',
      name,
      uid: uidOf(entry),
      controller: true,
      blockOwnerDeletion: true,
    }
    const { delivery } = resource.spec ?? {}
    const reading = backing.kind.read({
      apiVersion: template.apiVersion,
      kind: template.kind,
      metadata: { namespace, name, ownerReferences: [owner], annotations: retentionAnnotationsOf(resource) },
      spec: { ...template.spec, ...(delivery && { delivery }) },
    })
    if (reading.kind === 'invalid') {
      return `spec.channelTemplate: ${reading.errors.map(({ message }) => message).join('; ')}`
    }
    const there = look(backing.keyOf(namespace, name))
    const origin = originOf(namespace, name)
    if (there && there.origin !== origin) {
      return `${template.kind} ${namespace}/${name} is there already (${there.origin}) and is not this Channel's`
    }
    resources.put(reading.resource, origin)
    return undefined
  }

  /** A Channel that came back may have another kind do its work than it had. */
  function deleteOthers(namespace: string, name: string, but?: Backing): void {
    for (const other of BACKINGS) {
      const key = other.keyOf(namespace, name)
      if (other !== but && resources.get(key)?.origin === originOf(namespace, name)) resources.delete(key)
    }
  }

  return (key: ResourceKey, entry: Entry<Channel> | undefined, look: Look): void => {
    const [, , namespace = '', name = ''] = key.split('/')
    const backing = entry && backingOf(entry.resource)
    deleteOthers(namespace, name, backing)
    if (!entry) return
    const { apiVersion, kind } = channelTemplateOf(entry.resource)
    const problem = backing ? makeBacking(entry, backing, look) : notAvailable(kind, apiVersion)
    const status = backing && look(backing.keyOf(namespace, name))?.status
    const ready = conditionOf(status?.conditions ?? [], 'Ready')
    const sinkManifest = entry.resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const findings: Finding[] = [
      backingFinding(problem, ready),
      { type: 'Addressable', status: problem === undefined ? 'True' : 'False', ...(problem && NO_ADDRESS) },
      deadLetterSinkFinding(sink),
      { type: 'EventPoliciesReady', status: 'True' },
    ]
    writeStatus(world, entry, channelKind.conditions, findings, {
      ...(problem === undefined && {
        ...addressOf(world, entry.resource),
        channel: { apiVersion, kind, name, namespace },
      }),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
}

interface Backing {
  readonly kind: Kind<InMemoryChannel> | Kind<KafkaChannel>
  keyOf(namespace: string, name: string): ResourceKey
}

const BACKINGS: readonly Backing[] = [
  { kind: inMemoryChannelKind, keyOf: inMemoryChannelKey },
  { kind: kafkaChannelKind, keyOf: kafkaChannelKey },
]

function backingOf(channel: Channel): Backing | undefined {
  const template = channelTemplateOf(channel)
  return BACKINGS.find(({ kind }) => kind.kind === template.kind && apiVersionsOf(kind).includes(template.apiVersion))
}

function notAvailable(kind: string, apiVersion: string): string {
  return `${kind} (${apiVersion}) is not available in this version: use InMemoryChannel (${API_VERSION})`
}

const NO_ADDRESS = { reason: 'EmptyHostname', message: 'there is no channel behind it' }

function backingFinding(problem: string | undefined, ready: Condition | undefined): Finding {
  const type = 'BackingChannelReady'
  if (problem !== undefined) return { type, status: 'False', reason: 'ChannelFailure', message: problem }
  if (!ready) return { type, status: 'Unknown', reason: 'BackingChannelNotConfigured' }
  return copiedFinding(type, ready)
}

function addressOf({ dataUrl }: World, resource: Channel | InMemoryChannel) {
  return addressFields(channelUrl(dataUrl, namespaceOf(resource), resource.metadata.name))
}
