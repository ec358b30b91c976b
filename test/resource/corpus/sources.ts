// Sources that fire by a schedule.
import { type Case, document } from './case.ts'

const TO = 'sink: {uri: "http://h/"}'
const ping = (spec: string, metadata = 'name: p') =>
  document('sources.knative.dev/v1', 'PingSource', metadata, spec === '' ? TO : `${TO}, ${spec}`)
const cron = (spec: string, metadata = 'name: c') => document('sources.knative.dev/v1', 'CronJobSource', metadata, spec)
const DAILY = 'schedule: "@daily"'
const INLINE = 'apiVersion: v1, kind: Service, name: s'

export const sourcesRules: readonly string[] = [
  'PingSource.spec unknown field',
  'PingSource.spec.schedule malformed',
  'PingSource.spec.schedule @every',
  'PingSource.spec.schedule too long',
  'PingSource.spec.schedule names a zone beside timezone',
  'PingSource.spec.schedule with nothing but a zone',
  'PingSource.spec.timezone unknown',
  'PingSource.spec.schedule and timezone',
  'PingSource.spec.data no JSON object',
  'PingSource.spec.data no JSON',
  'PingSource.spec.data and dataBase64',
  'PingSource.spec.dataBase64 malformed',
  'PingSource.spec.dataBase64 no JSON object',
  'PingSource catch-up unknown',
  'CeOverrides unknown field',
  'CeOverrides.extensions name empty',
  'CeOverrides.extensions name malformed',
  'CeOverrides.extensions name of an attribute',
  'CeOverrides.extensions name repeated',
  'CronJobSource.spec unknown field',
  'CronJobSource.spec.schedule empty',
  'CronJobSource.spec.schedule malformed',
  'CronJobSource.spec.schedule with seconds',
  'CronJobSource.spec.sink empty',
  'CronJobSource.spec.sink unknown field',
  'CronJobSource.spec.sink.uri malformed',
  'CronJobSource.spec.sink.uri absolute beside inline reference',
  'CronJobSource.spec.sink inline reference incomplete',
  'CronJobSource.spec.sink both references',
  'CronJobSource catch-up unknown',
  'CeOverrides.extensions value wrong type',
]

