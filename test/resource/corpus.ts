// What validation must refuse: one case per rule, with the place and the words of every problem.

export interface Case {
  readonly rule: string
  readonly text: string
  /** `line:column path: message` of every problem, in order. */
  readonly problems: readonly string[]
}

const document = (apiVersion: string, kind: string, metadata: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {${metadata}}\nspec: {${spec}}\n`
const broker = (spec: string, metadata = 'name: b') => document('eventing.knative.dev/v1', 'Broker', metadata, spec)
const meta = (metadata: string) => broker('', metadata)
const trigger = (spec: string, metadata = 'name: t') => document('eventing.knative.dev/v1', 'Trigger', metadata, spec)
const SINK = 'subscriber: {uri: "http://h/"}'
const to = (subscriber: string) => trigger(`broker: b, subscriber: {${subscriber}}`)
const ref = (reference: string) => to(`ref: {${reference}}`)
const delivery = (fields: string) => broker(`delivery: {${fields}}`)
const annotated = (name: string, value: string, brokerName = 'default') =>
  trigger(`broker: ${brokerName}, ${SINK}`, `name: t, annotations: {${name}: ${value}}`)
const kservice = (metadata: string, spec = 'spec: {}') =>
  `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {${metadata}}\n${spec}\n`
const service = (spec: string) => document('v1', 'Service', 'name: s', spec)

/** Rules that cannot be read off the schemas, as `<Schema>.<field> wrong type` and `<Schema>.<field> absent` can. */
export const ownRules: readonly string[] = [
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
  'Metadata wrong type',
  'Metadata absent',
  'Metadata unknown field',
  'Metadata.name empty',
  'Metadata.name malformed',
  'Metadata.name too long',
  'Metadata.name of a service has no dots',
  'Metadata.namespace empty',
  'Metadata.namespace malformed',
  'Metadata.namespace too long',
  'Metadata.labels name malformed',
  'Metadata.labels value malformed',
  'Metadata.labels value too long',
  'Metadata.annotations value wrong type',
  'Metadata.annotations too large',
  'Metadata.generation below 0',
  'Metadata.deletionGracePeriodSeconds below 0',
  'Metadata.finalizers malformed',
  'OwnerReference wrong type',
  'OwnerReference fields absent',
  'OwnerReference fields wrong type',
  'Destination empty',
  'Destination unknown field',
  'Destination.uri relative without ref',
  'Destination.uri absolute beside ref',
  'Destination.uri malformed',
  'Destination.uri hides its password',
  'Destination.CACerts malformed',
  'Reference unknown field',
  'Reference.name empty',
  'Reference.namespace malformed',
  'Delivery unknown field',
  'Delivery.retry below 0',
  'Delivery.retry too large',
  'Delivery.retry fraction',
  'Delivery.timeout malformed',
  'Delivery.timeout zero',
  'Delivery.backoffPolicy unknown',
  'Delivery.backoffDelay malformed',
  'Delivery.retryAfterMax negative',
  'Delivery.format unknown',
  'Broker.spec unknown field',
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
  'KService url malformed',
  'Service.spec.externalName malformed',
  'Service.spec.ports.port below 1',
  'Service.spec.ports.port above 65535',
]

export const cases: readonly Case[] = [
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
    text: document('sources.knative.dev/v1', 'PingSource', 'name: p', ''),
    problems: [
      '2:1 kind: no kind PingSource in sources.knative.dev/v1; known are Broker in eventing.knative.dev/v1, Trigger in eventing.knative.dev/v1, Service in serving.knative.dev/v1, Service in v1',
    ],
  },
  {
    rule: 'document version unknown',
    text: document('eventing.knative.dev/v1beta1', 'Broker', 'name: b', ''),
    problems: [
      '2:1 kind: no kind Broker in eventing.knative.dev/v1beta1; known are Broker in eventing.knative.dev/v1, Trigger in eventing.knative.dev/v1, Service in serving.knative.dev/v1, Service in v1',
    ],
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

  {
    rule: 'Metadata wrong type',
    text: 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: b\n',
    problems: ['3:1 metadata: invalid value: "b": expected a map'],
  },
  {
    rule: 'Metadata absent',
    text: 'apiVersion: eventing.knative.dev/v1\nkind: Broker\n',
    problems: ['1:1 metadata: missing field(s)'],
  },
  {
    rule: 'Metadata unknown field',
    text: meta('name: b, nam: x'),
    problems: [
      '3:21 metadata.nam: unknown field "nam": known: name, generateName, namespace, labels, annotations, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, finalizers, ownerReferences, managedFields, selfLink',
    ],
  },
  { rule: 'Metadata.name absent', text: meta('namespace: n'), problems: ['3:1 metadata.name: missing field(s)'] },
  {
    rule: 'Metadata.name wrong type',
    text: meta('name: 5'),
    problems: ['3:12 metadata.name: invalid value: 5: expected a string'],
  },
  { rule: 'Metadata.name empty', text: meta('name: ""'), problems: ['3:12 metadata.name: missing field(s)'] },
  {
    rule: 'Metadata.name malformed',
    text: meta('name: My_Broker'),
    problems: [
      '3:12 metadata.name: invalid value: My_Broker: expected a DNS-1123 name: a-z, 0-9, - and ., with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Metadata.name too long',
    text: meta(`name: ${'n'.repeat(254)}`),
    problems: [
      '3:12 metadata.name: invalid value: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...: expected at most 253 characters',
    ],
  },
  {
    rule: 'Metadata.name of a service has no dots',
    text: kservice('name: a.b'),
    problems: [
      '3:12 metadata.name: invalid value: a.b: expected a DNS-1123 label: a-z, 0-9 and -, with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Metadata.generateName wrong type',
    text: meta('name: b, generateName: 5'),
    problems: ['3:21 metadata.generateName: invalid value: 5: expected a string'],
  },
  {
    rule: 'Metadata.namespace wrong type',
    text: meta('name: b, namespace: [n]'),
    problems: ['3:21 metadata.namespace: invalid value: ["n"]: expected a string'],
  },
  {
    rule: 'Metadata.namespace empty',
    text: meta('name: b, namespace: ""'),
    problems: ['3:21 metadata.namespace: missing field(s)'],
  },
  {
    rule: 'Metadata.namespace malformed',
    text: meta('name: b, namespace: a.b'),
    problems: [
      '3:21 metadata.namespace: invalid value: a.b: expected a DNS-1123 label: a-z, 0-9 and -, with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Metadata.namespace too long',
    text: meta(`name: b, namespace: ${'n'.repeat(64)}`),
    problems: [
      '3:21 metadata.namespace: invalid value: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: expected at most 63 characters',
    ],
  },
  {
    rule: 'Metadata.labels wrong type',
    text: meta('name: b, labels: [a]'),
    problems: ['3:21 metadata.labels: invalid value: ["a"]: expected a map'],
  },
  {
    rule: 'Metadata.labels name malformed',
    text: meta('name: b, labels: {"a b": c}'),
    problems: [
      '3:30 metadata.labels[a b]: invalid key name "a b": expected a name such as example.com/color, its last part at most 63 characters',
    ],
  },
  {
    rule: 'Metadata.labels value malformed',
    text: meta('name: b, labels: {a: "b c"}'),
    problems: [
      '3:30 metadata.labels.a: invalid value: b c: expected A-Z, a-z, 0-9, -, _ and ., with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Metadata.labels value too long',
    text: meta(`name: b, labels: {a: ${'v'.repeat(64)}}`),
    problems: [
      '3:30 metadata.labels.a: invalid value: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv: expected at most 63 characters',
    ],
  },
  {
    rule: 'Metadata.annotations wrong type',
    text: meta('name: b, annotations: a'),
    problems: ['3:21 metadata.annotations: invalid value: "a": expected a map'],
  },
  {
    rule: 'Metadata.annotations value wrong type',
    text: meta('name: b, annotations: {a.io/b: true}'),
    problems: ['3:35 metadata.annotations[a.io/b]: invalid value: true: expected a string'],
  },
  {
    rule: 'Metadata.annotations too large',
    text: meta(`name: b, annotations: {a: ${'v'.repeat(262_144)}}`),
    problems: ['3:21 metadata.annotations: invalid value: 262146 bytes of annotations: expected at most 262144 bytes'],
  },
  {
    rule: 'Metadata.uid wrong type',
    text: meta('name: b, uid: 5'),
    problems: ['3:21 metadata.uid: invalid value: 5: expected a string'],
  },
  {
    rule: 'Metadata.resourceVersion wrong type',
    text: meta('name: b, resourceVersion: 5'),
    problems: ['3:21 metadata.resourceVersion: invalid value: 5: expected a string'],
  },
  {
    rule: 'Metadata.generation wrong type',
    text: meta('name: b, generation: one'),
    problems: ['3:21 metadata.generation: invalid value: "one": expected a whole number'],
  },
  {
    rule: 'Metadata.generation below 0',
    text: meta('name: b, generation: -1'),
    problems: ['3:21 metadata.generation: invalid value: -1: expected at least 0'],
  },
  {
    rule: 'Metadata.creationTimestamp wrong type',
    text: meta('name: b, creationTimestamp: 5'),
    problems: ['3:21 metadata.creationTimestamp: invalid value: 5: expected a string'],
  },
  {
    rule: 'Metadata.deletionTimestamp wrong type',
    text: meta('name: b, deletionTimestamp: 5'),
    problems: ['3:21 metadata.deletionTimestamp: invalid value: 5: expected a string'],
  },
  {
    rule: 'Metadata.deletionGracePeriodSeconds wrong type',
    text: meta('name: b, deletionGracePeriodSeconds: x'),
    problems: ['3:21 metadata.deletionGracePeriodSeconds: invalid value: "x": expected a whole number'],
  },
  {
    rule: 'Metadata.deletionGracePeriodSeconds below 0',
    text: meta('name: b, deletionGracePeriodSeconds: -5'),
    problems: ['3:21 metadata.deletionGracePeriodSeconds: invalid value: -5: expected at least 0'],
  },
  {
    rule: 'Metadata.finalizers wrong type',
    text: meta('name: b, finalizers: a'),
    problems: ['3:21 metadata.finalizers: invalid value: "a": expected a list'],
  },
  {
    rule: 'Metadata.finalizers malformed',
    text: meta('name: b, finalizers: [a.io/b, "c d"]'),
    problems: [
      '3:42 metadata.finalizers[1]: invalid value: c d: expected a name such as example.com/color, its last part at most 63 characters',
    ],
  },
  {
    rule: 'Metadata.ownerReferences wrong type',
    text: meta('name: b, ownerReferences: a'),
    problems: ['3:21 metadata.ownerReferences: invalid value: "a": expected a list'],
  },
  {
    rule: 'Metadata.managedFields wrong type',
    text: meta('name: b, managedFields: a'),
    problems: ['3:21 metadata.managedFields: invalid value: "a": expected a list'],
  },
  {
    rule: 'Metadata.selfLink wrong type',
    text: meta('name: b, selfLink: 5'),
    problems: ['3:21 metadata.selfLink: invalid value: 5: expected a string'],
  },

  {
    rule: 'OwnerReference wrong type',
    text: meta('name: b, ownerReferences: [a]'),
    problems: ['3:39 metadata.ownerReferences[0]: invalid value: "a": expected a map'],
  },
  {
    rule: 'OwnerReference fields absent',
    text: meta('name: b, ownerReferences: [{}]'),
    problems: [
      '3:39 metadata.ownerReferences[0].apiVersion: missing field(s)',
      '3:39 metadata.ownerReferences[0].kind: missing field(s)',
      '3:39 metadata.ownerReferences[0].name: missing field(s)',
      '3:39 metadata.ownerReferences[0].uid: missing field(s)',
    ],
  },
  {
    rule: 'OwnerReference fields wrong type',
    text: meta(
      'name: b, ownerReferences: [{apiVersion: 1, kind: 2, name: 3, uid: 4, controller: 5, blockOwnerDeletion: 6}]',
    ),
    problems: [
      '3:40 metadata.ownerReferences[0].apiVersion: invalid value: 1: expected a string',
      '3:55 metadata.ownerReferences[0].kind: invalid value: 2: expected a string',
      '3:64 metadata.ownerReferences[0].name: invalid value: 3: expected a string',
      '3:73 metadata.ownerReferences[0].uid: invalid value: 4: expected a string',
      '3:81 metadata.ownerReferences[0].controller: invalid value: 5: expected true or false',
      '3:96 metadata.ownerReferences[0].blockOwnerDeletion: invalid value: 6: expected true or false',
    ],
  },

  {
    rule: 'Trigger.spec.subscriber wrong type',
    text: trigger('broker: b, subscriber: "http://h/"'),
    problems: ['4:19 spec.subscriber: invalid value: "http://h/": expected a map'],
  },
  {
    rule: 'Destination empty',
    text: to(''),
    problems: ['4:19 spec.subscriber.ref, spec.subscriber.uri: expected at least one, got none'],
  },
  {
    rule: 'Destination unknown field',
    text: to('uri: "http://h/", url: x'),
    problems: ['4:50 spec.subscriber.url: unknown field "url": known: ref, uri, CACerts, audience'],
  },
  {
    rule: 'Destination.ref wrong type',
    text: to('ref: s'),
    problems: ['4:32 spec.subscriber.ref: invalid value: "s": expected a map'],
  },
  {
    rule: 'Destination.uri wrong type',
    text: to('uri: 5'),
    problems: ['4:32 spec.subscriber.uri: invalid value: 5: expected a string'],
  },
  {
    rule: 'Destination.uri relative without ref',
    text: to('uri: /path'),
    problems: ['4:32 spec.subscriber.uri: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent'],
  },
  {
    rule: 'Destination.uri absolute beside ref',
    text: to('ref: {apiVersion: v1, kind: Service, name: s}, uri: "http://h/"'),
    problems: ['4:79 spec.subscriber.uri: Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present'],
  },
  {
    rule: 'Destination.uri malformed',
    text: to('uri: "http://h:99999/"'),
    problems: ['4:32 spec.subscriber.uri: invalid value: http://h:99999/: expected a URI'],
  },
  {
    rule: 'Destination.uri hides its password',
    text: to('uri: "http://user:secret@h:99999/"'),
    problems: ['4:32 spec.subscriber.uri: invalid value: http://***@h:99999/: expected a URI'],
  },
  {
    rule: 'Destination.CACerts wrong type',
    text: to('uri: "https://h/", CACerts: [a]'),
    problems: ['4:51 spec.subscriber.CACerts: invalid value: ["a"]: expected a string'],
  },
  {
    rule: 'Destination.CACerts malformed',
    text: to('uri: "https://h/", CACerts: "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----"'),
    problems: [
      '4:51 spec.subscriber.CACerts: invalid value: -----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----: expected certificates in PEM form',
    ],
  },
  {
    rule: 'Destination.audience wrong type',
    text: to('uri: "https://h/", audience: 5'),
    problems: ['4:51 spec.subscriber.audience: invalid value: 5: expected a string'],
  },

  {
    rule: 'Reference unknown field',
    text: ref('apiVersion: v1, kind: Service, name: s, port: 80'),
    problems: [
      '4:78 spec.subscriber.ref.port: unknown field "port": known: apiVersion, kind, name, namespace, address, group',
    ],
  },
  {
    rule: 'Reference.apiVersion absent',
    text: ref('kind: Service, name: s'),
    problems: ['4:32 spec.subscriber.ref.apiVersion: missing field(s)'],
  },
  {
    rule: 'Reference.apiVersion wrong type',
    text: ref('apiVersion: 1, kind: Service, name: s'),
    problems: ['4:38 spec.subscriber.ref.apiVersion: invalid value: 1: expected a string'],
  },
  {
    rule: 'Reference.kind absent',
    text: ref('apiVersion: v1, name: s'),
    problems: ['4:32 spec.subscriber.ref.kind: missing field(s)'],
  },
  {
    rule: 'Reference.kind wrong type',
    text: ref('apiVersion: v1, kind: 1, name: s'),
    problems: ['4:54 spec.subscriber.ref.kind: invalid value: 1: expected a string'],
  },
  {
    rule: 'Reference.name absent',
    text: ref('apiVersion: v1, kind: Service'),
    problems: ['4:32 spec.subscriber.ref.name: missing field(s)'],
  },
  {
    rule: 'Reference.name wrong type',
    text: ref('apiVersion: v1, kind: Service, name: 1'),
    problems: ['4:69 spec.subscriber.ref.name: invalid value: 1: expected a string'],
  },
  {
    rule: 'Reference.name empty',
    text: ref('apiVersion: v1, kind: Service, name: ""'),
    problems: ['4:69 spec.subscriber.ref.name: missing field(s)'],
  },
  {
    rule: 'Reference.namespace wrong type',
    text: ref('apiVersion: v1, kind: Service, name: s, namespace: 1'),
    problems: ['4:78 spec.subscriber.ref.namespace: invalid value: 1: expected a string'],
  },
  {
    rule: 'Reference.namespace malformed',
    text: ref('apiVersion: v1, kind: Service, name: s, namespace: A'),
    problems: [
      '4:78 spec.subscriber.ref.namespace: invalid value: A: expected a DNS-1123 label: a-z, 0-9 and -, with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Reference.address wrong type',
    text: ref('apiVersion: v1, kind: Service, name: s, address: 1'),
    problems: ['4:78 spec.subscriber.ref.address: invalid value: 1: expected a string'],
  },
  {
    rule: 'Reference.group wrong type',
    text: ref('apiVersion: v1, kind: Service, name: s, group: 1'),
    problems: ['4:78 spec.subscriber.ref.group: invalid value: 1: expected a string'],
  },

  {
    rule: 'Broker.spec.delivery wrong type',
    text: broker('delivery: 5'),
    problems: ['4:8 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'Delivery unknown field',
    text: delivery('retries: 5'),
    problems: [
      '4:19 spec.delivery.retries: unknown field "retries": known: deadLetterSink, retry, timeout, backoffPolicy, backoffDelay, retryAfterMax, format',
    ],
  },
  {
    rule: 'Delivery.deadLetterSink wrong type',
    text: delivery('deadLetterSink: "http://h/"'),
    problems: ['4:19 spec.delivery.deadLetterSink: invalid value: "http://h/": expected a map'],
  },
  {
    rule: 'Delivery.retry wrong type',
    text: delivery('retry: "3"'),
    problems: ['4:19 spec.delivery.retry: invalid value: "3": expected a whole number'],
  },
  {
    rule: 'Delivery.retry below 0',
    text: delivery('retry: -1'),
    problems: ['4:19 spec.delivery.retry: invalid value: -1: expected at least 0'],
  },
  {
    rule: 'Delivery.retry too large',
    text: delivery('retry: 2147483648'),
    problems: ['4:19 spec.delivery.retry: invalid value: 2147483648: expected at most 2147483647'],
  },
  {
    rule: 'Delivery.retry fraction',
    text: delivery('retry: 1.5'),
    problems: ['4:19 spec.delivery.retry: invalid value: 1.5: expected a whole number'],
  },
  {
    rule: 'Delivery.timeout wrong type',
    text: delivery('timeout: 5'),
    problems: ['4:19 spec.delivery.timeout: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.timeout malformed',
    text: delivery('timeout: 5s'),
    problems: ['4:19 spec.delivery.timeout: invalid value: 5s: expected an ISO 8601 duration such as PT0.2S or P1DT2H'],
  },
  {
    rule: 'Delivery.timeout zero',
    text: delivery('timeout: PT0S'),
    problems: ['4:19 spec.delivery.timeout: invalid value: PT0S: expected more than no time'],
  },
  {
    rule: 'Delivery.backoffPolicy wrong type',
    text: delivery('backoffPolicy: 5'),
    problems: ['4:19 spec.delivery.backoffPolicy: invalid value: 5: expected linear or exponential'],
  },
  {
    rule: 'Delivery.backoffPolicy unknown',
    text: delivery('backoffPolicy: random'),
    problems: ['4:19 spec.delivery.backoffPolicy: invalid value: random: expected linear or exponential'],
  },
  {
    rule: 'Delivery.backoffDelay wrong type',
    text: delivery('backoffDelay: 5'),
    problems: ['4:19 spec.delivery.backoffDelay: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.backoffDelay malformed',
    text: delivery('backoffDelay: 5s'),
    problems: [
      '4:19 spec.delivery.backoffDelay: invalid value: 5s: expected an ISO 8601 duration such as PT0.2S or P1DT2H',
    ],
  },
  {
    rule: 'Delivery.retryAfterMax wrong type',
    text: delivery('retryAfterMax: 5'),
    problems: ['4:19 spec.delivery.retryAfterMax: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.retryAfterMax negative',
    text: delivery('retryAfterMax: -PT5S'),
    problems: [
      '4:19 spec.delivery.retryAfterMax: invalid value: -PT5S: expected an ISO 8601 duration such as PT0.2S or P1DT2H',
    ],
  },
  {
    rule: 'Delivery.format wrong type',
    text: delivery('format: 5'),
    problems: ['4:19 spec.delivery.format: invalid value: 5: expected json or binary'],
  },
  {
    rule: 'Delivery.format unknown',
    text: delivery('format: xml'),
    problems: ['4:19 spec.delivery.format: invalid value: xml: expected json or binary'],
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

  { rule: 'KService.spec absent', text: kservice('name: s', ''), problems: ['1:1 spec: missing field(s)'] },
  {
    rule: 'KService.spec wrong type',
    text: kservice('name: s', 'spec: x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'KService url malformed',
    text: kservice('name: s, annotations: {tidings.dev/url: "localhost:9000"}'),
    problems: [
      '3:35 metadata.annotations[tidings.dev/url]: invalid value: localhost:9000: expected a URL such as http://127.0.0.1:9000/',
    ],
  },

  {
    rule: 'Service.spec absent',
    text: 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\n',
    problems: ['1:1 spec: missing field(s)'],
  },
  {
    rule: 'Service.spec wrong type',
    text: 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: x\n',
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'Service.spec.type wrong type',
    text: service('type: 5'),
    problems: ['4:8 spec.type: invalid value: 5: expected a string'],
  },
  {
    rule: 'Service.spec.externalName wrong type',
    text: service('type: ExternalName, externalName: 5'),
    problems: ['4:28 spec.externalName: invalid value: 5: expected a string'],
  },
  {
    rule: 'Service.spec.externalName malformed',
    text: service('type: ExternalName, externalName: "http://h"'),
    problems: [
      '4:28 spec.externalName: invalid value: http://h: expected a DNS-1123 name: a-z, 0-9, - and ., with a letter or digit at both ends',
    ],
  },
  {
    rule: 'Service.spec.ports wrong type',
    text: service('ports: 80'),
    problems: ['4:8 spec.ports: invalid value: 80: expected a list'],
  },
  {
    rule: 'Service.spec.ports.name wrong type',
    text: service('ports: [{name: 5, port: 80}]'),
    problems: ['4:17 spec.ports[0].name: invalid value: 5: expected a string'],
  },
  {
    rule: 'Service.spec.ports.port absent',
    text: service('ports: [{name: http}]'),
    problems: ['4:16 spec.ports[0].port: missing field(s)'],
  },
  {
    rule: 'Service.spec.ports.port wrong type',
    text: service('ports: [{port: http}]'),
    problems: ['4:17 spec.ports[0].port: invalid value: "http": expected a whole number'],
  },
  {
    rule: 'Service.spec.ports.port below 1',
    text: service('ports: [{port: 80}, {port: 0}]'),
    problems: ['4:29 spec.ports[1].port: invalid value: 0: expected at least 1'],
  },
  {
    rule: 'Service.spec.ports.port above 65535',
    text: service('ports: [{port: 65536}]'),
    problems: ['4:17 spec.ports[0].port: invalid value: 65536: expected at most 65535'],
  },
]
