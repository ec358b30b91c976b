import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadManifests } from '../../src/resource/load.ts'
import type { Why, WhyTrigger } from '../../src/runtime/why.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const only = (type: string): string => `  filter: {attributes: {type: ${type}}}\n`
const RETRIES = '  delivery: {retry: 2, backoffPolicy: linear, backoffDelay: PT0.05S}\n'

describe('why an event arrived, or did not', function () {
  this.timeout(20_000)
  let taking: Subscriber
  let refusing: Subscriber

  beforeEach(async () => {
    taking = await startSubscriber()
    refusing = await startSubscriber({ status: 503 })
  })
  afterEach(async () => {
    await taking.close()
    await refusing.close()
  })

  async function why({ runtime }: TestRuntime, id = '1'): Promise<Why> {
    const found = await runtime.why('default', 'default', id)
    assert.ok(found)
    return found
  }
  const triggerOf = ({ events }: Why, name: string): WhyTrigger | undefined =>
    events[0]?.triggers.find((trigger) => trigger.name === name)
  const apply = async ({ runtime }: TestRuntime, manifests: string): Promise<void> => {
    for (const { resource } of loadManifests(manifests, 'later.yaml').resources)
      runtime.resources.put(resource, 'later')
    await runtime.settled()
  }

  it('tells of each trigger whether it matched, why not, and what was attempted', async () => {
    await using tidings = await startTestRuntime(
      aTrigger('a', taking.url) +
        aTrigger('b', taking.url, only('order.createt')) +
        aTrigger('c', refusing.url, RETRIES),
    )
    await tidings.send(anEvent({ id: '1' }))
    await taking.received(1)
    await refusing.received(3)
    await eventually(async () => triggerOf(await why(tidings), 'c')?.state === 'kept', 'it is kept')

    const found = await why(tidings)
    const [a, b, c] = ['a', 'b', 'c'].map((name) => triggerOf(found, name))

    assert.equal(found.events.length, 1)
    assert.deepEqual(found.triggers, ['a', 'b', 'c'])
    assert.deepEqual([a?.matches, a?.state, a?.misses], [true, 'delivered', []])
    assert.deepEqual(
      a?.attempts.map(({ status, to, outcome }) => [status, to, outcome]),
      [[202, 'subscriber', 'delivered']],
    )
    assert.ok((a?.attempts[0]?.ms ?? 0) > 0)
    assert.deepEqual([b?.matches, b?.state, b?.attempts], [false, null, []])
    assert.equal(b?.misses[0]?.difference, 'has "created" where the filter has "createt"')
    assert.deepEqual(
      c?.attempts.map(({ status, to, outcome, retryInMs }) => [status, to, outcome, retryInMs]),
      [
        [503, 'subscriber', 'failed', 50],
        [503, 'subscriber', 'failed', 100],
        [503, 'subscriber', 'failed', null],
        [null, 'dead-letter', 'kept', null],
      ],
    )
    assert.match(c?.attempts[0]?.reason ?? '', /answered 503/)
  })

  it('tells where it waits, since when it is tried, and what holds it', async () => {
    await using tidings = await startTestRuntime(
      aTrigger('waits', refusing.url, '  delivery: {retry: 9, backoffPolicy: linear, backoffDelay: PT60S}\n') +
        aTrigger('paused', taking.url),
    )
    await tidings.runtime.setTriggerPaused('default', 'paused', true)
    await tidings.send(anEvent({ id: '1' }))
    await refusing.received(1)
    await eventually(async () => triggerOf(await why(tidings), 'waits')?.waiting?.attempts === 1, 'it waits')

    const found = await why(tidings)
    const waits = triggerOf(found, 'waits')
    const paused = triggerOf(found, 'paused')

    assert.equal(waits?.state, 'waiting')
    const dueIn = Date.parse(waits?.waiting?.dueAt ?? '') - Date.now()
    assert.ok(dueIn > 50_000 && dueIn <= 60_000, `due in ${dueIn} ms`)
    assert.deepEqual([paused?.state, paused?.held], ['waiting', 'it is paused'])
  })

  it('names what failed of a filter, and with the change that it tells of the next event matches', async () => {
    const filter = (type: string, source: string) => `  filter: {attributes: {type: ${type}, source: ${source}}}\n`
    await using tidings = await startTestRuntime(
      aTrigger('github', taking.url, filter('dev.knative.github.push', 'github.com/mon-repo')),
    )
    const push = { type: 'dev.knative.source.github.push', source: 'https://github.com/acme/mon-repo' }
    await tidings.send(anEvent({ id: '1', ...push }))
    await eventually(async () => (await why(tidings)).events.length === 1, 'it is there')

    const missed = triggerOf(await why(tidings), 'github')
    const [type, source] = (missed?.misses ?? []).map(({ change }) => /write "(.*)" at/.exec(change ?? '')?.[1] ?? '')
    await apply(tidings, aTrigger('github', taking.url, filter(type ?? '', source ?? '')))
    await tidings.send(anEvent({ id: '2', ...push }))
    await taking.received(1)

    assert.deepEqual(
      missed?.misses.map(({ path, difference }) => [path, difference]),
      [
        ['filter.attributes.type', 'differs by "source.", which only the event has'],
        ['filter.attributes.source', 'differs by "https://" and "/acme", which only the event has'],
      ],
    )
    assert.equal(triggerOf(await why(tidings, '2'), 'github')?.matches, true)
  })

  it('tells of many that it does not match those that lack least, and counts the others', async () => {
    const many = Array.from({ length: 130 }, (_, i) => aTrigger(`m${i}`, taking.url, only(`another.${i}`)))
    await using tidings = await startTestRuntime(many.join('') + aTrigger('near', taking.url, only('order.creates')))
    await tidings.send(anEvent({ id: '1' }))
    await eventually(async () => (await why(tidings)).events.length === 1, 'it is there')

    const [event] = (await why(tidings)).events
    const asked = await tidings.runtime.why('default', 'default', '1', 'm129')

    assert.deepEqual([event?.triggers.length, event?.others, event?.triggers[0]?.name], [100, 31, 'near'])
    assert.deepEqual(
      asked?.events[0]?.triggers.map(({ name, misses }) => [name, misses.length]),
      [['m129', 1]],
    )
  })

  it('says what is remembered of one that is settled and gone', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', taking.url), { 'channel.memory.retentionBytes': '0' })
    await tidings.send(anEvent({ id: '1' }))
    await taking.received(1)
    await eventually(async () => (await why(tidings)).events[0]?.position === null, 'it is gone')

    const { events } = await why(tidings)

    assert.equal(events[0]?.attributes, null)
    assert.deepEqual([events[0]?.triggers[0]?.matches, events[0]?.triggers[0]?.state], [null, 'delivered'])
  })

  it('names of one that is gone those that have something to say of it, and counts the others', async () => {
    const many = Array.from({ length: 130 }, (_, i) => aTrigger(`m${i}`, taking.url, only(`another.${i}`)))
    await using tidings = await startTestRuntime(many.join('') + aTrigger('taking', taking.url, only('t')), {
      'channel.memory.retentionBytes': '0',
    })
    await tidings.send(anEvent({ id: '1', type: 't' }))
    await taking.received(1)
    await eventually(async () => (await why(tidings)).events[0]?.position === null, 'it is gone')

    const [event] = (await why(tidings)).events

    assert.deepEqual([event?.triggers.length, event?.others, event?.triggers[0]?.name], [101, 30, 'taking'])
  })

  it('knows events apart whose ids and sources are long, and begin alike', async () => {
    const [id, source] = ['1'.repeat(1_000), `/${'s'.repeat(1_000)}`]
    await using tidings = await startTestRuntime(aTrigger('a', taking.url))
    await tidings.send(anEvent({ id: `${id}2`, source }))
    await tidings.send(anEvent({ id: `${id}3`, source }))
    await tidings.send(anEvent({ id: `${id}3`, source: `${source}/2` }))
    await taking.received(3)
    await eventually(
      async () => (await why(tidings, `${id}3`)).events.every(({ triggers }) => triggers[0]?.attempts.length),
      'told',
    )

    const events = [...(await why(tidings, `${id}2`)).events, ...(await why(tidings, `${id}3`)).events]

    assert.deepEqual(
      events.map(({ source, position, triggers }) => [source, position !== null, triggers[0]?.attempts.length]),
      [
        [source, true, 1],
        [source, true, 1],
        [`${source}/2`, true, 1],
      ],
    )
  })

  it('tells an event that was sent twice apart by when it arrived', async () => {
    await using changing = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('a', changing.url, '  delivery: {retry: 0}\n'))
    const states = async (): Promise<unknown> =>
      (await why(tidings)).events.map(({ triggers: [a] }) => [a?.state, a?.attempts.length])
    await tidings.send(anEvent({ id: '1' }))
    await eventually(async () => (await why(tidings)).events[0]?.triggers[0]?.attempts.length === 1, 'it is told')
    changing.script({ status: 503 })
    const [first] = (await why(tidings)).events
    await eventually(() => Date.now() > Date.parse(first?.arrivedAt ?? ''), 'the next one arrives later')
    await tidings.send(anEvent({ id: '1' }))
    await eventually(async () => (await why(tidings)).events[1]?.triggers[0]?.state === 'kept', 'it is kept')

    assert.deepEqual(await states(), [
      ['delivered', 1],
      ['kept', 2],
    ])
  })

  it('tells several events with one id apart by their sources', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', taking.url))
    await tidings.send(anEvent({ id: '1', source: '/a' }))
    await tidings.send(anEvent({ id: '1', source: '/b' }))
    await taking.received(2)
    await eventually(
      async () => (await why(tidings)).events.every(({ triggers }) => triggers[0]?.attempts.length === 1),
      'told',
    )

    assert.deepEqual(
      (await why(tidings)).events.map(({ source }) => source),
      ['/a', '/b'],
    )
  })

  it('remembers attempts up to a bound, and says since when', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', taking.url), { 'explain.attempts': '3' })
    for (const id of ['1', '2', '3', '4', '5']) await tidings.send(anEvent({ id }))
    await taking.received(5)

    const remembered = async (id: string): Promise<number> =>
      triggerOf(await why(tidings, id), 'a')?.attempts.length ?? 0
    await eventually(async () => (await remembered('5')) === 1, 'the last is remembered')

    assert.deepEqual([await remembered('1'), await remembered('2'), await remembered('3')], [0, 0, 1])
    assert.equal(triggerOf(await why(tidings, '1'), 'a')?.state, 'settled')
  })

  it('knows after a restart what the log and the dead-letter log know', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'tidings-'))
    const manifests = aTrigger('a', taking.url) + aTrigger('b', refusing.url, '  delivery: {retry: 0}\n')
    {
      await using before = await startTestRuntime(manifests, { dataDir: dir })
      await before.send(anEvent({ id: '1' }))
      await eventually(async () => triggerOf(await why(before), 'b')?.state === 'kept', 'it is kept')
    }
    await using tidings = await startTestRuntime(manifests, { dataDir: dir })
    const found = await why(tidings)
    await tidings[Symbol.asyncDispose]()
    await rm(dir, { recursive: true })

    assert.deepEqual(
      found.events[0]?.triggers.map(({ name, state, attempts }) => [name, state, attempts.length]),
      [
        ['a', 'settled', 0],
        ['b', 'kept', 0],
      ],
    )
  })

  it('knows nothing of what never came, and no broker that is not there', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', taking.url))

    assert.deepEqual((await why(tidings, 'never')).events, [])
    assert.equal(await tidings.runtime.why('default', 'none', '1'), undefined)
  })
})
