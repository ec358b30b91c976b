// The cursors of one lane, stored as they change: once in a while, earlier when much could be freed, and never two saves at
// once. What could not be stored is stored with the next save.
import type { Clock, Timer } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { cursorAt } from './cursor.ts'
import type { Cursor, CursorId, OwnedLane, Position } from './log.ts'
import { LowestFloor } from './lowest-floor.ts'
import type { Window } from './window.ts'

export interface SaverOptions {
  readonly owned: OwnedLane
  readonly clock: Clock
  /** Longest time between a settled delivery and its stored cursor. */
  saveIntervalMs(): number
  /** Settled bytes after which cursors are saved, and room is made, earlier. */
  readonly saveBytes: number
  /** Where the lane's cursors stood when it was taken up. */
  readonly base: Position
  /** All before it has been matched and handed over. */
  head(): Position
  /** All before it was offered to the windows that ride. */
  sweepAt(): Position
  /** All before it is settled by everybody, and that is stored. */
  trimmed(floor: Position): void
  /** Another process owns the lane, or the log is gone: nothing more is stored. */
  lost(): void
  fault(what: string, error: unknown): void
}

export interface Saver {
  /** The window's cursor differs from what is stored. */
  changed(window: Window): void
  /** Its subscription is gone. */
  forget(window: Window): void
  /** The cursor's stored record says no more than the base. */
  cover(id: CursorId): void
  /** It is gone. */
  uncover(id: CursorId): void
  /** Cursors at the base that are nobody's: they get a record where they stand. */
  keep(ids: Iterable<CursorId>): void
  /** The cursor is somebody's now. Returns whether it was kept: then a record of its own may be on its way to the store. */
  claim(id: CursorId): boolean
  /** So many bytes were settled, or matched by nobody. */
  freed(bytes: number): void
  /** Who holds the lowest floor. */
  floorHolder(): Window | undefined
  schedule(): void
  /** Saves at once what frees room in the log, if anything does. */
  makeRoom(): void
  /** Resolves with whether all that had changed is stored. Never rejects: what is not stored is, with the next save. */
  save(): Promise<boolean>
  /** No save begins by itself any more. */
  stop(): void
  /** Nothing is stored any more. */
  end(): void
}

export function createSaver(options: SaverOptions): Saver {
  const { owned, clock, base } = options
  const floors = new LowestFloor<Window>()
  let savedBase = base
  let trimmedBefore: Position = 0
  /** Since the last save. */
  let freedBytes = 0
  let dirty = new Set<Window>()
  let toCover = new Set<CursorId>()
  /** Cursors that are nobody's; `unkept`: those whose record is not stored yet. */
  const kept = new Set<CursorId>()
  let unkept = new Set<CursorId>()
  let timer: Timer | undefined
  let saving: Promise<boolean> | undefined
  let isStopped = false
  let isEnded = false

  function schedule(): void {
    if (timer || isStopped) return
    timer = clock.after(options.saveIntervalMs(), () => {
      timer = undefined
      void save()
    })
  }

  function stop(): void {
    isStopped = true
    timer?.cancel()
    timer = undefined
  }

  async function save(): Promise<boolean> {
    while (saving) await saving
    saving = saveOnce().then(
      () => !isEnded,
      (error: unknown) => {
        saveFailed(error)
        return false
      },
    )
    const isStored = await saving
    saving = undefined
    return isStored
  }

  async function saveOnce(): Promise<void> {
    if (isEnded) return
    // All that this floor rests on is stored before anything is trimmed.
    const head = options.head()
    const floor = Math.min(head, floors.lowest()?.floor() ?? Infinity)
    if (dirty.size > 0 || toCover.size > 0 || head !== savedBase) await storeCursors(head)
    if (floor <= trimmedBefore) return
    await owned.trim(floor)
    trimmedBefore = floor
    options.trimmed(floor)
  }

  async function storeCursors(newBase: Position): Promise<void> {
    const put = new Map<CursorId, Cursor>()
    const covered = toCover
    const changedNow = dirty
    const keptNow = unkept
    dirty = new Set()
    toCover = new Set()
    unkept = new Set()
    freedBytes = 0
    for (const id of keptNow) if (kept.has(id)) put.set(id, cursorAt(base))
    for (const window of changedNow) {
      const { id, live } = window.subscription
      if (!live) continue
      const record = window.record(newBase, options.sweepAt())
      if (record) put.set(id, record)
      if (record) covered.delete(id)
      else if (window.stored) covered.add(id)
      window.stored = record !== undefined
      // It starts after the head: it will be covered once the head has passed it.
      if (record && window.state === 'attached' && window.unsettled.size === 0) dirty.add(window)
    }
    try {
      await owned.save({ base: newBase, put, covered: [...covered] })
    } catch (error) {
      for (const window of changedNow) {
        dirty.add(window)
        window.stored = true
      }
      for (const id of covered) toCover.add(id)
      for (const id of keptNow) unkept.add(id)
      throw error
    }
    savedBase = newBase
  }

  function saveFailed(error: unknown): void {
    const code = codeOf(error)
    if (code === 'LANE_LOST' || code === 'LOG_GONE') return options.lost()
    options.fault('save cursors', error)
    schedule()
  }

  return {
    changed(window) {
      floors.add(window)
      if (dirty.has(window)) return
      dirty.add(window)
      schedule()
    },
    forget(window) {
      dirty.delete(window)
      schedule() // it may have held the floor
    },
    cover(id) {
      toCover.add(id)
    },
    uncover(id) {
      toCover.delete(id)
    },
    keep(ids) {
      for (const id of ids) {
        kept.add(id)
        unkept.add(id)
      }
    },
    claim: (id) => kept.delete(id),
    freed(bytes) {
      freedBytes += bytes
      if (freedBytes >= options.saveBytes && !saving) void save()
    },
    floorHolder: () => floors.lowest(),
    schedule,
    makeRoom() {
      if (freedBytes > 0 && !saving) void save()
    },
    save,
    stop,
    end() {
      isEnded = true
      stop()
    },
  }
}
