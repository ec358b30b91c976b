import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Cluster, Kafka, logLevel } from 'kafkajs'
import { mendConnections } from '../../../../src/channel/backends/kafka/mend.ts'
import { Few } from '../../../../src/core/few.ts'

interface Connected {
  readonly requestQueue: { readonly inflight: unknown }
  disconnect(): Promise<boolean>
}

/** What kafkajs has, and its types have not. */
interface Inner {
  readonly brokerPool: {
    readonly connectionPoolBuilder: {
      build(): Promise<{ getConnection(index: number): Promise<Connected> }>
    }
  }
}

describe('connections to Kafka', () => {
  it('are one where several ask for it at once', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const cluster = clusterAt((server.address() as AddressInfo).port)
    await mendConnections(cluster)
    const pool = await (cluster as unknown as Inner).brokerPool.connectionPoolBuilder.build()

    const before = openSockets()

    const found = await Promise.all([1, 2, 3].map(() => pool.getConnection(1)))

    assert.equal(new Set(found).size, 1)
    assert.ok(openSockets() - before <= 2, 'more than one, and its other end')
    assert.ok(found[0]?.requestQueue.inflight instanceof Few, 'what is under way is kept by what keeps nothing alive')
    await found[0]?.disconnect()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
}

function clusterAt(port: number): Cluster {
  let found: Cluster | undefined
  new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING }).consumer({
    groupId: 'any',
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        }
      },
    ],
  })
  return found ?? assert.fail()
}
