// What a process holds, apart from what only waits to be collected.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Twice: buffers are given back after the objects that held them. */
export async function collectGarbage(): Promise<void> {
  collect()
  await new Promise(setImmediate)
  collect()
}

/** Resident memory of this process once its garbage is collected. */
export async function residentBytes(): Promise<number> {
  await collectGarbage()
  return process.memoryUsage.rss()
}
