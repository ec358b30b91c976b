import assert from 'node:assert/strict'
import { request } from 'undici'
import { Budget } from '../../src/core/budget.ts'
import { createClock } from '../../src/core/clock.ts'
import {
  type Answer,
  type DataRequest,
  type DataServer,
  type DataServerOptions,
  startServer,
} from '../../src/http/server.ts'
import { openRaw, type RawConnection } from '../support/raw-http.ts'

const KIB = 1_024

describe('startServer', () => {
  const servers: DataServer[] = []
  const connections: RawConnection[] = []
  afterEach(async () => {
    for (const { socket } of connections.splice(0)) socket.destroy()
    await Promise.all(servers.splice(0).map((server) => server.close(0)))
  })

  async function start(options: Partial<DataServerOptions> = {}): Promise<{ server: DataServer; url: string }> {
    const server = await startServer({
      host: '127.0.0.1',
      port: 0,
      handle: () => ({ status: 202 }),
      health: { live: () => true, ready: () => ({ ok: true, text: '' }) },
      budget: new Budget(64 * KIB),
      limits: { maxRequestBytes: 16 * KIB, maxHeaderBytes: 8 * KIB, requestTimeoutMs: 10_000 },
      clock: createClock(),
      onError: (error) => assert.fail(String(error)),
      ...options,
    })
    servers.push(server)
    return { server, url: `http://127.0.0.1:${server.port}` }
  }

  async function raw(server: DataServer): Promise<RawConnection> {
    const connection = await openRaw(server.port)
    connections.push(connection)
    return connection
  }

  describe('requests', () => {
    it('hands over method, path without query, host, headers and body', async () => {
      const seen: DataRequest[] = []
      const { server } = await start({
        handle: (one) => {
          seen.push(one)
          return { status: 202 }
        },
      })
      const connection = await raw(server)

      connection.send('POST /ns/b?x=1 HTTP/1.1\r\nHost: b.ns.svc\r\nX-One: 1\r\nContent-Length: 2\r\n\r\nhi')
      await connection.receive('202')

      assert.deepEqual(seen, [
        {
          method: 'POST',
          path: '/ns/b',
          host: 'b.ns.svc',
          rawHeaders: ['Host', 'b.ns.svc', 'X-One', '1', 'Content-Length', '2'],
          body: Buffer.from('hi'),
        },
      ])
    })

    it('puts a body of many chunks together', async () => {
      const bodies: string[] = []
      const { server } = await start({
        handle: ({ body }) => {
          bodies.push(body.toString())
          return { status: 202 }
        },
      })
      const connection = await raw(server)

      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (const text of ['3\r\nabc\r\n', '2\r\nde\r\n', '1\r\nf\r\n']) connection.send(text)
      connection.send('0\r\n\r\n')
      await connection.receive('202')

      assert.deepEqual(bodies, ['abcdef'])
    })

    it('gives header values as one character per byte', async () => {
      const values: (string | undefined)[] = []
      const { server } = await start({
        handle: ({ rawHeaders }) => {
          values.push(rawHeaders[3])
          return { status: 202 }
        },
      })
      const connection = await raw(server)

      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nce-subject: \xc3\xa9\r\nContent-Length: 0\r\n\r\n')
      await connection.receive('202')

      assert.deepEqual(values, ['\xc3\xa9'])
    })
  })

  describe('answers', () => {
    const answers: readonly (readonly [
      name: string,
      answer: Answer,
      expected: Record<string, string | undefined>,
      body: string,
    ])[] = [
      ['an empty one', { status: 202 }, { 'content-length': '0', 'content-type': undefined }, ''],
      [
        'a text',
        { status: 400, text: 'é' },
        { 'content-length': '3', 'content-type': 'text/plain; charset=utf-8' },
        'é\n',
      ],
      ['Retry-After', { status: 503, text: 'x', retryAfterS: 7 }, { 'retry-after': '7' }, 'x\n'],
      ['other headers', { status: 200, headers: ['X-One', '1'] }, { 'x-one': '1' }, ''],
    ]
    for (const [name, answer, expected, body] of answers) {
      it(`sends ${name}`, async () => {
        const { url } = await start({ handle: async () => answer })

        const response = await request(`${url}/ns/b`, { method: 'POST' })

        assert.equal(response.statusCode, answer.status)
        for (const [header, value] of Object.entries(expected)) assert.equal(response.headers[header], value)
        assert.equal(response.headers['allow'], 'POST, OPTIONS')
        assert.equal(await response.body.text(), body)
      })
    }

    for (const [name, handle] of [
      ['rejects', () => Promise.reject(new Error('broken'))],
      [
        'throws',
        () => {
          throw new Error('broken')
        },
      ],
    ] as const) {
      it(`answers 500 when the handler ${name}, and reports it`, async () => {
        const errors: unknown[] = []
        const { url } = await start({ handle, onError: (error) => errors.push(error) })

        const response = await request(`${url}/ns/b`, { method: 'POST' })

        assert.equal(response.statusCode, 500)
        assert.match(await response.body.text(), /^the request failed here/)
        assert.deepEqual(errors, [new Error('broken')])
      })
    }
  })

  describe('probes', () => {
    const AGENT = { 'user-agent': 'kube-probe/1.31' }
    const notReady = { live: () => true, ready: () => ({ ok: false, text: 'opening the log' }) }
    const dead = { live: () => false, ready: () => ({ ok: true, text: '' }) }

    for (const [method, path, headers] of [
      ['GET', '/', AGENT],
      ['GET', '/any/path/at/all', AGENT],
      ['POST', '/ns/b', AGENT],
      ['GET', '/healthz', {}],
      ['HEAD', '/readyz', {}],
      ['GET', '/readyz?verbose', {}],
    ] as const) {
      it(`answers 200 to ${method} ${path}${headers === AGENT ? ' of the kubelet' : ''}`, async () => {
        const { url } = await start({ handle: () => ({ status: 400 }) })

        const response = await request(url + path, { method, headers })

        assert.equal(response.statusCode, 200)
        assert.equal(response.headers['allow'], 'POST, OPTIONS')
        await response.body.dump()
      })
    }

    for (const [method, path, headers] of [
      ['GET', '/', AGENT],
      ['GET', '/readyz', {}],
    ] as const) {
      it(`answers 503 to ${method} ${path} until ready, and says why`, async () => {
        const { url } = await start({ health: notReady })

        const response = await request(url + path, { method, headers })

        assert.equal(response.statusCode, 503)
        assert.equal(await response.body.text(), 'opening the log\n')
      })
    }

    it('is alive before it is ready, so that nobody restarts it while it opens', async () => {
      const { url } = await start({ health: notReady })

      const response = await request(`${url}/healthz`, { headers: AGENT })

      assert.equal(response.statusCode, 200)
    })

    it('answers 503 to /healthz when it is not alive', async () => {
      const { url } = await start({ health: dead })

      assert.equal((await request(`${url}/healthz`)).statusCode, 503)
    })
  })

  describe('bounds', () => {
    it('takes a body of exactly the limit', async () => {
      const { url } = await start({
        handle: ({ body }) => ({ status: 202, headers: ['X-Bytes', String(body.length)] }),
      })

      const response = await request(`${url}/ns/b`, { method: 'POST', body: Buffer.alloc(16 * KIB) })

      assert.equal(response.headers['x-bytes'], '16384')
    })

    it('refuses a longer one by its Content-Length, before it comes, and closes', async () => {
      const { server } = await start({ handle: () => assert.fail('handled') })
      const connection = await raw(server)

      connection.send(`POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: ${16 * KIB + 1}\r\n\r\n`)
      await connection.receive('or a reference')
      connection.socket.end()
      const answer = await connection.closed()

      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.match(answer, /\r\nAllow: POST, OPTIONS\r\n/)
      assert.match(answer, /\r\nConnection: close\r\n/)
      assert.match(answer, /\r\n\r\nthe body has more than 16384 bytes/)
    })

    it('refuses a longer one while it comes, when no length was declared', async () => {
      const budget = new Budget(64 * KIB)
      const { server } = await start({ budget, handle: () => assert.fail('handled') })
      const connection = await raw(server)

      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let i = 0; i < 5; i++) connection.send(`1000\r\n${'x'.repeat(4 * KIB)}\r\n`)
      const answer = await connection.closed()

      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.equal(budget.heldBytes, 0)
    })

    it('charges bytes while they come and until they are answered', async () => {
      const budget = new Budget(64 * KIB)
      const held: number[] = []
      const { server } = await start({
        budget,
        handle: () => {
          held.push(budget.heldBytes)
          return { status: 202 }
        },
      })
      const connection = await raw(server)

      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
      await until(() => budget.heldBytes === 5)
      connection.send('67890')
      await connection.receive('202')

      assert.deepEqual(held, [10])
      assert.equal(budget.heldBytes, 0)
    })

    it('gives the bytes of a request that is broken off back', async () => {
      const budget = new Budget(64 * KIB)
      const { server } = await start({ budget, handle: () => assert.fail('handled') })
      const connection = await raw(server)
      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
      await until(() => budget.heldBytes === 5)

      connection.socket.destroy()

      await until(() => budget.heldBytes === 0)
    })

    it('finishes a request whose sender has gone', async () => {
      const budget = new Budget(64 * KIB)
      const gate = aGate<Answer>()
      const { server } = await start({ budget, handle: () => gate.promise })
      const connection = await raw(server)
      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi')
      await until(() => budget.heldBytes === 2)

      connection.socket.destroy()
      gate.open({ status: 202 })

      await until(() => budget.heldBytes === 0)
    })

    for (const [name, head] of [
      ['declared', 'Content-Length: 100'],
      ['not declared', 'Transfer-Encoding: chunked'],
    ] as const) {
      it(`answers 503 without room for a body whose length is ${name}, and keeps the connection`, async () => {
        const budget = new Budget(64 * KIB)
        budget.take(64 * KIB - 10)
        const { server } = await start({ budget })
        const connection = await raw(server)
        const body = name === 'declared' ? 'x'.repeat(100) : `64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`

        connection.send(`POST /ns/b HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${body}`)
        const refused = await connection.receive('send the event again later')
        budget.release(64 * KIB - 10)
        connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi')

        assert.match(refused, /^HTTP\/1\.1 503 /)
        assert.match(refused, /\r\nRetry-After: 1\r\n/)
        await connection.receive('HTTP/1.1 202')
        assert.equal(budget.heldBytes, 0)
      })
    }

    it('answers 431 to headers beyond the limit', async () => {
      const { server } = await start()
      const connection = await raw(server)

      connection.send(`POST /ns/b HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9 * KIB)}\r\n\r\n`)
      const answer = await connection.closed()

      assert.match(answer, /^HTTP\/1\.1 431 /)
      assert.match(answer, /\r\nAllow: POST, OPTIONS\r\n/)
    })

    it('answers 400 to what is not HTTP', async () => {
      const { server } = await start()
      const connection = await raw(server)

      connection.send('hello\r\n\r\n')

      assert.match(await connection.closed(), /^HTTP\/1\.1 400 /)
    })

    it('answers 408 to a body that takes too long, and gives its bytes back', async () => {
      const budget = new Budget(64 * KIB)
      const limits = { maxRequestBytes: 16 * KIB, maxHeaderBytes: 8 * KIB, requestTimeoutMs: 100 }
      const { server } = await start({ budget, limits })
      const connection = await raw(server)

      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')

      assert.match(await connection.closed(), /^HTTP\/1\.1 408 .*\r\n.*took more than 100 ms/s)
      await until(() => budget.heldBytes === 0)
    })
  })

  describe('close', () => {
    it('is done at once when nothing is in hand, whoever is connected', async () => {
      const { server } = await start()
      const silent = await raw(server)
      const used = await raw(server)
      used.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      await used.receive('202')

      await server.close(60_000)

      await Promise.all([silent.closed(), used.closed()])
    })

    it('finishes what is in hand, keeps no connection, and tells probes', async () => {
      const gate = aGate<Answer>()
      const handling = aGate<undefined>()
      const { server, url } = await start({
        handle: () => {
          handling.open(undefined)
          return gate.promise
        },
      })
      const event = request(`${url}/ns/b`, { method: 'POST', body: 'x' })
      await handling.promise

      const closed = server.close(60_000)
      const probe = await request(`${url}/readyz`)
      const liveness = await request(`${url}/healthz`)
      gate.open({ status: 202 })

      assert.equal(probe.statusCode, 503)
      assert.equal(await probe.body.text(), 'draining: this server is about to stop\n')
      assert.equal(liveness.statusCode, 503)
      await liveness.body.dump()
      const answer = await event
      assert.equal(answer.statusCode, 202)
      assert.equal(answer.headers['connection'], 'close')
      await closed
    })

    it('refuses connections afterwards', async () => {
      const { server, url } = await start()

      await server.close(1_000)

      await assert.rejects(request(url), { code: 'ECONNREFUSED' })
    })

    it('cuts off what is not answered in time', async () => {
      const handling = aGate<undefined>()
      const { server } = await start({
        handle: () => {
          handling.open(undefined)
          return new Promise<Answer>(() => {})
        },
      })
      const connection = await raw(server)
      connection.send('POST /ns/b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      await handling.promise

      await server.close(50)

      assert.equal(await connection.closed(), '')
    })
  })

  it('rejects when its address is taken', async () => {
    const { server } = await start()

    await assert.rejects(start({ port: server.port }), { code: 'EADDRINUSE' })
  })
})

function aGate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    open = resolve
  })
  return { promise, open: (value) => open(value) }
}

/** Waits for a condition; mocha's own timeout ends a wait for what never comes. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
