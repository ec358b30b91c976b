// The cursors of one log: each change is a record in the journal, and holds once it is on the disk.
import { EventingError } from '../../../core/errors.ts'
import type { Batch, Cursor, CursorId, CursorStart, OwnedLane, Position } from '../../log.ts'
import type { FloorHolder } from '../../lowest-floor.ts'
import type { LogState } from './log-state.ts'
import type { LogRecord } from './record.ts'

export interface DiskCursors {
  create(id: CursorId, from: CursorStart): Promise<void>
  positionAt(from: CursorStart): Promise<Position>
  drop(id: CursorId): Promise<void>
  save(change: Parameters<OwnedLane['save']>[0]): Promise<void>
}

/** A save with more than this is stored in parts, the claim about all cursors last. */
const SAVE_BYTES = 2 ** 20

export function openDiskCursors(options: {
  readonly state: LogState
  /** Resolves once the record is on the disk and applied. */
  readonly store: (record: LogRecord) => Promise<void>
  /** What stands at a position, or the next after it that is not lost. */
  readonly entryAt: (position: Position) => Promise<Batch>
  readonly isEnding: () => boolean
}): DiskCursors {
  const { state, store, entryAt, isEnding } = options
  const creating = new Map<CursorId, Promise<void>>()
  const dropping = new Map<CursorId, Promise<void>>()

  async function create(id: CursorId, from: CursorStart): Promise<void> {
    await dropping.get(id)?.catch(() => undefined)
    if (isEnding()) throw new EventingError('LOG_GONE', `${state.name}: the log was removed or closed`)
    const underWay = creating.get(id)
    if (underWay) return underWay
    if (state.cursors.has(id)) return
    const created = storeNew(id, from)
    creating.set(id, created)
    try {
      await created
    } finally {
      creating.delete(id)
    }
  }

  async function storeNew(id: CursorId, from: CursorStart): Promise<void> {
    let floor = from === 'now' ? state.end : state.start
    // Until the cursor is stored, nothing that it may want is freed.
    const held: FloorHolder = { inFloors: false, floor: () => floor }
    state.hold(held)
    try {
      if (typeof from === 'object') floor = await firstArrivedFrom(from.timeMs, state.start, state.end, entryAt)
      await store({ kind: 'create', log: state.number, id, floor })
    } finally {
      floor = Infinity
    }
  }

  async function drop(id: CursorId): Promise<void> {
    await creating.get(id)?.catch(() => undefined)
    const underWay = dropping.get(id)
    if (underWay) return underWay
    if (!state.cursors.has(id)) return
    const dropped = store({ kind: 'drop', log: state.number, id })
    dropping.set(id, dropped)
    try {
      await dropped
    } finally {
      dropping.delete(id)
    }
  }

  /** In parts when it is large: what each cursor says is true by itself, what the base says of the others comes last. */
  async function save({ base, put, covered }: Parameters<OwnedLane['save']>[0]): Promise<void> {
    const parts: Promise<void>[] = []
    let part = new Map<CursorId, Cursor>()
    let bytes = 0
    for (const [id, cursor] of put) {
      part.set(id, cursor)
      bytes += id.length + cursor.state.length
      if (bytes < SAVE_BYTES) continue
      parts.push(store({ kind: 'save', log: state.number, base: state.base, put: part, covered: [] }))
      part = new Map()
      bytes = 0
    }
    // A part that is lost must not be passed by the base: the claim waits until all of them are stored.
    await Promise.all(parts)
    await store({ kind: 'save', log: state.number, base, put: part, covered })
  }

  return {
    create,
    drop,
    save,
    positionAt: async (from) => {
      if (typeof from === 'object') return firstArrivedFrom(from.timeMs, state.start, state.end, entryAt)
      return from === 'now' ? state.end : state.start
    },
  }
}

/** The first position between two whose entry arrived then or later; `end` when there is none. Times grow with positions. */
export async function firstArrivedFrom(
  timeMs: number,
  start: Position,
  end: Position,
  entryAt: (position: Position) => Promise<Batch>,
): Promise<Position> {
  let low = start
  let high = end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const { entries, next } = await entryAt(middle)
    const [entry] = entries
    if (entry && entry.event.arrivedAt >= timeMs) high = middle
    else low = Math.min(entry ? entry.position + 1 : next, high)
  }
  return low
}
