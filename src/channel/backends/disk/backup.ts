// A copy of a data directory, in use or not, that a start accepts and that holds whatever was acknowledged before. All
// files are opened before any is copied, so none is missing from the copy because its owner deleted it meanwhile. Bytes
// are copied, never linked: a copy that shares its blocks with the directory would share their fate, and the last segment
// is still being written.
import path from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import { checkpointFile, storeCheckpoint } from './checkpoint.ts'
import { type Disk, type DiskFile, type ReadableDisk, systemCode } from './disk.ts'
import { foldersOf } from './recovery.ts'
import type { Report } from './report.ts'
import { HEADER_BYTES } from './segment.ts'
import { verifyDirectory } from './verify.ts'
import { openView, type View } from './view.ts'

export interface BackupOptions {
  readonly from: ReadableDisk
  readonly dir: string
  readonly disk: Disk
  /** Not there, or empty. */
  readonly to: string
  /** An earlier copy in `to` is removed first. */
  readonly replaces: boolean
  readonly clock: Clock
}

const BLOCK_BYTES = 2 ** 20
/** Stands where the checkpoint will be: no start takes the copy before it is whole. */
const UNFINISHED = 'This copy is not finished.\n'

/**
 * Everything is on the disk when it resolves, with what `verifyDirectory` says of the copy. Rejects with LOG_CONFLICT when
 * something else is in `to`, and else as `openView` does; after a rejection no start takes what is in `to`.
 */
export async function backupDirectory(options: BackupOptions): Promise<Report> {
  const { from, dir, disk, to, clock } = options
  const view = await openView(from, dir, clock)
  try {
    const earlier = await earlierFiles(disk, to)
    refuseOther(to, earlier, options.replaces)
    const { journal, backlog } = foldersOf(to)
    for (const folder of [to, journal, backlog]) await disk.makeFolder(folder)
    await storeCheckpoint(disk, to, Buffer.from(UNFINISHED))
    for (const file of earlier) if (file !== checkpointFile(to)) await disk.remove(file)
    await copyFiles(options, view)
    for (const folder of [journal, backlog]) await disk.syncFolder(folder)
    await finish(disk, to, view)
  } finally {
    await view.close()
  }
  return verifyDirectory(disk, to, clock)
}

async function earlierFiles(disk: Disk, to: string): Promise<readonly string[]> {
  const { journal, backlog } = foldersOf(to)
  const files: string[] = []
  for (const name of await listIfThere(disk, to)) {
    const file = path.join(to, name)
    const inside = file === journal || file === backlog ? await listIfThere(disk, file) : undefined
    files.push(...(inside?.map((each) => path.join(file, each)) ?? [file]))
  }
  return files
}

function refuseOther(to: string, earlier: readonly string[], replaces: boolean): void {
  const [first] = earlier
  if (first === undefined) return
  if (!replaces) throw new EventingError('LOG_CONFLICT', `${to}: it is not empty, ${first} is there`)
  const other = earlier.find((file) => !isOfCopy(to, file))
  if (other === undefined) return
  throw new EventingError('LOG_CONFLICT', `${to}: it is more than an earlier copy, ${other} is there`)
}

/** What is in use, or was when it crashed, has a file that says so, and is not replaced. */
function isOfCopy(to: string, file: string): boolean {
  const name = path.basename(file)
  if (path.dirname(file) === to) return ['checkpoint', 'checkpoint.new', 'reserve'].includes(name)
  return /\.(journal|backlog)(\.damaged)?$/.test(name)
}

/** What stands after the end of a segment was never acknowledged, and may be half of something. */
async function copyFiles(options: BackupOptions, view: View): Promise<void> {
  const { from } = options
  for (const { path: file, segment, size } of view.journal) {
    if (segment) await copyFile(options, segment.file, file, segment.end)
    else if (size > HEADER_BYTES) await copyDamaged(options, from, file)
  }
  for (const { path: file, segment, size, isGone } of view.backlog) {
    if (segment) await copyFile(options, segment.file, file, size)
    else if (!isGone) await copyDamaged(options, from, file)
  }
}

/** As it is: a start sets it aside, here as there. */
async function copyDamaged(options: BackupOptions, from: ReadableDisk, file: string): Promise<void> {
  const source = await from.openForReading(file)
  try {
    await copyFile(options, source, file, await source.size())
  } finally {
    await source.close()
  }
}

async function copyFile({ disk, dir, to }: BackupOptions, from: DiskFile, file: string, bytes: number): Promise<void> {
  const copy = await disk.create(path.join(to, path.relative(dir, file)))
  try {
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    for (let at = 0; at < bytes; at += BLOCK_BYTES) {
      const length = await from.read(block.subarray(0, bytes - at), at)
      await copy.write(block.subarray(0, length), at)
    }
    await copy.sync()
  } finally {
    await copy.close()
  }
}

async function finish(disk: Disk, to: string, { checkpointBytes }: View): Promise<void> {
  if (checkpointBytes) return storeCheckpoint(disk, to, checkpointBytes)
  await disk.remove(checkpointFile(to))
  await disk.syncFolder(to)
}

async function listIfThere(disk: Disk, folder: string): Promise<readonly string[]> {
  return disk.list(folder).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    return []
  })
}
