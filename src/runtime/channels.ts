// Channels: a Channel has another kind do its work, and copies what that says; an InMemoryChannel has logs of its own.
import { type Condition, conditionOf, type Finding } from '../resource/conditions.ts'
import { apiVersionOf } from '../resource/kind.ts'
import { type Channel, channelKind, channelTemplateOf } from '../resource/kinds/channel.ts'
import { type InMemoryChannel, inMemoryChannelKind } from '../resource/kinds/in-memory-channel.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { retentionAnnotationsOf } from '../resource/retention.ts'
import { type Entry, keyOf, type ResourceKey } from '../store/resource-store.ts'
import { addressFields, copiedFinding, deadLetterSinkFinding } from './brokers.ts'
import type { Hubs } from './hubs.ts'
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
    await hubs.open(entry)
    const { resource } = entry
    const sinkManifest = resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const parts = ['DispatcherReady', 'ServiceReady', 'EndpointsReady', 'ChannelServiceReady']
    const findings: Finding[] = [
      ...[...parts, 'Addressable', 'EventPoliciesReady'].map((type): Finding => ({ type, status: 'True' })),
      deadLetterSinkFinding(sink),
    ]
    writeStatus(world, entry, inMemoryChannelKind.conditions, findings, {
      ...addressOf(world, resource),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
}

export function createChannelReconcile(world: World) {
  const { resources } = world

  /** The name of its origin tells whose it is. */
  const originOf = (namespace: string, name: string): string => `Channel ${namespace}/${name}`

  /** Why there is no channel that does the work; undefined when there is one. */
  function makeBacking(entry: Entry<Channel>, key: ResourceKey, look: Look): string | undefined {
    const { resource } = entry
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    const template = channelTemplateOf(resource)
    if (template.kind !== 'InMemoryChannel' || template.apiVersion !== API_VERSION) {
      return `${template.kind} (${template.apiVersion}) is not available in this version: use InMemoryChannel (${API_VERSION})`
    }
    const owner = {
      apiVersion: API_VERSION,
      kind: 'Channel',
      name,
      uid: uidOf(entry),
      controller: true,
      blockOwnerDeletion: true,
    }
    const { delivery } = resource.spec ?? {}
    const reading = inMemoryChannelKind.read({
      apiVersion: API_VERSION,
      kind: 'InMemoryChannel',
      metadata: { namespace, name, ownerReferences: [owner], annotations: retentionAnnotationsOf(resource) },
      spec: { ...template.spec, ...(delivery && { delivery }) },
    })
    if (reading.kind === 'invalid') {
      return `spec.channelTemplate: ${reading.errors.map(({ message }) => message).join('; ')}`
    }
    const there = look(key)
    const origin = originOf(namespace, name)
    if (there && there.origin !== origin) {
      return `InMemoryChannel ${namespace}/${name} is there already (${there.origin}) and is not this Channel's`
    }
    resources.put(reading.resource, origin)
    return undefined
  }

  return (key: ResourceKey, entry: Entry<Channel> | undefined, look: Look): void => {
    const [, , namespace = '', name = ''] = key.split('/')
    const backingKey = inMemoryChannelKey(namespace, name)
    if (!entry) {
      if (resources.get(backingKey)?.origin === originOf(namespace, name)) resources.delete(backingKey)
      return
    }
    const problem = makeBacking(entry, backingKey, look)
    const ready = conditionOf(look(backingKey)?.status?.conditions ?? [], 'Ready')
    const sinkManifest = entry.resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const findings: Finding[] = [
      backingFinding(problem, ready),
      { type: 'Addressable', status: problem === undefined ? 'True' : 'False', ...(problem && NO_ADDRESS) },
      deadLetterSinkFinding(sink),
      { type: 'EventPoliciesReady', status: 'True' },
    ]
    const backing = { apiVersion: apiVersionOf(inMemoryChannelKind), kind: 'InMemoryChannel', name, namespace }
    writeStatus(world, entry, channelKind.conditions, findings, {
      ...(problem === undefined && { ...addressOf(world, entry.resource), channel: backing }),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
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
