// The promise of a followed folder: edited at random under load it loses nothing, repeats nothing, and keeps the last
// good version of everything.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createClock } from '../../src/core/clock.ts'
import type { LogStatus, RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import { itLong, seedOf } from '../support/long.ts'
import { type Server, startServerProgram } from '../support/program.ts'
import { createRandom } from '../support/random.ts'
import { type ReceivedRequest, startSubscriber } from '../support/subscriber.ts'
import { FORBIDDEN, type Reader, type Storm, startStorm } from './edit-storm.ts'

interface Size {
  readonly manifests: number
  readonly seconds: number
  readonly eventsPerSecond: number
}

interface Sent {
  readonly id: string
  readonly target: string
  readonly type: string
  readonly status: number
  /** When it was accepted. */
  readonly at: number
}

const clock = createClock()
/** What is resident may grow by this much; a leak of every edit or event would be far above it. */
const MOST_GROWTH_MIB = 200

describe('edits of a followed folder under load', () => {
  it('lose nothing and repeat nothing, and broken ones change nothing', async function () {
    this.timeout(90_000)
    await storm({ manifests: 60, seconds: 12, eventsPerSecond: 60 })
  })

  itLong('lose nothing and repeat nothing: 500 manifests for two minutes', async function () {
    this.timeout(400_000)
    await storm({ manifests: 500, seconds: 120, eventsPerSecond: 60 })
  })
})

async function storm({ manifests, seconds, eventsPerSecond }: Size): Promise<void> {
  const seed = seedOf(Math.floor(Math.random() * 1e9))
  console.log(`      npm run test:long -- edits --seed ${seed}`)
  const random = createRandom(seed)
  const answer = async ({ path: at }: ReceivedRequest) => {
    if (at.startsWith('/volatile'))
      await clock.sleep(random.int(600)) // its broker is most often deleted while some wait
    else if (random.int(4) === 0) await clock.sleep(random.int(50))
    return { status: 202 }
  }
  await using first = await startSubscriber(answer)
  await using second = await startSubscriber(answer)
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-edits-'))
  try {
    const edited = await startStorm({ folder, random, manifests, subscribers: [first.url, second.url] })
    await using server = await startServerProgram(['-f', folder])
    const residentBefore = await residentMib(server)
    const ending = new AbortController()
    const sending = send(server, edited, eventsPerSecond, ending.signal)
    const editing = edited.edit(ending.signal)
    await Promise.race([clock.sleep(seconds * 1_000), server.finished])
    ending.abort()
    await editing
    const sent = await sending
    const status = await calm(server)
    const received = [...first.requests, ...second.requests]

    print(edited, sent, received, status)
    assert.equal(server.process.exitCode, null, 'it ran all the time')
    assert.match(server.err(), /deleted while events wait/)
    judge(edited.readers, sent, received)
    for (const log of [...status.brokers, ...status.channels]) assertNothingLost(log)
    for (const { name, matched, delivered, deadLettered, kept, expired } of [
      ...status.triggers,
      ...status.subscriptions,
    ]) {
      assert.deepEqual([delivered, deadLettered, kept, expired], [matched, 0, 0, 0], name)
    }
    const growth = (await residentMib(server)) - residentBefore
    console.log(`      resident: ${residentBefore} MiB at the start, ${growth} MiB more at the end`)
    assert.ok(growth < MOST_GROWTH_MIB, `${growth} MiB`)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** At a steady rate, until the signal aborts; resolves once all are answered. */
async function send(
  server: Server,
  { targets, types }: Storm,
  perSecond: number,
  signal: AbortSignal,
): Promise<Sent[]> {
  const sending: Promise<Sent>[] = []
  const startedAt = clock.now()
  for (let i = 0; !signal.aborted; i++) {
    const target = targets[i % targets.length] ?? ''
    const type = types[(i * 7) % types.length] ?? ''
    sending.push(sendOne(server, String(i), target, type))
    await clock.sleep(Math.max(0, startedAt + ((i + 1) * 1_000) / perSecond - clock.now()))
  }
  return Promise.all(sending)
}

async function sendOne({ dataUrl }: Server, id: string, target: string, type: string): Promise<Sent> {
  const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/storm', 'ce-type': type }
  const { status } = await fetch(`${dataUrl}/${target}`, { method: 'POST', headers })
  return { id, target, type, status, at: clock.now() }
}

/** Resolves with the status once nothing waits and nothing is wrong any more. */
async function calm(server: Server): Promise<RuntimeStatus> {
  const statusNow = async () => (await (await fetch(`${server.adminUrl}/tidings/v1/status`)).json()) as RuntimeStatus
  let status = await statusNow()
  const isCalm = async (): Promise<boolean> => {
    status = await statusNow()
    const waiting = [...status.brokers, ...status.channels].reduce((sum, log) => sum + log.waiting, 0)
    return waiting === 0 && status.problems.length === 0
  }
  await eventually(isCalm, 'nothing waits and nothing is wrong', 30_000).catch((error: unknown) => {
    throw new Error(`${error}: ${JSON.stringify(status.problems, undefined, 2)}`)
  })
  return status
}

function judge(readers: readonly Reader[], sent: readonly Sent[], received: readonly ReceivedRequest[]): void {
  const typeOf = new Map(sent.map(({ id, type }) => [id, type]))
  const got = new Map<string, string[]>(readers.map(({ name }) => [name, []]))
  for (const { path: at, headers } of received) {
    assert.ok(!at.startsWith(FORBIDDEN), `event ${headers['ce-id']} came to ${at}, where no good version leads`)
    got.get(at.slice(1).replace(/\?.*/, ''))?.push(String(headers['ce-id']))
  }
  for (const reader of readers) {
    const { name, nature, from, types, wasAway } = reader
    const ids = got.get(name) ?? []
    assert.deepEqual(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      [],
      `${name} got events twice`,
    )
    const lets = (type: string | undefined): boolean => types.has(undefined) || types.has(type)
    assert.deepEqual(
      ids.filter((id) => !lets(typeOf.get(id))),
      [],
      `${name} got events that it never wanted`,
    )
    if (nature === 'fickle' || nature === 'fleeting' || wasAway) continue
    const wanted = sent.filter(({ status, target, type }) => status === 202 && target === from && lets(type))
    const missed = wanted.filter(({ id }) => !ids.includes(id))
    assert.deepEqual(missed, [], `${name} missed events`)
    assert.equal(ids.length, wanted.length, `${name} got events that nobody took`)
  }
}

function assertNothingLost({ namespace, name, accepted, unmatched, settled, expired, deadLetters }: LogStatus): void {
  assert.deepEqual([accepted, expired, deadLetters.waiting], [unmatched + settled, 0, 0], `${namespace}/${name}`)
}

function print(
  { edits, readers, targets }: Storm,
  sent: readonly Sent[],
  received: readonly ReceivedRequest[],
  status: RuntimeStatus,
): void {
  const steady = readers.filter(({ nature, wasAway }) => (nature === 'steady' || nature === 'lively') && !wasAway)
  console.log(`      edits: ${[...edits].map(([what, count]) => `${count} ${what}`).join(', ')}`)
  console.log(`      ${readers.length} readers, ${steady.length} of which must miss nothing`)
  for (const target of targets) {
    const those = sent.filter((each) => each.target === target)
    const accepted = those.filter((each) => each.status === 202).length
    console.log(`      ${target}: ${those.length} sent, ${accepted} accepted`)
  }
  const delivered = [...status.triggers, ...status.subscriptions].reduce((sum, each) => sum + each.delivered, 0)
  console.log(`      ${received.length} received, ${delivered} told to be delivered`)
}

async function residentMib({ process: { pid } }: Server): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1_024)
}
