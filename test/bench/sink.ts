// A process that takes every event the bench sends: counts them by path, tells duplicates by their ids, and answers as it
// is told to. It reads requests by hand, so that it takes less of its core than the server needs of its own.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { serve } from './child.ts'
import { ID_LENGTH, machineTimeUs, REPLY_TYPE, readEventId } from './event.ts'
import { type Behaviour, type Count, type Latency, type SinkCommand, sinkSchema } from './protocol.ts'
import { quantile } from './stats.ts'

interface Counted {
  received: number
  distinct: number
  /** 1 at the sequence numbers that came. */
  seen: Uint8Array
  readonly watcher: Watcher | undefined
}

/** A sender that wants to know how many copies have come to paths that start so. */
interface Watcher {
  readonly prefix: string
  readonly socket: Socket
  untold: number
}

const ACCEPTED = Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n')
const BLANK_LINE = '\r\n\r\n'
const FIRST_SEEN = 65_536

const counts = new Map<string, Counted>()
const watchers: Watcher[] = []
const behaviours = new Map<string, Behaviour>()
/** Answers kept back, by path. */
const held = new Map<string, (() => void)[]>()
/** While they are asked for. */
let latenciesUs: number[] | undefined
let latencyPrefix = ''

const server = createServer(accept)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
serve({ port: address.port }, sinkSchema, obey)

async function obey(command: SinkCommand): Promise<unknown> {
  switch (command.do) {
    case 'behave':
      behave(command.path, command.behaviour)
      return {}
    case 'count':
      return countUnder(command.prefix)
    case 'record':
      latenciesUs = []
      latencyPrefix = command.prefix
      return {}
    case 'latency':
      return latency()
  }
}

function behave(path: string, behaviour: Behaviour): void {
  behaviours.set(path, behaviour)
  const kept = held.get(path) ?? []
  held.delete(path)
  for (const answer of kept) answer()
}

function countUnder(prefix: string): Count {
  const total = { received: 0, distinct: 0 }
  for (const [path, { received, distinct }] of counts) {
    if (!path.startsWith(prefix)) continue
    total.received += received
    total.distinct += distinct
  }
  return total
}

function latency(): Latency {
  const taken = latenciesUs ?? []
  latenciesUs = undefined
  return { p50Ms: quantile(taken, 0.5) / 1_000, p99Ms: quantile(taken, 0.99) / 1_000 }
}

function accept(socket: Socket): void {
  let rest: Buffer | undefined
  let current: { readonly head: string; bodyBytes: number } | undefined
  socket.setNoDelay(true)
  // A broker that ends cuts its connections.
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    let data = rest ? Buffer.concat([rest, chunk]) : chunk
    rest = undefined
    while (data.length > 0 || current?.bodyBytes === 0) {
      if (!current) {
        const end = data.indexOf(BLANK_LINE)
        if (end < 0) {
          rest = data
          return
        }
        const head = data.toString('latin1', 0, end)
        current = { head, bodyBytes: lengthOf(head) }
        data = data.subarray(end + BLANK_LINE.length)
      }
      const taken = Math.min(current.bodyBytes, data.length)
      current.bodyBytes -= taken
      data = data.subarray(taken)
      if (current.bodyBytes > 0) return
      receive(socket, current.head)
      current = undefined
    }
  })
}

/** Header names come in lower case: all clients of the bench write them so. */
function lengthOf(head: string): number {
  return Number(headerOf(head, 'content-length: '))
}

function headerOf(head: string, name: string): string {
  const start = head.indexOf(name) + name.length
  const end = head.indexOf('\r\n', start)
  return head.slice(start, end < 0 ? undefined : end)
}

function receive(socket: Socket, head: string): void {
  const [method, path = ''] = head.slice(0, head.indexOf('\r\n')).split(' ')
  if (method === 'WATCH') {
    watchers.push({ prefix: path, socket, untold: 0 })
    socket.write('0\n')
    return
  }
  const id = headerOf(head, 'ce-id: ').slice(0, ID_LENGTH)
  const { sequence, stampUs } = readEventId(id)
  countEvent(path, sequence)
  if (latenciesUs && path.startsWith(latencyPrefix)) latenciesUs.push(machineTimeUs() - stampUs)
  const behaviour = behaviours.get(path)
  if (!behaviour) socket.write(ACCEPTED)
  else answerAs(behaviour, path, () => socket.write(answerTo(behaviours.get(path), id)))
}

function countEvent(path: string, sequence: number): void {
  const counted = counts.get(path) ?? newCounted(path)
  if (sequence >= counted.seen.length) {
    const longer = new Uint8Array(2 * sequence)
    longer.set(counted.seen)
    counted.seen = longer
  }
  counted.received++
  if (counted.seen[sequence] === 0) counted.distinct++
  counted.seen[sequence] = 1
  if (counted.watcher) tell(counted.watcher)
}

/** A sender waits for the answer to its WATCH before it sends, hence before a path of it is known here. */
function newCounted(path: string): Counted {
  const watcher = watchers.find(({ prefix }) => path.startsWith(prefix))
  const counted = { received: 0, distinct: 0, seen: new Uint8Array(FIRST_SEEN), watcher }
  counts.set(path, counted)
  return counted
}

/** One line a turn of the event loop. */
function tell(watcher: Watcher): void {
  if (watcher.untold++ > 0) return
  setImmediate(() => {
    watcher.socket.write(`${watcher.untold}\n`)
    watcher.untold = 0
  })
}

function answerAs({ hold, delayMs }: Behaviour, path: string, answer: () => void): void {
  if (delayMs > 0) setTimeout(answer, delayMs)
  else if (!hold) answer()
  else {
    const kept = held.get(path)
    if (kept) kept.push(answer)
    else held.set(path, [answer])
  }
}

function answerTo(behaviour: Behaviour | undefined, id: string): Buffer | string {
  const bytes = behaviour?.replyBytes
  if (bytes === undefined) return ACCEPTED
  const headers = [
    'content-type: text/plain',
    `content-length: ${bytes}`,
    'ce-specversion: 1.0',
    `ce-id: ${id}`,
    'ce-source: /sink',
    `ce-type: ${REPLY_TYPE}`,
  ]
  return `HTTP/1.1 200 OK\r\n${headers.join('\r\n')}\r\n\r\n${'x'.repeat(bytes)}`
}
