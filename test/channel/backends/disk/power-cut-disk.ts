// A disk in memory that forgets, when its power is cut, what nobody made it keep: of what was written since a file's last
// sync any sectors may be there, and of names made, moved or removed since their folder's last sync any may be so.
import path from 'node:path'
import type { Disk, DiskFile } from '../../../../src/channel/backends/disk/disk.ts'

const SECTOR_BYTES = 512

interface Inode {
  /** As programs see it. */
  now: Buffer
  /** As it was at its last sync. */
  kept: Buffer
}

export interface PowerCutDisk extends Disk {
  /** Calls that change something, so far. */
  readonly changes: number
  /** From now on nothing is answered. What `random` leaves of it, on a disk that works. */
  cut(random: () => number): PowerCutDisk
  /** All files as programs see them, without locks: their processes are this one, which goes on. */
  contents(): Map<string, Buffer>
  /** Bytes that all files may take together: what goes beyond is ENOSPC. */
  limitBytes: number
  /** All calls after so many changes are not answered any more. */
  stopAfter(changes: number): void
}

export function aPowerCutDisk(files: ReadonlyMap<string, Buffer> = new Map()): PowerCutDisk {
  const now = new Map<string, Inode>()
  const kept = new Map<string, Inode>()
  for (const [file, bytes] of files) {
    const inode = { now: bytes, kept: bytes }
    now.set(file, inode)
    kept.set(file, inode)
  }
  let changes = 0
  let last = Infinity

  async function change(): Promise<void> {
    await alive()
    changes++
  }

  /** Never, once the power is gone. */
  function alive(): Promise<void> {
    return changes < last ? Promise.resolve() : new Promise(() => {})
  }

  function open(inode: Inode): DiskFile {
    return {
      async read(into, position) {
        await alive()
        return inode.now.copy(into, 0, position)
      },
      async write(bytes, position) {
        await change()
        const size = Math.max(inode.now.length, position + bytes.length)
        if (size > inode.now.length && taken() + size - inode.now.length > disk.limitBytes) {
          throw Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' })
        }
        const grown = Buffer.alloc(size)
        inode.now.copy(grown)
        bytes.copy(grown, position)
        inode.now = grown
      },
      async sync() {
        await change()
        inode.kept = inode.now
      },
      async writeThrough(bytes, position) {
        await this.write(bytes, position)
        await this.sync()
      },
      async truncate(bytes) {
        await change()
        inode.now = inode.now.subarray(0, bytes)
      },
      async size() {
        return inode.now.length
      },
      async close() {},
    }
  }

  function taken(): number {
    let bytes = 0
    for (const inode of now.values()) bytes += inode.now.length
    return bytes
  }

  function found(file: string): Inode {
    const inode = now.get(file)
    if (!inode) throw Object.assign(new Error(`ENOENT: ${file}`), { code: 'ENOENT' })
    return inode
  }

  const disk: PowerCutDisk = {
    limitBytes: Infinity,
    get changes() {
      return changes
    },
    stopAfter(count) {
      last = count
    },
    contents() {
      const files = [...now].filter(([file]) => !file.endsWith('.lock'))
      return new Map(files.map(([file, inode]) => [file, Buffer.from(inode.now)]))
    },
    cut(random) {
      last = 0
      const left = new Map<string, Buffer>()
      for (const file of new Set([...now.keys(), ...kept.keys()])) {
        if (file.endsWith('.lock')) continue
        const inode = (random() < 0.5 ? now : kept).get(file)
        if (inode) left.set(file, sectorsOf(inode, random))
      }
      return aPowerCutDisk(left)
    },
    async create(file) {
      await change()
      if (now.has(file)) throw Object.assign(new Error(`EEXIST: ${file}`), { code: 'EEXIST' })
      const inode = { now: Buffer.alloc(0), kept: Buffer.alloc(0) }
      now.set(file, inode)
      return open(inode)
    },
    async openForReading(file) {
      await alive()
      return open(found(file))
    },
    async readAll(file) {
      await alive()
      return now.get(file)?.now
    },
    async syncFolder(folder) {
      await change()
      for (const file of kept.keys()) if (path.dirname(file) === folder) kept.delete(file)
      for (const [file, inode] of now) if (path.dirname(file) === folder) kept.set(file, inode)
    },
    async rename(from, to) {
      await change()
      now.set(to, found(from))
      now.delete(from)
    },
    async remove(file) {
      await change()
      now.delete(file)
    },
    async makeFolder() {},
    async list(folder) {
      return [...now.keys()].filter((file) => path.dirname(file) === folder).map((file) => path.basename(file))
    },
    async touch() {},
    async touchedAt(file) {
      return now.has(file) ? 0 : undefined
    },
    async sizeOf(file) {
      return now.get(file)?.now.length
    },
  }
  return disk
}

/** Each sector as it was at the last sync or as it was written since, few of them or most; the size is one of both. */
function sectorsOf({ now, kept }: Inode, random: () => number): Buffer {
  if (now === kept) return kept
  const left = Buffer.alloc(random() < 0.5 ? now.length : kept.length)
  kept.copy(left)
  const share = 0.1 + 0.4 * Math.floor(3 * random())
  for (let at = 0; at < Math.min(left.length, now.length); at += SECTOR_BYTES) {
    if (random() < share) now.copy(left, at, at, Math.min(at + SECTOR_BYTES, now.length))
  }
  return left
}
