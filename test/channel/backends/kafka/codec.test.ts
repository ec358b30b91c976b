import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { Message } from '../../../../src/channel/backends/kafka/client.ts'
import { useOwnCodec } from '../../../../src/channel/backends/kafka/codec.ts'
import { crc32c } from '../../../../src/channel/backends/kafka/crc32c.ts'
import { encodeFetch } from '../../../../src/channel/backends/kafka/fetch-request.ts'
import { decodeFetch, type FetchResponse } from '../../../../src/channel/backends/kafka/fetch-response.ts'
import { encodeProduce } from '../../../../src/channel/backends/kafka/produce-request.ts'
import { type FetchedMessage, NO_RECORDS, type Records } from '../../../../src/channel/backends/kafka/records.ts'
import { EventingError } from '../../../../src/core/errors.ts'

interface Encoded {
  readonly request: { encode(): Promise<{ readonly buffer: Buffer }> }
}

type Read = Omit<FetchedMessage, 'offset' | 'timestamp'> & { readonly offset: string; readonly timestamp: string }

interface Decoded {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly messages: readonly Read[] }[]
  }[]
}

/** What both are compared with: kafkajs' own code, which is not part of what it exports. */
const kafkajs = createRequire(import.meta.resolve('kafkajs'))
const theirProduce = kafkajs('./src/protocol/requests/produce').protocol({ version: 7 }) as (
  request: unknown,
) => Encoded
const theirFetch = kafkajs('./src/protocol/requests/fetch').protocol({ version: 11 }) as (
  request: unknown,
) => Encoded & { readonly response: { decode(payload: Buffer): Promise<Decoded> } }
const theirCrc = kafkajs('./src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number

const TOPIC = 'orders'
const BATCH_CRC_AT = 17
const BATCH_ATTRIBUTES_AT = 21
const MAGIC_AT = 16

describe('CRC-32C', () => {
  // RFC 3720 B.4, and the check value of the catalogue of CRCs.
  const known: readonly (readonly [string, Buffer, number])[] = [
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['rising bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ]

  for (const [name, bytes, sum] of known) {
    it(`of ${name} is what the standard has`, () => {
      assert.equal(crc32c(bytes), sum)
    })
  }

  it('of a part is that of these bytes alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(30), (all, from) => {
        const bytes = Buffer.from(all)
        assert.equal(crc32c(bytes, Math.min(from, bytes.length)), theirCrc(bytes.subarray(from)))
      }),
    )
  })
})

describe('a Produce request', () => {
  it('has records that kafkajs reads as they were', async () => {
    await fc.assert(
      fc.asyncProperty(someMessages(), async (messages) => {
        const read = await theirs(fetched(ours(messages)))

        assert.deepEqual(read, messages.map(asRead))
      }),
    )
  })

  it('has the checksum of its batch', () => {
    fc.assert(
      fc.property(someMessages(), (messages) => {
        const batch = ours(messages)

        assert.equal(batch.readUInt32BE(BATCH_CRC_AT), theirCrc(batch.subarray(BATCH_ATTRIBUTES_AT)))
      }),
    )
  })

  it('says how long each batch is, for several topics and partitions', () => {
    const messages = [aMessage({ value: 'a' })]
    const one = { partition: 0, messages }
    const other = { partition: 7, messages: [...messages, aMessage({ key: 'é'.repeat(300), value: null })] }

    const body = encodeProduce({
      acks: -1,
      timeout: 8_000,
      topicData: [
        { topic: TOPIC, partitions: [one, other] },
        { topic: 'x', partitions: [one] },
      ],
    })

    assert.deepEqual(
      [...partsOf(body)].map(({ topic, partition, batch }) => [
        topic,
        partition,
        batch.readInt32BE(8) + 12 - batch.length,
      ]),
      [
        [TOPIC, 0, 0],
        [TOPIC, 7, 0],
        ['x', 0, 0],
      ],
    )
  })

  it('has the times of its records, whatever their order', async () => {
    const times = ['1767323045678', '1767323045000', '9999999999999', '0']

    const read = await theirs(fetched(ours(times.map((timestamp) => aMessage({ timestamp })))))

    assert.deepEqual(
      read.map(({ timestamp }) => timestamp),
      times,
    )
  })
})

describe('a Fetch request', () => {
  it('has the bytes that kafkajs writes', async () => {
    const partition = fc.record({
      partition: fc.nat(),
      fetchOffset: fc.maxSafeNat().map(String),
      maxBytes: fc.nat(),
    })
    const topic = fc.record({ topic: fc.string({ unit: 'binary' }), partitions: fc.array(partition) })
    const topics = fc.array(topic)
    const request = fc.record({ maxWaitTime: fc.nat(), minBytes: fc.nat(), maxBytes: fc.nat(), topics })

    await fc.assert(
      fc.asyncProperty(request, async (some) => {
        const wanted = { isolationLevel: 0, ...some }

        assert.deepEqual(encodeFetch(wanted), (await theirFetch(wanted).request.encode()).buffer)
      }),
    )
  })
})

