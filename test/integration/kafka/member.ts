// A process that serves lanes of a log on Kafka, to be started, stopped and killed by tests. Tells its parent of each
// event that it hands out, and settles it some milliseconds later.
import { NO_AUTH } from '../../../src/channel/backends/kafka/auth.ts'
import { openKafkaStore } from '../../../src/channel/backends/kafka/store.ts'
import { openChannel } from '../../../src/channel/channel.ts'
import type { Deliver } from '../../../src/channel/subscription.ts'
import { Budget } from '../../../src/core/budget.ts'
import { createClock } from '../../../src/core/clock.ts'
import { aSpec } from '../../conformance/subscriber.ts'

export interface HandedOut {
  readonly subscription: string
  readonly id: string
  readonly lane: string
  readonly atMs: number
}

const SETTLES_AFTER_MS = 5
const [servers = '', registryTopic = '', uid = '', name = ''] = process.argv.slice(2)

const clock = createClock()
const store = await openKafkaStore({
  bootstrapServers: servers.split(','),
  auth: NO_AUTH,
  clock,
  maxEventBytes: 2 ** 20,
  sessionTimeoutMs: 6_000,
  registryTopic,
  replicationFactor: 1,
  partitions: 1,
  onFault: (what, error) => console.error(`      ${what}: ${error}`),
})
const log = await store.open({ uid, name }, { capBytes: 2 ** 28 })
const channel = openChannel({ name, log, traits: store.traits, clock, budget: new Budget(2 ** 26) })

for (const subscription of ['ordered', 'unordered']) {
  await channel.subscribe(subscription, aSpec(handsOut(subscription), { ordered: subscription === 'ordered' }))
}
channel.start()
process.send?.('ready')

process.on('SIGTERM', async () => {
  await channel.close({ drainMs: 1_000 })
  await store.close()
  process.exit(0)
})
// Nobody is left to tell.
process.on('disconnect', () => process.exit(1))

function handsOut(subscription: string): Deliver {
  return (delivery) => {
    const { event, lane } = delivery
    const handedOut: HandedOut = { subscription, id: event.attributes['id'] ?? '', lane, atMs: Date.now() }
    process.send?.(handedOut)
    setTimeout(() => delivery.done({ kind: 'settled', outcome: 'delivered' }), SETTLES_AFTER_MS)
  }
}
