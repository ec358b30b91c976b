// Who publishes in a storm: some the events of one key, one after the other, some anything at once, some in batches. Each
// event is noted before it is sent, and again when it is answered.
import { Pool } from 'undici'
import { createRandom, type Random } from '../support/random.ts'
import type { Run } from './attempts.ts'
import type { Ledger, Published } from './ledger.ts'
import { BROKER_A, BROKER_B, CHANNEL, POISON } from './readers.ts'
import { headersOf } from './subscribers.ts'

export interface Publishers {
  /** Accepted in this round so far. */
  readonly accepted: number
  /** Sent and not answered. */
  readonly inFlight: number
  /** Resolves once so many were accepted, or nobody publishes any more. */
  untilAccepted(count: number): Promise<void>
  /** The longest between two acceptances, or since the last one, in ms. */
  longestGapMs(): number
  /** Whether they take their time from now on. */
  setSlow(isSlow: boolean): void
  /** Nothing more is sent, what is under way is given up. Resolves when all have stopped. */
  stop(): Promise<void>
}

export interface PublishersOptions {
  readonly dataUrl: string
  readonly run: Run
  readonly ledger: Ledger
  readonly seed: number
  /** Of each key, the sequence that comes next: goes on from round to round. */
  readonly sequences: Map<string, number>
  /** False once the program was told to end: what fails then, fails because of it. */
  readonly isRunning: () => boolean
}

const KEYS_OF_A = 6
const KEYS_OF_B = 2
const OTHERS = 12
const CONNECTIONS = 24
const MOST_IN_BATCH = 6
const LARGEST_BODY = 2_000
const LARGE_BODY = 60_000
/** As somebody does who was refused for now. */
const REFUSED_PAUSE_MS = 20
const SLOW_PAUSE_MS = 400

export function startPublishers(options: PublishersOptions): Publishers {
  const { dataUrl, run, ledger, sequences, isRunning } = options
  const { round } = run
  const pool = new Pool(dataUrl, { connections: CONNECTIONS })
  let isStopped = false
  let isSlow = false
  let accepted = 0
  let inFlight = 0
  let number = 0
  let acceptedAt: number | undefined
  let longestGapMs = 0
  let waiting: { readonly count: number; readonly resolve: () => void } | undefined

  function newEvent(target: string, type: string, random: Random, key?: string): Published {
    const sequence = key === undefined ? 0 : (sequences.get(key) ?? 0)
    if (key !== undefined) sequences.set(key, sequence + 1)
    const id = `${round}-${number++}`
    const bytes = random.int(10) === 0 ? random.int(LARGE_BODY) : random.int(LARGEST_BODY)
    const body = Buffer.alloc(bytes, `${id} `)
    const event: Published = {
      id,
      target,
      type,
      key,
      sequence,
      round,
      body,
      askedAt: performance.now(),
      replyTo: undefined,
      outcome: 'unknown',
      answeredAt: Infinity,
    }
    ledger.publish(event)
    return event
  }

  async function send(
    events: readonly Published[],
    request: { headers: Record<string, string>; body: Buffer | string },
  ) {
    const sentAt = performance.now()
    inFlight += events.length
    try {
      const path = `/${events[0]?.target}`
      const { statusCode, body } = await pool.request({ path, method: 'POST', ...request })
      const text = await body.text()
      for (const event of events) event.answeredAt = performance.now()
      if (statusCode === 202) return note(events)
      if (statusCode !== 503) throw new Error(`${path} answered ${statusCode}: ${text}`)
      // Of a batch, any may have been stored.
      if (events.length === 1) for (const event of events) event.outcome = 'refused'
      await pause(REFUSED_PAUSE_MS)
    } catch (error) {
      if (isRunning() && !isStopped) throw error
      await pause(REFUSED_PAUSE_MS)
    } finally {
      inFlight -= events.length
      run.slowestMs = Math.max(run.slowestMs, performance.now() - sentAt)
    }
  }

  function note(events: readonly Published[]): void {
    for (const event of events) event.outcome = 'accepted'
    accepted += events.length
    longestGapMs = gapMs()
    acceptedAt = performance.now()
    if (waiting && accepted >= waiting.count) waiting.resolve()
  }

  function gapMs(): number {
    return Math.max(longestGapMs, performance.now() - (acceptedAt ?? performance.now()))
  }

  function sendOne(event: Published): Promise<void> {
    const key = event.key === undefined ? {} : { 'ce-partitionkey': event.key }
    return send([event], { headers: { ...headersOf(event.id, event.type), ...key }, body: event.body })
  }

  function sendBatch(events: readonly Published[]): Promise<void> {
    const batch = events.map(({ id, type, body }) => ({
      ...{ specversion: '1.0', id, source: '/crash', type, datacontenttype: 'text/plain' },
      data: body.toString(),
    }))
    const headers = { 'content-type': 'application/cloudevents-batch+json' }
    return send(events, { headers, body: JSON.stringify(batch) })
  }

  async function publishKey(target: string, key: string, random: Random): Promise<void> {
    while (!isStopped) {
      await sendOne(newEvent(target, 'order', random, key))
      if (isSlow || random.int(4) === 0) await pause(random.int(isSlow ? SLOW_PAUSE_MS : 10))
    }
  }

  async function publishOthers(random: Random): Promise<void> {
    while (!isStopped) {
      const target = random.int(5) === 0 ? CHANNEL : BROKER_A
      const type = target === CHANNEL ? 'note' : random.pick(['note', 'note', 'ask', POISON])
      if (target === BROKER_A && random.int(8) === 0) {
        await sendBatch(Array.from({ length: 1 + random.int(MOST_IN_BATCH) }, () => newEvent(target, type, random)))
      } else {
        await sendOne(newEvent(target, type, random))
      }
      if (isSlow || random.int(3) === 0) await pause(random.int(isSlow ? SLOW_PAUSE_MS : 15))
    }
  }

  const all = [
    ...Array.from({ length: KEYS_OF_A }, (_, i) => (random: Random) => publishKey(BROKER_A, `a${i}`, random)),
    ...Array.from({ length: KEYS_OF_B }, (_, i) => (random: Random) => publishKey(BROKER_B, `b${i}`, random)),
    ...Array.from({ length: OTHERS }, () => publishOthers),
  ]
  const publishing = Promise.all(all.map((publish, i) => publish(createRandom(options.seed + i))))
  // It is awaited once all has stopped; until then whoever waits for it is told.
  publishing.catch(() => waiting?.resolve())

  return {
    get accepted() {
      return accepted
    },
    get inFlight() {
      return inFlight
    },
    async untilAccepted(count) {
      if (accepted >= count) return
      await new Promise<void>((resolve) => {
        waiting = { count, resolve }
      })
    },
    longestGapMs: gapMs,
    setSlow(slow) {
      isSlow = slow
    },
    async stop() {
      isStopped = true
      await pool.destroy()
      await publishing
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