describe('a Fetch response', () => {
  it('is read as kafkajs reads it', async () => {
    await fc.assert(
      fc.asyncProperty(someMessages(), async (messages) => {
        const payload = fetched(await theirBatch(messages))

        assert.deepEqual(mine(payload), await theirs(payload))
      }),
    )
  })

  it('has headers by any name, those that every object has, too', () => {
    const headers = { valueOf: 'a', toString: ['b', 'c'], ['__proto__']: 'd' }

    const [read] = mine(fetched(ours([aMessage({ headers })])))

    assert.deepEqual(Object.entries(read?.headers ?? {}), [
      ['valueOf', Buffer.from('a')],
      ['toString', [Buffer.from('b'), Buffer.from('c')]],
      ['__proto__', Buffer.from('d')],
    ])
  })

  it('is read from any of its offsets on, and tells where its records begin and end', () => {
    const [one, other] = [ours([aMessage({ value: 'a' }), aMessage({ value: 'b' })]), ours([aMessage({ value: 'c' })])]
    one.writeBigInt64BE(5n, 0)
    other.writeBigInt64BE(9n, 0) // what stood between was compacted
    const records = recordsIn(fetched(Buffer.concat([one, other])))

    assert.deepEqual([records?.first, records?.next], [5, 10])
    for (const [from, expected] of [
      [0, ['a', 'b', 'c']],
      [6, ['b', 'c']],
      [7, ['c']],
      [10, []],
    ] as const) {
      assert.deepEqual(
        [...(records?.from(from) ?? [])].map(({ value }) => String(value)),
        expected,
      )
    }
  })

  it('ends with the last batch that is whole', () => {
    const batch = ours([aMessage({ value: 'a' })])

    for (let cut = 1; cut < batch.length; cut++) {
      const payload = fetched(Buffer.concat([batch, batch.subarray(0, batch.length - cut)]))
      assert.equal(mine(payload).length, 1)
    }
  })

  it('has offsets and times above 2^32', () => {
    const batch = ours([aMessage({ timestamp: '1767323045678' }), aMessage({ timestamp: '1767323045679' })])
    batch.writeBigInt64BE(2n ** 52n, 0)

    assert.deepEqual(
      mine(fetched(batch)).map(({ offset, timestamp }) => [offset, timestamp]),
      [
        ['4503599627370496', '1767323045678'],
        ['4503599627370497', '1767323045679'],
      ],
    )
  })

  it('has the time of the server where the topic says so, and marks of transactions', () => {
    const batch = ours([aMessage({ timestamp: '1000' }), aMessage({ timestamp: '2000' })])
    batch.writeInt16BE(0x08 | 0x20, BATCH_ATTRIBUTES_AT)

    assert.deepEqual(
      mine(fetched(batch)).map(({ timestamp, isControlRecord }) => [timestamp, isControlRecord]),
      [
        ['2000', true],
        ['2000', true],
      ],
    )
  })

  it('is left to kafkajs where a batch is compressed, or of an older kind', () => {
    const [compressed, older] = [ours([aMessage({})]), ours([aMessage({})])]
    compressed.writeInt16BE(1, BATCH_ATTRIBUTES_AT)
    older[MAGIC_AT] = 1

    assert.deepEqual([decodeFetch(fetched(compressed)), decodeFetch(fetched(older))], [undefined, undefined])
  })

  it('that is damaged is refused, and never anything else', () => {
    const payload = fetched(ours([aMessage({ key: 'k', value: 'a', headers: { ce_id: '1' } })]))

    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(payload)
        damaged[at] = byte
        try {
          mine(damaged)
        } catch (error) {
          assert.ok(error instanceof EventingError)
          assert.equal(error.retryable, true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a connection with our codec', () => {
  const produce = produceOf([aMessage({ value: 'a' })])

  function aNode(apiVersion: number, answer: unknown = 'theirs') {
    const asked: number[] = []
    const protocol = {
      request: { apiVersion, encode: async () => 'theirs' },
      response: { decode: async () => answer },
      requestTimeout: 5,
    }
    const lookupRequest = (apiKey: number, _definitions?: unknown) => {
      asked.push(apiKey)
      return (_request: unknown): typeof protocol => protocol
    }
    return { asked, node: { lookupRequest } }
  }

  const use = (node: unknown): void => useOwnCodec(node as Parameters<typeof useOwnCodec>[0])

  it('writes what it sends itself, wrapped once however often that is asked for', async () => {
    const { asked, node } = aNode(7)
    for (let i = 0; i < 3; i++) use(node)

    const protocol = node.lookupRequest(0)(produce)

    assert.deepEqual(await protocol.request.encode(), { buf: encodeProduce(produce), buffer: encodeProduce(produce) })
    assert.deepEqual([asked, protocol.requestTimeout], [[0], 5])
  })

  it('has what kafkajs reads, of a version that only that knows, as it has its own', async () => {
    const messages = [aMessage({ key: 'k', value: 'a', timestamp: '5' }), aMessage({ headers: { h: ['b', 'c'] } })]
    const read = messages.map((message, at) => ({ ...asRead(message, at), offset: String(at + 7) }) as Read)
    const { node } = aNode(10, { responses: [{ topicName: TOPIC, partitions: [{ partition: 3, messages: read }] }] })
    use(node)

    const { request, response } = node.lookupRequest(1)({ topics: [] })
    const { responses } = (await response.decode()) as unknown as FetchResponse
    const { partition, records = NO_RECORDS } = responses[0]?.partitions[0] ?? {}

    assert.deepEqual([await request.encode(), partition, records.first, records.next], ['theirs', 3, 7, 9])
    assert.deepEqual([...records.from(0)].map(picked), read)
    assert.deepEqual([...records.from(8)].map(picked), read.slice(1))
  })

  it('leaves versions that it does not know, and other requests, to kafkajs', async () => {
    for (const [version, apiKey] of [
      [2, 0],
      [9, 0],
      [7, 3],
    ] as const) {
      const { node } = aNode(version)
      use(node)

      const { request, response } = node.lookupRequest(apiKey)(produce)

      assert.deepEqual([await request.encode(), await response.decode()], ['theirs', 'theirs'])
    }
  })
})

function aMessage(message: Partial<Message>): Message {
  return { key: null, value: null, headers: {}, timestamp: '0', ...message }
}

function someMessages(): fc.Arbitrary<readonly Message[]> {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 50, maxLength: 9_000 }))
  const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all))
  const value = fc.oneof(fc.constant(null), text, bytes)
  const header = fc.oneof(text, bytes)
  // kafkajs reads the names that every object has wrongly.
  const name = text.filter((each) => !(each in {}))
  const headers = fc.dictionary(name, fc.oneof(header, fc.array(header, { minLength: 2, maxLength: 3 })))
  const timestamp = fc.nat(2 ** 31 - 1).map((ms) => String(1_767_323_045_678 - 2 ** 30 + ms))
  return fc.array(fc.record({ key: value, value, headers, timestamp }), { minLength: 1, maxLength: 4 })
}

