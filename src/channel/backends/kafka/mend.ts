// What of kafkajs' connections is mended, by what they are made of: there is no other way in.
import { Few } from '../../../core/few.ts'

interface Connection {
  connect(): Promise<boolean>
  disconnect(): Promise<boolean>
  readonly requestQueue: RequestQueue
}

interface RequestQueue {
  /** Requests under way: a Map, of which it asks what `Few` has. */
  inflight: Few<unknown, unknown> | Map<unknown, unknown>
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

/** What a cluster object of kafkajs has, besides what its types say. */
interface Connecting {
  readonly brokerPool: {
    readonly connectionPoolBuilder: { build(): Promise<{ readonly pool: readonly Connection[] }> }
  }
}

let mended: Promise<void> | undefined

/** Once for all connections of the process. */
export function mendConnections(cluster: unknown): Promise<void> {
  mended ??= mend(cluster as Connecting).catch((error) => {
    mended = undefined
    throw error
  })
  return mended
}

async function mend({ brokerPool }: Connecting): Promise<void> {
  // Made, and never connected.
  const [connection] = (await brokerPool.connectionPoolBuilder.build()).pool
  if (!connection) return
  connectOnce(Object.getPrototypeOf(connection) as Connection)
  quieten(Object.getPrototypeOf(connection.requestQueue) as RequestQueue)
}

/** The copies of a Map kept requests, and answers with all their bytes, alive long after they were dealt with. */
function keepLittle(queue: RequestQueue): void {
  if (queue.inflight.size === 0) queue.inflight = new Few()
}

/**
 * Whoever asks something on a connection that is down connects it. Several do at once when a node comes back, and of their
 * sockets kafkajs keeps the last: the others stay open for as long as the process lives, which they keep from ending.
 */
function connectOnce(all: Connection): void {
  const connecting = new WeakMap<Connection, Promise<boolean>>()
  const { connect, disconnect } = all
  all.connect = function (this: Connection) {
    const known = connecting.get(this)
    if (known) return known
    keepLittle(this.requestQueue)
    const connected = connect.call(this).finally(() => {
      if (connecting.get(this) === connected) connecting.delete(this)
    })
    connecting.set(this, connected)
    return connected
  }
  // One that is ended while it shakes hands never says what became of it.
  all.disconnect = function (this: Connection) {
    connecting.delete(this)
    return disconnect.call(this)
  }
}

/**
 * kafkajs looks at the queue of every connection each millisecond, for ever, once anything was asked on it: half a percent
 * of a core for each. Only a queue in which something waits needs it.
 */
function quieten(all: RequestQueue): void {
  const { scheduleCheckPendingRequests } = all
  all.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
  }
}
