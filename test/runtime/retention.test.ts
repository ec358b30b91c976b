import assert from 'node:assert/strict'
import { loadManifests } from '../../src/resource/load.ts'
import { inMemoryChannelKey } from '../../src/runtime/channels.ts'
import { deadLetterConfigOf, logConfigOf } from '../../src/runtime/retention.ts'
import { readSettings } from '../../src/runtime/settings.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

const KiB = 1_024
const MiB = 2 ** 20
const WEEK_MS = 604_800_000

describe('the config of a log', () => {
  it('is as the settings say, of the backend that is used', () => {
    const retention = { bytes: 64 * MiB, ms: WEEK_MS }
    assert.deepEqual(configOf({}, { channel: 'disk' }), { capBytes: 1_024 * MiB, retention })
    assert.deepEqual(configOf({}, { channel: 'memory' }), {
      capBytes: 64 * MiB,
      retention: { bytes: MiB, ms: WEEK_MS },
    })
  })

  it('is as the annotations of its Broker say, where they say something', () => {
    const config = configOf({ 'tidings.dev/retention': 'PT1H', 'tidings.dev/retention-bytes': '5Mi' })

    assert.deepEqual(config.retention, { bytes: 5 * MiB, ms: 3_600_000 })
    assert.deepEqual(configOf({ 'tidings.dev/retention-bytes': '1000' }).retention, { bytes: 1_000, ms: WEEK_MS })
  })

  it('gives up what is not settled only where it is told to', () => {
    const expire = { 'tidings.dev/retention-unsettled': 'expire', 'tidings.dev/retention-bytes': '5Mi' }

    assert.deepEqual(configOf(expire).expiry, { bytes: 5 * MiB, ms: WEEK_MS })
    assert.deepEqual(configOf({}, { 'retention.unsettled': 'expire' }).expiry, { bytes: MiB, ms: WEEK_MS })
    assert.equal(
      configOf({ 'tidings.dev/retention-unsettled': 'keep' }, { 'retention.unsettled': 'expire' }).expiry,
      undefined,
    )
  })

  it('leaves publishers their room where what expires would take all of the cap', () => {
    const config = configOf({ 'tidings.dev/retention-unsettled': 'expire', 'tidings.dev/retention-bytes': '1Gi' })

    assert.deepEqual(config.expiry, { bytes: 0.9 * 64 * MiB, ms: WEEK_MS })
  })

  it('gives up nothing unsettled for a retention of nothing', () => {
    assert.equal(configOf({}, { 'retention.unsettled': 'expire', 'retention.time': 'PT0S' }).expiry, undefined)
  })

  it('of a cap below the default retention asks for no more than the cap', () => {
    const settings = { channel: 'disk', 'channel.disk.capBytes': String(MiB) }

    assert.equal(configOf({}, settings).retention?.bytes, MiB)
    assert.equal(
      configOf({}, { ...settings, 'channel.disk.retentionBytes': String(2 * MiB) }).retention?.bytes,
      2 * MiB,
    )
  })

  it('of dead letters keeps them for their time, whatever their bytes', () => {
    const expiry = { bytes: Infinity, ms: 2_592_000_000 }
    const of = (flags: Record<string, string>) =>
      deadLetterConfigOf(readSettings({ flags, env: {} }), flags['channel'] ?? '')

    assert.deepEqual(of({ channel: 'disk' }), { capBytes: 1_024 * MiB, expiry })
    assert.deepEqual(of({ channel: 'memory' }), { capBytes: 16 * MiB, expiry })
    assert.equal(of({ 'deadLetter.capBytes': String(MiB) }).capBytes, MiB)
  })
})

