import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from '../../src/runtime/admin.ts'
import type { TailFilter, TailLine } from '../../src/runtime/tail.ts'
import { anAdmin, startTestAdmin } from '../support/admin.ts'
import { eventually } from '../support/eventually.ts'

const LINE: TailLine = {
  at: '2026-01-02T03:04:05.678Z',
  id: '1',
  source: '/s',
  type: 't',
  outcome: 'matched',
  triggers: ['a'],
}

describe('/tidings/v1/tail', () => {
  const filters: TailFilter[] = []
  let tell: (line: TailLine) => void
  let watching = 0
  let isOver = false

  function admin(): Admin {
    return anAdmin('', {
      watch(_namespace, broker, filter, told) {
        if (broker !== 'default') return undefined
        filters.push(filter)
        tell = told
        watching++
        return { isOver: () => isOver, stop: () => void watching-- }
      },
    })
  }

  function look(url: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => get(url, resolve).on('error', reject))
  }

  it('has one line for each that is told, with what was asked for', async () => {
    await using server = await startTestAdmin(admin())
    const viewer = await look(`${server.url}/tidings/v1/tail/default/default?type=t*&trigger=a&outcome=matched`)

    tell(LINE)
    const [first] = await linesOf(viewer, 1)
    viewer.destroy()
    await eventually(() => watching === 0, 'nobody looks any more')

    assert.deepEqual(first, LINE)
    assert.deepEqual(filters.at(-1), { type: 't*', trigger: 'a', outcome: 'matched' })
  })

  it('drops what a slow viewer does not take, and says how much', async function () {
    this.timeout(20_000)
    await using server = await startTestAdmin(admin())
    const viewer = await look(`${server.url}/tidings/v1/tail/default/default`)
    viewer.pause()
    const memoryBefore = process.memoryUsage().rss

    const long = { ...LINE, reason: 'x'.repeat(1_000) }
    for (let n = 0; n < 100; n++) {
      for (let i = 0; i < 1_000; i++) tell(long)
      await sleep(1)
    }
    const grownMiB = (process.memoryUsage().rss - memoryBefore) / 2 ** 20
    viewer.resume()
    const again = setInterval(() => tell(LINE), 20)
    const taken = { lines: 0, dropped: 0 }
    for await (const text of createInterface({ input: viewer })) {
      const line = JSON.parse(text)
      if (line.dropped) taken.dropped += line.dropped
      else if (line.reason) taken.lines++
      if (taken.lines + taken.dropped >= 100_000) break
    }
    clearInterval(again)
    viewer.destroy()

    assert.ok(taken.dropped > 50_000, `${taken.dropped} are dropped`)
    assert.ok(grownMiB < 64, `it grew by ${grownMiB} MiB`)
  })

  it('has headers without a viewer', async () => {
    await using server = await startTestAdmin(admin())
    const before = watching

    const response = await fetch(`${server.url}/tidings/v1/tail/default/default`, { method: 'HEAD' })

    assert.equal(response.status, 200)
    assert.equal(watching, before)
  })

  it('ends when the broker is gone', async () => {
    await using server = await startTestAdmin(admin())
    const viewer = await look(`${server.url}/tidings/v1/tail/default/default`)

    isOver = true
    const lines = await linesOf(viewer, 1)
    isOver = false

    assert.deepEqual(lines, [])
    await eventually(() => watching === 0, 'nothing is watched any more')
  })

  for (const [what, path, status, message] of [
    ['another broker', 'default/none', 404, 'no broker default/none'],
    ['an outcome that is none', 'default/default?outcome=lost', 400, /^outcome: expected one of matched, /],
    ['something unknown', 'default/default?name=a', 400, /^unknown parameter name: expected one of type, /],
    ['something twice', 'default/default?type=a&type=b', 400, 'type: expected it once'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await using server = await startTestAdmin(admin())

      const response = await fetch(`${server.url}/tidings/v1/tail/${path}`)
      const body = (await response.json()) as { message: string }

      assert.equal(response.status, status)
      if (typeof message === 'string') assert.equal(body.message, message)
      else assert.match(body.message, message)
    })
  }

  it('has room for so many viewers', async () => {
    await using server = await startTestAdmin(admin())
    const url = `${server.url}/tidings/v1/tail/default/default`
    const viewers = [await look(url), await look(url)]

    const refused = await fetch(url)
    viewers[0]?.destroy()
    await eventually(() => watching === 1, 'one has gone')
    const taken = await look(url)

    assert.equal(refused.status, 503)
    assert.match(((await refused.json()) as { message: string }).message, /^2 are looking already/)
    assert.equal(taken.statusCode, 200)
    for (const viewer of [...viewers, taken]) viewer.destroy()
  })
})

async function linesOf(viewer: IncomingMessage, count: number): Promise<unknown[]> {
  const lines: unknown[] = []
  for await (const text of createInterface({ input: viewer })) {
    lines.push(JSON.parse(text))
    if (lines.length === count) break
  }
  return lines
}
