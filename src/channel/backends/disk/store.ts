// All logs of one data directory, as durable as its disk: what an append resolved for survives a power cut. The journal
// makes records last, the logs say what they mean; docs/disk-format.md tells what is in the files.
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { Values } from '../../../core/values.ts'
import type { LogConfig, LogRef, LogStore, LogTraits } from '../../log.ts'
import { type Aging, createAging } from '../retention.ts'
import { type BacklogSegment, removeSegment } from './backlog.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { type DiskLog, openDiskLog } from './disk-log.ts'
import { openDiskValues } from './disk-values.ts'
import { type Journal, openJournal, storeRecord } from './journal.ts'
import { acquireLock, type Lock } from './lock.ts'
import { LogState } from './log-state.ts'
import { type Maintenance, startMaintenance } from './maintenance.ts'
import { Recent } from './recent.ts'
import type { DiskRecord, LogNumber } from './record.ts'
import { closeRecovered, type Folders, foldersOf, type Recovered, recover, tidyUp } from './recovery.ts'
import { openReserve } from './reserve.ts'

export interface DiskOptions {
  /** Made if it is not there. One process at a time. */
  readonly dir: string
  readonly clock: Clock
  /** Something failed that is tried again, or was found damaged; what cannot go on is rejected instead. */
  readonly onFault: (what: string, error: unknown) => void
  readonly maxEventBytes?: number
  /** A journal segment that has grown to this is followed by another. */
  readonly segmentBytes?: number
  /** Bytes of journal segments above which the oldest goes. */
  readonly journalBytes?: number
  /** Entries appended last that are kept in memory, over all logs. */
  readonly recentBytes?: number
  /** Bytes that may wait to be written, over all logs; appends beyond it reject with LOG_UNAVAILABLE. */
  readonly waitingBytes?: number
  /** Room kept for cursors and checkpoints, for when the disk is full. */
  readonly reserveBytes?: number
  /** Where the files are. */
  readonly disk?: Disk
}

/** Logs, and beside them what else must last. */
export interface DiskStore extends LogStore {
  readonly values: Values
  /** Bytes of the journal and of what had to leave it. */
  usedBytes(): number
}

const LARGEST_EVENT_BYTES = 2 ** 24
const LARGEST_SEGMENT_BYTES = 2 ** 29

export function diskTraits(options: { readonly maxEventBytes?: number } = {}): LogTraits {
  return {
    backend: 'disk',
    survives: 'power-loss',
    shared: false,
    readsCostIo: false,
    maxEventBytes: Math.min(options.maxEventBytes ?? 2 ** 20, LARGEST_EVENT_BYTES),
  }
}

/**
 * Rejects with LOG_CONFLICT when a process owns the directory, LOG_CORRUPT or LOG_LOST when it cannot be known what its
 * logs held, LOG_UNAVAILABLE when the disk does not do as asked.
 */
export async function openDiskStore(options: DiskOptions): Promise<DiskStore> {
  const disk = options.disk ?? nodeDisk()
  const folders = foldersOf(options.dir)
  let lock: Lock | undefined
  try {
    await disk.makeFolder(folders.journal)
    await disk.makeFolder(folders.backlog)
    // A start that ended between making them and this may have left them to chance.
    await disk.syncFolder(options.dir)
    lock = await acquireLock(disk, options.dir, options.clock)
    return await openOwned(options, disk, folders, lock)
  } catch (error) {
    await lock?.release().catch(() => undefined)
    if (error instanceof EventingError) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw new EventingError('LOG_UNAVAILABLE', `${options.dir}: ${text}`, { retryable: true, cause: error })
  }
}

async function openOwned(options: DiskOptions, disk: Disk, folders: Folders, lock: Lock): Promise<DiskStore> {
  const recovered = await recover(disk, folders, options.onFault)
  try {
    return await openRecovered(options, disk, folders, lock, recovered)
  } catch (error) {
    await closeRecovered(recovered)
    throw error
  }
}

