// Channels and Subscriptions.
import { type Case, document } from './case.ts'

const channel = (spec: string, metadata = 'name: c') => document('messaging.knative.dev/v1', 'Channel', metadata, spec)
const inMemoryChannel = (spec: string, metadata = 'name: c') =>
  document('messaging.knative.dev/v1', 'InMemoryChannel', metadata, spec)
const kafkaChannel = (spec: string, metadata = 'name: c') =>
  document('messaging.knative.dev/v1beta1', 'KafkaChannel', metadata, spec)
const subscription = (spec: string, metadata = 'name: s') =>
  document('messaging.knative.dev/v1', 'Subscription', metadata, spec)
const SINK = 'subscriber: {uri: "http://h/"}'
const CHANNEL = 'channel: {apiVersion: messaging.knative.dev/v1, kind: Channel, name: c}'

export const messagingRules: readonly string[] = [
  'Channel.spec unknown field',
  'Channel.spec.channelTemplate unknown field',
  'Channel.spec.channelTemplate.apiVersion empty',
  'Channel.spec.channelTemplate.kind empty',
  'Channel.spec.subscribers by a user',
  'InMemoryChannel.spec unknown field',
  'InMemoryChannel.spec.subscribers by a user',
  'InMemoryChannel scope unknown',
  'InMemoryChannel retention malformed',
  'Channel retention bytes malformed',
  'KafkaChannel.spec unknown field',
  'KafkaChannel.spec.numPartitions negative',
  'KafkaChannel.spec.replicationFactor negative',
  'KafkaChannel.spec.retentionDuration malformed',
  'KafkaChannel.spec.subscribers by a user',
  'KafkaChannel scope unknown',
  'Subscription.spec unknown field',
  'Subscription.spec.channel.namespace',
  'Subscription.spec.reply empty',
  'Subscription start unknown',
]

