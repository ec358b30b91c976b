import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import type { RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import { runProgram, startProgram, startServerProgram } from '../support/program.ts'
import { startSubscriber } from '../support/subscriber.ts'

const hasIpv6 = (): boolean =>
  Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

describe('tidings serve', function () {
  this.timeout(30_000)
  let folder = ''

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-'))
  })

  after(() => rm(folder, { recursive: true }))

  async function manifest(text: string): Promise<string> {
    const file = path.join(folder, `${Math.random().toString(36).slice(2)}.yaml`)
    await writeFile(file, text)
    return file
  }

  it('runs the quickstart, whose first printed command shows an event arriving', async () => {
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    const command = /npx tidings (event send .*)$/m.exec(server.out())?.[1]
    const args = [...(command ?? '').matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')

    const sent = await runProgram(args)
    await eventually(() => server.out().includes('"hello": "world"'), 'the event is shown')

    assert.equal(sent.code, 0)
    assert.match(
      sent.out,
      /^202: http:\/\/127\.0\.0\.1:\d+\/default\/default took event \S+ of type com\.example\.hello\n$/,
    )
    assert.match(server.out(), /type: com\.example\.hello/)
  })

  it('prints URLs and three next commands, which all work', async () => {
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    const commands = server
      .out()
      .split('\n')
      .filter((line) => /^ {2}(npx|curl) /.test(line))

    const status = await runProgram(['status', '--server', server.adminUrl])
    const metrics = await fetch(`${server.adminUrl}/metrics`)

    assert.equal(commands.length, 3)
    assert.equal(status.code, 0)
    assert.match(status.out, /^BROKER .*\ndefault\/default /)
    assert.match(await metrics.text(), /^# TYPE tidings_broker_events_accepted_total counter$/m)
  })

  it('says where events go while no log is open, of a Kafka cluster that is away', async () => {
    await using server = await startServerProgram(['--channel', 'kafka', '--kafka.bootstrapServers', '127.0.0.1:1'])

    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop', 'ce-type': 'order.placed' }

    const answer = await fetch(`${server.dataUrl}/default/default`, { method: 'POST', headers })
    const sent = await runProgram(['event', 'send', '--server', server.adminUrl])

    assert.match(server.out(), /^Tidings is ready: 0 brokers/)
    assert.equal(sent.code, 1)
    assert.match(sent.err, /^Broker default\/default: not ready/)
    assert.equal(answer.status, 503)
    assert.ok(answer.headers.has('retry-after'))
  })

  it('says that it lives and is ready, on both ports', async () => {
    await using server = await startServerProgram([])

    for (const url of [server.adminUrl, server.dataUrl]) {
      for (const probe of ['healthz', 'readyz'])
        assert.equal((await fetch(`${url}/${probe}`)).status, 200, `${url}/${probe}`)
    }
  })

  it('ends with 0 at SIGTERM, within two seconds when idle', async () => {
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    const startedAt = performance.now()

    server.process.kill('SIGTERM')
    const { code } = await server.finished

    assert.equal(code, 0)
    assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`)
  })

  it('ends at once at a second signal', async () => {
    await using subscriber = await startSubscriber('hang')
    const file = await manifest(
      `{apiVersion: eventing.knative.dev/v1, kind: Trigger, metadata: {name: t}, spec: {broker: default, subscriber: {uri: '${subscriber.url}'}}}`,
    )
    await using server = await startServerProgram(['-f', file])
    await runProgram(['event', 'send', '--server', server.adminUrl])
    await subscriber.received(1)

    server.process.kill('SIGINT')
    await eventually(() => server.err().includes('a second signal forces'), 'it drains')
    server.process.kill('SIGINT')
    const { code } = await server.finished

    assert.equal(code, 130)
  })

  it('refuses bad manifests with every problem, by file, line and column, and starts nothing', async () => {
    const file = await manifest(
      'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata:\n  name: T\nspec:\n  subscriber:\n    url: x\n',
    )

    const { code, err, out } = await runProgram(['serve', '-f', file, '--port', '0', '--admin-port', '0'])

    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, new RegExp(`^${file}:4:3 metadata\\.name: `, 'm'))
    assert.match(err, new RegExp(`^${file}:7:5 spec\\.subscriber\\.url: `, 'm'))
    assert.match(err, /Nothing was started/)
  })

  it('refuses a path that does not exist', async () => {
    const { code, err } = await runProgram(['serve', '-f', '/no/such/folder'])

    assert.equal(code, 1)
    assert.match(err, /^\/no\/such\/folder:1:1 no such file or folder$/m)
  })

  it('refuses --channel redis in words', async () => {
    const { code, err } = await runProgram(['serve', '--channel', 'redis'])

    assert.equal(code, 1)
    assert.match(err, /the redis backend is not available in this version; use --channel disk/)
  })

  it('says which port is taken, and what helps', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo

    const data = await runProgram(['serve', '--port', String(port), '--admin-port', '0'])
    const admin = await runProgram(['serve', '--port', '0', '--admin-port', String(port)])
    const metrics = await runProgram(['serve', '--port', '0', '--admin-port', '0', '--metrics.port', String(port)])
    taken.close()

    assert.deepEqual([data.code, admin.code, metrics.code], [1, 1, 1])
    assert.equal(data.err, `port ${port} is taken: stop what listens there, or choose another with --port\n`)
    assert.equal(admin.err, `port ${port} is taken: stop what listens there, or choose another with --admin-port\n`)
    assert.equal(metrics.err, `port ${port} is taken: stop what listens there, or choose another with --metrics.port\n`)
  })

  it('says that an address is none of this machine', async () => {
    const { code, err } = await runProgram(['serve', '--port', '0', '--admin-port', '0', '--data.host', '203.0.113.9'])

    assert.equal(code, 1)
    assert.equal(
      err,
      '203.0.113.9 is no address of this machine: choose another with --data.host, such as 127.0.0.1 or 0.0.0.0\n',
    )
  })

  const withIpv6 = hasIpv6() ? it : it.skip
  withIpv6(`prints addresses that work for IPv6${hasIpv6() ? '' : ' [this machine has no ::1]'}`, async () => {
    await using server = await startServerProgram(['--admin.host', '::1', '--data.host', '::1'])

    assert.match(server.adminUrl, /^http:\/\/\[::1\]:\d+$/)
    assert.equal((await fetch(`${server.adminUrl}/readyz`)).status, 200)
    assert.equal((await fetch(`${server.dataUrl}/readyz`)).status, 200)
  })

  it('goes on when nobody reads what it prints any more', async () => {
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    server.process.stdout?.destroy()

    const sent = []
    for (let i = 0; i < 3; i++) sent.push(await runProgram(['event', 'send', '--server', server.adminUrl]))
    const status = await runProgram(['status', '--server', server.adminUrl])
    server.process.kill('SIGTERM')
    const { code, err } = await server.finished

    assert.deepEqual([...sent.map((each) => each.code), status.code, code], [0, 0, 0, 0, 0])
    assert.deepEqual(
      err.split('\n').filter((line) => line.startsWith('standard output')),
      ['standard output is gone, nothing more is printed: write EPIPE'],
    )
  })

  it('lets events wait for a reader that is behind, and shows all of them once it reads on', async () => {
    const many = 300
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    server.process.stdout?.pause()

    for (let i = 0; i < many; i++) {
      const headers = { 'ce-specversion': '1.0', 'ce-id': `e${i}`, 'ce-source': '/s', 'ce-type': 't' }
      const body = 'x'.repeat(4_000)
      await fetch(`${server.dataUrl}/default/default`, { method: 'POST', headers, body })
    }
    const behind = async () => {
      const { triggers } = (await (await fetch(`${server.adminUrl}/tidings/v1/status`)).json()) as RuntimeStatus
      return triggers[0]?.lastFailure?.endsWith('answered 503') ?? false
    }
    await eventually(behind, 'the display refuses')
    server.process.stdout?.resume()
    const shown = () => new Set(server.out().match(/^ {3}id: e\d+$/gm)).size

    await eventually(() => shown() === many, 'all are shown', 20_000)
  })

  it('takes settings from flag, environment and --config, in that order', async () => {
    const config = await manifest('channel:\n  disk:\n    capBytes: 2097152\nbroker:\n  maxTtl: 3\n')
    await using server = await startServerProgram(['--config', config, '--channel.disk.capBytes', '4194304'], {
      TIDINGS_CHANNEL_DISK_CAP_BYTES: '8388608',
    })

    const status = await (await fetch(`${server.adminUrl}/tidings/v1/status`)).json()

    assert.equal((status as { brokers: { log: { capBytes: number } }[] }).brokers[0]?.log.capBytes, 4_194_304)
  })

  it('refuses settings that do not exist', async () => {
    const config = await manifest('chanel: {}\n')

    const { code, err } = await runProgram(['serve', '--config', config])

    assert.equal(code, 1)
    assert.match(err, new RegExp(`^${config}:1:1 chanel: there is no such setting`))
  })
})

describe('tidings', function () {
  this.timeout(30_000)

  it('explains itself', async () => {
    const { code, out } = await runProgram(['help'])

    assert.equal(code, 0)
    for (const command of ['serve', 'status', 'event send', 'sink', 'version'])
      assert.match(out, new RegExp(`^ {2}${command} `, 'm'))
  })

  it('refuses a command that does not exist, and an unknown flag', async () => {
    const command = await runProgram(['serv'])
    const flag = await runProgram(['status', '--sever', 'x'])

    assert.deepEqual([command.code, flag.code], [1, 1])
    assert.match(command.err, /^tidings: there is no command 'serv'/)
    assert.match(flag.err, /^tidings status: Unknown option '--sever'/)
  })

  it('says what to do when no server answers', async () => {
    const { code, err } = await runProgram(['status', '--server', 'http://127.0.0.1:9'])

    assert.equal(code, 1)
    assert.equal(
      err,
      'no server answers at http://127.0.0.1:9\nStart one with: tidings serve -f DIR   or name another with --server URL\n',
    )
  })

  it('finds the server by TIDINGS_SERVER', async () => {
    await using server = await startServerProgram([])

    const { code, out } = await runProgram(['status', '-o', 'json'], { TIDINGS_SERVER: server.adminUrl })

    assert.equal(code, 0)
    assert.equal(JSON.parse(out).ready, true)
  })

  it('status exits with 1 when something fails, and says what', async () => {
    await using subscriber = await startSubscriber({ status: 500 })
    const folder = await mkdtemp(path.join(tmpdir(), 'tidings-'))
    await writeFile(
      path.join(folder, 't.json'),
      JSON.stringify({
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: { name: 'billing' },
        spec: { broker: 'default', subscriber: { uri: subscriber.url } },
      }),
    )
    await using server = await startServerProgram(['-f', folder])
    await runProgram(['event', 'send', '--server', server.adminUrl])
    await subscriber.received(1)

    const { code, out } = await runProgram(['status', '--server', server.adminUrl])
    await rm(folder, { recursive: true })

    assert.equal(code, 1)
    assert.match(out, /trigger default\/billing: failing since \S+: http:\/\/127\.0\.0\.1:\d+\/ answered 500/)
  })

  it('event send says what a broker refused', async () => {
    await using server = await startServerProgram([])

    const unknown = await runProgram(['event', 'send', '--server', server.adminUrl, '--broker', 'nope'])
    const invalid = await runProgram(['event', 'send', '--server', server.adminUrl, '--subject', ' '])

    assert.deepEqual([unknown.code, invalid.code], [1, 1])
    assert.equal(unknown.err, 'no broker default/nope; there are: default/default\n')
    assert.match(invalid.err, /^400: .* refused event \S+: .*subject/)
  })

  it('sink ends at Ctrl-C though an answer is still to be given', async () => {
    await using sink = startProgram(['sink', '--port', '0', '--delay', '60000'])
    await eventually(() => sink.out().includes('prints what it gets'), 'it listens')
    const url = /http:\/\/\S+/.exec(sink.out())?.[0] ?? ''
    const sending = runProgram(['event', 'send', '--url', url])
    await eventually(() => sink.out().includes('answered 202'), 'the event is there')
    const startedAt = performance.now()

    sink.process.kill('SIGINT')
    const { code } = await sink.finished

    assert.equal(code, 0)
    assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`)
    assert.equal((await sending).code, 1)
  })

  it('sink says which port is taken', async () => {
    await using first = startProgram(['sink', '--port', '0'])
    await eventually(() => first.out().includes('prints what it gets'), 'it listens')
    const port = /127\.0\.0\.1:(\d+)/.exec(first.out())?.[1] ?? ''

    const { code, err } = await runProgram(['sink', '--port', port])

    assert.equal(code, 1)
    assert.equal(err, `port ${port} is taken: stop what listens there, or choose another with --port\n`)
  })

  it('sink prints what it gets and answers as told', async () => {
    await using sink = startProgram(['sink', '--port', '0', '--status', '503,202'])
    await eventually(() => sink.out().includes('prints what it gets'), 'it listens')
    const url = /http:\/\/\S+/.exec(sink.out())?.[0] ?? ''

    const first = await runProgram(['event', 'send', '--url', url, '--data', '{"a":1}', '--ext', 'zone=b'])
    const second = await runProgram(['event', 'send', '--url', url])
    sink.process.kill('SIGINT')

    assert.deepEqual([first.code, second.code, (await sink.finished).code], [1, 0, 0])
    assert.match(sink.out(), /zone: b\n {3}data\n {5}\{\n {7}"a": 1/)
    assert.match(sink.out(), /answered 503\n(.*\n)*.*answered 202\n/)
  })
})
