import assert from 'node:assert/strict'
import type { CursorPartition } from '../../../../src/channel/backends/kafka/cursor-partition.ts'
import type { Feeds } from '../../../../src/channel/backends/kafka/feeds.ts'
import { createKafkaLane } from '../../../../src/channel/backends/kafka/kafka-lane.ts'
import { createLeftovers } from '../../../../src/channel/backends/kafka/leftovers.ts'
import { type Reading, readLane } from '../../../../src/channel/backends/kafka/read-lane.ts'
import { encodeRecord } from '../../../../src/channel/backends/kafka/record.ts'
import { type FetchedMessage, recordsOf } from '../../../../src/channel/backends/kafka/records.ts'
import type { Fetched, Wire } from '../../../../src/channel/backends/kafka/wire.ts'
import { EventingError } from '../../../../src/core/errors.ts'
import { anEvent } from '../../../support/builders.ts'

const ENTRIES = 100

describe('a lane in Kafka, read behind its head', () => {
  it('goes on in what was fetched before', async () => {
    const { reading, asked } = aReading()

    const first = await firstBatch(reading, 0)
    const second = await firstBatch(reading, 20)

    assert.deepEqual([first[0]?.position, second[0]?.position, asked], [0, 20, [0]])
  })

  it('asks again for what it cannot read', async () => {
    const { reading, asked } = aReading([brokenAnswer()])

    await assert.rejects(firstBatch(reading, 0), { code: 'LOG_UNAVAILABLE' })
    const read = await firstBatch(reading, 0)

    assert.deepEqual([read[0]?.position, asked], [0, [0, 0]])
  })

  it('keeps nothing of a log that was closed', async () => {
    const closing = new AbortController()
    const { reading, leftovers } = aReading([], closing.signal)
    const batches = readLane(reading, 0, new AbortController().signal)
    await batches.next()

    closing.abort()
    await batches.return(undefined)

    assert.equal(leftovers.take(reading.lane, 50), undefined)
  })
})

function aReading(answers: Fetched[] = [], closed = new AbortController().signal) {
  const asked: number[] = []
  const leftovers = createLeftovers(2 ** 20)
  const lane = createKafkaLane(0, {} as CursorPartition, { start: 0, end: ENTRIES }, () => undefined)
  const wire = {
    fetch: async (_topic: string, _partition: number, from: number) => {
      asked.push(from)
      return answers.shift() ?? anAnswer()
    },
  } as unknown as Wire
  const common = { name: 'log', topic: 'topic', lane, wire, feeds: {} as Feeds, leftovers, closed }
  const reading: Reading = {
    ...common,
    goneOr: async (error) => error,
    lose: (text) => new EventingError('LOG_LOST', text),
  }
  return { reading, asked, leftovers }
}

function anAnswer(): Fetched {
  const { value, headers } = encodeRecord(anEvent())
  const all = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)])
  const common = { timestamp: 1, key: null, value, headers: Object.fromEntries(all) }
  const messages = Array.from({ length: ENTRIES }, (_, offset): FetchedMessage => ({ ...common, offset }))
  return { records: recordsOf(messages), start: 0, end: ENTRIES }
}

function brokenAnswer(): Fetched {
  const from = (): never => {
    throw new EventingError('LOG_UNAVAILABLE', 'it cannot be read', { retryable: true })
  }
  return { records: { first: 0, next: ENTRIES, sizeBytes: 1, from }, start: 0, end: ENTRIES }
}

async function firstBatch(reading: Reading, from: number) {
  for await (const { entries } of readLane(reading, from, new AbortController().signal)) return entries
  return []
}
