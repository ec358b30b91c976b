import assert from 'node:assert/strict'
import type { Client, Node, Nodes } from '../../../../src/channel/backends/kafka/client.ts'
import { openWire } from '../../../../src/channel/backends/kafka/wire.ts'
import { createFakeClock } from '../../../support/clock.ts'

describe('requests to Kafka', () => {
  it('that are never answered are refused, and the next goes over connections of its own', async () => {
    const clock = createFakeClock()
    let connections = 0
    let closed = 0
    const client: Pick<Client, 'connect'> = {
      async connect() {
        connections++
        const isStuck = connections === 1
        return aCluster(isStuck, () => closed++)
      },
    }
    const wire = await openWire(client as Client, 'known', clock)

    const stuck = assert.rejects(wire.produce('topic', new Map([[0, []]])), {
      code: 'LOG_UNAVAILABLE',
      retryable: true,
    })
    await turn()
    await clock.advance(30_000)
    await stuck
    const places = await wire.produce('topic', new Map([[0, []]]))

    assert.deepEqual([...places], [[0, 7]])
    assert.deepEqual([connections, closed], [2, 1])
    await wire.close()
  })
})

/** One node, which leads the one partition of every topic. */
function aCluster(isStuck: boolean, onClose: () => void): Nodes {
  const node = {
    metadata: async () => ({ topicMetadata: [{ partitionMetadata: [{ partitionId: 0, leader: 1 }] }] }),
    produce: () =>
      isStuck
        ? new Promise(() => undefined)
        : Promise.resolve({ topics: [{ partitions: [{ partition: 0, baseOffset: '7' }] }] }),
  } as unknown as Node
  const found = async (): Promise<Node> => node
  return { node: found, anyNode: found, controller: found, coordinator: found, close: async () => onClose() }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
