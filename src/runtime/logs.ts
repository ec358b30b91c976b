// What is kept of this process: events and cursors in the backend that the settings name, and small values beside them.
// What is not used is not loaded.
import { openMemoryStore } from '../channel/backends/memory.ts'
import type { LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import { below, createMemoryValues, type Values } from '../core/values.ts'
import type { Logger } from '../observe/logger.ts'
import type { Settings } from './settings.ts'

export interface Data {
  readonly logs: LogStore
  readonly values: Values
  /** Once nobody uses it: waits for what is being stored, and lets the data directory go. Idempotent. */
  close(): Promise<void>
}

/** Where events are in memory, what is remembered of them stands below this: the logs on the disk are others. */
const IN_MEMORY = 'memory/'

/** Rejects with LOG_CONFLICT, LOG_CORRUPT, LOG_LOST or LOG_UNAVAILABLE when the data directory cannot be used. */
export async function openData(settings: Settings, clock: Clock, logger: Logger): Promise<Data> {
  const { channel, data, dataDir, ephemeral } = settings
  const { maxEventBytes } = data
  if (ephemeral) {
    const logs = openMemoryStore({ clock, maxEventBytes })
    return { logs, values: createMemoryValues(), close: () => logs.close() }
  }
  const { openDiskStore } = await import('../channel/backends/disk/store.ts')
  const { segmentBytes, journalBytes, recentBytes, waitingBytes, reserveBytes } = channel.disk
  const store = await openDiskStore({
    dir: dataDir,
    clock,
    maxEventBytes,
    segmentBytes,
    journalBytes,
    recentBytes,
    waitingBytes,
    reserveBytes,
    onFault: (what, error) => logger.error({ err: error }, `the data directory: cannot ${what}`),
  })
  if (channel.backend === 'disk') return { logs: store, values: store.values, close: () => store.close() }
  const logs = openMemoryStore({ clock, maxEventBytes })
  return {
    logs,
    values: below(store.values, IN_MEMORY),
    async close() {
      await logs.close()
      await store.close()
    },
  }
}
