import assert from 'node:assert/strict'
import { EventingError } from '../../src/core/errors.ts'
import type { Admin } from '../../src/runtime/admin.ts'
import { anAdmin, startTestAdmin, type TestAdmin, triggerManifest } from '../support/admin.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('/tidings/v1', () => {
  /** One request to an admin port of its own. */
  async function ask(path: string, init: RequestInit = {}, admin: Admin = anAdmin()) {
    await using server = await startTestAdmin(admin)
    const response = await fetch(`${server.url}/tidings/v1${path}`, init)
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) }
  }

  const put = (path: string, body: string, admin: Admin = anAdmin()) =>
    ask(path, { method: 'PUT', headers: JSON_TYPE, body }, admin)

  describe('triggers', () => {
    let admin: TestAdmin

    beforeEach(() => {
      admin = anAdmin(triggerManifest('a', 'http://a.example'))
    })

    it('are paused', async () => {
      const { status, body } = await ask('/triggers/default/a/pause', { method: 'POST' }, admin)

      assert.deepEqual({ status, body }, { status: 200, body: { namespace: 'default', name: 'a', paused: true } })
      assert.deepEqual(admin.told, ['pause default/a'])
    })

    it('are resumed', async () => {
      const { body } = await ask('/triggers/default/a/resume', { method: 'POST' }, admin)

      assert.deepEqual(body, { namespace: 'default', name: 'a', paused: false })
      assert.deepEqual(admin.told, ['resume default/a'])
    })

    it('are looked for', async () => {
      const { status, body } = await ask('/triggers/default/x/pause', { method: 'POST' }, admin)

      assert.deepEqual({ status, body }, { status: 404, body: { message: 'no trigger default/x' } })
    })

    it('are not said to be paused when that cannot be stored', async () => {
      const full = new EventingError('LOG_FULL', 'data: no room left on the disk', { retryable: true })
      const failing = anAdmin('', { setTriggerPaused: () => Promise.reject(full) })

      const { status, body } = await ask('/triggers/default/a/pause', { method: 'POST' }, failing)

      assert.deepEqual({ status, body }, { status: 503, body: { message: 'LOG_FULL: data: no room left on the disk' } })
    })

    it('are not paused by reading', async () => {
      assert.equal((await ask('/triggers/default/a/pause', {}, admin)).status, 404)
      assert.deepEqual(admin.told, [])
    })
  })

  describe('sources', () => {
    const fire = (path: string, fired: Awaited<ReturnType<Admin['fireSource']>>) =>
      ask(path, { method: 'POST' }, anAdmin('', { fireSource: async () => fired }))

    it('are fired', async () => {
      const { status, body } = await fire('/sources/PingSource/default/p/fire', {
        kind: 'fired',
        eventId: '7',
        sink: 'http://u:p@a.example/b?token=c',
      })

      assert.deepEqual({ status, body }, { status: 200, body: { eventId: '7', sink: 'http://a.example/b' } })
    })

    it('are looked for', async () => {
      const { status, body } = await fire('/sources/CronJobSource/default/p/fire', { kind: 'unknown' })

      assert.deepEqual({ status, body }, { status: 404, body: { message: 'no CronJobSource default/p' } })
    })

    it('say why they cannot', async () => {
      const { status, body } = await fire('/sources/PingSource/default/p/fire', { kind: 'refused', reason: 'no sink' })

      assert.deepEqual({ status, body }, { status: 409, body: { message: 'PingSource default/p: no sink' } })
    })

    it('are of two kinds', async () => {
      const { status, body } = await fire('/sources/GitHubSource/default/p/fire', { kind: 'unknown' })

      const message = 'no kind of source GitHubSource: expected PingSource or CronJobSource'
      assert.deepEqual({ status, body }, { status: 404, body: { message } })
    })
  })

  describe('events', () => {
    it('are found by any id', async () => {
      const asked: string[] = []
      const admin = anAdmin('', {
        findEvents: async (...words) => {
          asked.push(...words)
          return []
        },
      })

      const { status, body } = await ask('/events/shop/orders/a%2Fb%20%3F%C3%BC', {}, admin)

      assert.deepEqual({ status, body }, { status: 200, body: { events: [] } })
      assert.deepEqual(asked, ['shop', 'orders', 'a/b ?ü'])
    })

    it('are those of a broker that is there', async () => {
      const { status, body } = await ask('/events/shop/orders/a')

      assert.deepEqual({ status, body }, { status: 404, body: { message: 'no broker shop/orders' } })
    })
  })

  it('has the settings, without passwords', async () => {
    const setting = { name: 'redis.url', origin: 'default', reloads: false, description: 'Where it is' }
    const admin = anAdmin('', { settings: () => [{ ...setting, value: 'redis://u:p@127.0.0.1' }] })

    const { body } = await ask('/settings', {}, admin)

    assert.deepEqual(body, { settings: [{ ...setting, value: 'redis://127.0.0.1' }] })
  })

  describe('services', () => {
    it('are registered', async () => {
      const admin = anAdmin()

      const { status, body } = await put('/services/default/hello', '{"url":"http://127.0.0.1:9000/"}', admin)

      assert.equal(status, 200)
      assert.deepEqual(body, { namespace: 'default', name: 'hello', url: 'http://127.0.0.1:9000/' })
      assert.deepEqual(admin.told, ['register default/hello http://127.0.0.1:9000/'])
    })

    it('are registered whatever content type curl names', async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = '{"url":"http://127.0.0.1:9000/"}'

      assert.equal((await ask('/services/default/hello', { method: 'PUT', headers, body })).status, 200)
    })

    it('are released, there or not', async () => {
      const admin = anAdmin()

      assert.deepEqual(await ask('/services/default/hello', { method: 'DELETE' }, admin), {
        status: 204,
        body: undefined,
      })
      assert.deepEqual(admin.told, ['release default/hello'])
    })

    it('say whose the name is', async () => {
      const admin = anAdmin('', { registerService: () => ({ kind: 'taken', origin: 'a.yaml:3' }) })

      const { status, body } = await put('/services/default/hello', '{"url":"http://127.0.0.1:9000/"}', admin)

      assert.deepEqual(
        { status, body },
        { status: 409, body: { message: 'service default/hello is taken by a.yaml:3' } },
      )
    })

    for (const name of ['A', 'a.b', '-a', 'a%2Fb', '..%2Fa', '__proto__', 'x'.repeat(64)]) {
      it(`are not called ${name.slice(0, 12)}`, async () => {
        const admin = anAdmin()

        const { status, body } = await put(`/services/default/${name}`, '{"url":"http://127.0.0.1:9000/"}', admin)

        assert.equal(status, 400)
        assert.match(String(body?.['message']), /^expected a name of a-z, 0-9 and -, at most 63 characters, got '/)
        assert.deepEqual(admin.told, [])
      })
    }

    const bodies = [
      '{}',
      '[]',
      '{"url":7}',
      '{"url":""}',
      '{"url":"ftp://a"}',
      '{"url":"http:///"}',
      '{"url":"a.example"}',
    ]
    for (const body of bodies) {
      it(`are not ${body}`, async () => {
        const answer = await put('/services/default/hello', body)

        const message = 'expected {"url": "http://127.0.0.1:9000/"}'
        assert.deepEqual(answer, { status: 400, body: { message } })
      })
    }

    for (const body of ['{', 'null', '"http://a"', '{"url":"http://a"}x']) {
      it(`are not ${body}: that is no JSON object`, async () => {
        const { status, body: answer } = await put('/services/default/hello', body)

        const message = 'the request cannot be read: expected a valid path, and JSON as body'
        assert.deepEqual({ status, answer }, { status: 400, answer: { message } })
      })
    }
  })

  describe('hostile requests', () => {
    const large = 'the request is too large: expected a body of at most 64 KiB'

    it('are refused for a body over 64 KiB', async () => {
      const body = JSON.stringify({ url: `http://a.example/${'x'.repeat(65_536)}` })

      assert.deepEqual(await put('/services/default/hello', body), { status: 413, body: { message: large } })
    })

    it('are refused for a body over 64 KiB of no declared length, wherever it is sent', async () => {
      const body = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 70; i++) controller.enqueue(new Uint8Array(1_024))
          controller.close()
        },
      })
      const init: RequestInit = { method: 'POST', body, duplex: 'half' }

      const answer = await ask('/triggers/default/a/pause', init)

      assert.deepEqual(answer, { status: 413, body: { message: large } })
    })

    it('are refused for a compressed body', async () => {
      const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }

      const { status } = await ask('/services/default/hello', { method: 'PUT', headers, body: '{}' })

      assert.equal(status, 415)
    })

    it('are refused when their path cannot be decoded', async () => {
      assert.equal((await ask('/events/default/default/%E0%A4%A')).status, 400)
    })

    const changes = [
      ['POST', '/triggers/default/a/pause'],
      ['POST', '/sources/PingSource/default/a/fire'],
      ['POST', '/triggers/default/a/skip'],
      ['POST', '/deadletters/redrive'],
      ['POST', '/deadletters/discard'],
      ['POST', '/reruns/a1/cancel'],
      ['PUT', '/services/default/a'],
      ['DELETE', '/services/default/a'],
    ] as const
    for (const [method, path] of changes) {
      it(`change nothing with an Origin: ${method} ${path}`, async () => {
        const admin = anAdmin(triggerManifest('a', 'http://a.example'))
        const headers = { origin: 'http://127.0.0.1:8081' }

        const { status, body } = await ask(path, { method, headers }, admin)

        const message = 'web pages may change nothing here: there is an Origin header'
        assert.deepEqual({ status, body }, { status: 403, body: { message } })
        assert.deepEqual(admin.told, [])
      })
    }
  })
})
