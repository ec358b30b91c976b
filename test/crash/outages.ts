// Times in which the cluster was not whole, or the program did not know whether it still had its lanes: events may be handed
// out once more for each of them.

/** By the driver's clock. */
export interface Outage {
  readonly from: number
  /** Infinity while it goes on. */
  until: number
}

/** Between giving its lanes up and saying so. */
const TOLD_MS = 100

/**
 * When the program gave up its lanes because it had not been able to reach its group, be it for want of processor time: as
 * it says on standard error. Logs that did so together are one.
 */
export function lanesLost(err: string, sessionTimeoutMs: number): readonly Outage[] {
  const found: Outage[] = []
  for (const line of err.split('\n')) {
    const time = line.includes('LANE_LOST') ? /"time":"([^"]+)"/.exec(line)?.[1] : undefined
    if (time === undefined) continue
    const until = Date.parse(time) - performance.timeOrigin + TOLD_MS
    // A process that had no processor for long finds out late.
    const unansweredMs = Number(/answered for (\d+) ms/.exec(line)?.[1] ?? sessionTimeoutMs)
    const from = until - Math.max(unansweredMs, sessionTimeoutMs) - TOLD_MS
    const last = found.at(-1)
    if (last && from < last.until) found.splice(-1, 1, { from: Math.min(from, last.from), until })
    else found.push({ from, until })
  }
  return found
}

/** Those that a time has anything in common with. */
export function outagesIn(outages: readonly Outage[], from: number, until: number): readonly Outage[] {
  return outages.filter((outage) => outage.from < until && from < outage.until)
}
