import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { run } from '../support/command.ts'

const LINE = { at: '2026-01-02T03:04:05.678Z', id: '1', source: '/s', type: 't', outcome: 'matched', triggers: ['a'] }

describe('tidings tail', function () {
  this.timeout(20_000)

  async function tailOf(text: string, ...flags: string[]): Promise<{ code: number; out: string; err: string }> {
    const server = createServer((_request, response) => {
      response.writeHead(200)
      response.end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      return await run(['tail', '--server', `http://127.0.0.1:${port}`, ...flags])
    } finally {
      server.close()
    }
  }

  it('says that the server ended it, also within a line', async () => {
    const { code, out, err } = await tailOf(`${JSON.stringify(LINE)}\n${JSON.stringify(LINE).slice(0, 20)}`)

    assert.equal(code, 1)
    assert.match(out, /^\S+ {2}matched {6}t {2}\/s {2}1 {2}a\n$/)
    assert.match(err, /^the server ended it/)
  })

  it('takes ids with any character, and prints none that steers a terminal', async () => {
    const text = `${JSON.stringify({ ...LINE, id: '1\u2028\u009b2J' })}\n`

    const { out } = await tailOf(text)
    const { out: json } = await tailOf(text, '-o', 'json')

    assert.match(out, /1\u2028·2J {2}a\n$/)
    assert.match(json, /"id":"1\u2028\\u009b2J"/)
  })
})
