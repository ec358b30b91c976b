import assert from 'node:assert/strict'
import type { Condition } from '../../src/resource/conditions.ts'
import type { RuntimeStatus } from '../../src/runtime/status.ts'
import { anAdmin, aRerun, startTestAdmin, triggerManifest } from '../support/admin.ts'
import { run } from '../support/command.ts'

const KEY = 'eventing.knative.dev/Trigger/default/a'
const SINCE = '2026-01-02T03:04:05.000Z'
const FAILING: RuntimeStatus = {
  ready: true,
  dataUrl: 'http://127.0.0.1:8080',
  backend: 'memory',
  brokers: [],
  triggers: [
    {
      namespace: 'default',
      name: 'a',
      broker: 'default',
      ready: 'True',
      reason: null,
      message: null,
      subscriber: 'http://a.example/',
      paused: false,
      matched: 3,
      delivered: 1,
      deadLettered: 0,
      kept: 0,
      waiting: 2,
      behind: 0,
      behindIsExact: true,
      expired: 0,
      skipped: 0,
      inFlight: 1,
      attempts: 5,
      failedAttempts: 4,
      failingSince: SINCE,
      lastFailure: 'HTTP 503',
      oldestWaiting: SINCE,
    },
  ],
  channels: [],
  subscriptions: [],
  sources: [],
  reruns: [],
  problems: ['trigger default/a: failing since 2026-01-02T03:04:05.000Z: HTTP 503', 'trigger default/b: not ready'],
}

describe('tidings describe', () => {
  async function describeTrigger(conditions: readonly Condition[], status?: RuntimeStatus, words: string[] = []) {
    const admin = anAdmin(triggerManifest('a', 'http://a.example'), status && { status: async () => status })
    if (conditions.length > 0) admin.resources.setStatus(KEY, { observedGeneration: 1, conditions })
    await using server = await startTestAdmin(admin)
    return await run(['describe', 'trigger', 'a', ...words], { TIDINGS_SERVER: server.url })
  }

  it('says what is wrong first, and each cause once', async () => {
    const { code, out } = await describeTrigger([
      condition('BrokerReady', 'False', 'BrokerDoesNotExist', 'Broker "default" does not exist'),
      condition('DependencyReady', 'True'),
      { ...condition('FilterPlausible', 'Unknown', 'NoKnownProducer', 'no'), severity: 'Info' },
      condition('Ready', 'False', 'BrokerDoesNotExist', 'Broker "default" does not exist'),
    ])

    assert.equal(code, 0)
    assert.equal(
      out,
      `Trigger default/a

What is wrong:
  BrokerReady is False (BrokerDoesNotExist): Broker "default" does not exist
  FilterPlausible is Unknown (NoKnownProducer): no

Conditions:
  TYPE                     STATUS    SINCE   REASON               MESSAGE
  BrokerReady              False     15m     BrokerDoesNotExist   Broker "default" does not exist
  DependencyReady          True      15m
  FilterPlausible (Info)   Unknown   15m     NoKnownProducer      no
  Ready                    False     15m     BrokerDoesNotExist   Broker "default" does not exist

Spec:
  broker: default
  subscriber:
    uri: http://a.example
`,
    )
  })

  it('says what fails since when, and counts', async () => {
    const { out } = await describeTrigger([condition('Ready', 'True')], FAILING)

    assert.match(out, /^What is wrong:\n {2}failing since 2026-01-02T03:04:05\.000Z: HTTP 503\n\n/m)
    assert.match(out, /^Counts since the server started:\n {2}matched: 3\n {2}delivered: 1\n/m)
    assert.match(out, /^ {2}oldestWaiting: 2026-01-02T03:04:05\.000Z\n/m)
  })

  it('shows the replays and redrives of it alone', async () => {
    const other = { kind: 'Subscription', namespace: 'default', name: 'a' }
    const status = { ...FAILING, reruns: [aRerun({ id: 'mine' }), aRerun({ id: 'not', reader: other })] }

    const { out } = await describeTrigger([condition('Ready', 'True')], status)

    const [, section = ''] = out.split('Replays and redrives:\n')
    assert.match(section, /^ {2}REPLAY, REDRIVE .*\n {2}replay mine .* goes on\n$/)
  })

  it('says that nothing is wrong', async () => {
    assert.match((await describeTrigger([condition('Ready', 'True')])).out, /^What is wrong:\n {2}nothing\n/m)
  })

  it('says that nobody looked at it', async () => {
    assert.match((await describeTrigger([])).out, /^What is wrong:\n {2}it has no conditions yet/m)
  })

  it('has JSON for programs', async () => {
    const { out } = await describeTrigger([condition('Ready', 'True')], FAILING, ['-o', 'json'])

    const { object, counts, wrong } = JSON.parse(out) as {
      object: { kind: string }
      counts: { waiting: number }
      wrong: unknown
    }
    assert.equal(object.kind, 'Trigger')
    assert.equal(counts.waiting, 2)
    assert.deepEqual(wrong, ['failing since 2026-01-02T03:04:05.000Z: HTTP 503'])
  })

  it('shows addresses, delivery and filters', async () => {
    const admin = anAdmin(`apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: a }
spec:
  broker: default
  filters: [{ exact: { type: order } }]
  subscriber: { uri: 'http://a.example' }
  delivery: { retry: 2 }
`)
    admin.resources.setStatus(KEY, { observedGeneration: 1, conditions: [], subscriberUri: 'http://a.example/' })
    await using server = await startTestAdmin(admin)

    const { out } = await run(['describe', 'trigger', 'a'], { TIDINGS_SERVER: server.url })

    assert.match(
      out,
      /^Addresses:\n {2}subscriber: http:\/\/a\.example\/\n\nDelivery:\n {2}retry: 2\n\nFilters:\n {2}- exact:\n {6}type: order\n/m,
    )
  })

  it('shows no value of a Secret', async () => {
    await using server = await startTestAdmin(
      anAdmin(`apiVersion: v1
kind: Secret
metadata: { name: s }
stringData: { token: very-secret }
`),
    )

    const { code, out } = await run(['describe', 'secret', 's', '-o', 'json'], { TIDINGS_SERVER: server.url })

    assert.equal(code, 0)
    assert.doesNotMatch(out, /very-secret/)
  })

  it('asks for a name', async () => {
    assert.deepEqual(await run(['describe', 'trigger']), {
      code: 1,
      out: '',
      err: 'tidings describe: expected KIND NAME\nSee: tidings describe --help\n',
    })
  })
})

function condition(type: string, status: Condition['status'], reason?: string, message?: string): Condition {
  return {
    type,
    status,
    lastTransitionTime: new Date(Date.now() - 900_000).toISOString(),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  }
}
