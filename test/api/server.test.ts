import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type HttpServer, startAdminServer, startMetricsServer } from '../../src/api/server.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { anAdmin } from '../support/admin.ts'

const logger = createLogger('silent')

describe('the admin port', () => {
  const runtime = anAdmin()
  let admin: HttpServer
  let metrics: HttpServer

  before(async () => {
    admin = await startAdminServer({ host: '127.0.0.1', port: 0, admin: runtime, logger })
    metrics = await startMetricsServer({ host: '127.0.0.1', port: 0, runtime, logger })
  })

  after(async () => {
    await Promise.all([admin.close(), metrics.close()])
  })

  const get = ({ port }: HttpServer, path: string, host?: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = host === undefined ? {} : { host }
      request({ host: '127.0.0.1', port, path, headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })

  for (const path of ['/healthz', '/readyz', '/metrics', '/tidings/v1/status']) {
    it(`serves ${path}`, async () => {
      assert.equal(await get(admin, path), 200)
    })
  }

  it('answers 404 for anything else', async () => {
    assert.equal(await get(admin, '/nothing'), 404)
  })

  it('says when the runtime is not ready', async () => {
    const health = { live: () => true, ready: () => ({ ok: false, text: 'draining' }) }
    const server = await startAdminServer({ host: '127.0.0.1', port: 0, admin: anAdmin('', { health }), logger })

    assert.equal(await get(server, '/readyz'), 503)
    await server.close()
  })

  for (const host of ['evil.example', 'evil.example:8081', '127.0.0.1.evil.example', '10.0.0.1']) {
    it(`refuses a request for host ${host}: a web page may have sent it`, async () => {
      assert.equal(await get(admin, '/tidings/v1/status', host), 403)
    })
  }

  for (const host of ['localhost', 'localhost:8081', '127.0.0.1:8081', '[::1]:8081']) {
    it(`answers a request for host ${host}`, async () => {
      assert.equal(await get(admin, '/tidings/v1/status', host), 200)
    })
  }

  it('has a metrics port with metrics and probes alone', async () => {
    assert.equal(await get(metrics, '/metrics'), 200)
    assert.equal(await get(metrics, '/readyz'), 200)
    assert.equal(await get(metrics, '/tidings/v1/status'), 404)
  })

  it('has a metrics port that follows the same rule for hosts', async () => {
    assert.equal(await get(metrics, '/metrics', 'evil.example'), 403)
  })

  it('answers to any host where others than this machine reach it', async () => {
    const open = await startMetricsServer({ host: '0.0.0.0', port: 0, runtime, logger })

    assert.equal(await get(open, '/metrics', 'pod.example'), 200)
    await open.close()
  })
})
