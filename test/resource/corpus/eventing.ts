// Brokers and Triggers.
import { broker, type Case, trigger } from './case.ts'

const SINK = 'subscriber: {uri: "http://h/"}'
const annotated = (name: string, value: string, brokerName = 'default') =>
  trigger(`broker: ${brokerName}, ${SINK}`, `name: t, annotations: {${name}: ${value}}`)

export const eventingRules: readonly string[] = [
  'Broker.spec unknown field',
  'Broker retention malformed',
  'Broker retention bytes malformed',
  'Broker retention of the unsettled unknown',
  'Broker retention of nothing that expires',
  'Trigger.spec unknown field',
  'Trigger.spec.broker absent',
  'Trigger.spec.broker empty',
  'Trigger.spec.broker and brokerRef',
  'Trigger.spec.brokerRef of another kind',
  'Trigger.spec.brokerRef.namespace',
  'Trigger.spec.filter attribute name',
  'Trigger.spec.filters two dialects',
  'Trigger dependency malformed',
  'Trigger dependency in another namespace',
  'Trigger dependency incomplete',
  'Trigger injection unknown',
  'Trigger injection for another broker',
  'Trigger order unknown',
  'Trigger start unknown',
]

/** A Broker with these annotations, in its third line from column 35 on. */
const retaining = (annotations: string) => broker('', `name: b, annotations: {${annotations}}`)