/** Nothing in the directory was changed before. */
async function openRecovered(
  options: DiskOptions,
  disk: Disk,
  folders: Folders,
  lock: Lock,
  recovered: Recovered,
): Promise<DiskStore> {
  const { onFault: fault } = options
  const segmentBytes = Math.min(options.segmentBytes ?? 2 ** 26, LARGEST_SEGMENT_BYTES)
  const journalBytes = options.journalBytes ?? 4 * segmentBytes
  await tidyUp(disk, folders, recovered)
  const reserve = await openReserve(disk, options.dir, options.reserveBytes ?? 2 ** 23, options.clock)
  let maintenance: Maintenance | undefined
  const journal = await openJournal({
    disk,
    folder: folders.journal,
    segmentBytes,
    older: recovered.segments,
    isOlderTorn: recovered.isTorn,
    firstNumber: recovered.nextSegment,
    fault,
    async onRoll() {
      const shortened = maintenance?.run()
      // Whoever writes faster than what lags can be copied waits for it.
      if (bytesOf(journal) > 2 * journalBytes) await shortened
    },
    reserve,
    onFull: () => void maintenance?.run(),
  })
  const logs = new Logs(options, disk, journal, recovered.logs.values(), recovered.nextLog)
  maintenance = startMaintenance({
    disk,
    folders,
    journal,
    journalBytes,
    joinBytes: segmentBytes / 4,
    states: () => logs.states.values(),
    stateOf: (log) => logs.states.get(log),
    nextLog: () => logs.nextLog,
    values: recovered.values.values,
    reserve,
    fault,
  })
  // The rest is done beside what begins now: it may copy a whole segment.
  await maintenance.checkpoint().catch((error: unknown) => fault('store the first checkpoint', error))
  void maintenance.run()
  const values = openDiskValues(recovered.values, journal, options.dir)
  return storeOf(logs, values, journal, maintenance, lock, diskTraits(options), fault)
}

function storeOf(
  logs: Logs,
  values: Values,
  journal: Journal,
  maintenance: Maintenance,
  lock: Lock,
  traits: LogTraits,
  fault: DiskOptions['onFault'],
): DiskStore {
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await logs.end()
    await journal.end()
    await maintenance.settled()
    await maintenance.checkpoint().catch((error: unknown) => fault('store the last checkpoint', error))
    await journal.close()
    await logs.close()
    await lock.release().catch((error: unknown) => fault('give up the data directory', error))
  }

  return {
    traits,
    values,
    usedBytes: () => bytesOf(journal) + logs.backlogBytes(),
    open: (ref, config) => logs.open(ref, config, traits),
    remove: (ref) => logs.remove(ref),
    close() {
      closing ??= close()
      return closing
    },
  }
}

function bytesOf({ segments }: Journal): number {
  return segments.reduce((sum, { end }) => sum + end, 0)
}

class Logs {
  readonly states = new Map<LogNumber, LogState>()
  nextLog: LogNumber
  readonly #options: DiskOptions
  readonly #disk: Disk
  readonly #journal: Journal
  readonly #recent: Recent
  readonly #waiting: { bytes: number; readonly limit: number }
  /** By uid, those that are open. */
  readonly #opened = new Map<string, Promise<DiskLog>>()
  /** Uid by name, of those too that are being opened. */
  readonly #owners = new Map<string, string>()
  readonly #aging: Aging
  #isEnding = false

  constructor(options: DiskOptions, disk: Disk, journal: Journal, states: Iterable<LogState>, nextLog: LogNumber) {
    this.#options = options
    this.#disk = disk
    this.#journal = journal
    this.nextLog = nextLog
    this.#recent = new Recent(options.recentBytes ?? 2 ** 24)
    this.#waiting = { bytes: 0, limit: options.waitingBytes ?? 2 ** 26 }
    this.#aging = createAging(options.clock, (nowMs) => this.#dropOld(nowMs))
    for (const state of states) this.#add(state)
  }