describe('retention', () => {
  it('has its new length as soon as the annotation has', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aBroker() + aTrigger('t', subscriber.url))
    await sendAndSettle(tidings, 20)
    assert.ok((await logOf(tidings)).retainedBytes > 20 * 10 * KiB)

    await apply(tidings, aBroker('tidings.dev/retention-bytes: 50Ki'))

    const { bytes, retainedBytes, retentionBytes } = await logOf(tidings)
    assert.ok(retainedBytes > 30 * KiB && retainedBytes <= 50 * KiB, `${retainedBytes} bytes`)
    assert.deepEqual([bytes, retentionBytes], [retainedBytes, 50 * KiB])
  })

  it('counts what a paused trigger missed for want of it, and tells', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(
      aBroker('tidings.dev/retention-bytes: 50Ki, tidings.dev/retention-unsettled: expire') +
        aTrigger('t', subscriber.url),
    )
    assert.ok(await tidings.runtime.setTriggerPaused('default', 't', true))

    for (let i = 0; i < 20; i++) await tidings.send(aLetter(i))

    await eventually(async () => (await tidings.trigger('t')).expired > 10, 'it is told')
    const { expired, behind, waiting } = await tidings.trigger('t')
    const broker = await tidings.broker()
    assert.equal(expired + behind + waiting, 20)
    assert.deepEqual([broker.accepted, broker.expired, broker.waiting], [20, expired, 20 - expired])
    const { problems } = await tidings.runtime.status()
    assert.deepEqual(problems, [
      `broker default/default: ${expired} events were given up by its log before all triggers had settled them`,
      `trigger default/t: ${expired} events were given up by the log before it had settled them`,
    ])
    const { text } = await tidings.runtime.metrics.scrape()
    assert.ok(
      text.includes(`tidings_trigger_expired_total{namespace="default",broker="default",trigger="t"} ${expired}`),
    )
    assert.ok(text.includes(`tidings_broker_events_expired_total{namespace="default",broker="default"} ${expired}`))
  })

  it('beyond the cap keeps what fits, and says so', async () => {
    await using tidings = await startTestRuntime(aBroker('tidings.dev/retention-bytes: 1Gi'))

    const { problems } = await tidings.runtime.status()

    assert.deepEqual(problems, [
      `broker default/default: it is to keep 1073741824 bytes of settled events and its log may hold 67108864 (RetentionAboveCap): it keeps what fits`,
    ])
  })

  it('of a full log that is full of settled events is no reason to worry', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(
      aBroker('tidings.dev/retention-bytes: 1Mi') + aTrigger('t', subscriber.url),
      { 'channel.memory.capBytes': String(MiB) },
    )

    await sendAndSettle(tidings, 120)

    assert.ok((await logOf(tidings)).bytes > 0.85 * MiB)
    assert.deepEqual((await tidings.runtime.status()).problems, [])
  })

  it('of a Channel is that of the channel which does its work', async () => {
    await using tidings = await startTestRuntime(aChannel('tidings.dev/retention-bytes: 5Ki'))
    assert.equal((await tidings.channel('c')).log.retentionBytes, 5 * KiB)

    await apply(tidings, aChannel('tidings.dev/retention-bytes: 6Ki'))

    assert.equal((await tidings.channel('c')).log.retentionBytes, 6 * KiB)
    await apply(tidings, aChannel(''))
    assert.equal((await tidings.channel('c')).log.retentionBytes, MiB)
    const { annotations } = tidings.runtime.resources.get(inMemoryChannelKey('default', 'c'))?.resource.metadata ?? {}
    assert.equal(annotations?.['tidings.dev/retention-bytes'], undefined)
  })
})

function configOf(annotations: Readonly<Record<string, string>>, flags: Record<string, string> = {}) {
  const { resources } = loadManifests(aBroker(JSON.stringify(annotations).slice(1, -1)), 'b.yaml')
  const resource = resources[0]?.resource ?? assert.fail('a Broker')
  const settings = readSettings({ flags: { channel: 'memory', ...flags }, env: {} })
  return logConfigOf(settings, resource, settings.channel.backend)
}

function aBroker(annotations = ''): string {
  return `---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default, annotations: {${annotations}}}\n`
}

function aChannel(annotations: string): string {
  return `---\napiVersion: messaging.knative.dev/v1\nkind: Channel\nmetadata: {name: c, annotations: {${annotations}}}\n`
}

function aLetter(number: number) {
  return anEvent({ id: String(number) }, { data: Buffer.alloc(10 * KiB) })
}

async function apply({ runtime }: TestRuntime, manifests: string): Promise<void> {
  const { resources, problems } = loadManifests(manifests, 'test.yaml')
  assert.deepEqual(problems, [])
  for (const { resource } of resources) runtime.resources.put(resource, 'test.yaml:1')
  await runtime.settled()
}

async function sendAndSettle(tidings: TestRuntime, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.equal((await tidings.send(aLetter(i))).status, 202)
  await eventually(async () => {
    const { bytes, retainedBytes } = await logOf(tidings)
    return bytes === retainedBytes
  }, 'all is settled, and stored')
}

async function logOf(tidings: TestRuntime) {
  return (await tidings.broker()).log
}
