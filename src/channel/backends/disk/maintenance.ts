// What keeps the journal short: when it is longer than it may be, what logs still need of its oldest segment is copied to
// their own files, a checkpoint stands for the rest, and the segment goes. What settles in time is never written twice.
import { EventingError } from '../../../core/errors.ts'
import type { Position } from '../../log.ts'
import { type BacklogSegment, type BacklogWriter, writeBacklog } from './backlog.ts'
import { encodeCheckpoint, storeCheckpoint } from './checkpoint.ts'
import { type Disk, isDiskFull } from './disk.ts'
import { type Journal, type JournalSegment, LOCATION_SCALE } from './journal.ts'
import type { LogState } from './log-state.ts'
import { type LogNumber, readEntryHead } from './record.ts'
import type { Folders } from './recovery.ts'
import type { Reserve } from './reserve.ts'
import { HEADER_BYTES, type Scanned, scanSegment } from './segment.ts'

export interface MaintenanceOptions {
  readonly disk: Disk
  readonly folders: Folders
  readonly journal: Journal
  /** Bytes of journal segments above which the oldest goes. */
  readonly journalBytes: number
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

  function isTooLong(): boolean {
    const { segments } = journal
    const bytes = segments.reduce((sum, { end }) => sum + end, 0)
    return segments.length > 1 && (bytes > options.journalBytes || segments.length > MOST_SEGMENTS)
  }

  /** On a full disk, what nobody needs goes however short the journal is. */
  function canGo({ header }: JournalSegment): boolean {
    if (options.reserve.isHeld || journal.segments.length === 1) return false
    for (const state of options.states()) {
      state.freeSettledIn(header.number)
      if (state.needs(header.number)) return false
    }
    return true
  }

  async function shorten(): Promise<void> {
    let isStored = false
    for (;;) {
      const [oldest] = journal.segments
      if (!oldest || !(isTooLong() || canGo(oldest))) break
      await moveOut(options, oldest)
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

/** Copies what is still needed of a journal segment, in one pass over it; the logs read it from there once it resolves. */
async function moveOut(options: MaintenanceOptions, from: JournalSegment): Promise<void> {
  const { disk, folders } = options
  const neededFrom = new Map<LogNumber, Position>()
  for (const state of options.states()) {
    const first = state.freeSettledIn(from.header.number)
    if (state.needs(from.header.number)) neededFrom.set(state.number, first)
  }
  if (neededFrom.size === 0) return
  const writers = new Map<LogNumber, BacklogWriter>()
  const finished: BacklogSegment[] = []
  try {
    await scanSegment(from, HEADER_BYTES, from.end, copy, ({ from: start, to }) => tellDamage(options, from, start, to))
    for (const writer of writers.values()) finished.push(await writer.finish())
    await disk.syncFolder(folders.backlog)
  } catch (error) {
    for (const writer of writers.values()) await writer.discard().catch(() => undefined)
    throw error
  }
  for (const segment of finished) {
    const state = options.stateOf(segment.log)
    if (state) state.moveToBacklog(segment)
    else await removeSegment(disk, segment)
  }

  async function copy(scanned: Scanned): Promise<void> {
    if (scanned.frame.kind !== 'entry') return
    const head = readEntryHead(scanned.buffer, scanned.frame)
    const first = neededFrom.get(head.log)
    const location = from.header.number * LOCATION_SCALE + scanned.at
    if (first === undefined || head.position < first) return
    if (options.stateOf(head.log)?.index.location(head.position) !== location) return
    let writer = writers.get(head.log)
    if (!writer) {
      writer = await writeBacklog(disk, folders.backlog, { log: head.log, first: head.position })
      writers.set(head.log, writer)
    }
    await writer.add(scanned, head)
  }
}

/** Closes and deletes it. */
export async function removeSegment(disk: Disk, { segment }: BacklogSegment): Promise<void> {
  await segment.file.close()
  await disk.remove(segment.path)
}

function tellDamage({ fault }: MaintenanceOptions, { path }: JournalSegment, start: number, end: number): void {
  fault('shorten the journal', new EventingError('LOG_CORRUPT', `${path}: damaged from ${start} to ${end}`))
}