export const eventingCases: readonly Case[] = [
  {
    rule: 'Broker retention malformed',
    text: retaining('tidings.dev/retention: 7d'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/retention]: invalid value: 7d: expected an ISO 8601 duration such as P7D or PT12H',
    ],
  },
  {
    rule: 'Broker retention bytes malformed',
    text: retaining('tidings.dev/retention-bytes: 100MB'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/retention-bytes]: invalid value: 100MB: expected a number of bytes such as 104857600, or a quantity such as 100Mi or 5G',
    ],
  },
  {
    rule: 'Broker retention of the unsettled unknown',
    text: retaining('tidings.dev/retention-unsettled: drop'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/retention-unsettled]: invalid value: drop: expected keep or expire',
    ],
  },
  {
    rule: 'Broker retention of nothing that expires',
    text: retaining('tidings.dev/retention-unsettled: expire, tidings.dev/retention-bytes: "0"'),
    problems: [
      '3:76 metadata.annotations[tidings.dev/retention-bytes]: invalid value: 0: with tidings.dev/retention-unsettled: expire every event would be given up before it is delivered: give it more, or keep',
    ],
  },
  {
    rule: 'Broker.spec wrong type',
    text: 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: b}\nspec: b\n',
    problems: ['4:1 spec: invalid value: "b": expected a map'],
  },
  {
    rule: 'Broker.spec unknown field',
    text: broker('class: x'),
    problems: ['4:8 spec.class: unknown field "class": known: config, delivery'],
  },
  {
    rule: 'Broker.spec.config wrong type',
    text: broker('config: x'),
    problems: ['4:8 spec.config: invalid value: "x": expected a map'],
  },

  {
    rule: 'Trigger.spec absent',
    text: 'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n',
    problems: ['1:1 spec: missing field(s)'],
  },
  {
    rule: 'Trigger.spec wrong type',
    text: 'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec: t\n',
    problems: ['4:1 spec: invalid value: "t": expected a map'],
  },
  {
    rule: 'Trigger.spec unknown field',
    text: trigger(`broker: b, ${SINK}, subscribers: {}`),
    problems: [
      '4:51 spec.subscribers: unknown field "subscribers": known: broker, brokerRef, filter, filters, subscriber, delivery',
    ],
  },
  { rule: 'Trigger.spec.broker absent', text: trigger(SINK), problems: ['4:1 spec.broker: missing field(s)'] },
  {
    rule: 'Trigger.spec.broker wrong type',
    text: trigger(`broker: 5, ${SINK}`),
    problems: ['4:8 spec.broker: invalid value: 5: expected a string'],
  },
  {
    rule: 'Trigger.spec.broker empty',
    text: trigger(`broker: "", ${SINK}`),
    problems: ['4:8 spec.broker: missing field(s)'],
  },
  {
    rule: 'Trigger.spec.broker and brokerRef',
    text: trigger(`broker: b, brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: b}, ${SINK}`),
    problems: ['4:8 spec.broker, spec.brokerRef: expected exactly one, got both'],
  },
  {
    rule: 'Trigger.spec.brokerRef wrong type',
    text: trigger(`brokerRef: b, ${SINK}`),
    problems: ['4:8 spec.brokerRef: invalid value: "b": expected a map'],
  },
  {
    rule: 'Trigger.spec.brokerRef of another kind',
    text: trigger(`brokerRef: {apiVersion: messaging.knative.dev/v1, kind: Channel, name: b}, ${SINK}`),
    problems: ['4:58 spec.brokerRef.kind: invalid value: Channel: expected Broker'],
  },
  {
    rule: 'Trigger.spec.brokerRef.namespace',
    text: trigger(`brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: b, namespace: n}, ${SINK}`),
    problems: ['4:80 spec.brokerRef.namespace: must not set the field(s)'],
  },
  {
    rule: 'Trigger.spec.filter attribute name',
    text: trigger(`broker: b, filter: {attributes: {Type: x}}, ${SINK}`),
    problems: [
      '4:28 spec.filter.attributes: invalid key name "Type": Attribute name must start with a letter and can only contain lowercase alphanumeric',
    ],
  },
  {
    rule: 'Trigger.spec.filter wrong type',
    text: trigger(`broker: b, filter: x, ${SINK}`),
    problems: ['4:19 spec.filter: expected a map with attributes, got a string'],
  },
  {
    rule: 'Trigger.spec.filters two dialects',
    text: trigger(`broker: b, filters: [{exact: {type: a}, suffix: {source: b}}], ${SINK}`),
    problems: ['4:29 spec.filters[0]: multiple dialects found, filters can have only one dialect set'],
  },
  {
    rule: 'Trigger.spec.filters wrong type',
    text: trigger(`broker: b, filters: {exact: {type: a}}, ${SINK}`),
    problems: ['4:19 spec.filters: expected a list of filters, got a map'],
  },
  {
    rule: 'Trigger.spec.subscriber absent',
    text: trigger('broker: b'),
    problems: ['4:1 spec.subscriber: missing field(s)'],
  },
  {
    rule: 'Trigger.spec.delivery wrong type',
    text: trigger(`broker: b, ${SINK}, delivery: 3`),
    problems: ['4:51 spec.delivery: invalid value: 3: expected a map'],
  },
  {
    rule: 'Trigger dependency malformed',
    text: annotated('knative.dev/dependency', 'my-source'),
    problems: [
      '3:35 metadata.annotations[knative.dev/dependency]: The provided annotation was not a corev1.ObjectReference: "my-source"',
    ],
  },
  {
    rule: 'Trigger dependency in another namespace',
    text: annotated('knative.dev/dependency', `'{"apiVersion":"v1","kind":"K","name":"n","namespace":"other"}'`),
    problems: [
      '3:35 metadata.annotations[knative.dev/dependency]: Namespace must be empty or equal to the trigger namespace "default"',
    ],
  },
  {
    rule: 'Trigger dependency incomplete',
    text: annotated('knative.dev/dependency', `'{}'`),
    problems: [
      '3:35 metadata.annotations[knative.dev/dependency]: missing field(s): kind',
      '3:35 metadata.annotations[knative.dev/dependency]: missing field(s): name',
      '3:35 metadata.annotations[knative.dev/dependency]: missing field(s): apiVersion',
    ],
  },
  {
    rule: 'Trigger injection unknown',
    text: annotated('eventing.knative.dev/injection', '"true"'),
    problems: [
      '3:35 metadata.annotations[eventing.knative.dev/injection]: invalid value: true: expected enabled or disabled',
    ],
  },
  {
    rule: 'Trigger injection for another broker',
    text: annotated('eventing.knative.dev/injection', 'enabled', 'b'),
    problems: [
      '3:35 metadata.annotations[eventing.knative.dev/injection]: invalid value: enabled: expected spec.broker to be default',
    ],
  },
  {
    rule: 'Trigger order unknown',
    text: annotated('kafka.eventing.knative.dev/delivery.order', 'sorted'),
    problems: [
      '3:35 metadata.annotations[kafka.eventing.knative.dev/delivery.order]: invalid value: sorted: expected ordered or unordered',
    ],
  },
  {
    rule: 'Trigger start unknown',
    text: annotated('tidings.dev/start-at', 'latest'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/start-at]: invalid value: latest: expected now, earliest, or an RFC 3339 time from 1970 on, such as 2026-03-28T01:30:00Z',
    ],
  },
]
