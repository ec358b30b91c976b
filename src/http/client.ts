// Requests to subscribers, dead letter sinks and other destinations: one POST, one answer, bounded in time and size.
// What an answer means, and whether to try again, is decided in delivery/. Here is the only home of undici.
import { type Dispatcher, Client as UndiciClient } from 'undici'
import { Budget } from '../core/budget.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Target } from '../core/destination.ts'
import { type AbortGroup, abortGroupOf, type Member } from './abort-group.ts'
import { type Address, parseAddress, type Unreachable } from './address.ts'
import { type Connections, createConnections, type Job } from './connections.ts'
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

/** Whoever waits for an answer, as far as memory for it goes. */
export interface Recipient {
  /** True while nothing of a log can be trimmed before the answer is dealt with: then it is read, memory or not. */
  holdsFloor(): boolean
}

export interface Client {
  /**
   * One request, never repeated and never redirected. `headers` is a flat list of names and values, only read;
   * `timeoutMs` bounds connecting, the answer and its body together. Rejects only with the signal's reason, when it
   * aborts first.
   */
  post(
    target: Target,
    headers: string[],
    body: Buffer | null,
    timeoutMs: number,
    signal: AbortSignal,
    recipient?: Recipient,
  ): Promise<Answer>
  /** Cuts what is running: those posts resolve to `none`, as do later ones. */
  close(): Promise<void>
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
  const bounds: Bounds = { maxResponseBytes, budget }
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
    post(target, headers, body, timeoutMs, signal, recipient) {
      const group = abortGroupOf(signal)
      if (group.isAborted) return Promise.reject(signal.reason)
      const address = addressOf(target)
      if (address.kind === 'unreachable') return Promise.resolve({ kind: 'none', reason: address.reason })
      const pool = pools.open(address)
      if (!pool) return Promise.resolve({ kind: 'none', reason: 'the client is closed' })

      const all = address.headers.length > 0 ? [...headers, ...address.headers] : headers
      return new Promise((resolve, reject) => {
        const request: Dispatcher.DispatchOptions = { method: 'POST', path: address.path, headers: all, body }
        const exchange = new Exchange(resolve, reject, pool, group, bounds, recipient, request)
        exchange.start(clock, timeoutMs)
        pool.connections.run(exchange)
      })
    },
    close: () => pools.close(),
  }
}

/** The decoded form of `Answer.rawHeaders`: bytes as Latin-1, as node:http gives them. */
export function headerTexts(rawHeaders: readonly Buffer[]): string[] {
  return rawHeaders.map((bytes) => bytes.toString('latin1'))
}

/** An answer's body up to this size is always read: acknowledgements, error texts and most replies never wait for memory. */
const ALWAYS_READ_BYTES = 16 * 1_024

/** What all exchanges of a client share. */
interface Bounds {
  readonly maxResponseBytes: number
  readonly budget: Budget
}

/**
 * One request and its answer. A class with undici's older callbacks, because every event's path crosses it and this is
 * the form undici calls without a wrapper and without building a header object (lib/handler/unwrap-handler.js).
 */
