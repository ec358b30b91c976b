// Events in memory: bounded by bytes, gone with the process.
import type { Clock } from '../../core/clock.ts'
import { EventingError } from '../../core/errors.ts'
import type { LogStore, LogTraits } from '../log.ts'
import { type MemoryLog, openMemoryLog } from './memory-log.ts'
import { createAging } from './retention.ts'

export interface MemoryOptions {
  readonly clock: Clock
  readonly maxEventBytes?: number
}

export function memoryTraits(options: { readonly maxEventBytes?: number } = {}): LogTraits {
  return {
    backend: 'memory',
    survives: 'nothing',
    shared: false,
    readsCostIo: false,
    maxEventBytes: options.maxEventBytes ?? 2 ** 20,
  }
}

export function openMemoryStore(options: MemoryOptions): LogStore {
  const traits = memoryTraits(options)
  const logs = new Map<string, MemoryLog>()
  const owners = new Map<string, string>()
  const aging = createAging(options.clock, (nowMs) => {
    for (const log of logs.values()) log.dropOld(nowMs)
  })
  return {
    traits,
    async open(ref, config) {
      const owner = owners.get(ref.name)
      if (owner !== undefined && owner !== ref.uid) {
        throw new EventingError('LOG_CONFLICT', `${ref.name}: the log belongs to another uid (${owner})`)
      }
      aging.watch(config)
      const known = logs.get(ref.uid)
      known?.configure(config)
      const log = known ?? openMemoryLog(ref, config, traits)
      logs.set(ref.uid, log)
      owners.set(ref.name, ref.uid)
      return log
    },
    async remove(ref) {
      const log = logs.get(ref.uid)
      if (!log) return
      log.discard()
      logs.delete(ref.uid)
      owners.delete(ref.name)
    },
    async close() {
      await aging.close()
      for (const log of logs.values()) log.discard()
      logs.clear()
      owners.clear()
    },
  }
}
