// How much memory a process takes while something happens.
import type { Process } from './processes.ts'

const SAMPLE_MS = 250

/** The most memory that the process had at any of the moments it was asked. */
export function watchRss(process: Process): { stop(): Promise<number> } {
  let most = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      const usage = await process.usage().catch(() => undefined)
      // Whoever uses the process is told that it is gone, and why.
      if (!usage) return most
      most = Math.max(most, usage.rssBytes)
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))
    }
    return most
  })()
  return {
    stop: () => {
      isOver = true
      return watching
    },
  }
}
