// One Broker's backlog and another one's traffic on one disk: neither may take the other's room.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { LogStatus, RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import { itLong } from '../support/long.ts'
import { runProgram, type Server, startServerProgram } from '../support/program.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const KiB = 1_024
const MiB = 2 ** 20
const SENDERS = 8

interface Traffic {
  /** Events of Broker `lagging`, whose Trigger is paused, of 10 KiB each. */
  readonly waiting: number
  readonly bytes: number
  readonly eventBytes: number
  readonly retentionBytes: number
  readonly segmentBytes: number
}

describe('a paused trigger beside a busy broker', function () {
  this.timeout(120_000)
  let folder = ''
  let subscriber: Subscriber

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-retention-'))
    subscriber = await startSubscriber()
  })
  afterEach(async () => {
    await subscriber.close()
    await rm(folder, { recursive: true })
  })

  it('gets all of its events, and the busy one’s take no more of the disk than its retention', async () => {
    await checkWith({
      waiting: 400,
      bytes: 100 * MiB,
      eventBytes: 128 * KiB,
      retentionBytes: 5 * MiB,
      segmentBytes: 2 * MiB,
    })
  })

  itLong('gets all of its events after 5 GB of others', async function () {
    this.timeout(900_000)
    await checkWith({
      waiting: 2_000,
      bytes: 5_000 * MiB,
      eventBytes: 512 * KiB,
      retentionBytes: 100 * MiB,
      segmentBytes: 64 * MiB,
    })
  })

  async function checkWith(traffic: Traffic): Promise<void> {
    await writeFile(path.join(folder, 'm.yaml'), manifests(traffic.retentionBytes))
    await using server = await startServerProgram([
      ...['-f', path.join(folder, 'm.yaml'), '--data-dir', path.join(folder, 'data'), '--channel', 'disk'],
      ...['--channel.disk.segmentBytes', String(traffic.segmentBytes)],
      ...['--channel.disk.journalBytes', String(4 * traffic.segmentBytes)],
    ])
    await tidings(server, 'trigger', 'pause', 'paused')
    await send(server, 'lagging', traffic.waiting, Buffer.alloc(10 * KiB))

    const mostBytes = await mostOnDiskWhile(
      send(server, 'busy', Math.ceil(traffic.bytes / traffic.eventBytes), Buffer.alloc(traffic.eventBytes)),
    )

    const isSettled = async (): Promise<boolean> => {
      const { bytes, retainedBytes } = (await brokerOf(server, 'busy')).log
      return bytes === retainedBytes
    }
    await eventually(isSettled, 'the busy one’s are settled')
    const busy = await brokerOf(server, 'busy')
    const lagging = await brokerOf(server, 'lagging')
    assert.ok(busy.log.bytes <= traffic.retentionBytes, `${busy.log.bytes} bytes are kept`)
    assert.ok(busy.log.bytes > 0.8 * traffic.retentionBytes, `only ${busy.log.bytes} bytes are kept`)
    const allowed = lagging.log.bytes + traffic.retentionBytes + 4 * traffic.segmentBytes
    // A segment that is begun while the oldest one is being copied, a file of each log that has gone in part, the reserve.
    const spare = 3 * traffic.segmentBytes + 10 * MiB
    const bytesOnDisk = await bytesIn(path.join(folder, 'data'))
    assert.ok(bytesOnDisk <= allowed + spare, `${bytesOnDisk} bytes on the disk, ${allowed} and ${spare} to spare`)
    assert.ok(mostBytes <= allowed + 4 * traffic.segmentBytes + spare, `at most ${mostBytes} bytes were on the disk`)

    await tidings(server, 'trigger', 'resume', 'paused')
    await eventually(() => idsAt(subscriber).size === traffic.waiting, 'the paused one’s are all delivered', 30_000)
    assert.equal(lagging.accepted, traffic.waiting)
    assert.equal(busy.expired + lagging.expired, 0)
  }

  function manifests(retentionBytes: number): string {
    return `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: lagging}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: busy, annotations: {tidings.dev/retention-bytes: "${retentionBytes}"}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: paused}
spec:
  broker: lagging
  subscriber: {uri: '${subscriber.url}'}
`
  }

  async function mostOnDiskWhile(sending: Promise<void>): Promise<number> {
    let most = 0
    let isSent = false
    const sent = sending.finally(() => {
      isSent = true
    })
    sent.catch(() => undefined) // awaited below
    while (!isSent) {
      most = Math.max(most, await bytesIn(path.join(folder, 'data')))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await sent
    return most
  }
})

async function send({ dataUrl }: Server, broker: string, count: number, data: Buffer): Promise<void> {
  let next = 0
  async function sendOn(): Promise<void> {
    for (let number = next++; number < count; number = next++) {
      const headers = { 'ce-specversion': '1.0', 'ce-id': String(number), 'ce-source': '/s', 'ce-type': 'made' }
      const { status } = await fetch(`${dataUrl}/default/${broker}`, { method: 'POST', headers, body: data })
      assert.equal(status, 202)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sendOn))
}

async function tidings({ adminUrl }: Server, ...words: string[]): Promise<void> {
  const { code, err } = await runProgram([...words, '--server', adminUrl])
  assert.equal(code, 0, err)
}

async function brokerOf({ adminUrl }: Server, name: string): Promise<LogStatus> {
  const { brokers } = (await (await fetch(`${adminUrl}/tidings/v1/status`)).json()) as RuntimeStatus
  return brokers.find((broker) => broker.name === name) ?? assert.fail(`no broker ${name}`)
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => undefined)
    if (found?.isFile()) bytes += found.size
  }
  return bytes
}

function idsAt({ requests }: Subscriber): ReadonlySet<string> {
  return new Set(requests.map(({ headers }) => String(headers['ce-id'])))
}
