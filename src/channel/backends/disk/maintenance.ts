// What keeps the journal short: when it is longer than it may be, what logs still need of its oldest segment is copied to
// their own files, a checkpoint stands for the rest, and the segment goes. What settles in time is never written twice.
import { type BacklogSegment, removeSegment } from './backlog.ts'
import { encodeCheckpoint, storeCheckpoint } from './checkpoint.ts'
import { type Disk, isDiskFull } from './disk.ts'
import type { Journal, JournalSegment } from './journal.ts'
import type { LogState } from './log-state.ts'
import { moveOut } from './move-out.ts'
import type { LogNumber } from './record.ts'
import type { Folders } from './recovery.ts'
import type { Reserve } from './reserve.ts'

export interface MaintenanceOptions {
  readonly disk: Disk
  readonly folders: Folders
  readonly journal: Journal
  /** Bytes of journal segments above which the oldest goes. */
  readonly journalBytes: number
  /** Backlog files are joined while they have no more than this together. */
  readonly joinBytes: number
  readonly states: () => Iterable<LogState>
  readonly stateOf: (log: LogNumber) => LogState | undefined
  readonly nextLog: () => LogNumber
  readonly values: ReadonlyMap<string, string>
  readonly reserve: Reserve
  readonly fault: (what: string, error: unknown) => void
}

export interface Maintenance {
  /** Shortens the journal if it is too long, and stores a checkpoint. One at a time; never rejects. */
  run(): Promise<void>
  /** Resolves when nothing runs. */
  settled(): Promise<void>
  /** Rejects with what the disk says. */
  checkpoint(): Promise<void>
}

/** However small they are: each costs a file handle, and a header to read at start. */
const MOST_SEGMENTS = 16

export function startMaintenance(options: MaintenanceOptions): Maintenance {
  const { disk, folders, journal, fault } = options
  let running: Promise<void> | undefined
  /** Files whose entries stand in others now. They go once a checkpoint says so. */
  let replaced: BacklogSegment[] = []

  function isTooLong(): boolean {
    const { segments } = journal
    const bytes = segments.reduce((sum, { end }) => sum + end, 0)
    return segments.length > 1 && (bytes > options.journalBytes || segments.length > MOST_SEGMENTS)
  }

  /** On a full disk, what nobody needs goes however short the journal is, and nothing is kept that is settled. */
  function canGo({ header }: JournalSegment): boolean {
    if (options.reserve.isHeld || journal.segments.length === 1) return false
    const states = [...options.states()]
    for (const state of states) state.freeSettledIn(header.number)
    return !states.some((state) => state.needs(header.number))
  }

  async function shorten(): Promise<void> {
    let isStored = false
    for (;;) {
      const [oldest] = journal.segments
      if (!oldest || !(isTooLong() || canGo(oldest))) break
      replaced.push(...(await moveOut(options, oldest)))
      await checkpoint(oldest.header.number + 1)
      isStored = true
      await journal.dropOldest()
    }
    if (!isStored) await checkpoint()
  }

  async function checkpoint(firstSegment = journal.segments[0]?.header.number ?? 1): Promise<void> {
    const about = { replayFrom: journal.position(), firstSegment, nextLog: options.nextLog() }
    const encode = (): Buffer => encodeCheckpoint(about, options.states(), options.values)
    const store = (): Promise<void> => storeCheckpoint(disk, folders.root, encode())
    await store().catch(async (error: unknown) => {
      if (!isDiskFull(error) || !(await options.reserve.release())) throw error
      await store()
    })
    const unnamed = replaced
    replaced = []
    for (const segment of unnamed) await removeSegment(disk, segment)
  }

  return {
    run() {
      running ??= shorten()
        .catch((error: unknown) => fault('shorten the journal', error))
        .finally(() => {
          running = undefined
        })
      return running
    },
    settled: async () => running,
    checkpoint: () => checkpoint(),
  }
}
