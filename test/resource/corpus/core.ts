// ConfigMaps, Secrets and Namespaces. No message tells what a Secret holds.
import { type Case, document } from './case.ts'

const configMap = (fields: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n${fields}\n`
const secret = (fields: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n${fields}\n`
const namespace = (spec: string, metadata = 'name: n') => document('v1', 'Namespace', metadata, spec)

export const coreRules: readonly string[] = [
  'ConfigMap unknown field',
  'ConfigMap.data key malformed',
  'ConfigMap.data key empty',
  'ConfigMap.data key too long',
  'ConfigMap.data key of a folder',
  'ConfigMap.binaryData value malformed',
  'ConfigMap.binaryData repeats a key',
  'Secret unknown field',
  'Secret.data value malformed',
  'Secret.data key malformed',
  'Secret.stringData key malformed',
  'Namespace of a namespace',
  'Namespace.spec unknown field',
  'ConfigMap.data value wrong type',
  'Secret.data value wrong type',
  'Secret.stringData value wrong type',
]

export const coreCases: readonly Case[] = [
  {
    rule: 'ConfigMap unknown field',
    text: configMap('spec: {}'),
    problems: ['4:1 spec: unknown field "spec": known: apiVersion, kind, metadata, data, binaryData, immutable'],
  },
  {
    rule: 'ConfigMap.data wrong type',
    text: configMap('data: x'),
    problems: ['4:1 data: invalid value: "x": expected a map'],
  },
  {
    rule: 'ConfigMap.data value wrong type',
    text: configMap('data: {a: 5}'),
    problems: ['4:8 data.a: invalid value: 5: expected a string'],
  },
  {
    rule: 'ConfigMap.data key malformed',
    text: configMap('data: {a/b: c}'),
    problems: ['4:8 data[a/b]: invalid key name "a/b": expected letters, digits, -, _ and . only'],
  },
  {
    rule: 'ConfigMap.data key empty',
    text: configMap('data: {"": c}'),
    problems: ['4:8 data[]: invalid key name "": expected letters, digits, -, _ and . only'],
  },
  {
    rule: 'ConfigMap.data key too long',
    text: configMap(`data: {${'k'.repeat(254)}: c}`),
    problems: [
      '4:8 data.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: invalid key name "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...": expected at most 253 characters',
    ],
  },
  {
    rule: 'ConfigMap.data key of a folder',
    text: configMap('data: {..: c}'),
    problems: ['4:8 data[..]: invalid key name "..": expected no name that means another folder'],
  },
  {
    rule: 'ConfigMap.binaryData wrong type',
    text: configMap('binaryData: x'),
    problems: ['4:1 binaryData: invalid value: "x": expected a map'],
  },
  {
    rule: 'ConfigMap.binaryData value malformed',
    text: configMap('binaryData: {a: b}'),
    problems: ['4:14 binaryData.a: invalid value: b: expected Base64 with padding'],
  },
  {
    rule: 'ConfigMap.binaryData repeats a key',
    text: configMap('data: {a: b}\nbinaryData: {a: YQ==}'),
    problems: ['4:8 data.a, binaryData.a: expected exactly one, got both'],
  },
  {
    rule: 'ConfigMap.immutable wrong type',
    text: configMap('immutable: "yes"'),
    problems: ['4:1 immutable: invalid value: "yes": expected true or false'],
  },

  {
    rule: 'Secret unknown field',
    text: secret('spec: {password: hush}'),
    problems: ['4:1 spec: unknown field "spec": known: apiVersion, kind, metadata, type, data, stringData, immutable'],
  },
  {
    rule: 'Secret.type wrong type',
    text: secret('type: 5'),
    problems: ['4:1 type: invalid value: 5: expected a string'],
  },
  { rule: 'Secret.data wrong type', text: secret('data: hush'), problems: ['4:1 data: invalid value: expected a map'] },
  {
    rule: 'Secret.data value wrong type',
    text: secret('data: {a: 1234}'),
    problems: ['4:8 data.a: invalid value: expected a string'],
  },
  {
    rule: 'Secret.data value malformed',
    text: secret('data: {a: hush!}'),
    problems: ['4:8 data.a: invalid value: expected Base64 with padding'],
  },
  {
    rule: 'Secret.data key malformed',
    text: secret('data: {a/b: YQ==}'),
    problems: ['4:8 data[a/b]: invalid key name "a/b": expected letters, digits, -, _ and . only'],
  },
  {
    rule: 'Secret.stringData wrong type',
    text: secret('stringData: [hush]'),
    problems: ['4:1 stringData: invalid value: expected a map'],
  },
  {
    rule: 'Secret.stringData value wrong type',
    text: secret('stringData: {a: 1234}'),
    problems: ['4:14 stringData.a: invalid value: expected a string'],
  },
  {
    rule: 'Secret.stringData key malformed',
    text: secret('stringData: {a/b: hush}'),
    problems: ['4:14 stringData[a/b]: invalid key name "a/b": expected letters, digits, -, _ and . only'],
  },
  {
    rule: 'Secret.immutable wrong type',
    text: secret('immutable: 1'),
    problems: ['4:1 immutable: invalid value: 1: expected true or false'],
  },

  {
    rule: 'Namespace of a namespace',
    text: namespace('', 'name: n, namespace: default'),
    problems: ['3:21 metadata.namespace: must not set the field(s): a Namespace lives in no namespace'],
  },
  {
    rule: 'Namespace.spec wrong type',
    text: namespace('').replace('{}', 'x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'Namespace.spec unknown field',
    text: namespace('quota: 5'),
    problems: ['4:8 spec.quota: unknown field "quota": known: finalizers'],
  },
  {
    rule: 'Namespace.spec.finalizers wrong type',
    text: namespace('finalizers: kubernetes'),
    problems: ['4:8 spec.finalizers: invalid value: "kubernetes": expected a list'],
  },
]
