import assert from 'node:assert/strict'
import { run } from '../support/command.ts'
import { startSubscriber } from '../support/subscriber.ts'

describe('tidings event send', () => {
  it('sends what it is told', async () => {
    await using broker = await startSubscriber()
    const event = ['--id', '7', '--type', 't', '--source', '/s', '--data', 'a', '--ext', 'zone=b']

    const { code, out } = await run([
      'event',
      'send',
      '--url',
      broker.url,
      ...event,
      '--content-type',
      'text/plain; x="y"',
    ])

    assert.deepEqual({ code, out }, { code: 0, out: `202: ${broker.url} took event 7 of type t\n` })
    const [request] = broker.requests
    assert.equal(request?.headers['content-type'], 'text/plain; x="y"')
    assert.equal(request?.headers['ce-zone'], 'b')
    assert.equal(String(request?.body), 'a')
    assert.match(String(request?.headers['ce-time']), /^\d{4}-\d\d-\d\dT/)
  })

  for (const contentType of ['a/b\nc', 'a/b\r', 'a/ü', ' a/b', '', '\u0000']) {
    it(`refuses the content type ${JSON.stringify(contentType)}`, async () => {
      const { code, err } = await run(['event', 'send', '--url', 'http://127.0.0.1:9/', '--content-type', contentType])

      assert.equal(code, 1)
      assert.equal(
        err,
        `--content-type: expected a media type such as application/json, got ${JSON.stringify(contentType)}\n`,
      )
    })
  }

  it('sends any text as an attribute', async () => {
    await using broker = await startSubscriber()

    await run(['event', 'send', '--url', broker.url, '--subject', 'a\nb ü', '--ext', 'note=\u0000'])

    assert.equal(broker.requests[0]?.headers['ce-subject'], 'a%0Ab%20%C3%BC')
    assert.equal(broker.requests[0]?.headers['ce-note'], '%00')
  })

  it('prints no control characters of an answer', async () => {
    await using broker = await startSubscriber({ status: 400, body: 'no \u001b]0;title\u0007' })

    const { code, err } = await run(['event', 'send', '--url', broker.url, '--id', '7'])

    assert.deepEqual({ code, err }, { code: 1, err: `400: ${broker.url} refused event 7: no ·]0;title·\n` })
  })

  it('says when nobody answers', async () => {
    const { code, err } = await run(['event', 'send', '--url', 'http://127.0.0.1:9/'])

    assert.equal(code, 1)
    assert.match(err, /^cannot send to http:\/\/127\.0\.0\.1:9\/: .+\nIs it running\? Try: tidings status\n$/)
  })
})
