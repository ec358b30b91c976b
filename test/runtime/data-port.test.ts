import assert from 'node:assert/strict'
import { createClock } from '../../src/core/clock.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { type DataPort, openDataPort } from '../../src/runtime/data-port.ts'
import { readSettings } from '../../src/runtime/settings.ts'
import { openRaw } from '../support/raw-http.ts'

const open = (flags: Record<string, string> = {}): Promise<DataPort> =>
  openDataPort(readSettings({ flags: { port: '0', ...flags }, env: {} }), createClock(), createLogger('silent'))

/** The status of a POST with these headers. */
async function post({ url }: DataPort, headers: Record<string, string> = {}): Promise<number> {
  const raw = await openRaw(Number(new URL(url).port))
  const lines = Object.entries({ host: 'h', 'content-length': '0', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  raw.send(`POST /default/default HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const answer = await raw.receive('\r\n\r\n')
  raw.socket.destroy()
  return Number(answer.slice(9, 12))
}

describe('the data port', () => {
  it('refuses events, and is not ready, before it serves and once it drains', async () => {
    const port = await open()
    const seen: (readonly [number, boolean])[] = []
    const look = async () => void seen.push([await post(port), port.health.ready().ok])

    await look()
    port.serve(() => ({ status: 202 }))
    await look()
    port.drain()
    await look()
    await port.close(0)

    assert.deepEqual(seen, [
      [503, false],
      [202, true],
      [503, false],
    ])
  })

  const cases: readonly {
    readonly what: string
    readonly flags?: Record<string, string>
    readonly headers: Record<string, string>
    readonly status: number
  }[] = [
    { what: 'refuses web pages on loopback', headers: { origin: 'http://evil.example' }, status: 403 },
    { what: 'refuses pages without an origin of their own', headers: { Origin: 'null' }, status: 403 },
    { what: 'takes events under any name', headers: { host: 'events.example.com' }, status: 202 },
    {
      what: 'leaves web pages to the gateway that data.externalUrl tells of',
      flags: { 'data.externalUrl': 'https://events.example.com' },
      headers: { origin: 'https://shop.example.com' },
      status: 202,
    },
    {
      what: 'leaves web pages to the network where others than this machine reach it',
      flags: { 'data.host': '0.0.0.0' },
      headers: { origin: 'https://shop.example.com' },
      status: 202,
    },
  ]
  for (const { what, flags, headers, status } of cases) {
    it(what, async () => {
      const port = await open(flags)
      port.serve(() => ({ status: 202 }))

      assert.equal(await post(port, headers), status)
      await port.close(0)
    })
  }
})
