import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import type { LogStore } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import { decodeRequest } from '../../src/http/decode.ts'
import { anyEvent } from '../support/any-event.ts'
import { anEvent } from '../support/builders.ts'
import { run } from '../support/command.ts'

const ORDERS = { uid: 'u-1', name: 'shop/orders' }
const MAILS = { uid: 'u-2', name: 'shop/mails' }
const config = { capBytes: 2 ** 24 }

describe('tidings log dump', () => {
  let folder = ''
  let dir = ''

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-dump-'))
    dir = path.join(folder, 'data')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const open = (): ReturnType<typeof openDiskStore> =>
    openDiskStore({
      dir,
      clock: createClock(),
      onFault: assert.fail,
      reserveBytes: 0,
      segmentBytes: 1_024,
      journalBytes: 2_048,
    })
  async function append(store: LogStore, ref: typeof ORDERS, events: readonly Event[]): Promise<void> {
    const log = await store.open(ref, config)
    await log.createCursor('c', 'earliest')
    for (const event of events) await log.append(event)
  }
  const dump = (...more: string[]) => run(['log', 'dump', dir, ...more])
  const linesOf = (out: string): string[] => out.split('\n').slice(0, -1)
  const aHundred = (what: string): Event[] =>
    Array.from({ length: 100 }, (_, i) => anEvent({ id: `${what}-${i}` }, { data: '{"n":1}' }))

  it('prints a line for each event of a directory in use, and changes nothing', async () => {
    const store = await open()
    await append(store, ORDERS, [anEvent({ id: '1' }, { data: '{\n"a":\t"\u001b[2J"}' }), anEvent({ id: '2' })])
    await append(store, MAILS, [anEvent({ id: '3' }, { data: Buffer.from([0xff]) })])

    const { code, out, err } = await dump()

    assert.deepEqual([code, err], [0, ''])
    const at = '2026-01-02T03:04:05.678Z   order.created   /orders'
    assert.deepEqual(linesOf(out), [
      `shop/orders   0   ${at}   1   { "a": "·[2J"}`,
      `shop/orders   1   ${at}   2   no data`,
      `shop/mails   0   ${at}   3   1 bytes`,
    ])
    await store.close()
  })

  it('prints what was appended, from journal and backlog, whatever it was', async function () {
    this.timeout(60_000)
    let hadBacklog = false
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent(), { minLength: 1, maxLength: 60 }), async (events) => {
        await rm(dir, { recursive: true, force: true })
        const store = await open()
        await append(store, ORDERS, events)
        await append(store, MAILS, events.slice(0, 5))

        const { out } = await dump('--log', 'shop/orders', '-o', 'json')

        await store.close()
        hadBacklog ||= readdirSync(path.join(dir, 'backlog')).length > 0
        assert.deepEqual(linesOf(out).map(readLine), events)
        assert.deepEqual(
          linesOf(out).map((line) => JSON.parse(line).position),
          events.map((_, position) => position),
        )
      }),
      { numRuns: 15 },
    )
    assert.ok(hadBacklog)
  })

  it('says of each event where it stood, and which headers travel with it', async () => {
    const store = await open()
    await append(store, ORDERS, [anEvent({ id: '1' }, { headers: ['traceparent', '00-1'] })])
    await store.close()

    const { out } = await dump('-o', 'json')

    assert.deepEqual(JSON.parse(out), {
      log: 'shop/orders',
      lane: '0',
      position: 0,
      arrivedAt: '2026-01-02T03:04:05.678Z',
      headers: ['traceparent', '00-1'],
      event: { specversion: '1.0', id: '1', source: '/orders', type: 'order.created' },
    })
  })

  it('prints from one position to another', async () => {
    const store = await open()
    await append(store, ORDERS, aHundred('o'))
    await append(store, MAILS, aHundred('m'))
    await store.close()

    const { out } = await dump('--log', 'shop/orders', '--from', '7', '--to', '9', '-o', 'json')

    assert.deepEqual(
      linesOf(out).map((line) => JSON.parse(line).event.id),
      ['o-7', 'o-8', 'o-9'],
    )
  })

  it('leaves out what was removed, and what was given up', async () => {
    const store = await open()
    await append(store, MAILS, aHundred('m'))
    const log = await store.open(ORDERS, { ...config, expiry: { bytes: 10_000, ms: Infinity } })
    for (const event of aHundred('o')) await log.append(event)
    const [lane] = await log.lanes()
    await store.remove(MAILS)

    const { out } = await dump('-o', 'json')

    const ids = linesOf(out).map((line) => JSON.parse(line).event.id)
    assert.deepEqual([ids[0], ids.at(-1), ids.length], [`o-${lane?.start}`, 'o-99', 100 - (lane?.start ?? 0)])
    await store.close()
  })

  it('has every record with where it stands, and needs no checkpoint for that', async () => {
    const store = await open()
    await append(store, ORDERS, [anEvent({ id: '1' })])
    await store.values.put('pause/x', '\u001b')
    await store.remove(ORDERS)
    await store.close()
    await writeFile(path.join(dir, 'checkpoint'), 'nothing')

    const { code, out } = await dump('--raw')
    const json = await dump('--raw', '-o', 'json')

    assert.equal(code, 0)
    const file = path.join(dir, 'journal/0000000001.journal')
    assert.deepEqual(
      linesOf(out).map((line) => line.replace(/^\S+:\d+:/, (at) => (at.startsWith(`${file}:`) ? 'AT' : at))),
      [
        'AT   open   log="#1"   uid="u-1"   name="shop/orders"',
        'AT   create   log="#1"   id="c"   floor=0',
        'AT   entry   #1   0   2026-01-02T03:04:05.678Z   order.created   /orders   1   no data',
        'AT   put   key="pause/x"   value="\\u001b"',
        'AT   remove   log="#1"',
      ],
    )
    assert.deepEqual(JSON.parse(linesOf(json.out)[2] ?? ''), {
      file,
      offset: Number(/:(\d+): {3}entry/.exec(out)?.[1]),
      kind: 'entry',
      log: '#1',
      lane: '0',
      position: 0,
      arrivedAt: '2026-01-02T03:04:05.678Z',
      event: { specversion: '1.0', id: '1', source: '/orders', type: 'order.created' },
    })
  })

  it('says of damage where it is, prints the rest, and fails', async () => {
    const store = await open()
    await append(store, ORDERS, [anEvent({ id: '1' }), anEvent({ id: '2' })])
    const whole = await dump('--raw')
    await store.close()
    const offset = Number(/:(\d+): {3}entry .* {3}1 {3}no data/.exec(whole.out)?.[1])
    const file = path.join(dir, 'journal/0000000001.journal')
    await damage(file, offset + 20)

    const { code, out, err } = await dump()

    assert.equal(code, 1)
    assert.equal(linesOf(out).length, 1)
    assert.match(err, new RegExp(`^${file}:${offset}: damaged up to \\d+\n$`))
  })

  const refused = [
    {
      flags: ['--log', 'shop/none'],
      says: "there is no log 'shop/none'\nThose that are there: shop/mails, shop/orders\n",
    },
    { flags: ['--from', '-1'], says: /--from/ },
    { flags: ['--to', 'x\u001b'], says: "--to: expected a position such as 0 or 1204, got 'x·'\n" },
  ]
  for (const { flags, says } of refused) {
    it(`refuses ${JSON.stringify(flags)}`, async () => {
      const store = await open()
      await append(store, ORDERS, [])
      await append(store, MAILS, [])
      await store.close()

      const { code, out, err } = await dump(...flags)

      assert.deepEqual([code, out], [1, ''])
      if (typeof says === 'string') assert.equal(err, says)
      else assert.match(err, says)
    })
  }
})

/** The event that a line is when it is sent. */
function readLine(line: string): Event | undefined {
  const { headers = [], arrivedAt } = JSON.parse(line)
  const text = line.slice(line.indexOf('"event":') + '"event":'.length, -1)
  const sent = ['content-type', 'application/cloudevents+json', ...headers]
  const options = { allowBatch: false, arrivedAt: Date.parse(arrivedAt), maxEventBytes: 2 ** 20 }
  return decodeRequest(sent, Buffer.from(text), options)[0]
}

async function damage(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at] = ~(bytes[at] as number)
  await writeFile(file, bytes)
}
