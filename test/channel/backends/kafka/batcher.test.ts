import assert from 'node:assert/strict'
import { createBatcher } from '../../../../src/channel/backends/kafka/batcher.ts'
import type { Message } from '../../../../src/channel/backends/kafka/client.ts'
import { partitionOf } from '../../../../src/channel/backends/kafka/murmur2.ts'
import { EventingError } from '../../../../src/core/errors.ts'

type Parts = ReadonlyMap<number, readonly Message[]>

describe('appends to a topic', () => {
  it('resolve with the first offset of their batch and their place in it', async () => {
    const { batcher, answer } = aBatcher()

    const places = ['a', 'b', 'c'].map((value) => batcher.append(aMessage(value), 'key', 10))
    await answer(new Map([[0, 70]]))

    assert.deepEqual(
      (await Promise.all(places)).map(({ offset }) => offset),
      [70, 71, 72],
    )
  })

  it('go together while another request is under way, in the order in which they came', async () => {
    const { batcher, answer, requests } = aBatcher()
    const first = batcher.append(aMessage('a'), 'key', 10)
    await turn()
    const rest = ['b', 'c', 'd'].map((value) => batcher.append(aMessage(value), 'key', 10))
    await turn()
    assert.equal(requests.length, 1)

    await answer(new Map([[0, 0]]))
    await answer(new Map([[0, 1]]))

    assert.deepEqual(requests.map(valuesOf), [['a'], ['b', 'c', 'd']])
    assert.deepEqual(
      (await Promise.all([first, ...rest])).map(({ offset }) => offset),
      [0, 1, 2, 3],
    )
  })

  it('of more than a batch go in several requests, one after the other', async () => {
    const { batcher, answer, requests } = aBatcher({ batchBytes: 100 })

    const places = ['a', 'b', 'c'].map((value) => batcher.append(aMessage(value), 'key', 40))
    await answer(new Map([[0, 0]]))
    await answer(new Map([[0, 2]]))

    await Promise.all(places)
    assert.deepEqual(requests.map(valuesOf), [['a', 'b'], ['c']])
  })

  it('wait for no other node', async () => {
    const { batcher, answer, requests } = aBatcher({ partitions: 2, leaderOf: (partition) => partition })
    const [zero, one] = keysOf(2)
    void batcher.append(aMessage('a'), zero, 10)
    await turn()

    const other = batcher.append(aMessage('b'), one, 10)
    await turn()
    assert.equal(requests.length, 2)

    await answer(new Map([[1, 5]]), 1)
    assert.deepEqual(await other, { partition: 1, offset: 5 })
  })

  it('wait for what is under way of their partition, though another node leads it by now', async () => {
    let leader = 1
    const { batcher, answer, requests } = aBatcher({ leaderOf: () => leader })
    const first = batcher.append(aMessage('a'), 'key', 10)
    await turn()

    leader = 2
    const second = batcher.append(aMessage('b'), 'key', 10)
    await turn()
    assert.equal(requests.length, 1)

    await answer(new Map([[0, 5]]))
    await answer(new Map([[0, 6]]))
    assert.deepEqual([(await first).offset, (await second).offset], [5, 6])
  })

  it('of one key go to one partition, and without a key to all of them', async () => {
    const { batcher, answer, requests } = aBatcher({ partitions: 3 })

    for (let sent = 0; sent < 6; sent++) {
      void batcher.append(aMessage('x'), undefined, 10)
      await turn()
      await answer(new Map([0, 1, 2].map((partition) => [partition, sent])), sent)
    }

    const partitions = requests.flatMap((parts) => [...parts.keys()])
    assert.deepEqual(partitions, [0, 1, 2, 0, 1, 2])
  })

  it('are refused one by one where one is too large for the topic', async () => {
    const { batcher, refuse, answer } = aBatcher()
    const places = Promise.allSettled([
      batcher.append(aMessage('small'), 'key', 10),
      batcher.append(aMessage('large'), 'key', 10),
    ])
    await turn()

    await refuse(new EventingError('EVENT_TOO_LARGE', 'too large'))
    await answer(new Map([[0, 7]]), 1)
    await refuse(new EventingError('EVENT_TOO_LARGE', 'too large'), 2)

    const [small, large] = await places
    assert.deepEqual(small?.status === 'fulfilled' && small.value, { partition: 0, offset: 7 })
    assert.equal(large?.status, 'rejected')
  })

  it('are refused while too much waits to be written', async () => {
    const { batcher, answer } = aBatcher({ bufferBytes: 100 })
    const first = batcher.append(aMessage('a'), 'key', 90)

    await assert.rejects(batcher.append(aMessage('b'), 'key', 20), { code: 'LOG_UNAVAILABLE', retryable: true })

    await answer(new Map([[0, 0]]))
    await first
    const next = batcher.append(aMessage('c'), 'key', 20)
    await answer(new Map([[0, 1]]), 1)
    await next
  })

  it('are over once it ended', async () => {
    const { batcher, answer } = aBatcher()
    const underWay = batcher.append(aMessage('a'), 'key', 10)
    await turn()
    const waiting = batcher.append(aMessage('b'), 'key', 10)
    const gone = new EventingError('LOG_GONE', 'removed')

    batcher.end(gone)

    await assert.rejects(waiting, { code: 'LOG_GONE' })
    await assert.rejects(batcher.append(aMessage('c'), 'key', 10), { code: 'LOG_GONE' })
    await answer(new Map([[0, 0]]))
    await underWay
  })
})

interface Options {
  readonly batchBytes?: number
  readonly bufferBytes?: number
  readonly partitions?: number
  readonly leaderOf?: (partition: number) => number
}

function aBatcher({ batchBytes = 1_000, bufferBytes = 10_000, partitions = 1, leaderOf = () => 1 }: Options = {}) {
  const requests: Parts[] = []
  const answers: { resolve(offsets: ReadonlyMap<number, number>): void; reject(error: Error): void }[] = []
  const batcher = createBatcher({
    name: 'a log',
    batchBytes,
    bufferBytes,
    partitions: () => partitions,
    leaderOf: async (partition) => leaderOf(partition),
    send: (parts) =>
      new Promise((resolve, reject) => {
        requests.push(parts)
        answers.push({ resolve, reject })
      }),
  })
  let answered = 0
  return {
    batcher,
    requests,
    async answer(offsets: ReadonlyMap<number, number>, nth = answered) {
      await turn()
      answered = nth + 1
      answers[nth]?.resolve(offsets)
      await turn()
    },
    async refuse(error: Error, nth = answered) {
      await turn()
      answered = nth + 1
      answers[nth]?.reject(error)
      await turn()
    },
  }
}

function aMessage(value: string): Message {
  return { key: null, value }
}

function valuesOf(parts: Parts): unknown[] {
  return [...parts.values()].flatMap((messages) => messages.map(({ value }) => value))
}

/** A key for each of so many partitions. */
function keysOf(partitions: number): readonly string[] {
  const keys: string[] = []
  for (let n = 0; keys.filter((key) => key !== undefined).length < partitions; n++) {
    keys[partitionOf(`key-${n}`, partitions)] ??= `key-${n}`
  }
  return keys
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
