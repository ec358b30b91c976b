// Reads at the head: one request for each node that leads anything, which waits there until something comes, for all lanes
// of all logs at once. Each reader has a queue of its own, bounded in bytes; while it is full, the others go on.
import type { EventingError } from '../../../core/errors.ts'
import type { FetchedPartition, Nodes } from './client.ts'
import { problemOf } from './problem.ts'
import { type Fetched, READ_UNCOMMITTED, type Wire } from './wire.ts'

export interface Feed {
  /** What came, in order; waits. Undefined once it was closed; rejects once with what went wrong, which ends it. */
  take(signal: AbortSignal): Promise<Fetched | undefined>
  close(): void
}

export interface Feeds {
  open(topic: string, partition: number, from: number): Feed
  close(): Promise<void>
}

/** A reader that joins while a request waits is part of the next. */
const WAIT_MS = 250
/** Once nothing came, and nobody joined, for so many requests, they wait longer: an idle log costs next to nothing. */
const QUIET_REQUESTS = 8
const QUIET_WAIT_MS = 1_000
const QUEUE_BYTES = 2 ** 20
const FETCH_BYTES = 2 ** 20
const ALL_BYTES = 8 * 2 ** 20

interface Line {
  readonly topic: string
  readonly partition: number
  /** Of the next record to fetch. */
  at: number
  readonly queue: Fetched[]
  bytes: number
  isClosed: boolean
  failure: EventingError | undefined
  wake(): void
}

export function createFeeds(wire: Wire): Feeds {
  const lines = new Set<Line>()
  const polling = new Set<number>()
  const closing = new AbortController()
  /** Requests since the last record, or the last reader. */
  let quiet = 0
  let nodes: Promise<Nodes> | undefined

  function connected(): Promise<Nodes> {
    nodes ??= wire.connect().catch((error) => {
      nodes = undefined
      throw error
    })
    return nodes
  }

  function fail(line: Line, error: unknown): void {
    wire.forget(line.topic)
    line.failure = problemOf(error, `read ${line.topic}`)
    lines.delete(line)
    line.wake()
  }

  /** Sees to it that there is a request for whatever has room. */
  function start(line: Line): void {
    wire
      .leaderOf(line.topic, line.partition)
      .then((leader) => {
        if (polling.has(leader) || closing.signal.aborted) return
        polling.add(leader)
        void poll(leader).finally(() => polling.delete(leader))
      })
      .catch((error) => fail(line, error))
  }

  async function poll(leader: number): Promise<void> {
    while (!closing.signal.aborted) {
      const wanting = await wantingOf(leader)
      if (wanting.length === 0) return
      try {
        quiet++
        await fetch(leader, wanting, quiet > QUIET_REQUESTS ? QUIET_WAIT_MS : WAIT_MS)
      } catch (error) {
        // The answer does not say whose fault it is.
        if (wanting.length === 1) for (const line of wanting) fail(line, error)
        else for (const line of wanting) await fetch(leader, [line], 0).catch((own) => fail(line, own))
      }
    }
  }

  async function wantingOf(leader: number): Promise<readonly Line[]> {
    const wanting: Line[] = []
    for (const line of lines) {
      if (line.bytes >= QUEUE_BYTES) continue
      try {
        if ((await wire.leaderOf(line.topic, line.partition)) === leader) wanting.push(line)
      } catch (error) {
        fail(line, error)
      }
    }
    return wanting
  }

  async function fetch(leader: number, wanting: readonly Line[], maxWaitTime: number): Promise<void> {
    const node = await (await connected()).node(leader)
    const byTopic = new Map<string, { partition: number; fetchOffset: string; maxBytes: number }[]>()
    const byName = new Map<string, Line[]>()
    for (const line of wanting) {
      const name = `${line.topic}/${line.partition}`
      const same = byName.get(name)
      // Two readers of one lane: the one that is behind is fetched for, and the other waits for it.
      if (same) {
        same.push(line)
        continue
      }
      byName.set(name, [line])
      const { topic, partition, at } = line
      const partitions = byTopic.get(topic) ?? []
      byTopic.set(topic, partitions)
      partitions.push({ partition, fetchOffset: String(at), maxBytes: FETCH_BYTES })
    }
    for (const [name, same] of byName) {
      if (same.length === 1) continue
      const lowest = Math.min(...same.map(({ at }) => at))
      const [topic = ''] = same.map((line) => line.topic)
      for (const wanted of byTopic.get(topic) ?? []) {
        if (`${topic}/${wanted.partition}` === name) wanted.fetchOffset = String(lowest)
      }
    }
    const topics = [...byTopic].map(([topic, partitions]) => ({ topic, partitions }))
    const { responses } = await node.fetch({
      isolationLevel: READ_UNCOMMITTED,
      maxWaitTime,
      minBytes: 1,
      maxBytes: ALL_BYTES,
      topics,
    })
    for (const { topicName, partitions } of responses) {
      for (const fetched of partitions) {
        for (const line of byName.get(`${topicName}/${fetched.partition}`) ?? []) deliver(line, fetched)
      }
    }
  }

  function deliver(line: Line, { records, highWatermark, lastStartOffset }: FetchedPartition): void {
    if (records.next <= line.at) return
    quiet = 0
    line.at = records.next
    line.bytes += records.sizeBytes
    line.queue.push({ records, end: Number(highWatermark), start: Number(lastStartOffset ?? 0) })
    line.wake()
  }

  return {
    open(topic, partition, from) {
      const line: Line = {
        topic,
        partition,
        at: from,
        queue: [],
        bytes: 0,
        isClosed: false,
        failure: undefined,
        wake: () => {},
      }
      quiet = 0
      lines.add(line)
      start(line)
      return {
        async take(signal) {
          while (line.queue.length === 0 && !line.isClosed && !signal.aborted) {
            if (line.failure) throw line.failure
            await woken(line, signal)
          }
          if (signal.aborted) return undefined
          const fetched = line.queue.shift()
          if (!fetched) return undefined
          const wasFull = line.bytes >= QUEUE_BYTES
          line.bytes -= fetched.records.sizeBytes
          if (wasFull && line.bytes < QUEUE_BYTES) start(line)
          return fetched
        },
        close() {
          line.isClosed = true
          lines.delete(line)
          line.wake()
        },
      }
    },
    async close() {
      closing.abort()
      for (const line of lines) {
        line.isClosed = true
        line.wake()
      }
      lines.clear()
      await (await nodes?.catch(() => undefined))?.close()
    },
  }
}

function woken(line: Line, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener('abort', wake)
      resolve()
    }
    line.wake = wake
    signal.addEventListener('abort', wake, { once: true })
  })
}