  async open({ uid, name }: LogRef, config: LogConfig, traits: LogTraits): Promise<DiskLog> {
    if (this.#isEnding) throw new EventingError('LOG_GONE', `${this.#options.dir}: closed`)
    const owner = this.#owners.get(name)
    if (owner !== undefined && owner !== uid) {
      throw new EventingError('LOG_CONFLICT', `${name}: the log belongs to another uid (${owner})`)
    }
    const opening = this.#opened.get(uid) ?? this.#openNew(uid, name, traits)
    this.#opened.set(uid, opening)
    this.#owners.set(name, uid)
    try {
      const log = await opening
      log.configure(config)
      this.#aging.watch(config)
      return log
    } catch (error) {
      this.#opened.delete(uid)
      if (!this.#stateOf(uid)) this.#owners.delete(name)
      throw error
    }
  }

  async #openNew(uid: string, name: string, traits: LogTraits): Promise<DiskLog> {
    const state = this.#stateOf(uid) ?? (await this.#create(uid, name))
    if (state.isLost) {
      throw new EventingError(
        'LOG_LOST',
        `${name}: its files are gone from ${this.#options.dir}; remove it to begin anew`,
      )
    }
    return openDiskLog({
      state,
      traits,
      journal: this.#journal,
      recent: this.#recent,
      waiting: this.#waiting,
      fault: this.#options.onFault,
    })
  }

  async #create(uid: string, name: string): Promise<LogState> {
    const log = this.nextLog++
    const state = new LogState(log, uid, name)
    await this.#store({ kind: 'open', log, uid, name }, () => this.#add(state))
    return state
  }

  async remove({ uid }: LogRef): Promise<void> {
    const opened = await this.#opened.get(uid)?.catch(() => undefined)
    const state = this.#stateOf(uid)
    if (!state) return
    const wasEnding = opened?.isEnding
    if (opened) opened.isEnding = true
    try {
      await this.#store({ kind: 'remove', log: state.number }, () => {
        this.states.delete(state.number)
        opened?.discard()
      })
    } catch (error) {
      if (opened) opened.isEnding = wasEnding ?? false
      throw error
    }
    this.#opened.delete(uid)
    if (this.#owners.get(state.name) === uid) this.#owners.delete(state.name)
    for (const segment of state.backlog) await this.#free(segment)
  }

  async #dropOld(nowMs: number): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened.catch(() => undefined))?.dropOld(nowMs)
  }

  /** Nothing more is taken. */
  async end(): Promise<void> {
    this.#isEnding = true
    for (const opened of this.#opened.values()) {
      opened.then(
        (log) => {
          log.isEnding = true
        },
        () => undefined,
      )
    }
    await this.#aging.close()
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) (await opened.catch(() => undefined))?.discard()
    for (const { backlog } of this.states.values()) {
      for (const { segment } of backlog) await segment.file.close().catch(() => undefined)
    }
  }

  backlogBytes(): number {
    let bytes = 0
    for (const { backlog } of this.states.values()) for (const { recordsEnd } of backlog) bytes += recordsEnd
    return bytes
  }

  #stateOf(uid: string): LogState | undefined {
    for (const state of this.states.values()) if (state.uid === uid) return state
    return undefined
  }

  #add(state: LogState): void {
    state.onFreed = (segment) => void this.#free(segment)
    this.states.set(state.number, state)
    this.#owners.set(state.name, state.uid)
  }

  /** A file that stays is nobody's: the next start removes it. */
  async #free(segment: BacklogSegment): Promise<void> {
    try {
      await removeSegment(this.#disk, segment)
    } catch (error) {
      this.#options.onFault('free the backlog', error)
    }
  }

  #store(record: DiskRecord, apply: () => void): Promise<void> {
    return storeRecord(this.#journal, record, { isEssential: record.kind === 'remove', apply })
  }
}
