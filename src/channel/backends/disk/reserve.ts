// Room on the disk that is kept for what makes room: on a disk that others have filled, cursors must still be stored, or
// nothing would ever be freed. A file of its own holds the room; when the disk is full it goes, and new events are
// refused until there is enough again to have it back.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { type Disk, isDiskFull } from './disk.ts'

export interface Reserve {
  /** False from `release` until `restore` had room for it. */
  readonly isHeld: boolean
  /** Gives the room to whoever needs it now. False when there was nothing to give. */
  release(): Promise<boolean>
  /** Takes the room again if there is enough, at most once a second. */
  restore(): Promise<void>
}

const RETRY_MS = 1_000
const CHUNK_BYTES = 2 ** 20

/** With 0 bytes there is nothing to give, and nothing is ever refused for its sake. */
export async function openReserve(disk: Disk, folder: string, bytes: number, clock: Clock): Promise<Reserve> {
  const file = path.join(folder, 'reserve')
  let isHeld = bytes === 0 || (await disk.sizeOf(file)) === bytes
  let triedAt = -Infinity

  async function take(): Promise<void> {
    triedAt = clock.now()
    await disk.remove(file)
    const handle = await disk.create(file)
    try {
      // Not zeros: some file systems take no room for those.
      const chunk = randomBytes(Math.min(bytes, CHUNK_BYTES))
      for (let at = 0; at < bytes; at += chunk.length) await handle.write(chunk.subarray(0, bytes - at), at)
      await handle.sync()
      isHeld = true
    } catch (error) {
      await disk.remove(file)
      if (!isDiskFull(error)) throw error
    } finally {
      await handle.close()
    }
  }

  if (!isHeld) await take()
  return {
    get isHeld() {
      return isHeld
    },
    async release() {
      if (!isHeld || bytes === 0) return false
      isHeld = false
      triedAt = clock.now()
      await disk.remove(file)
      return true
    },
    async restore() {
      if (isHeld || clock.now() - triedAt < RETRY_MS) return
      await take()
    },
  }
}
