// Disks for tests: one that answers within the turn, and one that fails on command, both over real files.
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Disk, type DiskFile, nodeDisk } from '../../../../src/channel/backends/disk/disk.ts'
import { FRAME_BYTES } from '../../../../src/channel/backends/disk/record.ts'
import { HEADER_BYTES } from '../../../../src/channel/backends/disk/segment.ts'
import { type DiskOptions, type DiskStore, openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import type { EventLog, OwnedLane } from '../../../../src/channel/log.ts'
import { createClock } from '../../../../src/core/clock.ts'

const folders: string[] = []

export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-disk-'))
  folders.push(folder)
  return folder
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
}

/** What a process that is killed at this moment leaves behind, in a folder of its own: its files, without its lock. */
export async function leftBehind(dir: string): Promise<string> {
  const copy = path.join(await aFolder(), 'data')
  // A checkpoint that is being written is never read, and may be renamed while it is copied.
  await cp(dir, copy, { recursive: true, filter: (file) => !/\.(?:lock|new)$/.test(file) })
  return copy
}

/** Where the last record of a journal file ends: what follows are zeros that were written ahead. */
export function endOfRecords(bytes: Buffer): number {
  let at = HEADER_BYTES
  while (at + FRAME_BYTES <= bytes.length && bytes.readUInt32LE(at + 4) > 0)
    at += FRAME_BYTES + bytes.readUInt32LE(at + 4)
  return at
}

export interface Opened {
  readonly store: DiskStore
  /** What was reported, as `<what>: <code or text>`. */
  readonly faults: string[]
}

export async function openStore(dir: string, options: Partial<DiskOptions> = {}): Promise<Opened> {
  const faults: string[] = []
  const onFault = (what: string, error: unknown): void => {
    faults.push(`${what}: ${error instanceof Error ? error.message : error}`)
  }
  const store = await openDiskStore({ dir, clock: createClock(), reserveBytes: 0, onFault, ...options })
  return { store, faults }
}

/** The log's lane, as its owner would have it; given up at once, which an embedded log does not mind. */
export async function laneOf(log: EventLog): Promise<OwnedLane> {
  const stop = new AbortController()
  const found: OwnedLane[] = []
  await log.own(async (lane) => {
    found.push(lane)
    stop.abort()
  }, stop.signal)
  const [lane] = found
  if (!lane) throw new Error('no lane')
  return lane
}

type Operation = 'create' | 'write' | 'sync' | 'syncFolder' | 'rename' | 'truncate' | 'read'

export interface FaultyDisk extends Disk {
  /** Calls so far. */
  count(operation: Operation): number
  /** The next `times` calls on a file whose path holds `part` fail with this code, after half of a write was done. */
  fail(operation: Operation, code: string, options?: { readonly part?: string; readonly times?: number }): void
  heal(): void
}

export function aFaultyDisk(disk: Disk = nodeDisk()): FaultyDisk {
  const counts = new Map<Operation, number>()
  let failures: { operation: Operation; code: string; part: string; times: number }[] = []

  function meet(operation: Operation, file: string): Error | undefined {
    counts.set(operation, (counts.get(operation) ?? 0) + 1)
    const failure = failures.find((one) => one.operation === operation && one.times > 0 && file.includes(one.part))
    if (!failure) return undefined
    failure.times--
    return Object.assign(new Error(`${failure.code}: ${operation}`), { code: failure.code })
  }

  function enter(operation: Operation, file: string): void {
    const error = meet(operation, file)
    if (error) throw error
  }

  function wrap(file: string, inner: DiskFile): DiskFile {
    return {
      ...inner,
      async read(into, position) {
        enter('read', file)
        return inner.read(into, position)
      },
      async write(bytes, position) {
        const error = meet('write', file)
        if (error) {
          await inner.write(bytes.subarray(0, bytes.length / 2), position)
          throw error
        }
        await inner.write(bytes, position)
      },
      async sync() {
        enter('sync', file)
        await inner.sync()
      },
      async writeThrough(bytes, position) {
        await this.write(bytes, position)
        await this.sync()
      },
      async truncate(bytes) {
        enter('truncate', file)
        await inner.truncate(bytes)
      },
    }
  }

  return {
    ...disk,
    async create(file) {
      enter('create', file)
      return wrap(file, await disk.create(file))
    },
    openForReading: async (file) => wrap(file, await disk.openForReading(file)),
    async syncFolder(folder) {
      enter('syncFolder', folder)
      await disk.syncFolder(folder)
    },
    async rename(from, to) {
      enter('rename', from)
      await disk.rename(from, to)
    },
    count: (operation) => counts.get(operation) ?? 0,
    fail(operation, code, { part = '', times = 1 } = {}) {
      failures.push({ operation, code, part, times })
    },
    heal() {
      failures = []
    },
  }
}

/** Every call is done when it returns, and nothing is synced: for tests whose time stands still while a disk would work. */
export function aPromptDisk(): Disk {
  return {
    create: async (file) => promptFile(openSync(file, 'wx+')),
    openForReading: async (file) => promptFile(openSync(file, 'r+')),
    readAll: async (file) => (exists(file) ? readFileSync(file) : undefined),
    async syncFolder() {},
    rename: async (from, to) => renameSync(from, to),
    remove: async (file) => rmSync(file, { force: true }),
    async makeFolder(folder) {
      mkdirSync(folder, { recursive: true })
    },
    list: async (folder) => readdirSync(folder),
    touch: async (file, nowMs) => utimesSync(file, nowMs / 1_000, nowMs / 1_000),
    touchedAt: async (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs,
    sizeOf: async (file) => statSync(file, { throwIfNoEntry: false })?.size,
  }
}

function promptFile(handle: number): DiskFile {
  return {
    read: async (into, position) => readSync(handle, into, 0, into.length, position),
    async write(bytes, position) {
      writeSync(handle, bytes, 0, bytes.length, position)
    },
    async sync() {},
    async writeThrough(bytes, position) {
      await this.write(bytes, position)
    },
    truncate: async (bytes) => ftruncateSync(handle, bytes),
    size: async () => fstatSync(handle).size,
    close: async () => closeSync(handle),
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined
}
