import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeBinary } from '../../src/http/encode.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { runProgram, type Server, startServerProgram } from '../support/program.ts'
import { aTrigger } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const RETRIES = '  delivery: {retry: 10000, backoffPolicy: linear, backoffDelay: PT0.1S, retryAfterMax: PT0S}\n'

describe('tidings serve, whose data directory outlives it,', function () {
  this.timeout(60_000)
  let folder = ''
  let subscriber: Subscriber

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-durable-'))
    subscriber = await startSubscriber({ status: 503 })
  })
  afterEach(async () => {
    await subscriber.close()
    await rm(folder, { recursive: true })
  })

  const manifests = (text: string): Promise<void> => writeFile(path.join(folder, 'm.yaml'), text)
  const start = (...more: string[]): Promise<Server> =>
    startServerProgram(['-f', path.join(folder, 'm.yaml'), '--data-dir', path.join(folder, 'data'), ...more])
  async function kill(server: Server): Promise<void> {
    server.process.kill('SIGKILL')
    await server.finished
  }
  async function send(server: Server, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const flat = encodeBinary(anEvent({ id }, { data: '{}' }))
      const headers = new Headers()
      for (let i = 0; i + 1 < flat.length; i += 2) headers.append(flat[i] ?? '', flat[i + 1] ?? '')
      const { status } = await fetch(`${server.dataUrl}/default/default`, { method: 'POST', headers, body: '{}' })
      assert.equal(status, 202)
    }
  }
  const idsAt = (from: number): string[] =>
    subscriber.requests.slice(from).map(({ headers }) => String(headers['ce-id']))
  const ids = Array.from({ length: 100 }, (_, i) => String(i))

  it('delivers after kill -9 what it had accepted while the subscriber was down, each event', async () => {
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const first = await start()
    await send(first, ids)
    await kill(first)
    const from = subscriber.requests.length

    await using _second = await start()
    subscriber.script({ status: 202 })
    await eventually(() => new Set(idsAt(from)).size === ids.length, 'all came')

    assert.deepEqual([...new Set(idsAt(from))].sort(), [...ids].sort())
  })

  it('delivers nothing again that was settled before an orderly end', async () => {
    subscriber.script({ status: 202 })
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const first = await start()
    await send(first, ids)
    await subscriber.received(ids.length)
    first.process.kill('SIGTERM')
    assert.equal((await first.finished).code, 0)

    await using second = await start()
    await send(second, ['new'])
    await subscriber.received(ids.length + 1)

    assert.equal(subscriber.requests.length, ids.length + 1)
  })

  it('knows a trigger that comes back after a run without it, and says that something waits for it', async () => {
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const first = await start()
    await send(first, ['1', '2'])
    await kill(first)
    await manifests(aTrigger('other', subscriber.url, '  filter: {attributes: {type: never}}\n'))
    const second = await start()
    await eventually(() => second.err().includes('default/t'), 'it says what waits')
    await kill(second)
    const from = subscriber.requests.length

    await manifests(aTrigger('t', subscriber.url, RETRIES))
    await using _third = await start()
    subscriber.script({ status: 202 })
    await eventually(() => new Set(idsAt(from)).size === 2, 'both came')
  })

  it('gives up what nobody came back for, after the time it is kept', async () => {
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const first = await start()
    await send(first, ['1'])
    await kill(first)
    await manifests(aTrigger('other', subscriber.url, '  filter: {attributes: {type: never}}\n'))
    const second = await start('--retention.deleted', 'PT0.1S')
    await eventually(() => second.err().includes('gone for too long'), 'it is given up')
    await kill(second)
    const from = subscriber.requests.length

    await manifests(aTrigger('t', subscriber.url, RETRIES))
    await using third = await start()
    subscriber.script({ status: 202 })
    await send(third, ['2'])
    await subscriber.received(from + 1)

    assert.deepEqual(idsAt(from), ['2'])
  })

  it('keeps the events that nobody took', async () => {
    subscriber.script({ status: 400 })
    await manifests(aTrigger('t', subscriber.url))
    const first = await start()
    await send(first, ['1'])
    await eventually(
      async () => (await runProgram(['status', '--server', first.adminUrl])).out.includes('nobody took'),
      'kept',
    )
    first.process.kill('SIGTERM')
    await first.finished

    await using second = await start()

    const { out, code } = await runProgram(['status', '--server', second.adminUrl])
    assert.match(out, /1 event that nobody took waits in its dead-letter log/)
    assert.equal(code, 1)
  })

  it('stays paused over kill -9, hands out nothing, and goes on when it is resumed', async () => {
    await using other = await startSubscriber()
    subscriber.script({ status: 202 })
    await manifests(aTrigger('t', subscriber.url, RETRIES) + aTrigger('other', other.url, RETRIES))
    const first = await start()
    assert.equal((await runProgram(['trigger', 'pause', 't', '--server', first.adminUrl])).code, 0)
    await send(first, ['1', '2'])
    await other.received(2)
    await kill(first)

    await using second = await start()
    await send(second, ['3'])
    await eventually(() => other.requests.some(({ headers }) => headers['ce-id'] === '3'), 'the other trigger has it')
    const { out } = await runProgram(['status', '--server', second.adminUrl])
    assert.match(out, /default\/t .*\(paused\)/)
    assert.equal(subscriber.requests.length, 0)

    assert.equal((await runProgram(['trigger', 'resume', 't', '--server', second.adminUrl])).code, 0)
    await subscriber.received(3)
    assert.deepEqual(idsAt(0).sort(), ['1', '2', '3'])
  })

  it('says of a paused trigger after a restart that something waits for it', async () => {
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const first = await start()
    assert.equal((await runProgram(['trigger', 'pause', 't', '--server', first.adminUrl])).code, 0)
    await send(first, ['1', '2'])
    first.process.kill('SIGTERM')
    await first.finished

    await using second = await start()

    const status = async (...more: string[]): Promise<string> =>
      (await runProgram(['status', '--server', second.adminUrl, ...more])).out
    assert.match(await status(), /^default\/t +True \(paused\) .* <= 2 +-$/m)
    const [trigger] = JSON.parse(await status('-o', 'json')).triggers
    assert.deepEqual([trigger.behind, trigger.behindIsExact], [2, false])
  })

  it('with events in memory keeps uids and pauses, and leaves alone what is on disk', async () => {
    const memory = ['--channel', 'memory', '--drainMs', '0']
    await manifests(aTrigger('t', subscriber.url, RETRIES))
    const onDisk = await start()
    await send(onDisk, ['kept'])
    await kill(onDisk)
    const first = await start(...memory)
    const uid = await uidOf(first)
    assert.equal((await runProgram(['trigger', 'pause', 't', '--server', first.adminUrl])).code, 0)
    await send(first, ['gone'])
    await kill(first)

    const second = await start(...memory)
    const { out } = await runProgram(['status', '--server', second.adminUrl])
    assert.match(out, /LOG \(MEMORY\)\ndefault\/default +0 /)
    assert.match(out, /default\/t .*\(paused\)/)
    assert.equal(await uidOf(second), uid)
    await kill(second)

    const from = subscriber.requests.length
    subscriber.script({ status: 202 })
    await using _again = await start()
    await subscriber.received(from + 1)
    assert.deepEqual(idsAt(from), ['kept'])
  })

  async function uidOf({ adminUrl }: Server): Promise<unknown> {
    const { out } = await runProgram(['get', 'trigger', 't', '-o', 'json', '--server', adminUrl])
    return JSON.parse(out).metadata.uid
  }

  it('writes nothing when it is ephemeral', async () => {
    await manifests(aTrigger('t', subscriber.url))
    await using server = await start('--ephemeral')
    await send(server, ['1'])

    assert.deepEqual(await readdir(folder), ['m.yaml'])
    const { out } = await runProgram(['settings', '--server', server.adminUrl])
    assert.match(out, /channel\.backend +memory +flag --ephemeral/)
  })

  it('has its directory to itself, and says who has it', async () => {
    await manifests('')
    await using _first = await start()

    const { code, err } = await runProgram([
      ...['serve', '--port', '0', '--admin-port', '0', '--channel', 'memory', '--data-dir', path.join(folder, 'data')],
    ])

    assert.equal(code, 1)
    assert.match(err, new RegExp(`data: in use by process ${_first.process.pid}; .*\\n.*--data-dir DIR\\n$`))
  })
})
