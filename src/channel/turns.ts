// Whoever is behind a head has all the time it needs, and what comes to the head has not: of each turn of the event loop
// those behind get a share, however many there are in the process, so that a turn is not longer for all of them.
import type { Clock } from '../core/clock.ts'
import { Fifo } from '../core/fifo.ts'

/** From the first attempt that begins in a turn for one behind until the last may: for most subscribers a handful. */
const SHARE_MS = 0.05

const reading = new Fifo<() => void>()
const starting = new Set<Starter>()
/** When the share of this turn is over; undefined while nobody had any of it. */
let shareEnd: number | undefined

export interface Starter {
  /** Hands out what is ready as long as it may. */
  pump(): void
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

/** Whether one behind a head may begin an attempt in this turn. If not, it is pumped in a later one. */
export function mayStart(starter: Starter, clock: Clock): boolean {
  const now = clock.now()
  if (shareEnd === undefined) {
    shareEnd = now + SHARE_MS
    setImmediate(startMore)
  }
  if (now <= shareEnd) return true
  starting.add(starter)
  return false
}

/** Who had its share waits behind those who had none. */
function startMore(): void {
  shareEnd = undefined
  for (const starter of starting) {
    starting.delete(starter)
    starter.pump()
    if (starting.has(starter)) return
  }
}
