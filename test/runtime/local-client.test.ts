import assert from 'node:assert/strict'
import { createClock } from '../../src/core/clock.ts'
import { answerTo, createClient } from '../../src/http/client.ts'
import type { Answer, DataRequest } from '../../src/http/server.ts'
import { createLocalClient } from '../../src/runtime/local-client.ts'
import { startSubscriber } from '../support/subscriber.ts'

const BASES = ['http://events.example.com/in', 'http://127.0.0.1:8080']
const HEADERS = ['ce-id', '1', 'content-type', 'text/plain']

function start(handle: (request: DataRequest) => Answer | Promise<Answer> = () => ({ status: 202 })) {
  const errors: unknown[] = []
  const client = createLocalClient({
    remote: createClient({ clock: createClock(), maxResponseBytes: 1_024 }),
    bases: BASES,
    serves: (path) => path === '/default/orders',
    handle,
    onError: (error) => errors.push(error),
  })
  const post = (url: string, signal = new AbortController().signal) =>
    answerTo(client, {
      target: { url },
      timeoutMs: 1_000,
      signal,
      content: () => ({ headers: HEADERS, body: Buffer.from('x') }),
      holdsFloor: () => false,
    })
  return { client, post, errors }
}

describe('a local client', () => {
  const ours = [
    'http://events.example.com/in/default/orders',
    'http://127.0.0.1:8080/default/orders',
    'http://127.0.0.1:8080/default/orders/',
    'http://127.0.0.1:8080/default/orders?from=a#b',
    'HTTP://127.0.0.1:8080/default/orders',
    'http://user:secret@127.0.0.1:8080/default/orders',
  ]
  for (const url of ours) {
    it(`hands a request to ${url} to our own door as it is`, async () => {
      const seen: DataRequest[] = []
      const { post } = start((request) => {
        seen.push(request)
        return { status: 202 }
      })

      const answer = await post(url)

      assert.deepEqual(answer, { kind: 'answer', status: 202, rawHeaders: [], body: Buffer.alloc(0) })
      assert.deepEqual(seen, [
        { method: 'POST', path: '/default/orders', host: '', rawHeaders: HEADERS, body: Buffer.from('x') },
      ])
    })
  }

  for (const path of ['/default/other', '/default/orders/more', '/']) {
    it(`sends what is for ${path}, no address of ours, over HTTP`, async () => {
      await using subscriber = await startSubscriber({ status: 204 })
      const { client, post } = start(() => assert.fail('it is not ours'))

      const answer = await post(`${subscriber.url}${path}`)
      await client.close()

      assert.equal(answer.kind === 'answer' && answer.status, 204)
    })
  }

  it('answers with the text of a refusal', async () => {
    const { post } = start(() => ({ status: 503, text: 'full', retryAfterS: 1 }))

    assert.deepEqual(await post(`${BASES[1]}/default/orders`), {
      kind: 'answer',
      status: 503,
      rawHeaders: [],
      body: Buffer.from('full'),
    })
  })

  it('has no answer where our door fails, and tells of it', async () => {
    const { post, errors } = start(() => Promise.reject(new Error('broken')))

    const answer = await post(`${BASES[1]}/default/orders`)

    assert.deepEqual(answer, { kind: 'none', reason: 'it failed here: the log says why' })
    assert.deepEqual(errors, [new Error('broken')])
  })

  it("rejects with the signal's reason when it aborted before", async () => {
    const { post } = start(() => assert.fail('nothing is begun'))

    await assert.rejects(post(`${BASES[1]}/default/orders`, AbortSignal.abort(new Error('over'))), /^Error: over$/)
  })

  it('answers nothing once closed', async () => {
    const { client, post } = start(() => assert.fail('it is closed'))
    await client.close()

    assert.deepEqual(await post(`${BASES[1]}/default/orders`), { kind: 'none', reason: 'the client is closed' })
  })
})
