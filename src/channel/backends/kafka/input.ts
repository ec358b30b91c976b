// Reading what a Kafka node sends: numbers, texts and lengths. Each moves `at` behind what it read, and throws LOG_UNAVAILABLE
// rather than read beyond the end.
import { EventingError } from '../../../core/errors.ts'

export interface Input {
  readonly bytes: Buffer
  at: number
  /** Nothing is read from here on. */
  readonly end: number
}

export function textOf(input: Input, length: number): string {
  const start = input.at
  skip(input, length)
  return input.bytes.toString('utf8', start, input.at)
}

export function skip(input: Input, bytes: number): void {
  if (bytes < 0 || input.at + bytes > input.end) throw corrupt()
  input.at += bytes
}

export function int16(input: Input): number {
  const { at } = input
  skip(input, 2)
  return input.bytes.readInt16BE(at)
}

export function int32(input: Input): number {
  const { at } = input
  skip(input, 4)
  return input.bytes.readInt32BE(at)
}

export function int64(input: Input): number {
  return int32(input) * 2 ** 32 + (int32(input) >>> 0)
}

/** In zigzag order, seven bits a byte, lowest first: up to 2^53. */
export function varint(input: Input): number {
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

export function corrupt(): EventingError {
  return new EventingError('LOG_UNAVAILABLE', 'what Kafka answered cannot be read', { retryable: true })
}
