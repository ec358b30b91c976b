import assert from 'node:assert/strict'
import { type OpenBroker, openBroker } from '../../src/broker/broker.ts'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import { Budget } from '../../src/core/budget.ts'
import { describeStatus, type RuntimeStatus } from '../../src/runtime/status.ts'
import { createFakeClock } from '../support/clock.ts'

const MIB = 2 ** 20

function anOpenBroker(): Promise<OpenBroker> {
  const clock = createFakeClock()
  return openBroker({
    uid: 'u',
    namespace: 'shop',
    name: 'main',
    logName: 'shop/main',
    store: openMemoryStore({ maxEventBytes: MIB, clock }),
    clock,
    budget: new Budget(MIB),
    log: { capBytes: MIB },
    deadLetterLog: { capBytes: MIB },
    channel: {},
    onFault: () => assert.fail('nothing fails'),
  })
}

function statusOf(broker: OpenBroker): Promise<RuntimeStatus> {
  return describeStatus({
    ready: true,
    dataUrl: 'http://d',
    backend: 'memory',
    directory: undefined,
    brokers: [{ open: broker, url: 'http://d/shop/main' }],
    channels: [],
    kept: [],
    keptCursors: [],
    triggers: [],
    subscriptions: [],
    sources: [],
    cursor: () => undefined,
    conditions: () => [],
    reruns: [],
    resources: [],
    manifestProblems: [],
  })
}

describe('the status of a broker', () => {
  it('has no problem when nothing happened', async () => {
    const { brokers, problems } = await statusOf(await anOpenBroker())

    assert.deepEqual(problems, [])
    assert.deepEqual(brokers, [
      {
        namespace: 'shop',
        name: 'main',
        url: 'http://d/shop/main',
        accepted: 0,
        unmatched: 0,
        settled: 0,
        waiting: 0,
        expired: 0,
        repliesWaiting: 0,
        log: { backend: 'memory', bytes: 0, retainedBytes: 0, capBytes: MIB, retentionBytes: 0, floorHolder: null },
        deadLetters: { waiting: 0, expired: 0, bytes: 0, capBytes: MIB, isFull: false },
      },
    ])
  })

  for (const [expired, says] of [
    [1, 'broker shop/main: 1 event was given up by its log before all triggers had settled it'],
    [3, 'broker shop/main: 3 events were given up by its log before all triggers had settled them'],
  ] as const) {
    it(`tells of ${expired} expired`, async () => {
      const broker = await anOpenBroker()
      const channel = { ...broker.channel, status: () => ({ ...broker.channel.status(), expired }) }

      const { brokers, problems } = await statusOf({ ...broker, channel })

      assert.equal(brokers[0]?.expired, expired)
      assert.deepEqual(problems, [says])
    })
  }

  for (const [waiting, says] of [
    [1, 'broker shop/main: 1 reply waits for room in its log (LOG_FULL)'],
    [2, 'broker shop/main: 2 replies wait for room in its log (LOG_FULL)'],
  ] as const) {
    it(`tells of ${waiting} waiting for room`, async () => {
      const broker = await anOpenBroker()

      const { brokers, problems } = await statusOf({ ...broker, room: { ...broker.room, waiting } })

      assert.equal(brokers[0]?.repliesWaiting, waiting)
      assert.deepEqual(problems, [says])
    })
  }
})
