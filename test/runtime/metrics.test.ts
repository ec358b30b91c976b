import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

const A_CHANNEL = `---
apiVersion: messaging.knative.dev/v1
kind: Channel
metadata: {name: c}
`
const aSubscription = (uri: string): string => `---
apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata: {name: s}
spec:
  channel: {apiVersion: messaging.knative.dev/v1, kind: Channel, name: c}
  subscriber: {uri: '${uri}'}
`
/** Its schedule never comes. */
const aPing = (uri: string): string => `---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: p}
spec:
  schedule: '0 0 31 2 *'
  sink: {uri: '${uri}'}
`

interface Family {
  readonly type: string
  readonly labels: readonly string[]
}

describe('docs/metrics.md', () => {
  it('has every metric of a runtime that has seen events, with its type and labels, and no other', async () => {
    await using subscriber = await startSubscriber()
    const dir = await mkdtemp(path.join(tmpdir(), 'tidings-metrics-'))
    await using tidings = await startTestRuntime(
      aTrigger('t', subscriber.url) + A_CHANNEL + aSubscription(subscriber.url) + aPing(subscriber.url),
      { 'data-dir': dir },
    )
    await tidings.send(anEvent())
    await tidings.send(anEvent({ type: '' }))
    await tidings.send(anEvent(), 'channels/default/c')
    await tidings.send(anEvent({ type: '' }), 'channels/default/c')
    await tidings.runtime.fireSource('PingSource', 'default', 'p')
    await eventually(async () => {
      const { triggers, subscriptions, sources } = await tidings.runtime.status()
      return [...triggers, ...subscriptions, ...sources].every(({ delivered }) => delivered === 1)
    }, 'delivered')

    const { text } = await tidings.runtime.metrics.scrape()
    await tidings[Symbol.asyncDispose]()
    await rm(dir, { recursive: true })

    assert.deepEqual(documented(readFileSync('docs/metrics.md', 'utf8')), scraped(text))
  })

  it('says for every metric what it means and what to do', () => {
    const rows = rowsOf(readFileSync('docs/metrics.md', 'utf8'))

    assert.ok(rows.length > 0)
    assert.deepEqual(
      rows.filter(({ length }, i, all) => length !== 5 || all[i]?.includes('')),
      [],
    )
  })
})

describe('the metrics of a runtime', () => {
  it('count what was skipped as matched still: a counter never falls', async () => {
    await using subscriber = await startSubscriber({ status: 503 })
    await using tidings = await startTestRuntime(
      aTrigger('t', subscriber.url, '  delivery: {retry: 1, backoffPolicy: linear, backoffDelay: PT1H}\n'),
    )
    await tidings.send(anEvent())
    await eventually(async () => (await tidings.trigger('t')).failedAttempts === 1, 'it waits')

    await tidings.runtime.triggers.skip('default', 't', { isDry: false })

    const { text } = await tidings.runtime.metrics.scrape()
    assert.match(text, /^tidings_trigger_matched_total\{.*trigger="t".*\} 1$/m)
    assert.match(text, /^tidings_trigger_skipped_total\{.*trigger="t".*\} 1$/m)
  })

  it('tell a channel, a subscription and a source by their names', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(A_CHANNEL + aSubscription(subscriber.url) + aPing(subscriber.url))
    for (const id of ['1', '2']) await tidings.send(anEvent({ id }), 'channels/default/c')
    await tidings.send(anEvent({ type: '' }), 'channels/default/c')
    await tidings.runtime.fireSource('PingSource', 'default', 'p')
    await subscriber.received(3)
    await eventually(
      async () =>
        (await linesOf(tidings)).includes('tidings_source_waiting{namespace="default",kind="PingSource",source="p"} 0'),
      'settled',
    )

    const lines = await linesOf(tidings)

    for (const line of [
      'tidings_channel_events_accepted_total{namespace="default",channel="c"} 2',
      'tidings_ingress_refused_total{namespace="default",channel="c",code="400"} 1',
      'tidings_dead_letters_waiting{namespace="default",channel="c"} 0',
      'tidings_subscription_delivered_total{namespace="default",channel="c",subscription="s"} 2',
      'tidings_source_events_emitted_total{namespace="default",kind="PingSource",source="p"} 1',
      'tidings_source_delivered_total{namespace="default",kind="PingSource",source="p"} 1',
      'tidings_dead_letters_waiting{namespace="default",kind="PingSource",source="p"} 0',
      'kn_eventing_dispatch_duration_seconds_count{namespace="default",kind="PingSource",source="p"} 1',
    ]) {
      assert.ok(lines.includes(line), line)
    }
  })

  it('have no series of a subscription or source before its first event', async () => {
    await using tidings = await startTestRuntime(A_CHANNEL + aSubscription('http://a') + aPing('http://a'))

    const lines = await linesOf(tidings)

    assert.deepEqual(
      lines.filter((line) => /^[^#].*(?:subscription|source)=/.test(line)),
      [],
    )
    assert.ok(lines.includes('tidings_channel_events_accepted_total{namespace="default",channel="c"} 0'))
  })

  it('count by kind what is not ready', async () => {
    await using tidings = await startTestRuntime(
      `${A_CHANNEL}${aSubscription('http://a')}---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t}
spec:
  broker: none
  subscriber: {uri: 'http://a'}
`,
    )

    const lines = await linesOf(tidings)

    assert.deepEqual(lines.filter((line) => line.startsWith('tidings_resources_not_ready{')).sort(), [
      'tidings_resources_not_ready{kind="Broker"} 0',
      'tidings_resources_not_ready{kind="Channel"} 0',
      'tidings_resources_not_ready{kind="InMemoryChannel"} 0',
      'tidings_resources_not_ready{kind="Subscription"} 0',
      'tidings_resources_not_ready{kind="Trigger"} 1',
    ])
  })

  it('count what is wrong with the files that are followed, as the status tells it', async () => {
    const problem = { file: 'a.yaml', line: 4, column: 3, path: 'spec', message: 'missing field(s)' }
    await using tidings = await startTestRuntime('', {}, () => [problem])

    const lines = await linesOf(tidings)
    const { problems } = await tidings.runtime.status()

    assert.ok(lines.includes('tidings_manifest_problems 1'))
    assert.deepEqual(problems, ['manifest a.yaml:4:3 spec: missing field(s)'])
  })
})

async function linesOf({ runtime }: TestRuntime): Promise<readonly string[]> {
  return (await runtime.metrics.scrape()).text.split('\n')
}

function documented(page: string): Record<string, Family> {
  const rows = rowsOf(page).map(([name = '', type = '', labels = '']) => {
    const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)
    return [name.replaceAll('`', ''), { type, labels: names.sort() }] as const
  })
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, 'no metric stands there twice')
  return sortedByName(rows)
}

function rowsOf(page: string): string[][] {
  const lines = page.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** Families that have samples, and the labels of these but for a histogram's `le`. */
function scraped(text: string): Record<string, Family> {
  const families = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const sample = new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? \\S+$`, 'gm')
    const samples = [...text.matchAll(sample)]
    assert.ok(samples.length > 0, `${name} has no sample`)
    const labels = samples.flatMap(([, list = '']) => [...list.matchAll(/(\w+)="/g)].map(([, label = '']) => label))
    return [name, { type, labels: [...new Set(labels)].filter((label) => label !== 'le').sort() }] as const
  })
  return sortedByName(families)
}

function sortedByName(families: readonly (readonly [string, Family])[]): Record<string, Family> {
  return Object.fromEntries([...families].sort(([a], [b]) => (a < b ? -1 : 1)))
}
