// What one idle trigger takes of the heap for routing and cursor alone: its filter in the matcher, its subscription and
// its place in the log. Runs with --expose-gc, in a process that does nothing else.
import { z } from 'zod'
import { openMemoryStore } from '../../src/channel/backends/memory.ts'
import { type Channel, openChannel } from '../../src/channel/channel.ts'
import { Budget } from '../../src/core/budget.ts'
import { createClock } from '../../src/core/clock.ts'
import type { Step } from '../../src/core/delivery-spec.ts'
import { compileTriggerFilter } from '../../src/filter/dialects.ts'
import { options, serve } from './child.ts'

const MIB = 2 ** 20
const { triggers } = options(z.object({ triggers: z.number() }))
const DELIVERED: Step = { kind: 'settled', outcome: 'delivered' }
const deliver = async (): Promise<Step> => DELIVERED

// Code is compiled and shared tables grow with the first ones: that is no trigger's share.
await subscribe(await open('warm-up'), 1_000)
const channel = await open('measured')
const before = heapBytes()
await subscribe(channel, triggers)
const bytesPerTrigger = (heapBytes() - before) / triggers
serve({ bytesPerTrigger }, z.never(), async () => undefined)
// Still in use, so none of it was collected above.
await channel.save()

async function open(name: string): Promise<Channel> {
  const store = openMemoryStore({ clock: createClock() })
  const log = await store.open({ uid: name, name }, { capBytes: 64 * MIB })
  return openChannel({ name, log, traits: store.traits, clock: createClock(), budget: new Budget(64 * MIB) })
}

/** Each with texts of its own, as they come from manifests. */
async function subscribe(channel: Channel, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => {
    const filter = compileTriggerFilter({ filter: { attributes: { type: `com.example.bench.idle.${i}` } } })
    const id = `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
    return channel.subscribe(id, { filter, ordered: false, maxInFlight: 64, maxUnsettled: 1_000, deliver })
  })
  await Promise.all(all)
}

function heapBytes(): number {
  // Typed as optional: it is there with --expose-gc only, and without it the figure would be noise.
  if (!globalThis.gc) throw new Error('start with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
