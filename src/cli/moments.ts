// Times and durations of what happened lately, in few characters.

/** `09:12:01.123`, in UTC. */
export function timeOfDay(time: string): string {
  return time.slice(11, 23)
}

/** `12 ms`, `1.5 s`, `3 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? Math.round(10 * ms) / 10 : Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`
  return `${Math.round(ms / 60_000)} min`
}
