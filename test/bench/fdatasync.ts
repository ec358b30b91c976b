// What the disk alone takes to keep one record: appends to a file, each synced before the next, at a rate.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { options, serve } from './child.ts'
import { fdatasyncSchema, type Send, sendSchema } from './protocol.ts'
import { quantile } from './stats.ts'

const TICK_MS = 1

const { file, bytes } = options(fdatasyncSchema)
const record = Buffer.alloc(bytes, 'x')
const descriptor = openSync(file, 'w')
process.on('exit', () => closeSync(descriptor))
serve({}, sendSchema, run)

/** One that is due while another runs comes after it. What is told is how long write and sync took, without that wait. */
async function run({ forMs, ratePerS = Infinity }: Send): Promise<unknown> {
  const takenMs: number[] = []
  const start = performance.now()
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - start) {
    if (takenMs.length < (elapsedMs * ratePerS) / 1_000) takenMs.push(appended())
    else await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  return { p50Ms: quantile(takenMs, 0.5), p99Ms: quantile(takenMs, 0.99) }
}

function appended(): number {
  const startedAt = performance.now()
  writeSync(descriptor, record)
  fdatasyncSync(descriptor)
  return performance.now() - startedAt
}
