// A Produce request as bytes, in one pass over one buffer: kafkajs makes a buffer for each header of each record, and
// thereby most of what an event costs.
// @see Kafka protocol guide, Produce versions 3 to 8, and record batch version 2
import type { Message, Node } from './client.ts'
import { crc32c } from './crc32c.ts'
import {
  LONGEST_VARINT,
  newOutput,
  type Output,
  putInt8,
  putInt16,
  putInt32,
  putInt64,
  putName,
  putText,
  putValue,
  putVarint,
  room,
  varintBytes,
  written,
} from './output.ts'

export type ProduceRequest = Parameters<Node['produce']>[0]

const MAGIC = 2
/** Of a batch, before its records, and of its place in the request. */
const BATCH_HEAD_BYTES = 80
/** Where parts of a batch stand in it. */
const LENGTH_AT = 8
const CRC_AT = 17
const CHECKED_FROM = 21
/** Of a record, apart from key, value and headers. */
const RECORD_BYTES = 40
const NO_PRODUCER = -1

export function encodeProduce({ acks, timeout, topicData }: ProduceRequest): Buffer {
  const out = newOutput(sizeOf(topicData))
  putInt16(out, -1) // no transaction
  putInt16(out, acks)
  putInt32(out, timeout)
  putInt32(out, topicData.length)
  for (const { topic, partitions } of topicData) {
    putName(out, topic)
    putInt32(out, partitions.length)
    for (const { partition, messages } of partitions) {
      putInt32(out, partition)
      const lengthAt = out.at
      putInt32(out, 0)
      putBatch(out, messages)
      out.bytes.writeInt32BE(out.at - lengthAt - 4, lengthAt)
    }
  }
  return written(out)
}

/** Enough, if all texts are ASCII. Others make it grow. */
function sizeOf(topicData: ProduceRequest['topicData']): number {
  let size = 64
  for (const { topic, partitions } of topicData) {
    size += 3 * topic.length + 8
    for (const { messages } of partitions) {
      size += BATCH_HEAD_BYTES
      for (const message of messages) size += recordSize(message) + LONGEST_VARINT
    }
  }
  return size
}

function recordSize({ key, value, headers }: Message): number {
  let size = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) {
    const found = headers[name]
    const values = Array.isArray(found) ? found : [found]
    for (const each of values) size += name.length + (each?.length ?? 0) + 2 * LONGEST_VARINT
  }
  return size
}

function putBatch(out: Output, messages: readonly Message[]): void {
  const start = out.at
  const now = Date.now()
  const times = messages.map(({ timestamp }) => (timestamp === undefined ? now : Number(timestamp)))
  const first = times.reduce((least, time) => Math.min(least, time), times[0] ?? now)
  const last = times.reduce((most, time) => Math.max(most, time), first)
  putInt64(out, 0) // the node that stores it gives out offsets
  putInt32(out, 0) // its length, below
  putInt32(out, -1) // no leader's epoch
  putInt8(out, MAGIC)
  putInt32(out, 0) // its checksum, below
  putInt16(out, 0) // not compressed; with the times of the records
  putInt32(out, messages.length - 1)
  putInt64(out, first)
  putInt64(out, last)
  putInt64(out, NO_PRODUCER)
  putInt16(out, NO_PRODUCER)
  putInt32(out, NO_PRODUCER)
  putInt32(out, messages.length)
  messages.forEach((message, i) => {
    putRecord(out, message, (times[i] ?? first) - first, i)
  })
  const { bytes, at } = out
  bytes.writeInt32BE(at - start - LENGTH_AT - 4, start + LENGTH_AT)
  bytes.writeUInt32BE(crc32c(bytes, start + CHECKED_FROM, at), start + CRC_AT)
}

/** Its length stands before it, and is known after it: it is moved where that takes more room than was thought. */
function putRecord(out: Output, message: Message, time: number, offset: number): void {
  room(out, LONGEST_VARINT)
  const lengthAt = out.at
  const expected = varintBytes(recordSize(message))
  out.at += expected
  const start = out.at
  putInt8(out, 0) // attributes: there are none
  putVarint(out, time)
  putVarint(out, offset)
  putValue(out, message.key)
  putValue(out, message.value)
  putHeaders(out, message.headers)
  const length = out.at - start
  const actual = varintBytes(length)
  if (actual !== expected) {
    room(out, LONGEST_VARINT)
    out.bytes.copyWithin(lengthAt + actual, start, out.at)
    out.at += actual - expected
  }
  const end = out.at
  out.at = lengthAt
  putVarint(out, length)
  out.at = end
}

function putHeaders(out: Output, headers: Message['headers'] = {}): void {
  let count = 0
  for (const name in headers) {
    const found = headers[name]
    count += Array.isArray(found) ? found.length : 1
  }
  putVarint(out, count)
  for (const name in headers) {
    const found = headers[name] ?? ''
    for (const value of Array.isArray(found) ? found : [found]) {
      putText(out, name)
      putValue(out, value)
    }
  }
}
