// Numbers, texts and bytes one after the other, as records and checkpoints are made of them. Numbers are whole, from 0 to
// 2^53 - 1, seven bits a byte, lowest first. Texts are UTF-8 with their length before them.

/** Grows as needed. What is written is `buffer` from 0 to `at`. */
export class ByteWriter {
  buffer: Buffer
  at = 0

  constructor(initialBytes = 4_096) {
    this.buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Makes sure that `bytes` more fit, so that what follows may write into `buffer` directly. */
  reserve(bytes: number): void {
    const needed = this.at + bytes
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(grown, 0, 0, this.at)
    this.buffer = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[this.at++] = value
  }

  number(value: number): void {
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.at++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.at++] = rest
  }

  text(value: string): void {
    // 42 characters are at most 126 bytes: their length is one byte, whatever it turns out to be.
    if (value.length > 42) {
      const bytes = Buffer.byteLength(value)
      this.number(bytes)
      this.reserve(bytes)
      this.at += this.buffer.write(value, this.at)
      return
    }
    this.reserve(127)
    const written = this.#ascii(value) ? value.length : this.buffer.write(value, this.at + 1)
    this.buffer[this.at] = written
    this.at += 1 + written
  }

  /** Writes the text behind its length unless it is more than ASCII. A call out of JavaScript takes twice as long. */
  #ascii(value: string): boolean {
    const { buffer } = this
    let at = this.at
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      buffer[++at] = code
    }
    return true
  }

  bytes(value: Uint8Array): void {
    this.number(value.length)
    this.reserve(value.length)
    this.buffer.set(value, this.at)
    this.at += value.length
  }

  zeros(count: number): void {
    this.reserve(count)
    this.buffer.fill(0, this.at, this.at + count)
    this.at += count
  }

  written(): Buffer {
    return this.buffer.subarray(0, this.at)
  }
}

/** Throws a RangeError where what is asked for reaches beyond `end`: bytes whose checksum held were written otherwise. */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #end: number
  at: number

  constructor(buffer: Buffer, at = 0, end = buffer.length) {
    this.#buffer = buffer
    this.at = at
    this.#end = end
  }

  /** Another one at the same place of the same bytes. */
  copy(): ByteReader {
    return new ByteReader(this.#buffer, this.at, this.#end)
  }

  byte(): number {
    if (this.at >= this.#end) throw new RangeError('cut short')
    return this.#buffer[this.at++] as number
  }

  number(): number {
    let value = 0
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new RangeError('a number of too many bytes')
  }

  text(): string {
    const start = this.#skip()
    return this.#buffer.toString('utf8', start, this.at)
  }

  /** A copy: what was read from keeps no memory because of it. */
  bytes(): Buffer {
    const start = this.#skip()
    return Buffer.from(this.#buffer.subarray(start, this.at))
  }

  #skip(): number {
    const length = this.number()
    const start = this.at
    if (length > this.#end - start) throw new RangeError('cut short')
    this.at += length
    return start
  }
}
