import path from 'node:path'
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import type { LogStore } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'
import type { OpenHost } from './host.ts'

const MIB = 2 ** 20

/** The log on disk. */
export const diskHost: OpenHost = async (folder, random) => ({
  settings: {
    channel: 'disk',
    // As small as they may be, so that the journal rolls and is shortened in the midst of it.
    'channel.disk.segmentBytes': MIB,
    'channel.disk.journalBytes': random.pick([2 * MIB, 8 * MIB]),
    'channel.disk.recentBytes': random.pick([0, 65_536, 16 * MIB]),
  },
  pace: {
    longestStartMs: 700,
    longestLoadMs: 3_000,
    deliversLate: false,
    orderlyEnd: 20,
    killsStarts: true,
    sessionTimeoutMs: 0,
  },
  keepsAll: false,
  troubles: [],
  openStore: () => openIntact(path.join(folder, 'data')),
  async [Symbol.asyncDispose]() {},
})

async function openIntact(dir: string): Promise<LogStore> {
  const faults: string[] = []
  const onFault = (what: string, error: unknown): void => void faults.push(`${what}: ${error}`)
  const store = await openDiskStore({ dir, clock: createClock(), onFault })
  if (faults.length === 0) return store
  await store.close()
  throw new Error(faults.join('\n'))
}
