// Bytes of a request to Kafka, put one after the other into a buffer that grows where it must.
export interface Output {
  bytes: Buffer
  at: number
}

export const LONGEST_VARINT = 10
/** Shorter texts are copied faster here than by a call. */
const SHORT_TEXT = 64

/** `bytes`: what will be enough, as a rule. */
export function newOutput(bytes: number): Output {
  return { bytes: Buffer.allocUnsafe(bytes), at: 0 }
}

export function written({ bytes, at }: Output): Buffer {
  return bytes.subarray(0, at)
}

/** Sees to it that so many bytes more can be written. */
export function room(out: Output, bytes: number): void {
  if (out.at + bytes <= out.bytes.length) return
  const longer = Buffer.allocUnsafe(2 * (out.at + bytes))
  out.bytes.copy(longer, 0, 0, out.at)
  out.bytes = longer
}

export function putInt8(out: Output, value: number): void {
  room(out, 1)
  out.at = out.bytes.writeInt8(value, out.at)
}

export function putInt16(out: Output, value: number): void {
  room(out, 2)
  out.at = out.bytes.writeInt16BE(value, out.at)
}

export function putInt32(out: Output, value: number): void {
  room(out, 4)
  out.at = out.bytes.writeInt32BE(value, out.at)
}

/** A safe integer. */
export function putInt64(out: Output, value: number): void {
  putInt32(out, Math.floor(value / 2 ** 32))
  putInt32(out, value | 0)
}

/** A safe integer in zigzag order, seven bits a byte, lowest first. */
export function putVarint(out: Output, value: number): void {
  room(out, LONGEST_VARINT)
  let rest = zigzag(value)
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out.bytes[out.at++] = (rest % 0x80) | 0x80
  out.bytes[out.at++] = rest
}

/** How many bytes `putVarint` takes for it. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** With two bytes for its length. */
export function putName(out: Output, name: string): void {
  const bytes = Buffer.from(name)
  putInt16(out, bytes.length)
  putBytes(out, bytes)
}

/** With a varint for its length; -1 for null. */
export function putValue(out: Output, value: Buffer | string | null): void {
  if (typeof value === 'string') return putText(out, value)
  putVarint(out, value?.length ?? -1)
  if (value) putBytes(out, value)
}

export function putText(out: Output, text: string): void {
  const { length } = text
  if (length > SHORT_TEXT) return putValue(out, Buffer.from(text))
  const start = out.at
  putVarint(out, length)
  room(out, length)
  const { bytes, at } = out
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) {
      out.at = start
      return putValue(out, Buffer.from(text))
    }
    bytes[at + i] = code
  }
  out.at += length
}

function putBytes(out: Output, value: Buffer): void {
  room(out, value.length)
  out.bytes.set(value, out.at)
  out.at += value.length
}
