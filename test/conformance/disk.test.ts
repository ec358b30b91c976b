import path from 'node:path'
import { nodeDisk } from '../../src/channel/backends/disk/disk.ts'
import { type DiskOptions, diskTraits, openDiskStore } from '../../src/channel/backends/disk/store.ts'
import type { LogStore } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'
import { describeCrashes } from '../channel/backends/disk/crash.ts'
import { describeDiskFaults } from '../channel/backends/disk/faults.ts'
import { aFolder, aPromptDisk, leftBehind, removeFolders } from '../channel/backends/disk/support.ts'
import type { Backend } from './backend.ts'
import { describeChannel } from './channel.ts'
import { describeGuarantees } from './guarantees.ts'
import { describeLog } from './log.ts'

const stores: LogStore[] = []

function diskBackend(options: Pick<DiskOptions, 'disk' | 'recentBytes'>, readsCostIo: boolean): Backend {
  const folders = new WeakMap<LogStore, string>()
  const openIn = async (dir: string, clock = createClock()): Promise<LogStore> => {
    const onFault = (what: string, error: unknown): void => {
      throw new Error(`${what}: ${error}`)
    }
    const store = await openDiskStore({ dir, clock, reserveBytes: 0, onFault, ...options })
    const opened = { ...store, traits: { ...store.traits, readsCostIo } }
    folders.set(opened, dir)
    stores.push(opened)
    return opened
  }
  return {
    traits: diskTraits(),
    open: async (clock) => openIn(path.join(await aFolder(), 'data'), clock),
    async reopen(store, after) {
      const dir = folders.get(store) ?? ''
      if (after === 'kill') return openIn(await leftBehind(dir))
      await store.close()
      return openIn(dir)
    },
  }
}

describe('conformance of disk', () => {
  after(async () => {
    // A case that has its store killed leaves it open.
    for (const store of stores) await store.close()
    await removeFolders()
  })

  describeLog('disk', diskBackend({ disk: nodeDisk() }, true))
  // Its clock stands still while a real disk would work, and entries "removed by a third party" must not be in a ring:
  // so this disk answers within the turn, and all but the newest entries are read from files.
  describeChannel('disk', diskBackend({ disk: aPromptDisk(), recentBytes: 2 ** 16 }, false))
  describeDiskFaults()
  describeCrashes()
  describeGuarantees(diskBackend({}, true))
})
