// Where events go: destinations and references.
import { type Case, trigger } from './case.ts'

const to = (subscriber: string) => trigger(`broker: b, subscriber: {${subscriber}}`)
const ref = (reference: string) => to(`ref: {${reference}}`)

export const destinationRules: readonly string[] = [
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
]

export const destinationCases: readonly Case[] = [
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
]
