// Whoever is behind a head can wait, and what comes to the head cannot: so those behind get a share of the event loop, all of
// the process together. While something comes to heads it is so small that the loop is idle now and then: what has to wait
// for a turn at every step of its way would take twice as long. One event loop, so one state, and one clock, in a process.
import type { Clock } from '../core/clock.ts'
import { Fifo } from '../core/fifo.ts'

/** From the first attempt that begins for one behind until the last may: time for two or three. */
const SHARE_MS = 0.04
/** Beside heads to which something comes there is a share about as often as this; else one in each turn of the loop. */
const PERIOD_MS = 1
/** Heads to which nothing came for so long need no time. */
const QUIET_MS = 20

const reading = new Fifo<() => void>()
const waiting = new Set<Starter>()
let shareEnd = 0
let isNewTurn = true
let periodEnd = 0
let cameAt = Number.NEGATIVE_INFINITY

export interface Starter {
  /** Hands out what is ready as long as it may. */
  pump(): void
}

/** Something came to a head. */
export function cameToHead(clock: Clock): void {
  cameAt = clock.now()
}

/** Resolves in a later turn of the event loop, in which no other reader behind a head goes on. */
export function turnToRead(): Promise<void> {
  return new Promise((resolve) => {
    reading.push(resolve)
    if (reading.size === 1) setImmediate(readNext)
  })
}

function readNext(): void {
  const resolve = reading.shift()
  if (reading.size > 0) setImmediate(readNext)
  resolve?.()
}

/** Whether one behind a head may begin an attempt now. If not, it is pumped when there is another share. */
export function mayStart(starter: Starter, clock: Clock): boolean {
  const now = clock.now()
  if (isNewTurn) {
    isNewTurn = false
    setImmediate(newTurn)
    if (now >= periodEnd) {
      shareEnd = now + SHARE_MS
      periodEnd = now + PERIOD_MS
    }
  }
  if (now <= shareEnd) return true
  waiting.add(starter)
  if (waiting.size === 1) waitForShare(now, clock)
  return false
}

function newTurn(): void {
  isNewTurn = true
}

function waitForShare(now: number, clock: Clock): void {
  if (now - cameAt < QUIET_MS) clock.after(periodEnd - now, startMore)
  else setImmediate(startMore)
}

/** Who had its share waits behind those who had none. */
function startMore(): void {
  isNewTurn = true
  periodEnd = 0
  const turn = [...waiting]
  waiting.clear()
  for (const [at, starter] of turn.entries()) {
    starter.pump()
    if (!waiting.has(starter)) continue
    waiting.delete(starter)
    for (const other of [...turn.slice(at + 1), starter]) waiting.add(other)
    return
  }
}
