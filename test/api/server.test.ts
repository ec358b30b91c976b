import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type HttpServer, startAdminServer, startMetricsServer } from '../../src/api/server.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { startTestRuntime, type TestRuntime } from '../support/runtime.ts'

const logger = createLogger('silent')

describe('the admin port', () => {
  let tidings: TestRuntime
  let admin: HttpServer
  let metrics: HttpServer

  before(async () => {
    tidings = await startTestRuntime('')
    const { runtime } = tidings
    admin = await startAdminServer({ host: '127.0.0.1', port: 0, runtime, logger })
    metrics = await startMetricsServer({ host: '127.0.0.1', port: 0, runtime, logger })
  })

  after(async () => {
    await Promise.all([admin.close(), metrics.close()])
    await tidings[Symbol.asyncDispose]()
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

  it('says on the data port and here that it is not ready while it ends', async () => {
    const ending = await startTestRuntime('')
    const server = await startAdminServer({ host: '127.0.0.1', port: 0, runtime: ending.runtime, logger })
    await ending.runtime.close()

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
    const { runtime } = tidings
    const open = await startMetricsServer({ host: '0.0.0.0', port: 0, runtime, logger })

    assert.equal(await get(open, '/metrics', 'pod.example'), 200)
    await open.close()
  })
})
