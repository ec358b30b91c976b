import assert from 'node:assert/strict'
import { anAdmin, startTestAdmin } from '../support/admin.ts'
import { run } from '../support/command.ts'

const HELLO = { namespace: 'shop', name: 'hello' }
const URL = 'http://127.0.0.1:9000/'

/** Imported as commands are: each way has its own copy of a class. */
const load = () => import('../../src/cli/service-registration.ts')

describe('a service that stands for a URL', () => {
  it('is registered, and released', async () => {
    const { registerService } = await load()
    const admin = anAdmin()
    await using server = await startTestAdmin(admin)
    const args = { words: [], flags: { server: server.url } }

    const release = await registerService(args, { env: {} }, HELLO, URL)
    await release()

    assert.deepEqual(admin.told, [`register shop/hello ${URL}`, 'release shop/hello'])
  })

  it('says whose the name is', async () => {
    const { registerService } = await load()
    await using server = await startTestAdmin(
      anAdmin('', { registerService: () => ({ kind: 'taken', origin: 'a.yaml:3' }) }),
    )
    const args = { words: [], flags: { server: server.url } }

    await assert.rejects(registerService(args, { env: {} }, HELLO, URL), {
      message: 'service shop/hello is taken by a.yaml:3',
    })
  })

  it('is named ksvc/NAME, in a namespace', async () => {
    const { serviceNameFrom } = await load()

    assert.deepEqual(serviceNameFrom({ words: [], flags: { namespace: 'shop' } }, 'ksvc/hello'), HELLO)
  })

  for (const name of ['hello', 'svc/hello', 'ksvc/', 'ksvc/A', 'ksvc/a/b', 'ksvc/..', 'ksvc/a\nb']) {
    it(`is not named ${JSON.stringify(name)}`, async () => {
      const { code, err } = await run(['sink', '--port', '0', '--as', name])

      assert.equal(code, 1)
      assert.equal(err, `--as: expected ksvc/NAME, such as ksvc/hello, got '${name}'\n`)
    })
  }

  it('ends the sink at once when no server answers', async () => {
    const { code, err } = await run(['sink', '--port', '0', '--as', 'ksvc/a', '--server', 'http://127.0.0.1:9'])

    assert.equal(code, 1)
    assert.match(err, /^no server answers at http:\/\/127\.0\.0\.1:9\n/)
  })
})
