// What a Fetch is answered with, read in one pass: kafkajs copies all headers of a record for each of them, and reckons
// offsets and times in BigInts.
// @see Kafka protocol guide, Fetch version 11, and record batch version 2
import { EventingError } from '../../../core/errors.ts'
import type { FetchedMessage, FetchedPartition } from './client.ts'

/** As kafkajs' decoder of this version has it. */
export interface FetchResponse {
  readonly clientSideThrottleTime: number
  readonly errorCode: number
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly (FetchedPartition & { readonly errorCode: number })[]
  }[]
}

interface Input {
  readonly bytes: Buffer
  at: number
  /** Nothing is read from here on. */
  end: number
}

const MAGIC = 2
/** Of a batch: its offset, and the length of what follows. */
const BATCH_FRONT_BYTES = 12
const MAGIC_AT = 16
const COMPRESSION = 0x07
const APPEND_TIME = 0x08
const CONTROL = 0x20

/** Undefined where a batch is compressed or of an older kind: few are, and kafkajs reads those. */
export function decodeFetch(payload: Buffer): FetchResponse | undefined {
  const input: Input = { bytes: payload, at: 0, end: payload.length }
  const clientSideThrottleTime = int32(input)
  const errorCode = int16(input)
  int32(input) // session
  const responses: FetchResponse['responses'][number][] = []
  for (let topics = int32(input); topics > 0; topics--) {
    const topicName = textOf(input, int16(input))
    const partitions: FetchResponse['responses'][number]['partitions'][number][] = []
    for (let count = int32(input); count > 0; count--) {
      const partition = partitionAt(input)
      if (!partition) return undefined
      partitions.push(partition)
    }
    responses.push({ topicName, partitions })
  }
  return { clientSideThrottleTime, errorCode, responses }
}

function partitionAt(input: Input): FetchResponse['responses'][number]['partitions'][number] | undefined {
  const partition = int32(input)
  const errorCode = int16(input)
  const highWatermark = String(int64(input))
  int64(input) // the last stable offset
  const lastStartOffset = String(int64(input))
  for (let aborted = int32(input); aborted > 0; aborted--) skip(input, 16)
  int32(input) // the replica to read from
  const length = Math.max(0, int32(input))
  const start = input.at
  skip(input, length)
  const messages = messagesIn({ bytes: input.bytes, at: start, end: input.at })
  return messages && { partition, errorCode, highWatermark, lastStartOffset, messages }
}

/** The last batch may be cut, as a request says how many bytes it wants. */
function messagesIn(input: Input): readonly FetchedMessage[] | undefined {
  const messages: FetchedMessage[] = []
  while (input.at + MAGIC_AT < input.end) {
    if (input.bytes[input.at + MAGIC_AT] !== MAGIC) return undefined
    const offset = int64(input)
    const end = input.at + 4 + int32(input)
    if (end > input.end) break
    if (!batchAt({ bytes: input.bytes, at: input.at, end }, offset, messages)) return undefined
    input.at = end
  }
  return messages
}

function batchAt(input: Input, offset: number, messages: FetchedMessage[]): boolean {
  skip(input, MAGIC_AT - BATCH_FRONT_BYTES + 1 + 4) // leader's epoch, magic, checksum: TCP has one of its own
  const attributes = int16(input)
  if ((attributes & COMPRESSION) !== 0) return false
  int32(input) // the last offset
  const firstTime = int64(input)
  const lastTime = int64(input)
  skip(input, 14) // producer
  const isControlRecord = (attributes & CONTROL) !== 0
  const hasOwnTimes = (attributes & APPEND_TIME) === 0
  for (let count = int32(input); count > 0; count--) {
    const length = varint(input)
    const end = input.at + length
    if (length < 0 || end > input.end) throw corrupt()
    skip(input, 1) // attributes: there are none
    const time = varint(input)
    messages.push({
      timestamp: String(hasOwnTimes ? firstTime + time : lastTime),
      offset: String(offset + varint(input)),
      key: bytesAt(input),
      value: bytesAt(input),
      headers: headersAt(input),
      isControlRecord,
    })
    input.at = end
  }
  return true
}

function headersAt(input: Input): FetchedMessage['headers'] {
  const headers: Record<string, Buffer | null | (Buffer | null)[]> = {}
  for (let count = varint(input); count > 0; count--) {
    const name = textOf(input, varint(input))
    const value = bytesAt(input)
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined
    const all = before === undefined ? value : [before, value].flat()
    // Assigned, it would be taken for what the object inherits from.
    if (name === '__proto__') Object.defineProperty(headers, name, { value: all, enumerable: true, configurable: true })
    else headers[name] = all
  }
  return headers
}

function bytesAt(input: Input): Buffer | null {
  const length = varint(input)
  if (length < 0) return null
  const start = input.at
  skip(input, length)
  return input.bytes.subarray(start, input.at)
}

function textOf(input: Input, length: number): string {
  const start = input.at
  skip(input, length)
  return input.bytes.toString('utf8', start, input.at)
}

function skip(input: Input, bytes: number): void {
  if (bytes < 0 || input.at + bytes > input.end) throw corrupt()
  input.at += bytes
}

function int16(input: Input): number {
  const { at } = input
  skip(input, 2)
  return input.bytes.readInt16BE(at)
}

function int32(input: Input): number {
  const { at } = input
  skip(input, 4)
  return input.bytes.readInt32BE(at)
}

function int64(input: Input): number {
  return int32(input) * 2 ** 32 + (int32(input) >>> 0)
}

/** In zigzag order, seven bits a byte, lowest first: up to 2^53. */
function varint(input: Input): number {
  const { bytes } = input
  let value = 0
  for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
    if (input.at >= input.end) throw corrupt()
    const byte = bytes[input.at++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  throw corrupt()
}

function corrupt(): EventingError {
  return new EventingError('LOG_UNAVAILABLE', 'what Kafka answered cannot be read', { retryable: true })
}
