import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadManifests } from '../../src/resource/load.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'

const NO_RETRY = '  delivery: {retry: 0}\n'

describe('an event that is looked for', function () {
  this.timeout(20_000)
  let a: Subscriber
  let b: Subscriber

  beforeEach(async () => {
    a = await startSubscriber()
    b = await startSubscriber({ status: 500 })
  })
  afterEach(async () => {
    await a.close()
    await b.close()
  })

  async function standing(tidings: TestRuntime): Promise<readonly string[]> {
    const found = await tidings.runtime.findEvents('default', 'default', '1')
    return found?.[0]?.triggers.map(({ name, state }) => `${name} ${state}`) ?? []
  }
  const isKept = (tidings: TestRuntime): Promise<void> =>
    eventually(async () => (await tidings.broker()).deadLetters.waiting === 1, 'it is kept')

  it('is kept with the trigger that nobody took it for, until it is redriven', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY))
    await tidings.send(anEvent({ id: '1' }))
    await a.received(1)
    await isKept(tidings)

    assert.deepEqual(await standing(tidings), ['a settled', 'b kept'])
    b.script({ status: 202 })
    await tidings.runtime.deadLetters.redrive({}, { isDry: false })
    await eventually(async () => (await tidings.broker()).deadLetters.waiting === 0, 'it is redriven')

    assert.deepEqual(await standing(tidings), ['a settled', 'b settled'])
  })

  it('is not for a trigger that came after it, unless that begins before', async () => {
    await using tidings = await startTestRuntime(aTrigger('a', a.url, NO_RETRY))
    await tidings.send(anEvent({ id: '1' }))
    await a.received(1)
    await sleep(1_050) // creation is told in whole seconds
    const annotations = '  annotations: {tidings.dev/start-at: earliest}\n'
    const early = aTrigger('early', a.url, NO_RETRY).replace('  name: early\n', `  name: early\n${annotations}`)
    const { resources } = loadManifests(early + aTrigger('late', a.url, NO_RETRY), 'more.yaml')
    for (const { resource } of resources) tidings.runtime.resources.put(resource, 'more.yaml')
    await tidings.runtime.settled()
    await a.received(2)

    await eventually(async () => (await standing(tidings)).join() === 'a settled,early settled', 'it is settled')
  })

  it('stands after a restart where it stood', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'tidings-find-'))
    const settings = { channel: 'disk', 'data-dir': dataDir }
    const manifests = aTrigger('a', a.url, NO_RETRY) + aTrigger('b', b.url, NO_RETRY)
    try {
      {
        await using tidings = await startTestRuntime(manifests, settings)
        await tidings.send(anEvent({ id: '1' }))
        await a.received(1)
        await isKept(tidings)
      }
      await sleep(1_050)
      await using tidings = await startTestRuntime(manifests, settings)

      assert.deepEqual(await standing(tidings), ['a settled', 'b kept'])
    } finally {
      await rm(dataDir, { recursive: true })
    }
  })
})