class Exchange implements Dispatcher.DispatchHandler, Member, Job<UndiciClient> {
  slot = -1
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: unknown) => void
  readonly #pool: OpenPool
  readonly #group: AbortGroup
  readonly #bounds: Bounds
  readonly #recipient: Recipient | undefined
  readonly #request: Dispatcher.DispatchOptions
  #connection: UndiciClient | undefined
  #timer: Timer | undefined
  #done = false
  /** Known once the request has a connection. */
  #cut: (() => void) | undefined
  #status = 0
  #rawHeaders: readonly Buffer[] = []
  #body: Buffer[] | undefined
  /** Read so far, and charged to the budget. */
  #bodyBytes = 0

  constructor(
    resolve: (answer: Answer) => void,
    reject: (reason: unknown) => void,
    pool: OpenPool,
    group: AbortGroup,
    bounds: Bounds,
    recipient: Recipient | undefined,
    request: Dispatcher.DispatchOptions,
  ) {
    this.#resolve = resolve
    this.#reject = reject
    this.#pool = pool
    this.#group = group
    this.#bounds = bounds
    this.#recipient = recipient
    this.#request = request
  }

  get isDone(): boolean {
    return this.#done
  }

  start(clock: Clock, timeoutMs: number): void {
    this.#pool.running++
    this.#group.add(this)
    this.#timer = clock.after(timeoutMs, () => this.#fail(`no complete answer within ${timeoutMs} ms`))
  }

  begin(connection: UndiciClient): void {
    this.#connection = connection
    connection.dispatch(this.#request, this)
  }

  refuse(): void {
    this.#fail('the client is closed')
  }

  abandon(reason: unknown): void {
    if (!this.#settle()) return
    this.#cut?.()
    this.#giveBack()
    this.#reject(reason)
  }

  onConnect(abort: () => void): void {
    // Given up while it waited for a connection: undici still holds it then, and this is when it lets go.
    if (this.#done) abort()
    else this.#cut = abort
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    // Called for 1xx too; the last call counts.
    this.#status = status
    this.#rawHeaders = rawHeaders
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#done) return false
    const { maxResponseBytes, budget } = this.#bounds
    const bodyBytes = this.#bodyBytes + chunk.length
    if (bodyBytes > maxResponseBytes) {
      this.#fail(`an answer of more than ${maxResponseBytes} bytes`)
      return false
    }
    if (bodyBytes > ALWAYS_READ_BYTES && !budget.hasRoom(chunk.length) && !this.#recipient?.holdsFloor()) {
      this.#fail('no memory for the answer now')
      return false
    }
    budget.take(chunk.length)
    this.#bodyBytes = bodyBytes
    if (this.#body) this.#body.push(chunk)
    else this.#body = [chunk]
    return true
  }

  onComplete(): void {
    const answer = this.#settle() ? this.#answer() : undefined
    // undici frees this connection in a setImmediate of its own, and a next request before that would wait in it.
    setImmediate(endExchange, this, answer)
  }

  onError(error: Error): void {
    this.#fail(reasonOf(error))
    setImmediate(endExchange, this, undefined)
  }

  /** undici is done with the request: its connection may take another, and the answer may be told. */
  end(answer: Answered | undefined): void {
    const connection = this.#connection
    this.#connection = undefined
    if (connection) this.#pool.connections.release(connection)
    if (answer) this.#resolve(answer)
  }

  #answer(): Answered {
    const status = this.#status
    const rawHeaders = this.#rawHeaders
    if (this.#body === undefined) return { kind: 'answer', status, rawHeaders, body: NO_BYTES }
    const release = releasing(this.#bounds.budget, this.#bodyBytes)
    return { kind: 'answer', status, rawHeaders, body: joined(this.#body), release }
  }

  #fail(reason: string): void {
    if (!this.#settle()) return
    this.#cut?.()
    this.#giveBack()
    this.#resolve({ kind: 'none', reason })
  }

  /** Nobody gets what was read. */
  #giveBack(): void {
    this.#body = undefined
    this.#bounds.budget.release(this.#bodyBytes)
  }

  /** False when it was settled before. */
  #settle(): boolean {
    if (this.#done) return false
    this.#done = true
    this.#timer?.cancel()
    this.#group.remove(this)
    this.#pool.running--
    return true
  }
}

function endExchange(exchange: Exchange, answer: Answered | undefined): void {
  exchange.end(answer)
}

const NO_BYTES = Buffer.alloc(0)

function releasing(budget: Budget, bytes: number): () => void {
  return () => budget.release(bytes)
}

function joined(chunks: Buffer[]): Buffer {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)
}

/** Texts of undici and node name hosts and ports, never paths, queries or passwords. */
function reasonOf(error: unknown): string {
  // Several addresses were tried (localhost is ::1 and 127.0.0.1) and each failed: the text is in the parts.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  if (!(error instanceof Error)) return 'an unknown error'
  return error.message === '' ? error.name : error.message
}

interface OpenPool {
  readonly key: string
  readonly connections: Connections<UndiciClient>
  /** Exchanges under way: a pool is closed only without any. */
  running: number
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
