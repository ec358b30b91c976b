import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { closeNow, isLoopback, listen, urlHost } from '../../src/http/listen.ts'

describe('listen', () => {
  it('resolves to the port that it took', async () => {
    const server = createServer((_request, response) => response.end('here'))

    const port = await listen(server, { host: '127.0.0.1', port: 0 })
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    await closeNow(server)

    assert.equal(text, 'here')
  })

  it("rejects with node's error when the port is taken", async () => {
    const first = createServer()
    const port = await listen(first, { host: '127.0.0.1', port: 0 })

    await assert.rejects(listen(createServer(), { host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
    await closeNow(first)
  })
})

describe('closeNow', () => {
  it('does not wait for what is in hand', async () => {
    const server = createServer()
    const port = await listen(server, { host: '127.0.0.1', port: 0 })
    const arrived = new Promise((resolve) => server.once('request', resolve))
    const request = assert.rejects(fetch(`http://127.0.0.1:${port}/`))
    await arrived

    await closeNow(server)
    await request
  })
})

describe('urlHost', () => {
  for (const [host, expected] of [
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['::1', '[::1]'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
  ] as const) {
    it(`of ${host} is ${expected}`, () => {
      assert.equal(urlHost(host), expected)
    })
  }
})

describe('isLoopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1']) {
    it(`holds for ${host}`, () => assert.equal(isLoopback(host), true))
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com', 'example.com', '']) {
    it(`does not hold for '${host}'`, () => assert.equal(isLoopback(host), false))
  }
})
