// A cursor's state above its floor: how far it has read, which entries before that are not settled, and which after it
// are settled unread. Backends store it without looking inside. Everything a record says is true for ever, so two records of one cursor merge by union of
// what is settled: a late or repeated write can only repeat deliveries, never skip one.
import { EventingError } from '../core/errors.ts'
import type { Cursor, Position } from './log.ts'
import { type Range, Ranges } from './ranges.ts'

export interface UnsettledEntry {
  readonly position: Position
  /** Attempts already begun. */
  readonly attempt: number
  /** Length of the wait it is in, milliseconds; 0 when it is not waiting. */
  readonly waitMs: number
  /** When that wait ends, epoch ms; 0 when it is not waiting. */
  readonly dueAt: number
}

export interface CursorState {
  /** All before it has been read: what is not listed as unsettled is settled. */
  readonly next: Position
  /** In order of position, all before `next`. */
  readonly unsettled: readonly UnsettledEntry[]
  /** Settled without having been read: redriven, discarded or skipped. All after `next`, in order, apart. */
  readonly ahead: readonly Range[]
}

/** Of a record without, and with, stretches that are settled ahead. */
const VERSION = 1
const VERSION_AHEAD = 2

/** The record of a cursor that has settled all before `next` and nothing after. */
export function cursorAt(next: Position): Cursor {
  return { floor: next, state: new Uint8Array(0) }
}

export function encodeCursor({ next, unsettled, ahead }: CursorState): Cursor {
  const floor = unsettled[0]?.position ?? next
  if (unsettled.length === 0 && ahead.length === 0) return cursorAt(next)
  const numbers = [ahead.length > 0 ? VERSION_AHEAD : VERSION, next - floor, unsettled.length]
  let last = floor
  for (const { position, attempt, waitMs, dueAt } of unsettled) {
    numbers.push(position - last, attempt, waitMs)
    if (waitMs > 0) numbers.push(dueAt)
    last = position
  }
  last = next
  for (const { from, to } of ahead) {
    numbers.push(from - last, to - from)
    last = to
  }
  return { floor, state: encodeNumbers(numbers) }
}

/** Throws LOG_CORRUPT when the state is not what `encodeCursor` made. */
export function decodeCursor({ floor, state }: Cursor): CursorState {
  if (state.length === 0) return { next: floor, unsettled: [], ahead: [] }
  const { read, isAtEnd } = numbersOf(state)
  const version = read()
  if (version !== VERSION && version !== VERSION_AHEAD) {
    throw corrupt(`version ${version}, expected ${VERSION} or ${VERSION_AHEAD}`)
  }
  const next = floor + read()
  const count = read()
  const unsettled: UnsettledEntry[] = []
  let last = floor
  for (let i = 0; i < count; i++) {
    const position = last + read()
    const attempt = read()
    const waitMs = read()
    unsettled.push({ position, attempt, waitMs, dueAt: waitMs > 0 ? read() : 0 })
    last = position
  }
  const ahead: Range[] = []
  last = next
  while (version === VERSION_AHEAD && !isAtEnd()) {
    const from = last + read()
    last = from + read()
    ahead.push({ from, to: last })
  }
  return { next, unsettled, ahead }
}

/** The union of what two records of one cursor say is settled; of an entry unsettled in both, the higher attempt. */
export function mergeCursors(a: Cursor, b: Cursor): Cursor {
  const [behind, further] = [decodeCursor(a), decodeCursor(b)].sort((x, y) => x.next - y.next) as [
    CursorState,
    CursorState,
  ]
  const known = new Map(behind.unsettled.map((entry) => [entry.position, entry]))
  const settledAhead = new Ranges(behind.ahead)
  const unsettled: UnsettledEntry[] = []
  for (const entry of further.unsettled) {
    const other = known.get(entry.position)
    if (entry.position >= behind.next) {
      if (!settledAhead.has(entry.position)) unsettled.push(entry)
    } else if (other) unsettled.push(other.attempt > entry.attempt ? other : entry)
  }
  for (const { from, to } of further.ahead) settledAhead.add(from, to)
  const next = settledAhead.pass(further.next)
  return encodeCursor({ next, unsettled, ahead: [...settledAhead] })
}

/** Unsigned integers up to 2^53, seven bits a byte, lowest first. */
function encodeNumbers(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = []
  for (const number of numbers) {
    let rest = number
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    bytes.push(rest)
  }
  return Uint8Array.from(bytes)
}

function numbersOf(bytes: Uint8Array): { read(): number; isAtEnd(): boolean } {
  let at = 0
  return {
    read() {
      let value = 0
      for (let scale = 1; ; scale *= 0x80) {
        const byte = bytes[at++]
        if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw corrupt('cut short')
        value += (byte & 0x7f) * scale
        if (byte < 0x80) return value
      }
    },
    isAtEnd: () => at >= bytes.length,
  }
}

function corrupt(what: string): EventingError {
  return new EventingError('LOG_CORRUPT', `cursor state: ${what}`)
}
