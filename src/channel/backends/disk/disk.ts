// The part of a file system that the disk log uses, so that tests can put one in its place that fails as disks do.
import { constants, write } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'

export interface DiskFile {
  /** Bytes from `position` on into all of `into`; fewer are returned at the file's end only. */
  read(into: Buffer, position: number): Promise<number>
  /** Resolves when all bytes were taken by the operating system. */
  write(bytes: Buffer, position: number): Promise<void>
  /** Resolves when all that was written is on the disk. After a rejection nothing is known of what was written since the last. */
  sync(): Promise<void>
  /** Both in one: resolves when these bytes are on the disk. After a rejection nothing is known of them. */
  writeThrough(bytes: Buffer, position: number): Promise<void>
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
    create: async (file) => diskFile(file, await open(file, 'wx+')),
    // What is read may have to be synced too, which not every system does for a file that is open for reading alone.
    openForReading: async (file) => diskFile(file, await open(file, 'r+')),
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
      const made = await makeWithAbove(path.resolve(folder))
      if (made === undefined) return
      // Each folder above a new one has a new name in it.
      const above = path.dirname(made)
      for (let at = path.resolve(folder); at !== above; at = path.dirname(at)) await this.syncFolder(path.dirname(at))
    },
    touch: (file, nowMs) => utimes(file, nowMs / 1_000, nowMs / 1_000),
  }
}

/** Events are nobody else's to read. */
const OWNER_ONLY = 0o700

/**
 * Returns the first folder that it made. Node's own way looks for what is above for ever where a file system says of a new
 * name that it is not there, as /proc does.
 */
async function makeWithAbove(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, OWNER_ONLY)
    return folder
  } catch (error) {
    if (await isFolder(folder)) return undefined
    const above = path.dirname(folder)
    if (systemCode(error) !== 'ENOENT' || (await isFolder(above))) throw error
    const first = await makeWithAbove(above)
    const last = await makeWithAbove(folder)
    return first ?? last
  }
}

async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isDirectory() === true
}

/** For files that may be somebody else's, on a disk that may be mounted read-only. */
export function readOnlyDisk(): ReadableDisk {
  return {
    openForReading: async (file) => diskFile(file, await open(file, 'r')),
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

/** Elsewhere a write with this flag may leave bytes in the drive's own cache, which Node's sync does not. */
const CAN_WRITE_THROUGH = process.platform === 'linux'

function diskFile(file: string, handle: FileHandle): DiskFile {
  let through: FileHandle | undefined
  let writing: Promise<void> = Promise.resolve()
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
    write: (bytes, position) => writeAll(handle, bytes, position),
    sync: () => handle.datasync(),
    async writeThrough(bytes, position) {
      if (!CAN_WRITE_THROUGH) {
        await writeAll(handle, bytes, position)
        return handle.datasync()
      }
      through ??= await open(file, constants.O_WRONLY | constants.O_DSYNC)
      writing = writeAll(through, bytes, position)
      return writing
    },
    truncate: (bytes) => handle.truncate(bytes),
    size: async () => (await handle.stat()).size,
    async close() {
      // Who wrote has been told.
      await writing.catch(() => undefined)
      await through?.close()
      await handle.close()
    },
  }
}

/** With the callback, which costs a third of what the handle's own method does. */
function writeAll(handle: FileHandle, bytes: Buffer, position: number, done = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    write(handle.fd, bytes, done, bytes.length - done, position + done, (error, written) => {
      if (error) reject(error)
      else if (done + written === bytes.length) resolve()
      else resolve(writeAll(handle, bytes, position, done + written))
    })
  })
}

function undefinedWhenAbsent(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
  return undefined
}
