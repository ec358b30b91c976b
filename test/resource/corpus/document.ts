// What no kind has a say in.
import { broker, type Case, document, trigger } from './case.ts'

const SINK = 'subscriber: {uri: "http://h/"}'

export const documentRules: readonly string[] = [
  'document not a map',
  'document syntax',
  'document repeated key',
  'document apiVersion absent',
  'document kind absent',
  'document kind unknown',
  'document version unknown',
  'document status dropped, other fields unknown',
  'document __proto__',
  'document null is absent',
  'document repeats a resource',
]

export const documentCases: readonly Case[] = [
  {
    rule: 'document not a map',
    text: '- a\n',
    problems: ['1:1 expected a map with apiVersion, kind, metadata and spec'],
  },
  {
    rule: 'document syntax',
    text: 'a: [1\n',
    problems: ['2:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  { rule: 'document repeated key', text: `${broker('')}spec: {}\n`, problems: ['5:1 spec: duplicate key "spec"'] },
  { rule: 'document apiVersion absent', text: 'kind: Broker\n', problems: ['1:1 apiVersion: missing field(s)'] },
  {
    rule: 'document kind absent',
    text: 'apiVersion: eventing.knative.dev/v1\n',
    problems: ['1:1 kind: missing field(s)'],
  },
  {
    rule: 'document kind unknown',
    text: document('apps/v1', 'StatefulSet', 'name: s', ''),
    problems: [
      '2:1 kind: no kind StatefulSet in apps/v1; known are Broker in eventing.knative.dev/v1, Trigger in eventing.knative.dev/v1, Channel in messaging.knative.dev/v1, InMemoryChannel in messaging.knative.dev/v1, KafkaChannel in messaging.knative.dev/v1beta1, KafkaChannel in messaging.knative.dev/v1, Subscription in messaging.knative.dev/v1, PingSource in sources.knative.dev/v1, PingSource in sources.knative.dev/v1beta2, CronJobSource in sources.knative.dev/v1, CronJobSource in sources.eventing.knative.dev/v1alpha1, Service in serving.knative.dev/v1, Service in v1, ConfigMap in v1, Secret in v1, Namespace in v1',
    ],
  },
  {
    rule: 'document version unknown',
    text: document('eventing.knative.dev/v1beta1', 'Broker', 'name: b', ''),
    problems: ['2:1 kind: no kind Broker in eventing.knative.dev/v1beta1; known are Broker in eventing.knative.dev/v1'],
  },
  {
    rule: 'document status dropped, other fields unknown',
    text: `${broker('')}status: {x: 1}\nextra: 1\n`,
    problems: ['6:1 extra: unknown field "extra": known: apiVersion, kind, metadata, spec'],
  },
  {
    rule: 'document __proto__',
    text: broker('', 'name: b, labels: {__proto__: x}'),
    problems: ['3:21 metadata.labels: invalid key name "__proto__"'],
  },
  {
    rule: 'document null is absent',
    text: trigger(`broker: null, filter: null, ${SINK}`),
    problems: ['4:8 spec.broker: missing field(s)'],
  },
  {
    rule: 'document repeats a resource',
    text: `${broker('')}---\n${broker('', 'name: b, namespace: default')}`,
    problems: ['6:1 metadata.name: Broker default/b stands at f:1:1 already'],
  },
]
