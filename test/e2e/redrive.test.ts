// Events once more, on the built program: redrives, replays and skips, and what kill -9 leaves of them.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { eventually } from '../support/eventually.ts'
import { type Finished, runProgram, type Server, startServerProgram } from '../support/program.ts'
import { aTrigger } from '../support/runtime.ts'
import { type ReceivedRequest, type Subscriber, startSubscriber } from '../support/subscriber.ts'

const NO_RETRY = '  delivery: {retry: 0}\n'
const SLOW_RETRY = '  delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT1H}\n'
const RATE = 200
/** `delivery.maxInFlight`, and what settled since the last save, a second ago at most. */
const MOST_TWICE = 64 + RATE

const idOf = ({ headers }: ReceivedRequest): string => String(headers['ce-id'])
const isReplayed = ({ headers }: ReceivedRequest): boolean => headers['ce-tidingsreplay'] !== undefined
const idsFrom = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `e${first + i}`)

describe('events once more', function () {
  this.timeout(90_000)
  let folder = ''
  let a: Subscriber
  let b: Subscriber
  let c: Subscriber

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-redrive-'))
    a = await startSubscriber()
    b = await startSubscriber()
    c = await startSubscriber()
  })
  afterEach(async () => {
    await Promise.all([a.close(), b.close(), c.close()])
    await rm(folder, { recursive: true })
  })

  const start = (): Promise<Server> =>
    startServerProgram(['-f', path.join(folder, 'm.yaml'), '--data-dir', path.join(folder, 'data')])
  async function startWith(manifests: string): Promise<Server> {
    await writeFile(path.join(folder, 'm.yaml'), manifests)
    return await start()
  }
  async function kill(server: Server): Promise<void> {
    server.process.kill('SIGKILL')
    await server.finished
  }
  const tidings = (server: Server, ...argv: string[]): Promise<Finished> =>
    runProgram([...argv, '--server', server.adminUrl])
  async function send(server: Server, ids: readonly string[]): Promise<void> {
    const events = ids.map((id) => ({ specversion: '1.0', id, source: '/s', type: 'order.paid', data: { id } }))
    const headers = { 'content-type': 'application/cloudevents-batch+json' }
    const init = { method: 'POST', headers, body: JSON.stringify(events) }
    assert.equal((await fetch(`${server.dataUrl}/default/default`, init)).status, 202)
  }
  async function statusOf(server: Server) {
    const response = await fetch(`${server.adminUrl}/tidings/v1/status`)
    return (await response.json()) as {
      readonly brokers: readonly { readonly name: string; readonly deadLetters: { readonly waiting: number } }[]
      readonly triggers: readonly { readonly name: string; readonly waiting: number; readonly delivered: number }[]
      readonly reruns: readonly { readonly endedAt: string | null }[]
    }
  }
  const lettersAt = async (server: Server): Promise<number> =>
    (await statusOf(server)).brokers[0]?.deadLetters.waiting ?? 0
  const allEnded = (server: Server): Promise<void> =>
    eventually(async () => (await statusOf(server)).reruns.every(({ endedAt }) => endedAt !== null), 'all end', 20_000)
  /** A second and a bit: what was settled before is stored. */
  const saved = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500))

  it('go to the one trigger of three that they failed for, each once', async () => {
    a.script({ status: 500, body: 'a is down' })
    await using server = await startWith(
      aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY) + aTrigger('c', c.url, NO_RETRY),
    )
    await send(server, idsFrom(0, 1_000))
    await eventually(async () => (await lettersAt(server)) === 1_000, '1,000 letters wait', 20_000)
    await Promise.all([b.received(1_000), c.received(1_000)])

    const list = await tidings(server, 'deadletter', 'list')
    const show = await tidings(server, 'deadletter', 'show', 'e17')
    a.script({ status: 202 })
    const redrive = await tidings(server, 'deadletter', 'redrive', '--trigger', 'a')
    await a.received(2_000)
    await allEnded(server)

    assert.match(list.out, /^1000 {4}trigger default\/a {3}500 {4}\S+ .* order\.paid \(1000\) {3}a is down$/m)
    assert.match(list.out, /^Deliver them again: {3}tidings deadletter redrive --trigger a$/m)
    assert.match(show.out, /^ {3}id: e17$/m)
    assert.match(show.out, /^500 from \S+, which said:\n {2}a is down$/m)
    assert.match(redrive.out, /^redrive \w{8} has begun: 1000 events for trigger default\/a\n/)
    assert.deepEqual(a.requests.slice(1_000).map(idOf).sort(), idsFrom(0, 1_000).sort())
    assert.deepEqual([b.requests.length, c.requests.length], [1_000, 1_000])
    assert.equal(
      (await tidings(server, 'deadletter', 'list')).out,
      'Nothing waits in a dead-letter log of namespace default.\n',
    )
    const status = await tidings(server, 'status')
    assert.match(status.out, /^redrive \w{8} {3}trigger default\/a {3}\S+ {3}1000 .* ended at /m)
    assert.match(status.out, /\nNothing fails\.\n$/)
    assert.equal(status.code, 0)
  })

  it('go on after kill -9 in the middle of a redrive: each comes, few of them twice', async () => {
    a.script({ status: 500 })
    const first = await startWith(aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY))
    await send(first, idsFrom(0, 1_000))
    await eventually(async () => (await lettersAt(first)) === 1_000, '1,000 letters wait', 20_000)
    await b.received(1_000)
    await saved()
    a.script({ status: 202 })
    await tidings(first, 'deadletter', 'redrive', '--all', '--rate', String(RATE))
    await a.received(1_400)
    await kill(first)

    await using second = await start()
    await allEnded(second)

    const again = a.requests.slice(1_000).map(idOf)
    assert.deepEqual([...new Set(again)].sort(), idsFrom(0, 1_000).sort())
    assert.ok(again.length - 1_000 <= MOST_TWICE, `${again.length - 1_000} came twice`)
    assert.equal(await lettersAt(second), 0)
    assert.equal(b.requests.length, 1_000)
  })

  it('are off the list for good once a redrive has ended', async () => {
    a.script({ status: 500 })
    const first = await startWith(aTrigger('a', a.url, NO_RETRY))
    await send(first, idsFrom(0, 10))
    await eventually(async () => (await lettersAt(first)) === 10, '10 letters wait')
    await saved()
    a.script({ status: 202 })
    const init = { method: 'POST', body: '{"all":true}' }
    assert.equal((await fetch(`${first.adminUrl}/tidings/v1/deadletters/redrive`, init)).status, 200)
    await allEnded(first)
    await kill(first)

    await using second = await start()

    assert.equal(await lettersAt(second), 0)
    assert.equal(a.requests.length, 20)
  })

  it('go on after kill -9 in the middle of a replay: each comes, few of them twice', async () => {
    const first = await startWith(aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY))
    await send(first, idsFrom(0, 1_000))
    await Promise.all([a.received(1_000), b.received(1_000)])
    await saved()
    const replay = await tidings(first, 'trigger', 'replay', 'a', '--since', '1h', '--rate', String(RATE))
    await a.received(1_400)
    await kill(first)

    await using second = await start()
    await allEnded(second)

    assert.match(replay.out, /^replay \w{8} has begun: 1000 events for trigger default\/a from /)
    const replayed = a.requests.filter(isReplayed).map(idOf)
    assert.deepEqual([...new Set(replayed)].sort(), idsFrom(0, 1_000).sort())
    assert.ok(replayed.length - 1_000 <= MOST_TWICE, `${replayed.length - 1_000} came twice`)
    assert.equal(a.requests.length - replayed.length, 1_000)
    assert.equal(b.requests.length, 1_000)
  })

  it('are not skipped any less after kill -9', async () => {
    a.script({ status: 503 })
    const first = await startWith(aTrigger('a', a.url, SLOW_RETRY))
    await send(first, idsFrom(0, 20))
    await a.received(20)
    await eventually(async () => (await statusOf(first)).triggers[0]?.waiting === 20, 'all wait for a retry')

    const some = await tidings(first, 'trigger', 'skip', 'a', '--id', 'e3', '--id', 'e4')
    const rest = await tidings(first, 'trigger', 'skip', 'a', '--all')
    await kill(first)
    a.script({ status: 202 })
    await using second = await start()
    await send(second, ['new'])
    await a.received(21)

    assert.equal(some.out, 'skipped 2 events of trigger default/a\n')
    assert.equal(rest.out, 'skipped 18 events of trigger default/a\n')
    assert.equal(idOf(a.requests[20] as ReceivedRequest), 'new')
    const { triggers } = await statusOf(second)
    assert.deepEqual([triggers[0]?.waiting, triggers[0]?.delivered], [0, 1])
  })

  it('can be ended, over kill -9 too', async () => {
    const first = await startWith(aTrigger('a', a.url, NO_RETRY))
    await send(first, idsFrom(0, 100))
    await a.received(100)
    const replay = await tidings(first, 'trigger', 'replay', 'a', '--since', '1h', '--rate', '5')
    const [, id = ''] = /^replay (\w+) /.exec(replay.out) ?? []
    await a.received(103)

    const cancel = await tidings(first, 'cancel', id)
    await kill(first)
    const count = a.requests.length
    await using second = await start()
    await send(second, ['new'])
    await a.received(count + 1)

    assert.deepEqual([cancel.code, cancel.out], [0, `replay ${id} is cancelled\n`])
    assert.deepEqual((await statusOf(second)).reruns, [])
    assert.equal(a.requests.filter(isReplayed).length, count - 100)
  })
})
