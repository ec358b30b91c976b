// What every resource carries beside its spec.
import { broker, type Case, kservice } from './case.ts'

const meta = (metadata: string) => broker('', metadata)

export const metadataRules: readonly string[] = [
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
]

export const metadataCases: readonly Case[] = [
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
]
