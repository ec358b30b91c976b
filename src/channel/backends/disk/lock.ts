// One process at a time owns a data directory. A lock file says who; whether that process still runs is asked of the
// operating system where it can be seen, and of the file's time of change where it cannot: in another container, on
// another machine.
import { randomUUID } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import type { Clock, Timer } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import type { Disk } from './disk.ts'

export interface Lock {
  /** Idempotent. */
  release(): Promise<void>
}

/** Enough of a process to tell it from another that has its pid later, or in another container. */
export interface Owner {
  readonly pid: number
  /** Of the machine's start; empty where there is no /proc. */
  readonly bootId: string
  /** Which pids it counts with; empty where there is no /proc. */
  readonly pidNamespace: string
  /** Clock ticks from the machine's start to the process's; empty where there is no /proc. */
  readonly startedAt: string
  /** Differs for each lock; the file's name. */
  readonly token: string
}

/** How often the owner touches the file. */
const TOUCH_MS = 2_000
/** A file that was not touched for so long has no owner. */
const SILENCE_MS = 3 * TOUCH_MS
const LOOK_MS = 500
const SUFFIX = '.lock'

/**
 * Says who we are in a file of our own, and only then looks at the files of others: of two that begin at once at least
 * one sees the other, and whoever sees a living one gives up. Rejects with LOG_CONFLICT then.
 */
export async function acquireLock(disk: Disk, folder: string, clock: Clock): Promise<Lock> {
  const self = await describeSelf()
  const file = path.join(folder, `${self.token}${SUFFIX}`)
  try {
    await announce(disk, file, self)
    await refuseOthers(disk, folder, file, self, clock)
  } catch (error) {
    // Whatever of it is there: it would keep us out at the next try.
    for (const part of [draftOf(file), file]) await disk.remove(part).catch(() => undefined)
    throw error
  }
  return hold(disk, file, clock)
}

/** Under its name the file is whole from the first moment. */
async function announce(disk: Disk, file: string, self: Owner): Promise<void> {
  const draft = draftOf(file)
  const handle = await disk.create(draft)
  try {
    await handle.write(Buffer.from(JSON.stringify(self)), 0)
  } finally {
    await handle.close()
  }
  await disk.rename(draft, file)
}

function draftOf(file: string): string {
  return `${file}.new`
}

async function refuseOthers(disk: Disk, folder: string, mine: string, self: Owner, clock: Clock): Promise<void> {
  for (const name of await disk.list(folder)) {
    const file = path.join(folder, name)
    if (!name.endsWith(SUFFIX) || file === mine) continue
    const owner = await readOwner(disk, file)
    if (owner === 'absent') continue
    if (await isAlive(disk, file, owner, self, clock)) {
      const who = owner === 'unreadable' ? 'a process that does not say who it is' : `process ${owner.pid}`
      throw new EventingError('LOG_CONFLICT', `${folder}: in use by ${who}; a data directory has one owner (${file})`)
    }
    await disk.remove(file)
  }
}

function hold(disk: Disk, file: string, clock: Clock): Lock {
  let timer: Timer | undefined
  let isReleased = false
  const touchLater = (): void => {
    timer = clock.after(TOUCH_MS, () => {
      // A touch that fails is followed by another; the lock itself does not depend on it where /proc answers.
      disk
        .touch(file, clock.wall())
        .catch(() => undefined)
        .finally(() => {
          if (!isReleased) touchLater()
        })
    })
  }
  touchLater()
  return {
    async release() {
      if (isReleased) return
      isReleased = true
      timer?.cancel()
      await disk.remove(file)
    },
  }
}

async function isAlive(
  disk: Disk,
  file: string,
  owner: Owner | 'unreadable',
  self: Owner,
  clock: Clock,
): Promise<boolean> {
  if (owner !== 'unreadable' && owner.bootId !== '' && owner.bootId === self.bootId) {
    if (owner.pidNamespace === self.pidNamespace) return (await startOf(owner.pid)) === owner.startedAt
  }
  return isTouched(disk, file, clock)
}

/** Whether somebody touches the file while we look: clocks of two machines are never compared. */
async function isTouched(disk: Disk, file: string, clock: Clock): Promise<boolean> {
  const before = await disk.touchedAt(file)
  const startedAt = clock.now()
  while (clock.now() - startedAt < SILENCE_MS) {
    await clock.sleep(LOOK_MS)
    const now = await disk.touchedAt(file)
    if (now === undefined) return false
    if (now !== before) return true
  }
  return false
}

async function readOwner(disk: Disk, file: string): Promise<Owner | 'absent' | 'unreadable'> {
  const bytes = await disk.readAll(file)
  if (!bytes) return 'absent'
  try {
    const said: unknown = JSON.parse(bytes.toString())
    return isOwner(said) ? said : 'unreadable'
  } catch {
    return 'unreadable'
  }
}

function isOwner(said: unknown): said is Owner {
  if (typeof said !== 'object' || said === null) return false
  const { pid, bootId, pidNamespace, startedAt, token } = said as Record<string, unknown>
  return typeof pid === 'number' && [bootId, pidNamespace, startedAt, token].every((text) => typeof text === 'string')
}

async function describeSelf(): Promise<Owner> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return {
    pid: process.pid,
    bootId: bootId.trim(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    startedAt: await startOf(process.pid),
    token: randomUUID(),
  }
}

/** Field 22 of /proc/<pid>/stat; empty when no such process runs, or there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const hasEnded = fields[0] === 'Z' || fields[0] === 'X' // ended, and nobody has asked how
  return hasEnded ? '' : (fields[19] ?? '')
}
