// Appends to one topic, grouped: one request at a time to each node that leads partitions of it, and for each partition,
// whoever leads it; what arrives meanwhile is the next. Nobody waits for a timer.
import { codeOf, EventingError } from '../../../core/errors.ts'
import { Few } from '../../../core/few.ts'
import type { Message } from './client.ts'
import { partitionOf } from './murmur2.ts'

export interface Place {
  readonly partition: number
  readonly offset: number
}

export interface BatcherOptions {
  readonly name: string
  /** Of the records of one partition in one request: what the topic takes. */
  readonly batchBytes: number
  /** Of all that waits or is under way. Beyond, nothing is taken. */
  readonly bufferBytes: number
  partitions(): number
  leaderOf(partition: number): Promise<number>
  /** Resolves with the first offset of each part. */
  send(parts: ReadonlyMap<number, readonly Message[]>): Promise<ReadonlyMap<number, number>>
}

export interface Batcher {
  append(message: Message, key: string | undefined, bytes: number): Promise<Place>
  /** What waits, and what comes, is refused. */
  end(error: EventingError): void
}

interface Waiting {
  readonly message: Message
  readonly bytes: number
  resolve(place: Place): void
  reject(error: unknown): void
}

export function createBatcher(options: BatcherOptions): Batcher {
  const { name, batchBytes, bufferBytes } = options
  /** By partition. Its lists are filled and emptied for ever, so it is no Map: see core/few.ts. */
  const waiting = new Few<number, Waiting[]>()
  const busy = new Set<number>()
  /** Partitions of which something is under way. A request may outlive the leader that it was sent to: nothing overtakes it. */
  const sending = new Set<number>()
  let buffered = 0
  /** Where events without a key go, until that is on its way: whole batches, spread over all partitions. */
  let current = 0
  let ended: EventingError | undefined
  let flushing = false

  function wake(): void {
    if (flushing) return
    flushing = true
    queueMicrotask(() => {
      flushing = false
      void flush()
    })
  }

  async function flush(): Promise<void> {
    const byLeader = new Map<number, number[]>()
    for (const partition of waiting.keys()) {
      if (sending.has(partition)) continue
      const leader = await options.leaderOf(partition).catch((error) => refuse(partition, error))
      if (leader === undefined || busy.has(leader)) continue
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    for (const [leader, partitions] of byLeader) {
      if (busy.has(leader)) continue
      busy.add(leader)
      // The leader was asked for meanwhile.
      const free = partitions.filter((partition) => !sending.has(partition))
      for (const partition of free) sending.add(partition)
      void send(free).finally(() => {
        busy.delete(leader)
        for (const partition of free) sending.delete(partition)
        if (waiting.size > 0) wake()
      })
    }
  }

  function refuse(partition: number, error: unknown): undefined {
    const all = waiting.get(partition) ?? []
    waiting.delete(partition)
    for (const one of all) one.reject(error)
  }

  async function send(partitions: readonly number[]): Promise<void> {
    const taken = new Map<number, readonly Waiting[]>()
    for (const partition of partitions) {
      const all = take(partition)
      if (all.length > 0) taken.set(partition, all)
    }
    if (taken.size === 0) return
    if (taken.has(current)) current = (current + 1) % Math.max(1, options.partitions())
    await deliver(taken)
  }

  function take(partition: number): readonly Waiting[] {
    const all = waiting.get(partition) ?? []
    let bytes = 0
    let count = 0
    for (const one of all) {
      if (count > 0 && bytes + one.bytes > batchBytes) break
      bytes += one.bytes
      count++
    }
    if (count === all.length) waiting.delete(partition)
    else waiting.set(partition, all.slice(count))
    return all.slice(0, count)
  }

  async function deliver(taken: ReadonlyMap<number, readonly Waiting[]>): Promise<void> {
    try {
      const parts = new Map([...taken].map(([partition, all]) => [partition, all.map(({ message }) => message)]))
      const offsets = await options.send(parts)
      for (const [partition, all] of taken) {
        const first = offsets.get(partition)
        if (first === undefined) throw new EventingError('LOG_UNAVAILABLE', `${name}: no answer`, { retryable: true })
        all.forEach(({ resolve }, i) => {
          resolve({ partition, offset: first + i })
        })
      }
    } catch (error) {
      await refuseEach(taken, error)
    }
  }

  /** One that is too large must not take its neighbours with it. */
  async function refuseEach(taken: ReadonlyMap<number, readonly Waiting[]>, error: unknown): Promise<void> {
    const isShared = taken.size > 1 || [...taken.values()].some((all) => all.length > 1)
    if (codeOf(error) === 'EVENT_TOO_LARGE' && isShared) {
      for (const [partition, all] of taken) for (const one of all) await deliver(new Map([[partition, [one]]]))
      return
    }
    for (const all of taken.values()) for (const { reject } of all) reject(error)
  }

  return {
    append(message, key, bytes) {
      if (ended) return Promise.reject(ended)
      if (buffered + bytes > bufferBytes && buffered > 0) {
        const text = `${name}: ${buffered} bytes wait to be written`
        return Promise.reject(new EventingError('LOG_UNAVAILABLE', text, { retryable: true }))
      }
      buffered += bytes
      const partitions = Math.max(1, options.partitions())
      const partition = key === undefined ? current % partitions : partitionOf(key, partitions)
      return new Promise<Place>((resolve, reject) => {
        const one = { message, bytes, resolve, reject }
        const all = waiting.get(partition)
        if (all) all.push(one)
        else waiting.set(partition, [one])
        wake()
      }).finally(() => {
        buffered -= bytes
      })
    },
    end(error) {
      ended = error
      for (const partition of [...waiting.keys()]) refuse(partition, error)
    },
  }
}
