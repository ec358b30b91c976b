// What the process takes of its machine, as metrics.
import type { Metrics } from '../observe/metrics.ts'
import type { DataDirectory } from './logs.ts'

export function registerProcess(metrics: Metrics): void {
  metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () => [
    { labels: {}, value: process.memoryUsage.rss() },
  ])
  metrics.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use.' }, () => [
    { labels: {}, value: process.memoryUsage().heapUsed },
  ])
  metrics.counter({ name: 'process_cpu_seconds_total', help: 'User and system CPU time.' }, () => {
    const { user, system } = process.cpuUsage()
    return [{ labels: {}, value: (user + system) / 1e6 }]
  })
}

export function registerDisk(metrics: Metrics, { usedBytes, freeBytes }: DataDirectory): void {
  metrics.gauge({ name: 'tidings_disk_bytes', help: 'Bytes of all logs in the data directory.' }, () => [
    { labels: {}, value: usedBytes() },
  ])
  metrics.gauge(
    { name: 'tidings_disk_free_bytes', help: 'Bytes left on the file system of the data directory.' },
    () => {
      const value = freeBytes()
      return value === undefined ? [] : [{ labels: {}, value }]
    },
  )
}
