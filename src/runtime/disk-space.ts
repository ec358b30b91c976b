// How much room the data directory has left. The file system is asked every few seconds, and never while an event waits.
import { statfs } from 'node:fs/promises'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'

export interface DiskSpace {
  /** As it was a few seconds ago; undefined while the file system does not say. */
  freeBytes(): number | undefined
  /** Whether less is free than somebody should be told of. */
  isLow(): boolean
  stop(): void
}

export interface DiskSpaceOptions {
  readonly dir: string
  /** Less than this is low; 0 for never. */
  readonly lowBytes: number
  readonly clock: Clock
  readonly logger: Logger
  /** Rejects when it cannot be known. */
  readonly askFree?: (dir: string) => Promise<number>
}

const ASK_MS = 5_000
/** Low no more only once so much more than `lowBytes` is free: what comes and goes around the mark is told of once. */
const RECOVERED = 1.1

/** Resolves when the file system was asked once. */
export async function watchDiskSpace(options: DiskSpaceOptions): Promise<DiskSpace> {
  const { dir, lowBytes, clock, logger, askFree = freeOf } = options
  let freeBytes: number | undefined
  let isLow = false
  let isStopped = false
  let timer: Timer | undefined

  async function ask(): Promise<void> {
    freeBytes = await askFree(dir).catch(() => undefined)
    if (isStopped) return
    if (freeBytes !== undefined) judge(freeBytes)
    timer = clock.after(ASK_MS, () => void ask())
  }

  function judge(free: number): void {
    const wasLow = isLow
    isLow = free < lowBytes * (wasLow ? RECOVERED : 1)
    if (isLow === wasLow) return
    if (isLow)
      logger.warn(
        { dir, freeBytes: free, lowBytes },
        'little room is left on the disk: once it is full, events are refused',
      )
    else logger.info({ dir, freeBytes: free, lowBytes }, 'there is room on the disk again')
  }

  await ask()
  return {
    freeBytes: () => freeBytes,
    isLow: () => isLow,
    stop() {
      isStopped = true
      timer?.cancel()
    },
  }
}

async function freeOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}