export const messagingCases: readonly Case[] = [
  {
    rule: 'Channel.spec wrong type',
    text: document('messaging.knative.dev/v1', 'Channel', 'name: c', '').replace('{}', 'x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'Channel.spec unknown field',
    text: channel('channelTemplates: {}'),
    problems: [
      '4:8 spec.channelTemplates: unknown field "channelTemplates": known: channelTemplate, delivery, subscribers',
    ],
  },
  {
    rule: 'Channel.spec.channelTemplate wrong type',
    text: channel('channelTemplate: InMemoryChannel'),
    problems: ['4:8 spec.channelTemplate: invalid value: "InMemoryChannel": expected a map'],
  },
  {
    rule: 'Channel.spec.channelTemplate unknown field',
    text: channel('channelTemplate: {apiVersion: v1, kind: K, name: x}'),
    problems: ['4:51 spec.channelTemplate.name: unknown field "name": known: apiVersion, kind, spec'],
  },
  {
    rule: 'Channel.spec.channelTemplate.apiVersion absent',
    text: channel('channelTemplate: {kind: InMemoryChannel}'),
    problems: ['4:8 spec.channelTemplate.apiVersion: missing field(s)'],
  },
  {
    rule: 'Channel.spec.channelTemplate.apiVersion wrong type',
    text: channel('channelTemplate: {apiVersion: 1, kind: InMemoryChannel}'),
    problems: ['4:26 spec.channelTemplate.apiVersion: invalid value: 1: expected a string'],
  },
  {
    rule: 'Channel.spec.channelTemplate.apiVersion empty',
    text: channel('channelTemplate: {apiVersion: "", kind: InMemoryChannel}'),
    problems: ['4:26 spec.channelTemplate.apiVersion: missing field(s)'],
  },
  {
    rule: 'Channel.spec.channelTemplate.kind absent',
    text: channel('channelTemplate: {apiVersion: messaging.knative.dev/v1}'),
    problems: ['4:8 spec.channelTemplate.kind: missing field(s)'],
  },
  {
    rule: 'Channel.spec.channelTemplate.kind wrong type',
    text: channel('channelTemplate: {apiVersion: messaging.knative.dev/v1, kind: [a]}'),
    problems: ['4:64 spec.channelTemplate.kind: invalid value: ["a"]: expected a string'],
  },
  {
    rule: 'Channel.spec.channelTemplate.kind empty',
    text: channel('channelTemplate: {apiVersion: messaging.knative.dev/v1, kind: ""}'),
    problems: ['4:64 spec.channelTemplate.kind: missing field(s)'],
  },
  {
    rule: 'Channel.spec.channelTemplate.spec wrong type',
    text: channel('channelTemplate: {apiVersion: v1, kind: K, spec: 5}'),
    problems: ['4:51 spec.channelTemplate.spec: invalid value: 5: expected a map'],
  },
  {
    rule: 'Channel.spec.delivery wrong type',
    text: channel('delivery: 5'),
    problems: ['4:8 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'Channel.spec.subscribers wrong type',
    text: channel('subscribers: 5'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },
  {
    rule: 'Channel.spec.subscribers by a user',
    text: channel('subscribers: [{subscriberUri: "http://h/"}]'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },

  {
    rule: 'InMemoryChannel.spec wrong type',
    text: document('messaging.knative.dev/v1', 'InMemoryChannel', 'name: c', '').replace('{}', 'x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'InMemoryChannel.spec unknown field',
    text: inMemoryChannel('channelTemplate: {apiVersion: v1, kind: K}'),
    problems: ['4:8 spec.channelTemplate: unknown field "channelTemplate": known: delivery, subscribers'],
  },
  {
    rule: 'InMemoryChannel.spec.delivery wrong type',
    text: inMemoryChannel('delivery: 5'),
    problems: ['4:8 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'InMemoryChannel.spec.subscribers wrong type',
    text: inMemoryChannel('subscribers: {}'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },
  {
    rule: 'InMemoryChannel.spec.subscribers by a user',
    text: inMemoryChannel('subscribers: [{subscriberUri: "http://h/"}]'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },
  {
    rule: 'InMemoryChannel scope unknown',
    text: inMemoryChannel('', 'name: c, annotations: {eventing.knative.dev/scope: cloud}'),
    problems: [
      '3:35 metadata.annotations[eventing.knative.dev/scope]: invalid value: cloud: expected cluster or namespace',
    ],
  },
  {
    rule: 'InMemoryChannel retention malformed',
    text: inMemoryChannel('', 'name: c, annotations: {tidings.dev/retention: P}'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/retention]: invalid value: P: expected an ISO 8601 duration such as P7D or PT12H',
    ],
  },
  {
    rule: 'KafkaChannel.spec wrong type',
    text: document('messaging.knative.dev/v1beta1', 'KafkaChannel', 'name: c', '').replace('{}', 'x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'KafkaChannel.spec unknown field',
    text: kafkaChannel('partitions: 1'),
    problems: [
      '4:8 spec.partitions: unknown field "partitions": known: numPartitions, replicationFactor, retentionDuration, delivery, subscribers',
    ],
  },
  {
    rule: 'KafkaChannel.spec.numPartitions wrong type',
    text: kafkaChannel('numPartitions: "3"'),
    problems: ['4:8 spec.numPartitions: invalid value: "3": expected a whole number'],
  },
  {
    rule: 'KafkaChannel.spec.numPartitions negative',
    text: kafkaChannel('numPartitions: -1'),
    problems: ['4:8 spec.numPartitions: invalid value: -1'],
  },
  {
    rule: 'KafkaChannel.spec.replicationFactor wrong type',
    text: kafkaChannel('replicationFactor: 1.5'),
    problems: ['4:8 spec.replicationFactor: invalid value: 1.5: expected a whole number'],
  },
  {
    rule: 'KafkaChannel.spec.replicationFactor negative',
    text: kafkaChannel('replicationFactor: -1'),
    problems: ['4:8 spec.replicationFactor: invalid value: -1'],
  },
  {
    rule: 'KafkaChannel.spec.retentionDuration wrong type',
    text: kafkaChannel('retentionDuration: 5'),
    problems: ['4:8 spec.retentionDuration: invalid value: 5: expected a string'],
  },
  {
    rule: 'KafkaChannel.spec.retentionDuration malformed',
    text: kafkaChannel('retentionDuration: a week'),
    problems: ['4:8 spec.retentionDuration: invalid value: a week: expected an ISO 8601 duration such as PT168H'],
  },
  {
    rule: 'KafkaChannel.spec.delivery wrong type',
    text: kafkaChannel('delivery: 5'),
    problems: ['4:8 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'KafkaChannel.spec.subscribers wrong type',
    text: kafkaChannel('subscribers: {}'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },
  {
    rule: 'KafkaChannel.spec.subscribers by a user',
    text: kafkaChannel('subscribers: [{subscriberUri: "http://h/"}]'),
    problems: ['4:8 spec.subscribers: must not set the field(s): subscribe with a Subscription instead'],
  },
  {
    rule: 'KafkaChannel scope unknown',
    text: kafkaChannel('', 'name: c, annotations: {eventing.knative.dev/scope: cloud}'),
    problems: [
      '3:35 metadata.annotations[eventing.knative.dev/scope]: invalid value: cloud: expected cluster or namespace',
    ],
  },
  {
    rule: 'Channel retention bytes malformed',
    text: channel('', 'name: c, annotations: {tidings.dev/retention-bytes: 1GB}'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/retention-bytes]: invalid value: 1GB: expected a number of bytes such as 104857600, or a quantity such as 100Mi or 5G',
    ],
  },

  {
    rule: 'Subscription.spec absent',
    text: document('messaging.knative.dev/v1', 'Subscription', 'name: s', '').replace('spec: {}\n', ''),
    problems: ['1:1 spec: missing field(s)'],
  },
  {
    rule: 'Subscription.spec wrong type',
    text: document('messaging.knative.dev/v1', 'Subscription', 'name: s', '').replace('{}', 'x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'Subscription.spec unknown field',
    text: subscription(`${CHANNEL}, ${SINK}, filter: {}`),
    problems: ['4:113 spec.filter: unknown field "filter": known: channel, subscriber, reply, delivery'],
  },
  {
    rule: 'Subscription.spec.channel absent',
    text: subscription(SINK),
    problems: ['4:1 spec.channel: missing field(s): the Subscription must reference a channel'],
  },
  {
    rule: 'Subscription.spec.channel wrong type',
    text: subscription(`channel: c, ${SINK}`),
    problems: ['4:8 spec.channel: invalid value: "c": expected a map'],
  },
  {
    rule: 'Subscription.spec.channel.namespace',
    text: subscription(`channel: {apiVersion: v1, kind: K, name: c, namespace: default}, ${SINK}`),
    problems: ['4:52 spec.channel.namespace: must not set the field(s)'],
  },
  {
    rule: 'Subscription.spec.subscriber absent',
    text: subscription(`${CHANNEL}, reply: {uri: "http://h/"}`),
    problems: ['4:1 spec.subscriber: missing field(s): the Subscription must reference a subscriber'],
  },
  {
    rule: 'Subscription.spec.subscriber wrong type',
    text: subscription(`${CHANNEL}, subscriber: "http://h/"`),
    problems: ['4:81 spec.subscriber: invalid value: "http://h/": expected a map'],
  },
  {
    rule: 'Subscription.spec.reply wrong type',
    text: subscription(`${CHANNEL}, ${SINK}, reply: true`),
    problems: ['4:113 spec.reply: invalid value: true: expected a map'],
  },
  {
    rule: 'Subscription.spec.reply empty',
    text: subscription(`${CHANNEL}, ${SINK}, reply: {}`),
    problems: ['4:113 spec.reply.ref, spec.reply.uri: expected at least one, got none'],
  },
  {
    rule: 'Subscription.spec.delivery wrong type',
    text: subscription(`${CHANNEL}, ${SINK}, delivery: 3`),
    problems: ['4:113 spec.delivery: invalid value: 3: expected a map'],
  },
  {
    rule: 'Subscription start unknown',
    text: subscription(`${CHANNEL}, ${SINK}`, 'name: s, annotations: {tidings.dev/start-at: yesterday}'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/start-at]: invalid value: yesterday: expected now, earliest, or an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z',
    ],
  },
]
