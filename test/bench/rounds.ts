// How costs are compared: in turns within a round, so that a machine that is slow for a while is slow for all of them.
import type { Rig } from './program.ts'
import type { Usage } from './protocol.ts'
import type { Load } from './traffic.ts'

/** Fewer rounds than this decide nothing. */
export const DECIDING_ROUNDS = 9
/** Many short rounds see less of the machine's moods than few long ones: its speed changes within seconds. */
export const USUAL_ROUNDS = 15

/** So long the program's cost falls under full load, while the engine finds out what to compile. */
const COMPILE_MS = 8_000
/** Between its turns a load loses its place in the caches, and its connections. */
const WARM_UP_MS = 150
const WINDOW_MS = 600

export interface Observed {
  readonly before: Usage
  readonly after: Usage
  readonly events: number
}

/** For a program, before its first round. The bare ones are compiled within a round. */
export async function compiled(load: Load): Promise<void> {
  await load.run(COMPILE_MS)
}

/** One round for nothing, then those that count. */
export async function inRounds<T>(rounds: number, round: () => Promise<T>): Promise<T[]> {
  await round()
  const samples: T[] = []
  for (let i = 0; i < rounds; i++) samples.push(await round())
  return samples
}

/**
 * CPU time per event, in microseconds. The window opens after a warm-up, with nothing under way, and closes when the last
 * event is dealt with: what is paid in it is paid for these events.
 */
export async function costPerEvent(load: Load): Promise<number> {
  const { before, after, events } = await observed(load)
  return (after.cpuUs - before.cpuUs) / events
}

export async function observed({ process, run }: Load): Promise<Observed> {
  await run(WARM_UP_MS)
  const before = await process.usage()
  const events = await run(WINDOW_MS)
  return { before, after: await process.usage(), events }
}

/** Events a second, from the first one's turn until the sink has the last. */
export async function ratePerS({ send }: Rig, forMs = WINDOW_MS): Promise<number> {
  await send(WARM_UP_MS)
  const startedAt = performance.now()
  const { accepted } = await send(forMs)
  return (accepted * 1_000) / (performance.now() - startedAt)
}

/** The program as a load: an event is dealt with when it is delivered to all who match. */
export function loadOf({ program, send }: Rig): Load {
  return { process: program.process, run: async (forMs) => (await send(forMs)).accepted }
}
