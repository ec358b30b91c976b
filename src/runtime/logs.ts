// The backend that the settings name, loaded when it is used.
import { openMemoryStore } from '../channel/backends/memory.ts'
import type { LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import type { Settings } from './settings.ts'

/** Rejects with LOG_CONFLICT, LOG_CORRUPT, LOG_LOST or LOG_UNAVAILABLE when the data directory cannot be used. */
export async function openLogs({ channel, data, dataDir }: Settings, clock: Clock, logger: Logger): Promise<LogStore> {
  const { maxEventBytes } = data
  if (channel.backend !== 'disk') return openMemoryStore({ maxEventBytes })
  const { openDiskStore } = await import('../channel/backends/disk/store.ts')
  return openDiskStore({
    dir: dataDir,
    clock,
    maxEventBytes,
    onFault: (what, error) => logger.error({ err: error }, `the disk log: cannot ${what}`),
  })
}
