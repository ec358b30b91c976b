// The checksum of Kafka's record batches: CRC-32 with Castagnoli's polynomial, eight bytes a step. Node has only the other.
const POLYNOMIAL = 0x82f63b78
const STEP = 8
const TABLE_LENGTH = 256

/** Table `n` says what a byte does that `n` more bytes follow. */
const TABLES = makeTables()

/** Of the bytes from `from` on, as an unsigned integer. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1
  let at = from
  for (; at + STEP <= to; at += STEP) {
    const low = crc ^ word(bytes, at)
    const high = word(bytes, at + 4)
    crc =
      entry(7, low & 0xff) ^
      entry(6, (low >>> 8) & 0xff) ^
      entry(5, (low >>> 16) & 0xff) ^
      entry(4, low >>> 24) ^
      entry(3, high & 0xff) ^
      entry(2, (high >>> 8) & 0xff) ^
      entry(1, (high >>> 16) & 0xff) ^
      entry(0, high >>> 24)
  }
  for (; at < to; at++) crc = entry(0, (crc ^ byte(bytes, at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * TABLE_LENGTH)
  for (let i = 0; i < TABLE_LENGTH; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[i] = crc
  }
  for (let i = TABLE_LENGTH; i < tables.length; i++) {
    const shorter = tables[i - TABLE_LENGTH] as number
    tables[i] = (tables[shorter & 0xff] as number) ^ (shorter >>> 8)
  }
  return tables
}

function entry(table: number, index: number): number {
  return TABLES[table * TABLE_LENGTH + index] as number
}

function word(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}
