import assert from 'node:assert/strict'
import { run } from '../support/command.ts'
import { startSubscriber } from '../support/subscriber.ts'

const NOTHING = { brokers: [], triggers: [], channels: [], subscriptions: [], sources: [], reruns: [], problems: [] }

describe('a command that asks the server', () => {
  const wrong = [
    { server: 'localhost:8081', example: 'http://localhost:8081' },
    { server: 'ftp://localhost', example: 'http://127.0.0.1:8081' },
    { server: '/x y', example: 'http://127.0.0.1:8081' },
  ]
  for (const { server, example } of wrong) {
    it(`refuses ${server} as its address, and says what one looks like`, async () => {
      const { code, err } = await run(['status', '--server', server])

      assert.deepEqual(
        { code, err },
        { code: 1, err: `--server: expected a URL such as ${example}, got '${server}'\n` },
      )
    })
  }

  it('names the variable that its address came from', async () => {
    const { err } = await run(['status'], { TIDINGS_SERVER: 'localhost:8081' })

    assert.equal(err, "TIDINGS_SERVER: expected a URL such as http://localhost:8081, got 'localhost:8081'\n")
  })

  const foreign = ['<html>', '', '{}', 'null', '[]', JSON.stringify({ ...NOTHING, brokers: 1 })]
  for (const body of foreign) {
    it(`says that ${JSON.stringify(body)} is no status`, async () => {
      await using server = await startSubscriber({ status: 200, body })

      const { code, err } = await run(['status', '--server', server.url])

      assert.equal(code, 1)
      assert.equal(
        err,
        `${server.url}/tidings/v1/status answered with something else than a status: is that the admin port of a Tidings server?\n`,
      )
    })
  }

  it('says what another server answered', async () => {
    await using server = await startSubscriber({ status: 404 })

    const { err } = await run(['status', '--server', server.url])

    assert.equal(err, `${server.url}/tidings/v1/status answered 404: is that the admin port of a Tidings server?\n`)
  })

  it('says when an answer breaks off', async () => {
    await using server = await startSubscriber('reset')

    assert.match((await run(['status', '--server', server.url])).err, /^no server answers at /)
  })

  it('prints no control characters of an answer', async () => {
    const body = JSON.stringify({ ...NOTHING, backend: 'memory', problems: ['\u001b[2J'] })
    await using server = await startSubscriber({ status: 200, body })

    const { code, out } = await run(['status', '--server', server.url])

    assert.equal(code, 1)
    assert.match(out, /Needs attention:\n {2}·\[2J\n/)
  })
})
