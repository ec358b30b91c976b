// The connections to one origin: few while answers come quickly, more when they are slow. Sixty-four under way at once
// cost about half as much CPU each as six hundred do, so a request waits for one of sixty-four. Those that have waited
// for their answer for long do not count: one slow subscriber holds up no other at its origin.
import type { Clock, Timer } from '../core/clock.ts'
import { Fifo } from '../core/fifo.ts'

export interface Connection {
  /** Once the request under way has left it. */
  close(): Promise<void>
  destroy(): Promise<void>
}

/** Something that wants a connection. */
export interface Job<C extends Connection> {
  /** It was given up while it waited. */
  readonly isDone: boolean
  begin(connection: C): void
  /** There will be no connection for it. */
  refuse(): void
}

export interface Connections<C extends Connection> {
  /** Begins the job on a free connection, now or when there is one. Jobs begin in the order they came. */
  run(job: Job<C>): void
  /** The job's request has left the connection. */
  release(connection: C): void
  destroy(): Promise<void>
}

export interface ConnectionsOptions<C extends Connection> {
  readonly open: () => C
  /** Never more than this. */
  readonly most: number
  readonly clock: Clock
}

/** Connections in use before a request waits for one. */
const BUSY = 64
/** A request that has waited so long for its answer no longer counts as one of them. */
const SLOW_MS = 50
/** How often that is looked at while a request waits. */
const LOOK_MS = 10

export function createConnections<C extends Connection>({ open, most, clock }: ConnectionsOptions<C>): Connections<C> {
  const busy = Math.min(BUSY, most)
  /** Every open connection, and when its request began; Infinity when it has none. */
  const begunAt = new Map<C, number>()
  /** The one used last comes first: its buffers are warm, and the others may time out. */
  const free: C[] = []
  const waiting = new Fifo<Job<C>>()
  let looking: Timer | undefined

  function begin(job: Job<C>, connection: C): void {
    begunAt.set(connection, clock.now())
    job.begin(connection)
  }

  /** The next that still waits; undefined when nobody does. */
  function peek(): Job<C> | undefined {
    let next = waiting.peek()
    while (next?.isDone) {
      waiting.shift()
      next = waiting.peek()
    }
    return next
  }

  /** Opens as many connections as slow answers hold. */
  function look(): void {
    looking = undefined
    const longAgo = clock.now() - SLOW_MS
    let allowed = busy
    for (const at of begunAt.values()) if (at <= longAgo) allowed++
    for (let next = peek(); next && begunAt.size < Math.min(allowed, most); next = peek()) {
      waiting.shift()
      begin(next, open())
    }
    if (peek() && begunAt.size < most) looking = clock.after(LOOK_MS, look)
  }

  return {
    run(job) {
      const connection = free.pop() ?? (begunAt.size < busy ? open() : undefined)
      if (connection) return begin(job, connection)
      waiting.push(job)
      if (begunAt.size < most) looking ??= clock.after(LOOK_MS, look)
    },
    release(connection) {
      if (!begunAt.has(connection)) return
      const next = peek()
      if (next) {
        waiting.shift()
        begin(next, connection)
      } else if (free.length < busy) {
        begunAt.set(connection, Number.POSITIVE_INFINITY)
        free.push(connection)
      } else {
        begunAt.delete(connection)
        void connection.close()
      }
    },
    async destroy() {
      looking?.cancel()
      const all = [...begunAt.keys()]
      begunAt.clear()
      free.length = 0
      for (let next = peek(); next; next = peek()) {
        waiting.shift()
        next.refuse()
      }
      await Promise.all(all.map((connection) => connection.destroy()))
    },
  }
}
