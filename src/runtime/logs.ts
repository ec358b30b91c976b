// What is kept of this process: events and cursors in the backend that the settings name, and small values beside them.
// What is not used is not loaded.
import { openMemoryStore } from '../channel/backends/memory.ts'
import type { LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import { createMemoryValues, type Values } from '../core/values.ts'
import type { Logger } from '../observe/logger.ts'
import type { Settings } from './settings.ts'

export interface Data {
  readonly logs: LogStore
  readonly values: Values
  /** Once nobody uses it: waits for what is being stored, and lets the data directory go. Idempotent. */
  close(): Promise<void>
}

/** Rejects with LOG_CONFLICT, LOG_CORRUPT, LOG_LOST or LOG_UNAVAILABLE when the data directory cannot be used. */
export async function openData({ channel, data, dataDir }: Settings, clock: Clock, logger: Logger): Promise<Data> {
  const { maxEventBytes } = data
  if (channel.backend !== 'disk') {
    const logs = openMemoryStore({ clock, maxEventBytes })
    return { logs, values: createMemoryValues(), close: () => logs.close() }
  }
  const { openDiskStore } = await import('../channel/backends/disk/store.ts')
  const store = await openDiskStore({
    dir: dataDir,
    clock,
    maxEventBytes,
    onFault: (what, error) => logger.error({ err: error }, `the data directory: cannot ${what}`),
  })
  return { logs: store, values: store.values, close: () => store.close() }
}
