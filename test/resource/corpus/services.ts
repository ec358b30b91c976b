// Services, Knative's and Kubernetes' own.
import { type Case, document, kservice } from './case.ts'

const service = (spec: string) => document('v1', 'Service', 'name: s', spec)

export const servicesRules: readonly string[] = [
  'KService url malformed',
  'Service.spec.externalName malformed',
  'Service.spec.ports.port below 1',
  'Service.spec.ports.port above 65535',
]

export const servicesCases: readonly Case[] = [
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
