import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { conditionOf } from '../../src/resource/conditions.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const EVERY_SECOND = '* * * * * *'
const NEVER = '0 0 31 2 *'
const TO_BROKER = 'ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}'
const TO_SERVICE = 'ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: handler}'

const aPing = (sink: string, schedule: string, spec = ''): string => `---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: heartbeat}
spec:
  schedule: '${schedule}'
  data: '{"a":1}'
  contentType: application/json
  sink: {${sink}}
${spec}`
const pingKey = keyOf('sources.knative.dev/v1', 'PingSource', 'default', 'heartbeat')
const source = async ({ runtime }: TestRuntime) => {
  const [first] = (await runtime.status()).sources
  assert.ok(first)
  return first
}
const put = async ({ runtime }: TestRuntime, manifests: string): Promise<void> => {
  for (const { resource } of loadManifests(manifests, 'later.yaml').resources) runtime.resources.put(resource, 'later')
  await runtime.settled()
}

describe('sources of a runtime', () => {
  it('send to a broker by their schedule, and say when next', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url) + aPing(TO_BROKER, EVERY_SECOND))

    await subscriber.received(1)

    const [request] = subscriber.requests
    assert.equal(request?.headers['ce-type'], 'dev.knative.sources.ping')
    assert.equal(request?.headers['ce-source'], '/apis/v1/namespaces/default/pingsources/heartbeat')
    assert.equal(request?.headers['content-type'], 'application/json')
    assert.equal(request?.body.toString(), '{"a":1}')
    const { lastAt, nextAt, ready, missed } = await source(tidings)
    assert.deepEqual([ready, missed], ['True', 0])
    assert.ok(nextAt !== null && lastAt !== null && nextAt > lastAt)
  })

  it('fire beside their schedule when asked to', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aPing(`uri: '${subscriber.url}/in'`, NEVER))

    const fired = await tidings.runtime.fireSource('PingSource', 'default', 'heartbeat')
    await subscriber.received(1)

    assert.deepEqual(fired, {
      kind: 'fired',
      eventId: subscriber.requests[0]?.headers['ce-id'],
      sink: `${subscriber.url}/in`,
    })
    assert.equal((await source(tidings)).nextAt, null)
    assert.deepEqual(await tidings.runtime.fireSource('PingSource', 'default', 'none'), { kind: 'unknown' })
  })

  it('emit nothing while their sink is not there, and say so', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aPing(TO_SERVICE, EVERY_SECOND))
    const ready = conditionOf(tidings.runtime.resources.get(pingKey)?.status?.conditions ?? [], 'Ready')
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'NotFound'])
    assert.match(ready?.message ?? '', /Service default\/handler .* does not exist/)
    assert.equal((await tidings.runtime.fireSource('PingSource', 'default', 'heartbeat')).kind, 'refused')
    assert.equal((await source(tidings)).nextAt, null)

    await put(
      tidings,
      `---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: handler, annotations: {tidings.dev/url: '${subscriber.url}'}}\nspec: {}\n`,
    )
    await subscriber.received(1)

    assert.equal((await source(tidings)).ready, 'True')
  })

  it('keep what nobody took for people', async () => {
    await using subscriber = await startSubscriber({ status: 400 })
    await using tidings = await startTestRuntime(aPing(`uri: '${subscriber.url}'`, NEVER))

    await tidings.runtime.fireSource('PingSource', 'default', 'heartbeat')
    await eventually(async () => (await source(tidings)).deadLetters.waiting === 1, 'it is kept')

    const { problems } = await tidings.runtime.status()
    assert.ok(problems.some((problem) => problem.startsWith('PingSource default/heartbeat: 1 event that nobody took')))
  })

  it('retry as their delivery says', async () => {
    await using subscriber = await startSubscriber([{ status: 503 }, { status: 202 }])
    const delivery = '  delivery: {retry: 1, backoffPolicy: linear, backoffDelay: PT0.01S}\n'
    await using tidings = await startTestRuntime(aPing(`uri: '${subscriber.url}'`, NEVER, delivery))

    await tidings.runtime.fireSource('PingSource', 'default', 'heartbeat')
    await subscriber.received(2)

    const ids = subscriber.requests.map(({ headers }) => headers['ce-id'])
    assert.equal(ids[0], ids[1])
  })

  describe('on a data directory', () => {
    let dir: string
    beforeEach(async () => {
      dir = await mkdtemp(path.join(tmpdir(), 'tidings-sources-'))
    })
    afterEach(() => rm(dir, { recursive: true }))

    const secondsOf = (subscriber: Subscriber): number[] =>
      subscriber.requests.map(({ headers }) => Date.parse(String(headers['ce-scheduledtime'])) / 1_000)
    const run = (subscriber: Subscriber, catchUp: string, manifest = aPing(`uri: '${subscriber.url}'`, EVERY_SECOND)) =>
      startTestRuntime(manifest, { 'data-dir': dir, 'source.catchUp': catchUp, drainMs: '1000' })
    const pass = (ms: number): Promise<void> => {
      const until = Date.now() + ms
      return eventually(() => Date.now() >= until, 'the time passes')
    }

    it('fire late for each time that passed while the process was not there, if all are caught up with', async () => {
      await using subscriber = await startSubscriber()
      {
        await using _first = await run(subscriber, 'all')
        await subscriber.received(1)
      }
      const { length } = subscriber.requests
      await pass(2_500)

      await using _second = await run(subscriber, 'all')
      await subscriber.received(length + 3)

      const seconds = [...new Set(secondsOf(subscriber))].sort((a, b) => a - b)
      assert.deepEqual(
        seconds,
        seconds.map((_, i) => (seconds[0] ?? 0) + i),
      )
    })

    it('fire for none of them otherwise', async () => {
      await using subscriber = await startSubscriber()
      {
        await using _first = await run(subscriber, 'none')
        await subscriber.received(1)
      }
      const { length } = subscriber.requests
      await pass(1_500)
      const startedAt = Date.now() / 1_000

      await using _second = await run(subscriber, 'none')
      await subscriber.received(length + 1)

      assert.deepEqual(
        secondsOf(subscriber)
          .slice(length)
          .filter((at) => at < startedAt),
        [],
      )
    })

    it('start anew after a run without them', async () => {
      await using subscriber = await startSubscriber()
      {
        await using _first = await run(subscriber, 'all')
        await subscriber.received(1)
      }
      {
        await using _without = await run(subscriber, 'all', '')
      }
      const { length } = subscriber.requests
      await pass(1_500)
      const startedAt = Date.now() / 1_000

      await using _third = await run(subscriber, 'all')
      await subscriber.received(length + 1)

      assert.deepEqual(
        secondsOf(subscriber)
          .slice(length)
          .filter((at) => at < startedAt),
        [],
      )
    })
  })

  it('stop when they are deleted, and follow a changed schedule and data', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aPing(`uri: '${subscriber.url}'`, NEVER))
    await put(tidings, aPing(`uri: '${subscriber.url}'`, EVERY_SECOND).replace('"a":1', '"a":2'))
    await subscriber.received(1)
    assert.equal(subscriber.requests[0]?.body.toString(), '{"a":2}')

    tidings.runtime.resources.delete(pingKey)
    await tidings.runtime.settled()
    const { length } = subscriber.requests
    await new Promise((resolve) => setTimeout(resolve, 1_100))

    assert.equal(subscriber.requests.length, length)
    assert.deepEqual((await tidings.runtime.status()).sources, [])
  })

  it('run the CronJobSource of old, which says what to use instead', async () => {
    await using subscriber = await startSubscriber()
    const manifest = `---
apiVersion: sources.knative.dev/v1
kind: CronJobSource
metadata: {name: backup}
spec: {schedule: '0 2 * * *', data: '{"type": "daily-backup"}', sink: {uri: '${subscriber.url}'}}
`
    await using tidings = await startTestRuntime(manifest)

    await tidings.runtime.fireSource('CronJobSource', 'default', 'backup')
    await subscriber.received(1)

    const [request] = subscriber.requests
    assert.equal(request?.headers['ce-type'], 'dev.knative.cronjob.event')
    assert.equal(request?.headers['content-type'], 'application/json')
    const key = keyOf('sources.knative.dev/v1', 'CronJobSource', 'default', 'backup')
    const deprecated = conditionOf(tidings.runtime.resources.get(key)?.status?.conditions ?? [], 'Deprecated')
    assert.deepEqual([deprecated?.status, deprecated?.severity], ['True', 'Info'])
    assert.match(deprecated?.message ?? '', /use a PingSource/)
  })

  it('say so when their dead letter sink is not there, until it is no longer asked for', async () => {
    const delivery = `  delivery: {deadLetterSink: {${TO_SERVICE}}}\n`
    await using tidings = await startTestRuntime(aPing("uri: 'http://127.0.0.1:1/'", NEVER, delivery))
    assert.deepEqual([(await source(tidings)).ready, (await source(tidings)).nextAt], ['False', null])

    await put(tidings, aPing("uri: 'http://127.0.0.1:1/'", NEVER))

    assert.equal((await source(tidings)).ready, 'True')
  })
})
