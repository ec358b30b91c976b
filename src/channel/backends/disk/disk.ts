// The part of a file system that the disk log uses, so that tests can put one in its place that fails as disks do.
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'

export interface DiskFile {
  /** Bytes from `position` on into all of `into`; fewer are returned at the file's end only. */
  read(into: Buffer, position: number): Promise<number>
  /** Resolves when all bytes were taken by the operating system. */
  write(bytes: Buffer, position: number): Promise<void>
  /** Resolves when all that was written is on the disk. After a rejection nothing is known of what was written since the last. */
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  size(): Promise<number>
  /** Waits for what runs. */
  close(): Promise<void>
}

/** The part that looks and changes nothing. */
export interface ReadableDisk {
  openForReading(file: string): Promise<DiskFile>
  /** The whole file; undefined when it is not there. */
  readAll(file: string): Promise<Buffer | undefined>
  list(folder: string): Promise<readonly string[]>
  /** Time of change, epoch milliseconds; undefined when the file is not there. */
  touchedAt(file: string): Promise<number | undefined>
  /** undefined when the file is not there. */
  sizeOf(file: string): Promise<number | undefined>
}

export interface Disk extends ReadableDisk {
  /** Rejects with EEXIST when the file is there. */
  create(file: string): Promise<DiskFile>
  /** Makes creations, renames and removals in it last. */
  syncFolder(folder: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Idempotent. */
  remove(file: string): Promise<void>
  /** Idempotent, with all folders above. */
  makeFolder(folder: string): Promise<void>
  /** Sets the file's time of change to now. */
  touch(file: string, nowMs: number): Promise<void>
}

export function nodeDisk(): Disk {
  return {
    ...readOnlyDisk(),
    create: async (file) => diskFile(await open(file, 'wx+')),
    // What is read may have to be synced too, which not every system does for a file that is open for reading alone.
    openForReading: async (file) => diskFile(await open(file, 'r+')),
    async syncFolder(folder) {
      const handle = await open(folder, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    },
    rename,
    remove: (file) => rm(file, { force: true }),
    async makeFolder(folder) {
      const made = await mkdir(folder, { recursive: true })
      if (made === undefined) return
      // Each folder above a new one has a new name in it.
      const above = path.dirname(path.resolve(made))
      for (let at = path.resolve(folder); at !== above; at = path.dirname(at)) await this.syncFolder(path.dirname(at))
    },
    touch: (file, nowMs) => utimes(file, nowMs / 1_000, nowMs / 1_000),
  }
}

/** For files that may be somebody else's, on a disk that may be mounted read-only. */
export function readOnlyDisk(): ReadableDisk {
  return {
    openForReading: async (file) => diskFile(await open(file, 'r')),
    readAll: (file) => readFile(file).catch(undefinedWhenAbsent),
    list: (folder) => readdir(folder),
    touchedAt: async (file) => (await stat(file).catch(undefinedWhenAbsent))?.mtimeMs,
    sizeOf: async (file) => (await stat(file).catch(undefinedWhenAbsent))?.size,
  }
}

/** `ENOSPC` and the like, or undefined when the error is not the operating system's. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether the error says that there is no room left on the disk, or that no more of it is ours. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

function diskFile(handle: FileHandle): DiskFile {
  return {
    async read(into, position) {
      let done = 0
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    },
    async write(bytes, position) {
      let done = 0
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
        done += bytesWritten
      }
    },
    sync: () => handle.datasync(),
    truncate: (bytes) => handle.truncate(bytes),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  }
}

function undefinedWhenAbsent(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
  return undefined
}
