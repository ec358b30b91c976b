import assert from 'node:assert/strict'
import type { LogStore } from '../../src/channel/log.ts'
import { createMemoryValues } from '../../src/core/values.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { createHubRemoval, type HubRemoval } from '../../src/runtime/hub-removal.ts'
import type { HubStores } from '../../src/runtime/hub-stores.ts'
import { createResourceStore, keyOf, type ResourceStore } from '../../src/store/resource-store.ts'
import { openUids } from '../../src/store/uids.ts'
import { createFakeClock } from '../support/clock.ts'
import { UNREACHABLE } from '../support/kafka-cluster.ts'

const KEY = keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'b')
const BROKER = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: b}\n'

describe('the topics of a Broker that is gone', () => {
  let clock = createFakeClock()
  let resources: ResourceStore
  let removed: string[]
  let isAway: boolean
  let given: number
  let removal: HubRemoval

  beforeEach(() => {
    clock = createFakeClock()
    resources = createResourceStore(clock.wall, { uidFor: () => 'u-1' })
    removed = []
    isAway = true
    given = 0
    removal = createHubRemoval({
      clock,
      logger: createLogger('silent'),
      resources,
      uids: openUids(createMemoryValues(), resources),
      stores: { forget: async () => undefined } as Partial<HubStores> as HubStores,
      onRemoved: () => undefined,
    })
  })

  const remove = () => removal.remove(KEY, 'u-1', { store: aStore(), give: () => given++ }, true)
  const aStore = () =>
    ({
      async remove({ uid }) {
        if (isAway) throw UNREACHABLE
        removed.push(uid)
      },
    }) as Partial<LogStore> as LogStore

  it('are removed once its cluster is back', async () => {
    await remove()
    isAway = false
    await clock.advance(31_000)

    assert.deepEqual(removed, ['u-1', 'u-1-dead-letter'])
    assert.equal(given, 1)
    assert.equal(clock.pending(), 0)
  })

  it('are not when it has come back as the same before that', async () => {
    await remove()
    isAway = false
    for (const { resource } of loadManifests(BROKER, 'f').resources) resources.put(resource, 'f')
    await clock.advance(31_000)

    assert.deepEqual(removed, [])
    assert.equal(given, 1)
  })

  it('are asked for no more after the end', async () => {
    await remove()
    removal.stop()

    assert.equal(clock.pending(), 0)
  })
})
