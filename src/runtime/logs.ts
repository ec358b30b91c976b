// What is kept of this process: events and cursors in the backend that the settings name, and small values beside them.
// What is not used is not loaded.
import path from 'node:path'
import { openMemoryStore } from '../channel/backends/memory.ts'
import type { LogStore } from '../channel/log.ts'
import type { Clock } from '../core/clock.ts'
import { below, createMemoryValues, type Values } from '../core/values.ts'
import type { Logger } from '../observe/logger.ts'
import { watchDiskSpace } from './disk-space.ts'
import type { OpenKafka } from './kafka-clusters.ts'
import type { Settings } from './settings.ts'

/** The data directory, as those see it who look after the machine. */
export interface DataDirectory {
  /** Absolute. */
  readonly dir: string
  usedBytes(): number
  /** undefined while the file system does not say. */
  freeBytes(): number | undefined
  isLow(): boolean
  readonly lowSpaceBytes: number
}

export interface Data {
  /** Absent where all that names no other store is in a Kafka cluster. */
  readonly logs: LogStore | undefined
  readonly openKafka: OpenKafka
  readonly values: Values
  /** Absent where nothing is kept. */
  readonly directory?: DataDirectory
  /** Once nobody uses it: waits for what is being stored, and lets the data directory go. Idempotent. */
  close(): Promise<void>
}

/** Where events are elsewhere, what is remembered of them stands below this: the logs on the disk are others. */
const ELSEWHERE = { memory: 'memory/', kafka: 'kafka/' }

/** Rejects with LOG_CONFLICT, LOG_CORRUPT, LOG_LOST or LOG_UNAVAILABLE when the data directory cannot be used. */
export async function openData(settings: Settings, clock: Clock, logger: Logger): Promise<Data> {
  const { channel, data, dataDir, ephemeral } = settings
  const { maxEventBytes } = data
  if (ephemeral) {
    const logs = channel.backend === 'kafka' ? undefined : openMemoryStore({ clock, maxEventBytes })
    return { logs, openKafka, values: createMemoryValues(), close: async () => logs?.close() }
  }
  const { openDiskStore } = await import('../channel/backends/disk/store.ts')
  const { segmentBytes, journalBytes, recentBytes, waitingBytes, reserveBytes, lowSpaceBytes } = channel.disk
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
  const space = await watchDiskSpace({ dir: dataDir, lowBytes: lowSpaceBytes, clock, logger })
  const directory = { dir: path.resolve(dataDir), usedBytes: store.usedBytes, ...space, lowSpaceBytes }
  const { backend } = channel
  const inMemory = backend === 'memory' ? openMemoryStore({ clock, maxEventBytes }) : undefined
  return {
    logs: backend === 'disk' ? store : inMemory,
    openKafka,
    values: backend === 'memory' || backend === 'kafka' ? below(store.values, ELSEWHERE[backend]) : store.values,
    directory,
    async close() {
      space.stop()
      await inMemory?.close()
      await store.close()
    },
  }
}

/** Loaded when it is used: it costs memory and time. */
const openKafka: OpenKafka = async (options) => {
  const { openKafkaStore } = await import('../channel/backends/kafka/store.ts')
  return openKafkaStore(options)
}
