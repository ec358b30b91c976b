import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { eventually } from '../support/eventually.ts'
import { type Program, runProgram, type Server, startProgram, startServerProgram } from '../support/program.ts'
import { aTrigger } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const RETRIES = '  delivery: {retry: 10000, backoffPolicy: linear, backoffDelay: PT0.1S, retryAfterMax: PT0S}\n'
/** Small files, so that they come and go while they are looked at. */
const SMALL = ['--channel.disk.segmentBytes', '1048576', '--channel.disk.journalBytes', '4194304']

describe('tidings log, beside a server at work,', function () {
  this.timeout(120_000)
  let folder = ''
  let subscriber: Subscriber
  let server: Server
  let isDone = false
  let publishing: Promise<void>
  const accepted: string[] = []

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-log-'))
    subscriber = await startSubscriber({ status: 503 })
    await writeFile(path.join(folder, 'm.yaml'), aTrigger('t', subscriber.url, RETRIES))
    server = await start()
    isDone = false
    accepted.length = 0
    publishing = publish()
    await eventually(() => accepted.length > 500, 'some were accepted')
  })
  afterEach(async () => {
    isDone = true
    await publishing
    await server[Symbol.asyncDispose]()
    await subscriber.close()
    await rm(folder, { recursive: true })
  })

  const data = (): string => path.join(folder, 'data')
  const start = (): Promise<Server> =>
    startServerProgram(['-f', path.join(folder, 'm.yaml'), '--data-dir', data(), ...SMALL])
  async function publish(): Promise<void> {
    const body = JSON.stringify({ text: 'x'.repeat(2_000) })
    for (let next = 0; !isDone; ) {
      const ids = Array.from({ length: 8 }, () => `e-${next++}`)
      const sent = ids.map(async (id) => {
        const ce = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/s', 'ce-type': 't' }
        const headers = { ...ce, 'content-type': 'application/json' }
        const { status } = await fetch(`${server.dataUrl}/default/default`, { method: 'POST', headers, body })
        if (status === 202) accepted.push(id)
      })
      await Promise.all(sent)
    }
  }

  it('makes a copy from which a server delivers every event that was accepted before', async () => {
    const before = [...accepted]
    const { code, out, err } = await runProgram(['log', 'backup', data(), path.join(folder, 'copy')])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /copy: [\d.]+ MiB in \d+ files, \d+ events of \d+ logs\n$/)
    isDone = true
    await publishing

    // The data directory is lost, and the copy takes its place.
    server.process.kill('SIGKILL')
    await server.finished
    await rm(data(), { recursive: true })
    await rename(path.join(folder, 'copy'), data())
    const from = subscriber.requests.length
    subscriber.script({ status: 202 })
    server = await start()

    const got = (): Set<string> =>
      new Set(subscriber.requests.slice(from).map(({ headers }) => String(headers['ce-id'])))
    await eventually(() => before.every((id) => got().has(id)), 'all came', 60_000)
    assert.doesNotMatch(server.err(), /LOG_LOST|LOG_CORRUPT/)
  })

  it('finds nothing missing, and prints what was accepted before', async () => {
    const before = [...accepted]

    const verified = await runProgram(['log', 'verify', data(), '-o', 'json'])
    const dumped = await runProgram(['log', 'dump', data(), '--log', 'default/default', '-o', 'json'])

    assert.deepEqual([verified.code, verified.err, JSON.parse(verified.out).problems], [0, '', []])
    assert.deepEqual([dumped.code, dumped.err], [0, ''])
    const ids = new Set(dumped.out.split('\n').flatMap((line) => (line ? [JSON.parse(line).event.id] : [])))
    assert.deepEqual(
      before.filter((id) => !ids.has(id)),
      [],
    )
  })

  it('ends quietly when nobody reads on', async () => {
    const program: Program = startProgram(['log', 'dump', data(), '-o', 'json'])
    await eventually(() => program.out().length > 0, 'it prints')

    program.process.stdout?.destroy()

    const { code, err } = await program.finished
    assert.deepEqual([code, err], [0, ''])
  })
})