/** What a reader is to have of what was written first in a log. */
function asRead({ key, value, headers = {}, timestamp }: Message, offset: number): Partial<Read> {
  const bytes = (each: Buffer | string): Buffer => Buffer.from(each as string)
  const entries = Object.entries(headers).map(([name, each]) => [
    Buffer.from(name).toString(),
    Array.isArray(each) ? each.map(bytes) : bytes(each as string),
  ])
  return {
    timestamp: String(timestamp),
    offset: String(offset),
    key: key === null ? null : bytes(key),
    value: value === null ? null : bytes(value),
    headers: Object.fromEntries(entries),
    isControlRecord: false,
  }
}

function picked({ timestamp, offset, key, value, headers, isControlRecord = false }: FetchedMessage | Read) {
  return { timestamp: String(timestamp), offset: String(offset), key, value, headers, isControlRecord }
}

async function theirs(payload: Buffer): Promise<readonly Partial<Read>[]> {
  const { responses } = await theirFetch({ topics: [] }).response.decode(payload)
  return (responses[0]?.partitions[0]?.messages ?? []).map(picked)
}

function mine(payload: Buffer): readonly Partial<Read>[] {
  return [...(recordsIn(payload)?.from(0) ?? [])].map(picked)
}

function recordsIn(payload: Buffer): Records | undefined {
  return decodeFetch(payload)?.responses[0]?.partitions[0]?.records
}

function ours(messages: readonly Message[]): Buffer {
  return batchOf(encodeProduce(produceOf(messages)))
}

async function theirBatch(messages: readonly Message[]): Promise<Buffer> {
  return batchOf((await theirProduce(produceOf(messages)).request.encode()).buffer)
}

function produceOf(messages: readonly Message[]) {
  return { acks: -1, timeout: 8_000, topicData: [{ topic: TOPIC, partitions: [{ partition: 0, messages }] }] }
}

function batchOf(body: Buffer): Buffer {
  for (const { batch } of partsOf(body)) return Buffer.from(batch)
  throw new Error('no batch')
}

/** What a node reads of a Produce request. */
function* partsOf(body: Buffer): Generator<{ topic: string; partition: number; batch: Buffer }> {
  let at = 8
  const int32 = (): number => {
    at += 4
    return body.readInt32BE(at - 4)
  }
  for (let topics = int32(); topics > 0; topics--) {
    const length = body.readInt16BE(at)
    const topic = body.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32()
      const bytes = int32()
      yield { topic, partition, batch: body.subarray(at, at + bytes) }
      at += bytes
    }
  }
  assert.equal(at, body.length)
}

/** A response of version 11 with these bytes as the records of one partition. */
function fetched(records: Buffer): Buffer {
  const head = Buffer.alloc(14)
  head.writeInt32BE(1, 10)
  const topic = Buffer.concat([Buffer.from([0, TOPIC.length]), Buffer.from(TOPIC), Buffer.from([0, 0, 0, 1])])
  const partition = Buffer.alloc(42)
  partition.writeBigInt64BE(9n, 6)
  partition.writeInt32BE(-1, 30)
  partition.writeInt32BE(-1, 34)
  partition.writeInt32BE(records.length, 38)
  return Buffer.concat([head, topic, partition, records])
}
