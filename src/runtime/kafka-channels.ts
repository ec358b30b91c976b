// KafkaChannels: each has its logs in a Kafka cluster, whatever the backend of the rest is.
import type { Finding } from '../resource/conditions.ts'
import { type KafkaChannel, kafkaChannelKind } from '../resource/kinds/kafka-channel.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { type Entry, keyOf, type ResourceKey } from '../store/resource-store.ts'
import { addressFields, deadLetterSinkFinding } from './brokers.ts'
import type { Hubs } from './hubs.ts'
import { annotationsOf, configFinding, notYet, topicFinding } from './kafka-status.ts'
import type { Look } from './reconcile.ts'
import { channelUrl, resolve } from './resolve.ts'
import { type World, writeStatus } from './world.ts'

export function kafkaChannelKey(namespace: string, name: string): ResourceKey {
  return keyOf('messaging.knative.dev/v1beta1', 'KafkaChannel', namespace, name)
}

export function createKafkaChannelReconcile(world: World, hubs: Hubs) {
  return async (key: ResourceKey, entry: Entry<KafkaChannel> | undefined, look: Look): Promise<void> => {
    if (!entry) return hubs.delete(key)
    const opened = await hubs.open(entry, look)
    const { resource } = entry
    const sinkManifest = resource.spec?.delivery?.deadLetterSink
    const sink = sinkManifest && resolve(sinkManifest, look, world.dataUrl)
    const isOpen = opened.kind === 'open'
    const findings: Finding[] = [
      { type: 'ConfigurationReady', ...configFinding(opened) },
      topicFinding(opened),
      { type: 'Addressable', ...(isOpen ? { status: 'True' } : notYet(opened)) },
      { type: 'ChannelServiceReady', status: 'True' },
      { type: 'EventPoliciesReady', status: 'True' },
      deadLetterSinkFinding(sink),
    ]
    writeStatus(world, entry, kafkaChannelKind.conditions, findings, {
      ...annotationsOf(opened),
      ...(isOpen && addressFields(channelUrl(world.dataUrl, namespaceOf(resource), resource.metadata.name))),
      ...(sink?.kind === 'resolved' && { deadLetterSinkUri: sink.target.url }),
    })
  }
}
