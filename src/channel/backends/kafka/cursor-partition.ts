// One partition of a cursor topic: its table, as far as this process has read it, and what is written to it.

import type { Message } from './client.ts'
import { applyMessages, type Change, CursorTable, changeRecords, inBatches } from './cursor-table.ts'
import type { Feeds } from './feeds.ts'
import type { FetchedMessage } from './records.ts'
import { shared } from './shared.ts'
import type { Wire } from './wire.ts'

export interface CursorPartition {
  readonly table: CursorTable
  /** Resolves once everything that was written before the call, by anybody, is in the table. */
  sync(): Promise<void>
  /** Resolves once it is stored and in the table, with its place. Several batches where it must. */
  write(messages: readonly Message[]): Promise<number>
  save(epoch: number, change: Change): Promise<void>
  /** Follows what others write until the signal aborts. */
  follow(signal: AbortSignal, changed: () => void): Promise<void>
}

const FETCH_BYTES = 2 ** 20
/** Under the topic's largest batch, which is Kafka's default. */
const BATCH_BYTES = 900_000

interface Write {
  readonly messages: readonly Message[]
  resolve(offset: number): void
  reject(error: unknown): void
}

export function openCursorPartition(wire: Wire, feeds: Feeds, topic: string, partition: number): CursorPartition {
  const table = new CursorTable()
  const sync = shared(readToEnd)
  let waiting: Write[] = []
  let isWriting = false

  async function readToEnd(): Promise<void> {
    for (;;) {
      const { records, end } = await wire.fetch(topic, partition, table.next, FETCH_BYTES)
      for (const message of records.from(table.next)) apply(message)
      if (table.next >= end) return
    }
  }

  function apply({ offset, key, value }: FetchedMessage): void {
    table.apply({ offset, key: String(key), value: value === null ? undefined : String(value) })
  }

  function write(messages: readonly Message[]): Promise<number> {
    if (messages.length === 0) return Promise.resolve(table.next)
    return new Promise((resolve, reject) => {
      waiting.push({ messages, resolve, reject })
      if (!isWriting) void writeAll()
    })
  }

  /** One request at a time; what is asked for meanwhile goes together, each whole. */
  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        const offsets = await store(group.flatMap(({ messages }) => messages))
        let at = 0
        for (const { messages, resolve } of group) {
          resolve(offsets[at] ?? 0)
          at += messages.length
        }
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    isWriting = false
  }

  async function store(messages: readonly Message[]): Promise<readonly number[]> {
    const offsets: number[] = []
    for (const batch of inBatches(messages, BATCH_BYTES)) {
      const offset = (await wire.produce(topic, new Map([[partition, batch]]))).get(partition) ?? 0
      batch.forEach((_, i) => {
        offsets.push(offset + i)
      })
      if (offset === table.next) applyMessages(table, offset, batch)
      else await sync()
    }
    return offsets
  }

  return {
    table,
    sync,
    write,
    async save(epoch, change) {
      await write(changeRecords(epoch, change))
    },
    async follow(signal, changed) {
      const feed = feeds.open(topic, partition, table.next)
      try {
        for (;;) {
          const fetched = await feed.take(signal)
          if (!fetched) return
          for (const message of fetched.records.from(table.next)) apply(message)
          changed()
        }
      } finally {
        feed.close()
      }
    },
  }
}
