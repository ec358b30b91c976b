import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { NO_AUTH } from '../../src/channel/backends/kafka/auth.ts'
import type { KafkaStoreOptions } from '../../src/channel/backends/kafka/options.ts'
import { kafkaTraits, openKafkaStore } from '../../src/channel/backends/kafka/store.ts'
import type { LogStore } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'
import { describeAuth } from '../integration/kafka/auth.ts'
import { describeOutages } from '../integration/kafka/outages.ts'
import { describeProcesses } from '../integration/kafka/processes.ts'
import { sharedBrokers } from '../support/servers/shared-kafka.ts'
import { isRequired, reasonAgainst } from '../support/servers/there.ts'
import type { Backend } from './backend.ts'
import { describeChannel } from './channel.ts'
import { describeGuarantees } from './guarantees.ts'
import { describeLog } from './log.ts'
import { resting } from './resting.ts'

/** Of this run: the Kafka may be one that others use, too. */
const registryTopic = `tidings-registry-${randomUUID().slice(0, 8)}`
const stores = new Set<LogStore>()

async function openStore(options: Partial<KafkaStoreOptions> = {}): Promise<LogStore> {
  const store = await openKafkaStore({
    bootstrapServers: await sharedBrokers(),
    auth: NO_AUTH,
    clock: createClock(),
    maxEventBytes: 2 ** 20,
    sessionTimeoutMs: 6_000,
    registryTopic,
    replicationFactor: 1,
    partitions: 1,
    onFault: (what, error) => console.error(`      ${what}: ${error}`),
    ...options,
  })
  const opened = resting(store)
  stores.add(opened)
  return opened
}

function kafka(readsCostIo: boolean): Backend {
  const opened = (store: LogStore): LogStore => ({ ...store, traits: { ...store.traits, readsCostIo } })
  return {
    traits: kafkaTraits(),
    open: async (clock = createClock()) => opened(await openStore({ clock })),
    async reopen(store, after) {
      if (after === 'close') await store.close()
      return opened(await openStore())
    },
  }
}

const missing = reasonAgainst('kafka')

describe(`conformance of kafka${missing === undefined ? '' : ` [skipped: ${missing}]`}`, function () {
  this.timeout(60_000)

  if (missing !== undefined) {
    if (isRequired('kafka')) it('has a Kafka', () => assert.fail(`REQUIRE_SERVERS: ${missing}`))
    else it.skip(`runs against a Kafka [skipped: ${missing}]`)
    return
  }

  after(async () => {
    for (const store of stores) await store.close()
  })

  describeLog('kafka', kafka(true))
  // Entries "removed by a third party" must not be in a ring of recent ones.
  describeChannel('kafka', kafka(false))
  describeProcesses()
  describeOutages()
  describeAuth()
  describeGuarantees(kafka(true))
})
