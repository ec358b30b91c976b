// The records of one partition in an answer. They stay the bytes that came until somebody gets to them: what waits to be
// read is one buffer, not thousands of objects.
import { corrupt, type Input, int16, int32, int64, skip, textOf, varint } from './input.ts'

export interface FetchedMessage {
  readonly offset: number
  /** Epoch milliseconds; -1 where there is none. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | null | readonly (Buffer | null)[]>>
  readonly isControlRecord?: boolean
}

export interface Records {
  /** Where they begin, perhaps before what was asked for. */
  readonly first: number
  /** They end before it; not after `first` where there are none. */
  readonly next: number
  /** What they take in memory; about that where kafkajs read them. */
  readonly sizeBytes: number
  /** Those from an offset on. Throws LOG_UNAVAILABLE (retryable) where they cannot be read. */
  from(offset: number): Iterable<FetchedMessage>
}

export const NO_RECORDS: Records = { first: 0, next: 0, sizeBytes: 0, from: () => [] }

const MAGIC = 2
/** Of a batch: its offset, and the length of what follows. */
const BATCH_FRONT_BYTES = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const LAST_OFFSET_AT = 23
const HEAD_BYTES = 61
const COMPRESSION = 0x07
const APPEND_TIME = 0x08
const CONTROL = 0x20

/**
 * Undefined where a batch is compressed or of an older kind. The last one may be cut, as a request says how many bytes it
 * wants. Throws LOG_UNAVAILABLE (retryable) where they cannot be read.
 */
export function recordsIn({ bytes, at: start, end }: Input): Records | undefined {
  let first: number | undefined
  let next = 0
  let at = start
  while (at + MAGIC_AT < end) {
    if (bytes[at + MAGIC_AT] !== MAGIC) return undefined
    const offset = int64({ bytes, at, end })
    const batchEnd = at + BATCH_FRONT_BYTES + int32({ bytes, at: at + 8, end })
    if (batchEnd > end) break
    if (batchEnd < at + HEAD_BYTES) throw corrupt()
    if ((bytes.readInt16BE(at + ATTRIBUTES_AT) & COMPRESSION) !== 0) return undefined
    first ??= offset
    next = offset + bytes.readInt32BE(at + LAST_OFFSET_AT) + 1
    at = batchEnd
  }
  if (first === undefined) return NO_RECORDS
  const whole = { bytes, at: start, end: at }
  return { first, next, sizeBytes: at - start, from: (offset) => messagesIn({ ...whole }, offset) }
}

/** Those that somebody else has read. */
export function recordsOf(messages: readonly FetchedMessage[]): Records {
  const [first, last] = [messages[0], messages.at(-1)]
  if (!first || !last) return NO_RECORDS
  let sizeBytes = 0
  for (const { key, value } of messages) sizeBytes += 256 + (key?.length ?? 0) + (value?.length ?? 0)
  return {
    first: first.offset,
    next: last.offset + 1,
    sizeBytes,
    from: (from) => messages.filter(({ offset }) => offset >= from),
  }
}

function* messagesIn(input: Input, from: number): Generator<FetchedMessage> {
  while (input.at < input.end) {
    const offset = int64(input)
    const end = input.at + 4 + int32(input)
    const batch = { bytes: input.bytes, at: input.at, end }
    if (offset + input.bytes.readInt32BE(input.at - BATCH_FRONT_BYTES + LAST_OFFSET_AT) >= from) {
      yield* batchAt(batch, offset, from)
    }
    input.at = end
  }
}

function* batchAt(input: Input, offset: number, from: number): Generator<FetchedMessage> {
  skip(input, MAGIC_AT - BATCH_FRONT_BYTES + 1 + 4) // leader's epoch, magic, checksum: TCP has one of its own
  const attributes = int16(input)
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
    const at = offset + varint(input)
    if (at >= from) {
      yield {
        timestamp: hasOwnTimes ? firstTime + time : lastTime,
        offset: at,
        key: bytesAt(input),
        value: bytesAt(input),
        headers: headersAt(input),
        isControlRecord,
      }
    }
    input.at = end
  }
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
