// Small texts by name, as records of the journal: each change holds once it is on the disk.
import { EventingError } from '../../../core/errors.ts'
import { entriesOf, MAX_KEY_BYTES, MAX_VALUE_BYTES, type Values } from '../../../core/values.ts'
import { type Journal, storeRecord } from './journal.ts'
import type { ValueRecord } from './record.ts'

/** Of all keys and values together: every checkpoint has them all. */
const MAX_BYTES = 2 ** 26
/**
 * A key and value of up to this are stored on a full disk too: whoever pauses a trigger, or notes how far a job that
 * discards events is, makes room or keeps it. What takes more room has to wait for some.
 */
const ESSENTIAL_BYTES = 4_096

/** The values as the records that are on the disk make them. */
export class ValueState {
  readonly values = new Map<string, string>()
  bytes = 0

  apply(record: ValueRecord): void {
    this.bytes -= this.bytesAt(record.key)
    if (record.kind === 'delete') {
      this.values.delete(record.key)
      return
    }
    this.values.set(record.key, record.value)
    this.bytes += bytesOf(record.key, record.value)
  }

  bytesAt(key: string): number {
    const value = this.values.get(key)
    return value === undefined ? 0 : bytesOf(key, value)
  }
}

/** `name` is for texts: the data directory. */
export function openDiskValues(state: ValueState, journal: Journal, name: string): Values {
  /** Of what is on its way to the disk. */
  let waitingBytes = 0

  function refuseTooLarge(key: string, value: string): void {
    for (const [what, text, limit] of [
      ['key', key, MAX_KEY_BYTES],
      ['value', value, MAX_VALUE_BYTES],
    ] as const) {
      const bytes = Buffer.byteLength(text)
      if (bytes <= limit) continue
      const said = `${name}: a ${what} of ${bytes} bytes (${key.slice(0, 80)}), at most ${limit} are stored`
      throw new EventingError('EVENT_TOO_LARGE', said)
    }
  }

  /** What waits is counted as if nothing went for it, so that the bound holds whichever of it is stored. */
  function refuseBeyondLimit(key: string, bytes: number): void {
    const otherBytes = state.bytes + waitingBytes - state.bytesAt(key)
    if (otherBytes + bytes <= MAX_BYTES) return
    const said = `${name}: ${otherBytes} bytes of small values are kept, at most ${MAX_BYTES} may be: no room for ${key}`
    throw new EventingError('LOG_FULL', said, { retryable: true })
  }

  return {
    get: (key) => state.values.get(key),
    entries: (prefix) => entriesOf(state.values, prefix),
    async put(key, value) {
      refuseTooLarge(key, value)
      const bytes = bytesOf(key, value)
      refuseBeyondLimit(key, bytes)
      waitingBytes += bytes
      const record = { kind: 'put', key, value } as const
      try {
        await storeRecord(journal, record, { isEssential: bytes <= ESSENTIAL_BYTES, apply: () => state.apply(record) })
      } finally {
        waitingBytes -= bytes
      }
    },
    async delete(key) {
      const record = { kind: 'delete', key } as const
      await storeRecord(journal, record, { isEssential: true, apply: () => state.apply(record) })
    },
  }
}

function bytesOf(key: string, value: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value)
}
