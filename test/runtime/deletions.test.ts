// What is accepted or waits while its Broker is deleted, on a disk: an event takes a while to be stored there.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createClock } from '../../src/core/clock.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type ReceivedRequest, startSubscriber } from '../support/subscriber.ts'

const BROKER = '---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n'
const KSERVICE = 'ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: handler}'
const brokerKey = keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'default')

const aService = (url: string): string => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: handler, annotations: {tidings.dev/url: '${url}'}}
spec: {}
`
const idsOf = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ headers }) => String(headers['ce-id']))

async function apply({ runtime }: TestRuntime, manifests: string): Promise<void> {
  for (const { resource } of loadManifests(manifests, 'later.yaml').resources)
    runtime.resources.put(resource, 'later:1')
  await runtime.settled()
}

async function deleteBroker({ runtime }: TestRuntime): Promise<void> {
  runtime.resources.delete(brokerKey)
  await runtime.settled()
}

describe('a Broker that is deleted, with its events on a disk', () => {
  const clock = createClock()
  let settings: Record<string, string>

  beforeEach(async () => {
    settings = { 'data-dir': await mkdtemp(path.join(tmpdir(), 'tidings-deletions-')) }
  })
  afterEach(() => rm(settings['data-dir'] ?? '', { recursive: true }))

  it('delivers what it was storing then once it is back', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url), settings)
    const accepted: string[] = []
    const sendAt = async (id: string, afterMs: number): Promise<void> => {
      await clock.sleep(afterMs)
      if ((await tidings.send(anEvent({ id }))).status === 202) accepted.push(id)
    }

    for (let round = 0; round < 12; round++) {
      const sending = Array.from({ length: 40 }, (_, i) => sendAt(`${round}-${i}`, i / 2))
      await clock.sleep(2 * round)
      await deleteBroker(tidings)
      await Promise.all(sending)
      await apply(tidings, BROKER)
    }

    assert.ok(accepted.length > 0)
    await eventually(() => subscriber.requests.length >= accepted.length, 'all that was accepted came')
    assert.deepEqual(idsOf(subscriber.requests).toSorted(), accepted.toSorted())
  })

  it('keeps what waited in it before a restart', async () => {
    await using subscriber = await startSubscriber()
    const trigger = aTrigger('t', 'x').replace('uri: x', KSERVICE)
    {
      await using before = await startTestRuntime(trigger + BROKER, settings)
      for (const id of ['1', '2']) assert.equal((await before.send(anEvent({ id }))).status, 202)
    }
    await using tidings = await startTestRuntime(trigger + BROKER, settings)

    await deleteBroker(tidings)
    await apply(tidings, aService(subscriber.url) + BROKER)
    await subscriber.received(2)

    assert.deepEqual(idsOf(subscriber.requests).toSorted(), ['1', '2'])
  })
})
