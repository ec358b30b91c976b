// A disk of which one call fails: the n-th of its kind, or all that change something from then on. What the call was to do
// is not done, or half, or done without being on the disk: whatever a real one may have come to before it said no.
import type { Disk, DiskFile } from '../../../../src/channel/backends/disk/disk.ts'

export const OF_FILES = ['read', 'write', 'sync', 'writeThrough', 'truncate', 'size', 'close'] as const
export const OF_DISKS = [
  'create',
  'openForReading',
  'readAll',
  'list',
  'touchedAt',
  'sizeOf',
  'syncFolder',
  'rename',
  'remove',
  'makeFolder',
] as const
export type Call = (typeof OF_FILES)[number] | (typeof OF_DISKS)[number]

export interface Failure {
  readonly call: Call
  /** Counted from 1. */
  readonly nth: number
  readonly code: string
  /** From then on every call that changes something fails. */
  readonly lasts?: boolean
}

export const CHANGES: readonly Call[] = ['create', 'write', 'writeThrough', 'sync', 'syncFolder', 'rename', 'truncate']

export interface FailingDisk extends Disk {
  /** Calls so far, by kind. */
  readonly counts: ReadonlyMap<Call, number>
  /** The file or folder of the call that failed; undefined before. */
  readonly met: string | undefined
  readonly lasts: boolean
}

/** Without a failure it only counts. */
export function aFailingDisk(disk: Disk, failure?: Failure): FailingDisk {
  const counts = new Map<Call, number>()
  let met: string | undefined

  function meets(call: Call, file: string): boolean {
    const nth = (counts.get(call) ?? 0) + 1
    counts.set(call, nth)
    if (met !== undefined) return failure?.lasts === true && CHANGES.includes(call)
    if (failure?.call !== call || failure.nth !== nth) return false
    met = file
    return true
  }

  function refusal(): Error {
    return Object.assign(new Error(`${failure?.code}: ${failure?.call}`), { code: failure?.code })
  }

  function around<T extends object>(
    inner: T,
    calls: readonly (keyof T & Call)[],
    fileOf: (args: unknown[]) => string,
  ): T {
    const wrapped = { ...inner }
    for (const call of calls) {
      const original = inner[call] as (...args: unknown[]) => Promise<unknown>
      const replaced = async (...args: unknown[]): Promise<unknown> => {
        if (!meets(call, fileOf(args))) return original.apply(inner, args)
        await halfDone(inner, call, args)
        throw refusal()
      }
      Object.assign(wrapped, { [call]: replaced })
    }
    return wrapped
  }

  /** Every other one has come further than the others. */
  async function halfDone(inner: object, call: Call, args: unknown[]): Promise<void> {
    const isFar = (failure?.nth ?? 0) % 2 === 0
    if (call === 'write' || call === 'writeThrough') {
      const [bytes, position] = args as [Buffer, number]
      const { write } = inner as DiskFile
      await write.call(inner, isFar ? bytes : bytes.subarray(0, bytes.length / 2), position)
    }
    if (call === 'close' || (isFar && (call === 'rename' || call === 'remove' || call === 'truncate'))) {
      const done = (inner as Record<Call, (...all: unknown[]) => Promise<unknown>>)[call]
      await done.apply(inner, args)
    }
  }

  const wrapped = around(disk, OF_DISKS, ([file]) => String(file))
  const opened = (open: (file: string) => Promise<DiskFile>) => async (file: string) =>
    around(await open(file), OF_FILES, () => file)
  return {
    ...wrapped,
    create: opened(wrapped.create),
    openForReading: opened(wrapped.openForReading),
    counts,
    lasts: failure?.lasts === true,
    get met() {
      return met
    },
  }
}
