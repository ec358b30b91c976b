import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { Budget } from '../../src/core/budget.ts'
import type { Target } from '../../src/core/destination.ts'
import { printableUrl, withoutPassword } from '../../src/http/address.ts'
import {
  type Answer,
  answerTo,
  type Client,
  type ClientOptions,
  type Content,
  createClient,
  headerTexts,
  type Post,
} from '../../src/http/client.ts'
import { trustedWith } from '../../src/http/trust.ts'
import { createFakeClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { type Script, type Subscriber, type SubscriberOptions, startSubscriber } from '../support/subscriber.ts'

const MINUTE = 60_000

describe('the HTTP client', () => {
  const clock = createFakeClock()
  let never: AbortSignal
  const started: { close(): Promise<void> }[] = []

  const aClient = (options: Partial<ClientOptions> = {}): Client => {
    const client = createClient({ clock, maxResponseBytes: 1_000, ...options })
    started.unshift(client)
    return client
  }
  const aSubscriber = async (script?: Script, options?: SubscriberOptions): Promise<Subscriber> => {
    const subscriber = await startSubscriber(script, options)
    started.push(subscriber)
    return subscriber
  }
  const send = (client: Client, target: Target, more: Partial<Content & Post> = {}): Promise<Answer> => {
    const { headers = [], body = null, timeoutMs = MINUTE, signal = never, holdsFloor = () => false } = more
    return answerTo(client, { target, timeoutMs, signal, content: () => ({ headers, body }), holdsFloor })
  }
  const post = (client: Client, url: string, signal = never): Promise<Answer> => send(client, { url }, { signal })

  beforeEach(() => {
    never = new AbortController().signal
  })
  afterEach(async () => {
    for (const each of started.splice(0)) await each.close()
    assert.equal(clock.pending(), 0, 'a timer was left behind')
  })

  it('posts headers and body as given', async () => {
    const subscriber = await aSubscriber()

    const content = { headers: ['ce-id', '1'], body: Buffer.from([0, 255]) }
    await send(aClient(), { url: `${subscriber.url}/a/b?c=d` }, content)

    const [request] = subscriber.requests
    assert.equal(request?.method, 'POST')
    assert.equal(request?.path, '/a/b?c=d')
    assert.equal(request?.headers['ce-id'], '1')
    assert.deepEqual(request?.body, Buffer.from([0, 255]))
  })

  it('answers with status, headers and body', async () => {
    const subscriber = await aSubscriber({ status: 418, headers: { 'X-Note': 'caf\u00e9' }, body: 'short and stout' })

    const answer = await post(aClient(), subscriber.url)

    assert.ok(answer.kind === 'answer')
    assert.equal(answer.status, 418)
    assert.deepEqual(headerTexts(answer.rawHeaders).slice(0, 2), ['X-Note', 'caf\u00e9'])
    assert.equal(answer.body.toString(), 'short and stout')
  })

  it('puts a body of many pieces together', async () => {
    const body = Buffer.alloc(300_000, 'abc')
    const subscriber = await aSubscriber({ status: 200, body })

    const answer = await post(aClient({ maxResponseBytes: 300_000 }), subscriber.url)

    assert.ok(answer.kind === 'answer')
    assert.ok(answer.body.equals(body))
  })

  it('uses connections again', async () => {
    const subscriber = await aSubscriber()
    const client = aClient()

    for (let i = 0; i < 10; i++) await post(client, subscriber.url)

    // Not 1: undici frees a connection one turn of the event loop after its answer.
    assert.ok(subscriber.connections <= 2, `${subscriber.connections} connections`)
  })

  it('opens no more connections to one origin than allowed', async () => {
    const subscriber = await aSubscriber()
    const client = aClient({ connectionsPerOrigin: 2 })

    await Promise.all(Array.from({ length: 6 }, () => post(client, subscriber.url)))

    assert.equal(subscriber.requests.length, 6)
    assert.equal(subscriber.connections, 2)
  })

  it('tells a content that cannot be made, and uses the connection for others', async () => {
    const subscriber = await aSubscriber()
    const client = aClient({ connectionsPerOrigin: 1 })
    const target = { url: subscriber.url }
    const broken = answerTo(client, {
      target,
      timeoutMs: MINUTE,
      signal: never,
      content: () => {
        throw new Error('no body')
      },
      holdsFloor: () => false,
    })

    assert.deepEqual(await broken, { kind: 'none', reason: 'no body' })
    assert.equal((await send(client, target)).kind, 'answer')
  })

  it('never tells an answer before post has returned', async () => {
    const client = aClient()
    const told: string[] = []
    const aPost = (url: string, signal = never): Post => ({
      target: { url },
      timeoutMs: MINUTE,
      signal,
      content: () => ({ headers: ['a b', 'not a header name'], body: null }),
      holdsFloor: () => false,
      answered: () => told.push('answered'),
      abandoned: () => told.push('abandoned'),
    })

    client.post(aPost('nowhere'))
    client.post(aPost('http://127.0.0.1:1/'))
    client.post(aPost('http://127.0.0.1:1/', AbortSignal.abort()))
    await client.close()
    client.post(aPost('http://127.0.0.1:1/'))

    assert.deepEqual(told, [])
    await eventually(() => told.length === 4, 'all were told')
  })

  it('does not follow a redirect', async () => {
    const subscriber = await aSubscriber({ status: 307, headers: { location: '/elsewhere' } })

    const answer = await post(aClient(), subscriber.url)

    assert.equal(answer.kind === 'answer' && answer.status, 307)
    assert.equal(subscriber.requests.length, 1)
  })

  it('ignores a 1xx before the answer', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'
    const server = createServer((socket) => {
      socket.once('data', () => socket.write(early))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    started.push({ close: async () => void server.close() })
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')

    const answer = await post(aClient(), `http://127.0.0.1:${address.port}`)

    assert.ok(answer.kind === 'answer')
    assert.equal(answer.status, 202)
    assert.deepEqual(headerTexts(answer.rawHeaders), ['content-length', '0'])
  })

  describe('says why there was no answer', () => {
    it('when the connection is refused', async () => {
      const subscriber = await aSubscriber()
      await subscriber.close()

      const answer = await post(aClient(), subscriber.url)

      assert.deepEqual(answer, { kind: 'none', reason: `connect ECONNREFUSED 127.0.0.1:${subscriber.port}` })
    })

    it('when the connection is refused to more than wait for their turn', async () => {
      const subscriber = await aSubscriber()
      await subscriber.close()
      const client = aClient()

      const answers = await Promise.all(Array.from({ length: 200 }, () => post(client, subscriber.url)))

      assert.deepEqual(new Set(answers.map(({ kind }) => kind)), new Set(['none']))
    })

    it('when every address of a name refuses', async () => {
      const subscriber = await aSubscriber()
      await subscriber.close()

      const answer = await post(aClient(), `http://localhost:${subscriber.port}`)

      assert.match(answer.kind === 'none' ? answer.reason : '', /^connect ECONNREFUSED .*:\d+/)
    })

    it('when the connection is cut', async () => {
      const subscriber = await aSubscriber('reset')

      const answer = await post(aClient(), subscriber.url)

      assert.deepEqual(answer, { kind: 'none', reason: 'other side closed' })
    })

    it('when the answer is larger than allowed, and reads no more of it', async () => {
      const subscriber = await aSubscriber('flood')

      const answer = await post(aClient(), subscriber.url)

      assert.deepEqual(answer, { kind: 'none', reason: 'an answer of more than 1000 bytes' })
      await subscriber.sawAbandoned(1)
    })

    it('accepts an answer of exactly the allowed size', async () => {
      const subscriber = await aSubscriber({ status: 200, body: Buffer.alloc(1_000) })

      const answer = await post(aClient(), subscriber.url)

      assert.equal(answer.kind === 'answer' && answer.body.length, 1_000)
    })

    for (const url of ['', 'http://', 'http://a b/', 'http://host:99999/']) {
      it(`when the destination is '${url}'`, async () => {
        const answer = await post(aClient(), url)

        assert.deepEqual(answer, { kind: 'none', reason: 'not a URL that can be called; expected http://host/path' })
      })
    }

    it('when the client is closed', async () => {
      const client = aClient()
      await client.close()

      const answer = await post(client, 'http://127.0.0.1:1')

      assert.deepEqual(answer, { kind: 'none', reason: 'the client is closed' })
    })

    it('when the client closes meanwhile', async () => {
      const subscriber = await aSubscriber('hang')
      const client = aClient()
      const answer = post(client, subscriber.url)
      await subscriber.received(1)

      await client.close()

      assert.deepEqual(await answer, { kind: 'none', reason: 'The client is destroyed' })
    })
  })

  describe('bounds an attempt in time', () => {
    for (const where of ['hang', 'hang-in-body'] as const) {
      it(`when the subscriber does '${where}'`, async () => {
        const subscriber = await aSubscriber(where)
        const answer = send(aClient(), { url: subscriber.url }, { timeoutMs: 500 })
        await subscriber.received(1)

        await clock.advance(499)
        assert.equal(subscriber.abandoned, 0)
        await clock.advance(1)

        assert.deepEqual(await answer, { kind: 'none', reason: 'no complete answer within 500 ms' })
        await subscriber.sawAbandoned(1)
      })
    }

    it('from when it has a connection: waiting for one does not count', async () => {
      const subscriber = await aSubscriber(['hang', { status: 202 }])
      const client = aClient({ connectionsPerOrigin: 1 })
      const first = send(client, { url: `${subscriber.url}/first` }, { timeoutMs: 700 })
      const second = send(client, { url: `${subscriber.url}/second` }, { timeoutMs: 500 })
      await subscriber.received(1)

      await clock.advance(700)

      assert.equal((await first).kind, 'none')
      assert.equal((await second).kind, 'answer')
    })
  })

  describe('is abandoned by its signal', () => {
    it('while it waits for the answer', async () => {
      const subscriber = await aSubscriber('hang')
      const abort = new AbortController()
      const answer = assert.rejects(post(aClient(), subscriber.url, abort.signal), /lane lost/)
      await subscriber.received(1)

      abort.abort(new Error('lane lost'))

      await answer
      await subscriber.sawAbandoned(1)
    })

    it('while it waits for a connection, and asks for no content and sends nothing afterwards', async () => {
      const subscriber = await aSubscriber(['hang', { status: 202 }])
      const client = aClient({ connectionsPerOrigin: 1 })
      const abort = new AbortController()
      const first = post(client, `${subscriber.url}/first`)
      await subscriber.received(1)
      const second = answerTo(client, {
        target: { url: `${subscriber.url}/second` },
        timeoutMs: MINUTE,
        signal: abort.signal,
        content: () => assert.fail('it was given up'),
        holdsFloor: () => false,
      })

      abort.abort(new Error('lane lost'))
      await assert.rejects(second, /lane lost/)
      await clock.advance(MINUTE)
      await first
      await post(client, `${subscriber.url}/third`)

      assert.deepEqual(
        subscriber.requests.map((request) => request.path),
        ['/first', '/third'],
      )
    })

    it('before it starts', async () => {
      const subscriber = await aSubscriber()

      await assert.rejects(post(aClient(), subscriber.url, AbortSignal.abort(new Error('lane lost'))), /lane lost/)

      assert.equal(subscriber.connections, 0)
    })

    it('together with many others, without a listener for each', async () => {
      const subscriber = await aSubscriber('hang')
      const abort = new AbortController()
      const client = aClient()
      const warnings: Error[] = []
      const onWarning = (warning: Error) => warnings.push(warning)
      process.on('warning', onWarning)
      const answers = Array.from({ length: 20 }, () => post(client, subscriber.url, abort.signal))
      await subscriber.received(20)

      abort.abort(new Error('lane lost'))

      const settled = await Promise.allSettled(answers)
      process.off('warning', onWarning)
      assert.ok(settled.every(({ status }) => status === 'rejected'))
      assert.deepEqual(warnings, [])
    })
  })

  describe('charges the bodies of answers to its budget', () => {
    const KIB = 1_024
    const SMALL = Buffer.alloc(16 * KIB)
    const LARGE = Buffer.alloc(16 * KIB + 1)
    const answering = (body: Buffer) => aSubscriber({ status: 200, body })
    const aClientOf = (budget: Budget) => aClient({ maxResponseBytes: 100 * KIB, budget })
    const spent = (): Budget => {
      const budget = new Budget(KIB)
      budget.take(KIB)
      return budget
    }

    it('until they are released', async () => {
      const budget = new Budget(100 * KIB)
      const subscriber = await answering(LARGE)

      const answer = await post(aClientOf(budget), subscriber.url)

      assert.ok(answer.kind === 'answer')
      assert.equal(budget.heldBytes, LARGE.length)
      answer.release?.()
      assert.equal(budget.heldBytes, 0)
    })

    it('but charges nothing for an answer without a body', async () => {
      const subscriber = await aSubscriber()

      const answer = await post(aClientOf(spent()), subscriber.url)

      assert.ok(answer.kind === 'answer')
      assert.equal(answer.release, undefined)
    })

    it('and reads no more than 16 KiB without room', async () => {
      const budget = spent()
      const subscriber = await answering(LARGE)

      const answer = await post(aClientOf(budget), subscriber.url)

      assert.deepEqual(answer, { kind: 'none', reason: 'no memory for the answer now' })
      assert.equal(budget.heldBytes, KIB)
    })

    it('and reads 16 KiB without room', async () => {
      const budget = spent()
      const subscriber = await answering(SMALL)

      const answer = await post(aClientOf(budget), subscriber.url)

      assert.ok(answer.kind === 'answer')
      assert.equal(budget.heldBytes, KIB + SMALL.length)
    })

    it('and reads what a floor waits for without room', async () => {
      const subscriber = await answering(LARGE)
      const client = aClientOf(spent())

      const answer = await send(client, { url: subscriber.url }, { holdsFloor: () => true })

      assert.equal(answer.kind, 'answer')
    })

    it('so that many together stay within it', async () => {
      const budget = new Budget(1_024 * KIB)
      const subscriber = await answering(Buffer.alloc(100 * KIB))
      const client = aClientOf(budget)

      const answers = await Promise.all(Array.from({ length: 64 }, () => post(client, subscriber.url)))

      const read = answers.filter(({ kind }) => kind === 'answer')
      assert.ok(read.length > 0 && read.length <= 10, `${read.length} answers were read`)
      assert.equal(budget.heldBytes, read.length * 100 * KIB)
    })

    for (const [what, script] of [
      ['is cut off', 'hang-in-body'],
      ['is too large', 'flood'],
    ] as const) {
      it(`and gives back what it read of an answer that ${what}`, async () => {
        const budget = new Budget(100 * KIB)
        const subscriber = await aSubscriber(script)
        const answer = send(aClientOf(budget), { url: subscriber.url }, { timeoutMs: 500 })
        if (script === 'hang-in-body') {
          await eventually(() => budget.heldBytes > 0, 'the first byte is there')
          await clock.advance(500)
        }

        assert.equal((await answer).kind, 'none')
        assert.equal(budget.heldBytes, 0)
      })
    }

    it('and gives back what it read when its signal aborts', async () => {
      const budget = new Budget(100 * KIB)
      const subscriber = await aSubscriber('hang-in-body')
      const abort = new AbortController()
      const answer = assert.rejects(post(aClientOf(budget), subscriber.url, abort.signal), /lane lost/)
      await eventually(() => budget.heldBytes > 0, 'the first byte is there')

      abort.abort(new Error('lane lost'))

      await answer
      assert.equal(budget.heldBytes, 0)
    })
  })

  describe('closes what nobody uses', () => {
    it('after the idle time', async () => {
      const subscriber = await aSubscriber()
      const client = aClient({ poolIdleMs: 1_000 })
      await post(client, subscriber.url)

      await clock.advance(1_000)
      await post(client, subscriber.url)

      assert.equal(subscriber.connections, 2)
    })

    it('but nothing that is in use', async () => {
      const subscriber = await aSubscriber('hang')
      const client = aClient({ poolIdleMs: 1_000 })
      const answer = post(client, subscriber.url)
      await subscriber.received(1)

      await clock.advance(MINUTE - 1)

      assert.equal(subscriber.abandoned, 0)
      await clock.advance(1)
      await answer
    })

    it('longest unused first, when there are too many origins', async () => {
      const [a, b, c] = [await aSubscriber(), await aSubscriber(), await aSubscriber()]
      const client = aClient({ maxPools: 2 })

      for (const { url } of [a, b, a, c, a, b]) {
        await post(client, url)
        await clock.advance(1)
      }

      assert.deepEqual([a.connections, b.connections, c.connections], [1, 2, 1])
    })
  })

  describe('reads a URL', () => {
    it('and sends its user and password as basic authentication', async () => {
      const subscriber = await aSubscriber()

      await post(aClient(), subscriber.url.replace('//', '//me:p%40ss@'))

      assert.equal(subscriber.requests[0]?.headers.authorization, 'Basic bWU6cEBzcw==')
    })

    // knative/eventing: any other scheme, or none, is http://<host>/.
    for (const prefix of ['', '//', 'ftp://']) {
      it(`without http before it as http://<host>/: '${prefix}host/path'`, async () => {
        const subscriber = await aSubscriber()

        await post(aClient(), `${prefix}127.0.0.1:${subscriber.port}/path?query`)

        assert.equal(subscriber.requests[0]?.path, '/')
      })
    }

    const shown = [
      ['http://me:secret@host/path?token=secret#secret', 'http://host/path', 'http://host/path?token=secret#secret'],
      ['https://host:8443/a/b', 'https://host:8443/a/b', 'https://host:8443/a/b'],
      ['host/path?token=secret', 'http://host/', 'host/path?token=secret'],
      ['http://me:sec ret@ho st', 'a destination that is not a URL', 'http://me:sec ret@ho st'],
    ] as const
    for (const [url, printable, passwordless] of shown) {
      it(`and shows '${url}' as '${printable}'`, () => {
        assert.equal(printableUrl(url), printable)
        assert.equal(withoutPassword(url), passwordless)
      })
    }
  })

  describe('with TLS', () => {
    let tls: { key: string; cert: string }

    before(() => {
      tls = makeCertificate()
    })

    it('refuses a certificate that nobody vouches for', async () => {
      const subscriber = await aSubscriber({ status: 202 }, { tls })

      const answer = await post(aClient(), subscriber.url)

      assert.match(answer.kind === 'none' ? answer.reason : '', /self-signed certificate/)
      assert.equal(subscriber.requests.length, 0)
    })

    it('trusts the CA certificates of the target', async () => {
      const subscriber = await aSubscriber({ status: 202 }, { tls })

      const answer = await send(aClient(), { url: subscriber.url, caCerts: tls.cert })

      assert.equal(answer.kind === 'answer' && answer.status, 202)
    })

    it('trusts the well-known authorities beside them', () => {
      assert.deepEqual(trustedWith(tls.cert), [...rootCertificates, tls.cert])
    })

    it('trusts all certificates of a bundle', async () => {
      const subscriber = await aSubscriber({ status: 202 }, { tls })
      const bundle = `${makeCertificate().cert}${tls.cert}`

      const answer = await send(aClient(), { url: subscriber.url, caCerts: bundle })

      assert.equal(answer.kind === 'answer' && answer.status, 202)
    })

    it('lends the trust of one target to no other', async () => {
      const subscriber = await aSubscriber({ status: 202 }, { tls })
      const client = aClient()
      await send(client, { url: subscriber.url, caCerts: tls.cert })

      const answer = await post(client, subscriber.url)

      assert.equal(answer.kind, 'none')
    })

    it('refuses a certificate of another host', async () => {
      const subscriber = await aSubscriber({ status: 202 }, { tls })
      const url = subscriber.url.replace('127.0.0.1', 'localhost')

      const answer = await send(aClient(), { url, caCerts: tls.cert })

      assert.match(answer.kind === 'none' ? answer.reason : '', /altnames/)
    })
  })
})

/** A self-signed certificate for 127.0.0.1. */
function makeCertificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-tls-'))
  try {
    const paths = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')]
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1']
    const newKey = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    execFileSync('openssl', ['req', ...newKey, ...subject, ...paths], { stdio: 'ignore' })
    return { key: readFileSync(join(folder, 'key'), 'utf8'), cert: readFileSync(join(folder, 'cert'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
