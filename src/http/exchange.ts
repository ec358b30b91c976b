// One request and its answer on a connection of undici's, from waiting for that connection to telling who asked.
import type { Dispatcher } from 'undici'
import type { Budget } from '../core/budget.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { AbortGroup, Member } from './abort-group.ts'
import type { Address } from './address.ts'
import type { Answer, Answered, Post } from './client.ts'
import type { Connection, Job } from './connections.ts'

/** What all exchanges of a client share. */
export interface ExchangeBounds {
  readonly clock: Clock
  readonly maxResponseBytes: number
  readonly budget: Budget
  /** Calls `tell` of the exchange soon. */
  tell(exchange: Exchange): void
}

/** What an exchange sends by. */
export interface Sender extends Connection {
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean
}

/** The pool that an exchange belongs to. */
export interface Sending<C extends Sender = Sender> {
  readonly connections: { release(connection: C): void }
  /** Exchanges under way, waiting ones included: a pool is closed only without any. */
  running: number
}

/** An answer's body up to this size is always read: acknowledgements, error texts and most replies never wait for memory. */
const ALWAYS_READ_BYTES = 16 * 1_024
const NO_BYTES = Buffer.alloc(0)
const NO_HEADERS: readonly Buffer[] = []

/**
 * What has ended is told in a row, once a turn of the event loop: outside undici's callbacks, which would take our faults
 * for theirs, and with the code that goes on from there still in the processor's cache.
 */
export function createTeller(): (exchange: Exchange) => void {
  let ended: Exchange[] = []
  const tellAll = (): void => {
    const row = ended
    ended = []
    for (const exchange of row) exchange.tell()
  }
  return (exchange) => {
    if (ended.push(exchange) === 1) setImmediate(tellAll)
  }
}

/**
 * A class with undici's older callbacks, because every event's path crosses it and this is the form undici calls without
 * a wrapper and without building a header object (lib/handler/unwrap-handler.js).
 */
export class Exchange implements Dispatcher.DispatchHandler, Member, Job<Sender> {
  slot = -1
  readonly #post: Post
  readonly #address: Address
  readonly #pool: Sending
  readonly #group: AbortGroup
  readonly #bounds: ExchangeBounds
  #connection: Sender | undefined
  #timer: Timer | undefined
  #isDone = false
  /** Known once the request is written. */
  #cut: (() => void) | undefined
  #status = 0
  #rawHeaders = NO_HEADERS
  #body: Buffer[] | undefined
  /** Read so far, and charged to the budget. */
  #bodyBytes = 0
  /** What is to be told; nothing when the signal aborted. */
  #answer: Answer | undefined

  constructor(post: Post, address: Address, pool: Sending, group: AbortGroup, bounds: ExchangeBounds) {
    this.#post = post
    this.#address = address
    this.#pool = pool
    this.#group = group
    this.#bounds = bounds
    pool.running++
    group.add(this)
  }

  get isDone(): boolean {
    return this.#isDone
  }

  begin(connection: Sender): void {
    const { timeoutMs } = this.#post
    this.#connection = connection
    this.#timer = this.#bounds.clock.after(timeoutMs, () => this.#fail(`no complete answer within ${timeoutMs} ms`))
    const { path, headers: more } = this.#address
    try {
      const { headers, body } = this.#post.content()
      const all = more.length > 0 ? [...headers, ...more] : headers
      connection.dispatch({ method: 'POST', path, headers: all, body }, this)
    } catch (error) {
      this.onError(error)
    }
  }

  refuse(): void {
    this.#fail('the client is closed')
  }

  abandon(): void {
    if (!this.#settle()) return
    this.#cut?.()
    this.#giveBack()
    this.#bounds.tell(this)
  }

  onConnect(abort: () => void): void {
    // Given up before it was written: undici holds it until here.
    if (this.#isDone) abort()
    else this.#cut = abort
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    // Called for 1xx too; the last call counts.
    this.#status = status
    this.#rawHeaders = rawHeaders
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#isDone) return false
    const { maxResponseBytes, budget } = this.#bounds
    const bodyBytes = this.#bodyBytes + chunk.length
    if (bodyBytes > maxResponseBytes) {
      this.#fail(`an answer of more than ${maxResponseBytes} bytes`)
      return false
    }
    if (bodyBytes > ALWAYS_READ_BYTES && !budget.hasRoom(chunk.length) && !this.#post.holdsFloor()) {
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
    this.#release()
    if (!this.#settle()) return
    this.#answer = this.#whole()
    this.#bounds.tell(this)
  }

  onError(error: unknown): void {
    this.#fail(reasonOf(error))
    // After undici's callback: it ends the process when it finds another request on a connection that was refused.
    queueMicrotask(() => this.#release())
  }

  tell(): void {
    const answer = this.#answer
    this.#letGo()
    if (answer) this.#post.answered(answer)
    else this.#post.abandoned(this.#post.signal.reason)
  }

  /**
   * An exchange that has waited for its connection lies where the engine seldom looks for garbage, and what it points to
   * would be kept, and moved there too: all of undici's request.
   */
  #letGo(): void {
    this.#cut = undefined
    this.#timer = undefined
    this.#body = undefined
    this.#answer = undefined
    this.#rawHeaders = NO_HEADERS
  }

  /**
   * Where there was an answer, within undici's callback: a request that is given to the connection now is written at the end of this turn of the
   * event loop. A connection that was idle, be it for a moment, undici first listens to for one turn more.
   */
  #release(): void {
    const connection = this.#connection
    this.#connection = undefined
    if (connection) this.#pool.connections.release(connection)
  }

  #whole(): Answered {
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
    this.#answer = { kind: 'none', reason }
    this.#bounds.tell(this)
  }

  /** Nobody gets what was read. */
  #giveBack(): void {
    this.#body = undefined
    this.#bounds.budget.release(this.#bodyBytes)
  }

  /** False when it was settled before. */
  #settle(): boolean {
    if (this.#isDone) return false
    this.#isDone = true
    this.#timer?.cancel()
    this.#group.remove(this)
    this.#pool.running--
    return true
  }
}

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
