// Requests to subscribers, dead letter sinks and other destinations: one POST, one answer, bounded in time and size.
// What an answer means, and whether to try again, is decided in delivery/; how one request goes stands in exchange.ts.
import { Client as UndiciClient } from 'undici'
import { Budget } from '../core/budget.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Target } from '../core/destination.ts'
import { abortGroupOf } from './abort-group.ts'
import { type Address, parseAddress, type Unreachable } from './address.ts'
import { type Connections, createConnections } from './connections.ts'
import { createTeller, Exchange, type ExchangeBounds, type Sending } from './exchange.ts'
import { createTrust } from './trust.ts'

export interface Answered {
  readonly kind: 'answer'
  readonly status: number
  /** Name, value, name, value, as received: `headerTexts` decodes them, which most answers never need. */
  readonly rawHeaders: readonly Buffer[]
  readonly body: Buffer
  /** Gives the body's memory back; to be called once, when it is done with. Absent when there is none to give back. */
  readonly release?: () => void
}

/** Refused, reset, not resolved, not trusted, too late, too large, or no memory for it. The reason is for people and shows no secrets. */
export interface NoAnswer {
  readonly kind: 'none'
  readonly reason: string
}

export type Answer = Answered | NoAnswer

/** What a request carries. Both are only read. */
export interface Content {
  /** Name, value, name, value. */
  readonly headers: string[]
  readonly body: Buffer | null
}

/**
 * One POST, and whoever waits for its answer. Not a promise, and asked for its content only when it is sent: thousands may
 * wait for a connection at once, and what each of them keeps alive costs more than the request itself.
 */
export interface Post {
  readonly target: Target
  /** Bounds connecting, the answer and its body together, from when the request has a connection. Milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Asked for once, when it is sent. */
  content(): Content
  /** True while nothing of a log can be trimmed before the answer is dealt with: then it is read, memory or not. */
  holdsFloor(): boolean
  /** What came of it. Either this or `abandoned` is called, once, and not before `post` has returned. */
  answered(answer: Answer): void
  /** Its signal aborted first. */
  abandoned(reason: unknown): void
}

export interface Client {
  /** One request, never repeated and never redirected. */
  post(post: Post): void
  /** Cuts what is running: those posts are answered with `none`, as are later ones. */
  close(): Promise<void>
}

/** A post as a promise, for whoever has few of them. Rejects only with the signal's reason, when it aborts first. */
export function answerTo(client: Client, post: Omit<Post, 'answered' | 'abandoned'>): Promise<Answer> {
  const { target, timeoutMs, signal } = post
  return new Promise((answered, abandoned) => {
    client.post({
      target,
      timeoutMs,
      signal,
      content: () => post.content(),
      holdsFloor: () => post.holdsFloor(),
      answered,
      abandoned,
    })
  })
}

export interface ClientOptions {
  readonly clock: Clock
  /** A longer answer body counts as no answer. */
  readonly maxResponseBytes: number
  /**
   * Charged with the bodies of answers, from their first byte until they are released. Without room, a body of more than
   * 16 KiB counts as no answer, unless its recipient holds a floor. Absent: they are not bounded together.
   */
  readonly budget?: Budget
  readonly connectionsPerOrigin?: number
  /** Origins that stay open at once. The idle ones above it are closed, longest unused first; those in use are not. */
  readonly maxPools?: number
  /** Closes an origin's connections, and forgets it, when unused for this long. */
  readonly poolIdleMs?: number
  /**
   * How long one connection may take to open, in real time. A shorter attempt timeout ends its attempt sooner, but only
   * this frees the place among the origin's connections.
   */
  readonly connectTimeoutMs?: number
}

export function createClient(options: ClientOptions): Client {
  const { clock, maxResponseBytes, budget = new Budget(Number.POSITIVE_INFINITY) } = options
  const bounds: ExchangeBounds = { clock, maxResponseBytes, budget, tell: createTeller() }
  const pools = createPools(options)
  const addresses = new WeakMap<Target, Address | Unreachable>()

  const addressOf = (target: Target): Address | Unreachable => {
    let address = addresses.get(target)
    if (address === undefined) {
      address = parseAddress(target)
      addresses.set(target, address)
    }
    return address
  }

  return {
    post(post) {
      const group = abortGroupOf(post.signal)
      if (group.isAborted) return void setImmediate(() => post.abandoned(post.signal.reason))
      const address = addressOf(post.target)
      if (address.kind === 'unreachable') return answerNone(post, address.reason)
      const pool = pools.open(address)
      if (!pool) return answerNone(post, 'the client is closed')
      pool.connections.run(new Exchange(post, address, pool, group, bounds))
    },
    close: () => pools.close(),
  }
}

function answerNone(post: Post, reason: string): void {
  setImmediate(() => post.answered({ kind: 'none', reason }))
}

/** The decoded form of `Answer.rawHeaders`: bytes as Latin-1, as node:http gives them. */
export function headerTexts(rawHeaders: readonly Buffer[]): string[] {
  return rawHeaders.map((bytes) => bytes.toString('latin1'))
}

interface OpenPool extends Sending<UndiciClient> {
  readonly key: string
  readonly connections: Connections<UndiciClient>
  usedAt: number
}

interface Pools {
  /** Undefined once closed. */
  open(address: Address): OpenPool | undefined
  close(): Promise<void>
}

/** One pool of connections per origin and CA bundle. */
function createPools(options: ClientOptions): Pools {
  const { clock, connectionsPerOrigin = 1_024, maxPools = 1_024 } = options
  const { poolIdleMs = 60_000, connectTimeoutMs = 10_000 } = options
  const pools = new Map<string, OpenPool>()
  const trust = createTrust()
  const closing = new Set<Promise<void>>()
  let sweep: Timer | undefined
  let closed = false

  const add = ({ poolKey, origin, caCerts }: Address): OpenPool => {
    const secureContext = caCerts === undefined ? {} : { secureContext: trust(caCerts) }
    const open = (): UndiciClient =>
      new UndiciClient(origin, {
        pipelining: 1,
        // The attempt's one timer bounds both.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: connectTimeoutMs, rejectUnauthorized: true, ...secureContext },
      })
    const connections = createConnections({ open, most: connectionsPerOrigin, clock })
    const pool: OpenPool = { key: poolKey, connections, running: 0, usedAt: 0 }
    pools.set(poolKey, pool)
    sweep ??= clock.after(poolIdleMs, dropIdle)
    return pool
  }
  const drop = (pool: OpenPool): void => {
    pools.delete(pool.key)
    const done = pool.connections.destroy().finally(() => closing.delete(done))
    closing.add(done)
  }
  const dropIdle = (): void => {
    const longAgo = clock.now() - poolIdleMs
    for (const pool of pools.values()) if (pool.running === 0 && pool.usedAt <= longAgo) drop(pool)
    sweep = pools.size > 0 ? clock.after(poolIdleMs, dropIdle) : undefined
  }
  const dropLongestUnused = (): void => {
    let oldest: OpenPool | undefined
    for (const pool of pools.values()) {
      if (pool.running === 0 && (oldest === undefined || pool.usedAt < oldest.usedAt)) oldest = pool
    }
    if (oldest) drop(oldest)
  }

  return {
    open(address) {
      if (closed) return undefined
      let pool = pools.get(address.poolKey)
      if (pool === undefined) {
        if (pools.size >= maxPools) dropLongestUnused()
        pool = add(address)
      }
      pool.usedAt = clock.now()
      return pool
    },
    async close() {
      closed = true
      sweep?.cancel()
      for (const pool of pools.values()) drop(pool)
      await Promise.all(closing)
    },
  }
}
