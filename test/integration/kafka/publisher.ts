// A process that publishes to a log on Kafka until it is killed. Tells its parent the id of each event that was accepted.
import { NO_AUTH } from '../../../src/channel/backends/kafka/auth.ts'
import { openKafkaStore } from '../../../src/channel/backends/kafka/store.ts'
import { createClock } from '../../../src/core/clock.ts'
import { anEvent } from '../../conformance/support.ts'

const PUBLISHERS = 16
const [servers = '', registryTopic = '', uid = '', name = '', round = ''] = process.argv.slice(2)

const store = await openKafkaStore({
  bootstrapServers: servers.split(','),
  auth: NO_AUTH,
  clock: createClock(),
  maxEventBytes: 2 ** 20,
  sessionTimeoutMs: 6_000,
  registryTopic,
  replicationFactor: 1,
  partitions: 1,
  onFault: (what, error) => console.error(`      ${what}: ${error}`),
})
const log = await store.open({ uid, name }, { capBytes: 2 ** 28 })
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
await Promise.all(Array.from({ length: PUBLISHERS }, (_, publisher) => publish(publisher)))

async function publish(publisher: number): Promise<void> {
  for (let number = 0; ; number++) {
    const id = `${round}/${publisher}/${number}`
    await log.append(anEvent({ id, ...(publisher % 2 === 0 && { key: id }) }))
    process.send?.(id)
  }
}