export const sourcesCases: readonly Case[] = [
  {
    rule: 'PingSource.spec absent',
    text: ping('').replace(/spec: .*\n/, ''),
    problems: ['1:1 spec: missing field(s)'],
  },
  {
    rule: 'PingSource.spec wrong type',
    text: ping('').replace(/spec: .*/, 'spec: x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'PingSource.spec unknown field',
    text: ping('date: 2030-01-01'),
    problems: [
      '4:34 spec.date: unknown field "date": known: schedule, timezone, contentType, data, dataBase64, sink, ceOverrides, delivery',
    ],
  },
  {
    rule: 'PingSource.spec.schedule wrong type',
    text: ping('schedule: 5'),
    problems: ['4:34 spec.schedule: invalid value: 5: expected a string'],
  },
  {
    rule: 'PingSource.spec.schedule malformed',
    text: ping('schedule: "0 0 * * 7"'),
    problems: [
      "4:34 spec.schedule: invalid value: day of week: expected a number from 0 to 6 or a name such as SUN, got '7'",
    ],
  },
  {
    rule: 'PingSource.spec.schedule @every',
    text: ping('schedule: "@every 5m"'),
    problems: ['4:34 spec.schedule: invalid value: unsupported descriptor @every'],
  },
  {
    rule: 'PingSource.spec.schedule too long',
    text: ping(`schedule: "${'*'.repeat(1_025)}"`),
    problems: ['4:34 spec.schedule: invalid value: expected a schedule of at most 1024 characters, got 1025'],
  },
  {
    rule: 'PingSource.spec.schedule names a zone beside timezone',
    text: ping('schedule: "TZ=UTC @daily", timezone: UTC'),
    problems: ["4:34 spec.schedule: invalid value: expected the zone once, got timezone 'UTC' and 'TZ=UTC'"],
  },
  {
    rule: 'PingSource.spec.schedule with nothing but a zone',
    text: ping('schedule: "TZ=UTC"'),
    problems: [
      '4:34 spec.schedule: invalid value: expected 5 or 6 fields or a descriptor such as @daily, got 0 fields',
    ],
  },
  {
    rule: 'PingSource.spec.timezone wrong type',
    text: ping('timezone: 2'),
    problems: ['4:34 spec.timezone: invalid value: 2: expected a string'],
  },
  {
    rule: 'PingSource.spec.timezone unknown',
    text: ping('timezone: UTC+8'),
    problems: [
      "4:34 spec.timezone: invalid value: provided bad location 'UTC+8': expected a zone of the IANA database such as Europe/Paris, UTC or Local",
    ],
  },
  {
    rule: 'PingSource.spec.schedule and timezone',
    text: ping('schedule: "* * * *", timezone: Mars'),
    problems: [
      '4:34 spec.schedule: invalid value: expected 5 or 6 fields or a descriptor such as @daily, got 4 fields',
      "4:55 spec.timezone: invalid value: provided bad location 'Mars': expected a zone of the IANA database such as Europe/Paris, UTC or Local",
    ],
  },
  {
    rule: 'PingSource.spec.contentType wrong type',
    text: ping('contentType: 5'),
    problems: ['4:34 spec.contentType: invalid value: 5: expected a string'],
  },
  {
    rule: 'PingSource.spec.data wrong type',
    text: ping('data: {a: 1}'),
    problems: ['4:34 spec.data: invalid value: {"a":1}: expected a string'],
  },
  {
    rule: 'PingSource.spec.data no JSON object',
    text: ping('contentType: application/json, data: "[1]"'),
    problems: [
      '4:65 spec.data: invalid value: expected a JSON object, or null, because contentType is application/json',
    ],
  },
  {
    rule: 'PingSource.spec.data no JSON',
    text: ping('contentType: application/json, data: "{"'),
    problems: [
      '4:65 spec.data: invalid value: expected a JSON object, or null, because contentType is application/json',
    ],
  },
  {
    rule: 'PingSource.spec.data and dataBase64',
    text: ping('data: a, dataBase64: YQ=='),
    problems: ['4:34 spec.data, spec.dataBase64: expected exactly one, got both'],
  },
  {
    rule: 'PingSource.spec.dataBase64 wrong type',
    text: ping('dataBase64: 5'),
    problems: ['4:34 spec.dataBase64: invalid value: 5: expected a string'],
  },
  {
    rule: 'PingSource.spec.dataBase64 malformed',
    text: ping('dataBase64: a'),
    problems: ['4:34 spec.dataBase64: invalid value: expected Base64 with padding'],
  },
  {
    rule: 'PingSource.spec.dataBase64 no JSON object',
    text: ping('contentType: application/json, dataBase64: YQ=='),
    problems: [
      '4:65 spec.dataBase64: invalid value: expected a JSON object, or null, because contentType is application/json',
    ],
  },
  {
    rule: 'PingSource.spec.sink absent',
    text: document('sources.knative.dev/v1', 'PingSource', 'name: p', ''),
    problems: ['4:1 spec.sink: missing field(s)'],
  },
  {
    rule: 'PingSource.spec.sink wrong type',
    text: document('sources.knative.dev/v1', 'PingSource', 'name: p', 'sink: s'),
    problems: ['4:8 spec.sink: invalid value: "s": expected a map'],
  },
  {
    rule: 'PingSource.spec.ceOverrides wrong type',
    text: ping('ceOverrides: x'),
    problems: ['4:34 spec.ceOverrides: invalid value: "x": expected a map'],
  },
  {
    rule: 'PingSource.spec.delivery wrong type',
    text: ping('delivery: 5'),
    problems: ['4:34 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'PingSource catch-up unknown',
    text: ping('', 'name: p, annotations: {tidings.dev/catch-up: latest}'),
    problems: ['3:35 metadata.annotations[tidings.dev/catch-up]: invalid value: latest: expected none or last or all'],
  },

  {
    rule: 'CeOverrides unknown field',
    text: ping('ceOverrides: {extension: {}}'),
    problems: ['4:48 spec.ceOverrides.extension: unknown field "extension": known: extensions'],
  },
  {
    rule: 'CeOverrides.extensions wrong type',
    text: ping('ceOverrides: {extensions: [a]}'),
    problems: ['4:48 spec.ceOverrides.extensions: invalid value: ["a"]: expected a map'],
  },
  {
    rule: 'CeOverrides.extensions name empty',
    text: ping('ceOverrides: {extensions: {"": x}}'),
    problems: ['4:61 spec.ceOverrides.extensions[]: invalid key name "": expected letters and digits only'],
  },
  {
    rule: 'CeOverrides.extensions name malformed',
    text: ping('ceOverrides: {extensions: {my-team: x}}'),
    problems: [
      '4:61 spec.ceOverrides.extensions[my-team]: invalid key name "my-team": expected letters and digits only',
    ],
  },
  {
    rule: 'CeOverrides.extensions name of an attribute',
    text: ping('ceOverrides: {extensions: {Type: x}}'),
    problems: [
      '4:61 spec.ceOverrides.extensions.Type: invalid key name "Type": it is no extension: the source sets it',
    ],
  },
  {
    rule: 'CeOverrides.extensions name repeated',
    text: ping('ceOverrides: {extensions: {team: a, Team: b}}'),
    problems: [
      '4:70 spec.ceOverrides.extensions.Team: invalid key name "Team": "team" stands there already, and names are not told apart by case',
    ],
  },
  {
    rule: 'CeOverrides.extensions value wrong type',
    text: ping('ceOverrides: {extensions: {team: 5}}'),
    problems: ['4:61 spec.ceOverrides.extensions.team: invalid value: 5: expected a string'],
  },

  {
    rule: 'CronJobSource.spec absent',
    text: cron('').replace(/spec: .*\n/, ''),
    problems: ['1:1 spec: missing field(s)'],
  },
  {
    rule: 'CronJobSource.spec wrong type',
    text: cron('').replace(/spec: .*/, 'spec: x'),
    problems: ['4:1 spec: invalid value: "x": expected a map'],
  },
  {
    rule: 'CronJobSource.spec unknown field',
    text: cron(`${DAILY}, ${TO}, timezone: UTC`),
    problems: [
      '4:54 spec.timezone: unknown field "timezone": known: schedule, data, sink, delivery, serviceAccountName, resources',
    ],
  },
  { rule: 'CronJobSource.spec.schedule absent', text: cron(TO), problems: ['4:1 spec.schedule: missing field(s)'] },
  {
    rule: 'CronJobSource.spec.schedule wrong type',
    text: cron(`schedule: 5, ${TO}`),
    problems: ['4:8 spec.schedule: invalid value: 5: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.schedule empty',
    text: cron(`schedule: "", ${TO}`),
    problems: ['4:8 spec.schedule: missing field(s)'],
  },
  {
    rule: 'CronJobSource.spec.schedule malformed',
    text: cron(`schedule: daily, ${TO}`),
    problems: ['4:8 spec.schedule: invalid value: expected 5 fields or a descriptor such as @daily, got 1 fields'],
  },
  {
    rule: 'CronJobSource.spec.schedule with seconds',
    text: cron(`schedule: "0 0 2 * * *", ${TO}`),
    problems: ['4:8 spec.schedule: invalid value: expected 5 fields or a descriptor such as @daily, got 6 fields'],
  },
  {
    rule: 'CronJobSource.spec.data wrong type',
    text: cron(`${DAILY}, ${TO}, data: {a: 1}`),
    problems: ['4:54 spec.data: invalid value: {"a":1}: expected a string'],
  },
  { rule: 'CronJobSource.spec.sink absent', text: cron(DAILY), problems: ['4:1 spec.sink: missing field(s)'] },
  {
    rule: 'CronJobSource.spec.sink wrong type',
    text: cron(`${DAILY}, sink: "http://h/"`),
    problems: ['4:28 spec.sink: invalid value: "http://h/": expected a map'],
  },
  {
    rule: 'CronJobSource.spec.sink empty',
    text: cron(`${DAILY}, sink: {}`),
    problems: ['4:28 spec.sink.ref, spec.sink.uri: expected at least one, got none'],
  },
  {
    rule: 'CronJobSource.spec.sink unknown field',
    text: cron(`${DAILY}, sink: {url: "http://h/"}`),
    problems: [
      '4:28 spec.sink.ref, spec.sink.uri: expected at least one, got none',
      '4:35 spec.sink.url: unknown field "url": known: ref, uri, CACerts, audience, apiVersion, kind, name, namespace',
    ],
  },
  {
    rule: 'CronJobSource.spec.sink.ref wrong type',
    text: cron(`${DAILY}, sink: {ref: s}`),
    problems: ['4:35 spec.sink.ref: invalid value: "s": expected a map'],
  },
  {
    rule: 'CronJobSource.spec.sink.uri wrong type',
    text: cron(`${DAILY}, sink: {uri: 5}`),
    problems: ['4:35 spec.sink.uri: invalid value: 5: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.uri malformed',
    text: cron(`${DAILY}, sink: {uri: "http://h:99999/"}`),
    problems: ['4:35 spec.sink.uri: invalid value: http://h:99999/: expected a URI'],
  },
  {
    rule: 'CronJobSource.spec.sink.uri absolute beside inline reference',
    text: cron(`${DAILY}, sink: {${INLINE}, uri: "http://h/"}`),
    problems: ['4:75 spec.sink.uri: Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present'],
  },
  {
    rule: 'CronJobSource.spec.sink.CACerts wrong type',
    text: cron(`${DAILY}, sink: {${INLINE}, CACerts: 5}`),
    problems: ['4:75 spec.sink.CACerts: invalid value: 5: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.audience wrong type',
    text: cron(`${DAILY}, sink: {${INLINE}, audience: 5}`),
    problems: ['4:75 spec.sink.audience: invalid value: 5: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.apiVersion wrong type',
    text: cron(`${DAILY}, sink: {apiVersion: 1, kind: Service, name: s}`),
    problems: ['4:35 spec.sink.apiVersion: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.kind wrong type',
    text: cron(`${DAILY}, sink: {apiVersion: v1, kind: 1, name: s}`),
    problems: ['4:51 spec.sink.kind: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.name wrong type',
    text: cron(`${DAILY}, sink: {apiVersion: v1, kind: Service, name: 1}`),
    problems: ['4:66 spec.sink.name: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink.namespace wrong type',
    text: cron(`${DAILY}, sink: {${INLINE}, namespace: 1}`),
    problems: ['4:75 spec.sink.namespace: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.sink inline reference incomplete',
    text: cron(`${DAILY}, sink: {name: s}`),
    problems: ['4:28 spec.sink.apiVersion: missing field(s)', '4:28 spec.sink.kind: missing field(s)'],
  },
  {
    rule: 'CronJobSource.spec.sink both references',
    text: cron(`${DAILY}, sink: {${INLINE}, ref: {${INLINE}}}`),
    problems: [
      "4:35 spec.sink.apiVersion, spec.sink.kind, spec.sink.name, spec.sink.ref: Ref and [apiVersion, kind, name] can't be both present",
    ],
  },
  {
    rule: 'CronJobSource.spec.delivery wrong type',
    text: cron(`${DAILY}, ${TO}, delivery: 5`),
    problems: ['4:54 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'CronJobSource.spec.serviceAccountName wrong type',
    text: cron(`${DAILY}, ${TO}, serviceAccountName: 5`),
    problems: ['4:54 spec.serviceAccountName: invalid value: 5: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.resources wrong type',
    text: cron(`${DAILY}, ${TO}, resources: 5`),
    problems: ['4:54 spec.resources: invalid value: 5: expected a map'],
  },
  {
    rule: 'CronJobSource.spec.resources.requests wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {requests: 5}`),
    problems: ['4:66 spec.resources.requests: invalid value: 5: expected a map'],
  },
  {
    rule: 'CronJobSource.spec.resources.requests.cpu wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {requests: {cpu: 1}}`),
    problems: ['4:77 spec.resources.requests.cpu: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.resources.requests.memory wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {requests: {memory: 1}}`),
    problems: ['4:77 spec.resources.requests.memory: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.resources.limits wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {limits: 5}`),
    problems: ['4:66 spec.resources.limits: invalid value: 5: expected a map'],
  },
  {
    rule: 'CronJobSource.spec.resources.limits.cpu wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {limits: {cpu: 1}}`),
    problems: ['4:75 spec.resources.limits.cpu: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource.spec.resources.limits.memory wrong type',
    text: cron(`${DAILY}, ${TO}, resources: {limits: {memory: 1}}`),
    problems: ['4:75 spec.resources.limits.memory: invalid value: 1: expected a string'],
  },
  {
    rule: 'CronJobSource catch-up unknown',
    text: cron(`${DAILY}, ${TO}`, 'name: c, annotations: {tidings.dev/catch-up: ""}'),
    problems: ['3:35 metadata.annotations[tidings.dev/catch-up]: invalid value: : expected none or last or all'],
  },
]
