import assert from 'node:assert/strict'
import type { Admin } from '../../src/runtime/admin.ts'
import type { DeadLetters, Letter, LetterGroup } from '../../src/runtime/dead-letters.ts'
import { anAdmin, startTestAdmin, triggerManifest } from '../support/admin.ts'

const AT = '2026-01-02T03:04:05.000Z'
const GROUP: LetterGroup = {
  log: { kind: 'Broker', namespace: 'shop', name: 'main' },
  reader: { kind: 'Trigger', namespace: 'shop', name: 'mail' },
  isReaderThere: true,
  code: '503',
  destination: 'http://u:p@a.example/b?token=c',
  count: 2,
  oldestAt: AT,
  newestAt: AT,
  types: [{ type: 't', count: 2 }],
  ids: ['1', '2'],
  text: 'down',
}

describe('/tidings/v1/deadletters', () => {
  /** What the runtime was asked for, and what the port answered. */
  async function ask(path: string, body?: unknown, answers: Partial<DeadLetters> = {}, manifests = '') {
    const asked: unknown[] = []
    const deadLetters: DeadLetters = {
      async list(selection) {
        asked.push(selection)
        return { groups: [GROUP], scanned: 2, isComplete: true }
      },
      async show(selection, most) {
        asked.push(selection, most)
        return []
      },
      async redrive(selection, options) {
        asked.push(selection, options)
        return [{ log: GROUP.log, reader: GROUP.reader, count: 2, id: 'a1', error: null }]
      },
      async discard(selection, options) {
        asked.push(selection, options)
        return 2
      },
      ...answers,
    }
    const admin: Admin = anAdmin(manifests, { deadLetters })
    await using server = await startTestAdmin(admin)
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`${server.url}/tidings/v1/deadletters${path}`, init)
    return { asked, status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('are shown one by one, without what may be a secret in any of their fields', async () => {
    const { log, reader, isReaderThere: _, code, destination, text } = GROUP
    const attributes = { id: '1', knativeerrordest: destination }
    const letter: Letter = { log, reader, code, destination, text, keptAt: AT, attributes, dataBase64: null }

    const { body } = await ask('/letters', undefined, { show: async () => [letter] })

    const shown = 'http://a.example/b'
    const printable = { ...letter, destination: shown, attributes: { id: '1', knativeerrordest: shown } }
    assert.deepEqual(body, { letters: [printable] })
  })

  it('are listed by cause, without what may be a secret', async () => {
    const { status, body } = await ask('')

    assert.equal(status, 200)
    assert.deepEqual(body, {
      groups: [{ ...GROUP, destination: 'http://a.example/b' }],
      scanned: 2,
      isComplete: true,
    })
  })

  const selections: readonly (readonly [query: string, selection: unknown])[] = [
    ['', {}],
    ['?namespace=shop', { namespace: 'shop' }],
    ['?namespace=shop&broker=main', { namespace: 'shop', kinds: ['Broker'], name: 'main' }],
    ['?namespace=shop&channel=c', { namespace: 'shop', kinds: ['InMemoryChannel', 'KafkaChannel'], name: 'c' }],
    [
      '?namespace=shop&source=s',
      { namespace: 'shop', kinds: ['PingSource', 'CronJobSource', 'CronJobSource'], name: 's' },
    ],
    ['?namespace=shop&trigger=t', { namespace: 'shop', kinds: ['Broker'], reader: 'shop/t' }],
    [
      '?namespace=shop&subscription=t',
      { namespace: 'shop', kinds: ['InMemoryChannel', 'KafkaChannel'], reader: 'shop/t' },
    ],
    [
      '?namespace=shop&broker=main&trigger=t&code=503&type=x.y&ids=1&ids=2',
      {
        namespace: 'shop',
        kinds: ['Broker'],
        name: 'main',
        reader: 'shop/t',
        code: '503',
        type: 'x.y',
        ids: ['1', '2'],
      },
    ],
    ['?ids=a%2F%20b', { ids: ['a/ b'] }],
  ]
  for (const [query, selection] of selections) {
    it(`are selected by ${query || 'nothing'}`, async () => {
      assert.deepEqual((await ask(query)).asked, [selection])
    })
  }

  const refused: readonly (readonly [query: string, message: RegExp])[] = [
    ['?brokr=main', /^unknown field "brokr": expected namespace, broker, channel, source, trigger, subscription, code/],
    ['?__proto__=x', /^unknown field "__proto__": expected /],
    ['?namespace=..', /^namespace: expected a name of a-z, 0-9 and -, at most 63 characters, got "\.\."$/],
    ['?namespace=shop&broker=A', /^broker: expected a name of a-z, 0-9, - and \., got "A"$/],
    ['?broker=main', /^broker: expected namespace beside it$/],
    ['?namespace=a&broker=b&channel=c', /^expected broker or channel, got both$/],
    ['?namespace=a&trigger=b&subscription=c', /^expected trigger or subscription, got both$/],
    ['?namespace=a&source=b&trigger=c', /^expected source or trigger, got both: a trigger reads a broker$/],
    ['?code=5xx', /^code: expected an HTTP status such as 503, got "5xx"$/],
    ['?type=', /^type: expected a text of 1 to 4096 characters, got ""$/],
    ['?type=a&type=b', /^type: expected a text/],
  ]
  for (const [query, message] of refused) {
    it(`are not listed by ${query}`, async () => {
      const { status, body, asked } = await ask(query)

      assert.equal(status, 400)
      assert.match(String(body['message']), message)
      assert.deepEqual(asked, [])
    })
  }

  const list = async () => ({ groups: [], scanned: 0, isComplete: true })

  it('are none for a trigger that is there and has none', async () => {
    const query = '?namespace=default&trigger=a'

    assert.equal((await ask(query, undefined, { list }, triggerManifest('a', 'http://a.example'))).status, 200)
  })

  it('tell a misspelled name from one that has none', async () => {
    const { status, body } = await ask('?namespace=shop&trigger=a', undefined, { list })

    assert.deepEqual(
      { status, body },
      { status: 404, body: { message: 'no trigger shop/a, and no events that failed for it' } },
    )
  })

  it('are shown, a few of them', async () => {
    assert.deepEqual((await ask('/letters?ids=1')).asked, [{ ids: ['1'] }, 20])
    assert.deepEqual((await ask('/letters?limit=100')).asked, [{}, 100])
    assert.equal(
      (await ask('/letters?limit=101')).body['message'],
      'limit: expected a whole number from 1 to 100, got "101"',
    )
  })

  it('are redriven', async () => {
    const { status, body, asked } = await ask('/redrive', { namespace: 'shop', trigger: 'mail', ratePerSecond: 0.5 })

    assert.equal(status, 200)
    assert.deepEqual(asked, [
      { namespace: 'shop', kinds: ['Broker'], reader: 'shop/mail' },
      { isDry: false, ratePerSecond: 0.5 },
    ])
    assert.deepEqual(body, {
      redriven: [{ log: GROUP.log, reader: GROUP.reader, count: 2, id: 'a1', error: null }],
    })
  })

  it('are discarded', async () => {
    const { body, asked } = await ask('/discard', { ids: ['1', '2'], dryRun: true })

    assert.deepEqual(asked, [{ ids: ['1', '2'] }, { isDry: true }])
    assert.deepEqual(body, { discarded: 2 })
  })

  for (const verb of ['redrive', 'discard']) {
    it(`are all meant by ${verb} only when that is said`, async () => {
      const none = await ask(`/${verb}`, { namespace: 'shop' })
      const both = await ask(`/${verb}`, { code: 503, all: true })

      assert.equal(none.status, 400)
      assert.equal(
        none.body['message'],
        'expected one of broker, channel, source, trigger, subscription, code, type, ids, or "all": true',
      )
      assert.equal(both.body['message'], 'expected all, or what narrows it down, got both')
      assert.deepEqual([...none.asked, ...both.asked], [])
      assert.deepEqual((await ask(`/${verb}`, { all: true })).asked, [{}, { isDry: false }])
    })
  }

  const wrong: readonly (readonly [body: unknown, message: string])[] = [
    [[], 'expected a JSON object'],
    [{ all: 'yes' }, 'all: expected true or false, got "yes"'],
    [{ all: true, dryRun: 1 }, 'dryRun: expected true or false, got 1'],
    [{ ids: [] }, 'ids: expected 1 to 1000 ids of events, got []'],
    [{ ids: [1] }, 'ids: expected 1 to 1000 ids of events, got [1]'],
    [
      { all: true, ratePerSecond: 0 },
      'ratePerSecond: expected a number of events a second above 0, at most 100000, got 0',
    ],
    [
      { all: true, ratePerSecond: 100_001 },
      'ratePerSecond: expected a number of events a second above 0, at most 100000, got 100001',
    ],
    [
      { all: true, ratePerSecond: '5' },
      'ratePerSecond: expected a number of events a second above 0, at most 100000, got "5"',
    ],
  ]
  for (const [body, message] of wrong) {
    it(`are not redriven by ${JSON.stringify(body)}`, async () => {
      const { asked, ...answer } = await ask('/redrive', body)

      assert.deepEqual(answer, { status: 400, body: { message } })
      assert.deepEqual(asked, [])
    })
  }

  it('are not redriven by more ids than a thousand', async () => {
    const { status } = await ask('/redrive', { ids: Array.from({ length: 1_001 }, (_, i) => String(i)) })

    assert.equal(status, 400)
  })

  it('are discarded without a rate', async () => {
    const { body } = await ask('/discard', { all: true, ratePerSecond: 5 })

    assert.match(String(body['message']), /^unknown field "ratePerSecond": expected /)
  })
})
