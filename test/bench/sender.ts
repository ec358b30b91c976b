// A process that sends events over kept connections, cheaply enough to ask more of a server than it can do. It writes
// requests by hand: each connection has its bytes ready and puts only a new id into them.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { options, serve } from './child.ts'
import { eventData, eventHeaders, eventId, ID_LENGTH, machineTimeUs } from './event.ts'
import { type Pace, type Send, type SenderOptions, type Sent, senderSchema, sendSchema } from './protocol.ts'
import { quantile } from './stats.ts'

interface Connection {
  socket: Socket
  /** The whole request. It may be written into again once it is answered: a server that answers has read it. */
  readonly request: Buffer
  /** Where the id stands in it. */
  readonly idOffset: number
  /** When the event that is under way was due. */
  stampUs: number
  busy: boolean
  received: string
}

interface Answer {
  readonly status: number
  readonly saysWhen: boolean
}

/** A refused connection comes again after this, like a sender in a hurry. */
const REFUSED_PAUSE_MS = 5
const TICK_MS = 1

const given = options(senderSchema)
const connections = await openConnections(given)
const idle: Connection[] = [...connections]
let sequence = 0
/** Copies of events that were sent and not refused, less those that the sink had. */
let owed = 0
/** What a run is made of, while one runs: the time of a turn to send if there is one, and what becomes of an answer. */
let takeTurn: () => number | undefined = () => undefined
let count: (answer: Answer | 'broken', connection: Connection) => void = () => undefined

if (given.pace) await follow(given.pace)
serve({}, sendSchema, run)

function requestTo(path: string, { port, payload }: SenderOptions): Pick<Connection, 'request' | 'idOffset'> {
  const id = '#'.repeat(ID_LENGTH)
  const headers = ['host', `127.0.0.1:${port}`, 'content-length', String(payload.dataBytes), ...eventHeaders(id)]
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []))
  const head = `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  return { request: Buffer.concat([Buffer.from(head), eventData(payload)]), idOffset: head.indexOf(id) }
}

function openConnections({ connections, paths }: SenderOptions): Promise<Connection[]> {
  return Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      const socket = connect(given.port, '127.0.0.1')
      const request = requestTo(paths[i % paths.length] ?? '/', given)
      const connection = { socket, ...request, stampUs: 0, busy: false, received: '' }
      await attach(connection, socket)
      return connection
    }),
  )
}

function attach(connection: Connection, socket: Socket): Promise<void> {
  connection.socket = socket
  connection.received = ''
  socket.setNoDelay(true)
  socket.on('data', (chunk) => receive(connection, chunk))
  // 'close' follows.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    const wasBusy = connection.busy
    connection.busy = false
    void attach(connection, connect(given.port, '127.0.0.1'))
    if (!wasBusy) return
    count('broken', connection)
    setTimeout(next, REFUSED_PAUSE_MS, connection)
  })
  return new Promise((resolve) => socket.once('connect', () => resolve()))
}

/** The sink tells on this connection, a line at a time, how many copies have come to it. */
async function follow({ sinkPort, prefix }: Pace): Promise<void> {
  const socket = connect(sinkPort, '127.0.0.1')
  let line = ''
  socket.on('data', (chunk) => {
    const lines = (line + chunk.toString('latin1')).split('\n')
    line = lines.pop() ?? ''
    for (const copies of lines) owed -= Number(copies)
    startIdle()
  })
  socket.on('error', () => undefined)
  const answered = once(socket, 'data')
  socket.write(`WATCH ${prefix} HTTP/1.1\r\ncontent-length: 0\r\n\r\n`)
  await answered
}

function isWithinPace(): boolean {
  return !given.pace || owed < given.pace.underWay * given.pace.copies
}

/** Sends for the time given and resolves when the last answer has come. */
async function run({ forMs, ratePerS }: Send): Promise<Sent> {
  const sent = { accepted: 0, withoutRetryAfter: 0, broken: 0, unsent: 0 }
  const refused = new Map<string, number>()
  const answeredUs: number[] = []
  count = (answer, { stampUs }) => {
    if (answer !== 'broken' && answer.status === 202) {
      sent.accepted++
      if (ratePerS !== undefined) answeredUs.push(machineTimeUs() - stampUs)
      return
    }
    owed -= given.pace?.copies ?? 0
    if (answer === 'broken') {
      sent.broken++
      return
    }
    refused.set(String(answer.status), (refused.get(String(answer.status)) ?? 0) + 1)
    if (answer.status === 503 && !answer.saysWhen) sent.withoutRetryAfter++
  }
  if (ratePerS === undefined) await sendClosed(forMs)
  else sent.unsent = await sendAtRate(forMs, ratePerS)
  takeTurn = () => undefined
  while (idle.length < connections.length) await sleep(TICK_MS)
  return {
    ...sent,
    refused: Object.fromEntries(refused),
    ...(answeredUs.length > 0 && {
      answerP50Ms: quantile(answeredUs, 0.5) / 1_000,
      answerP99Ms: quantile(answeredUs, 0.99) / 1_000,
    }),
  }
}

async function sendClosed(forMs: number): Promise<void> {
  const end = performance.now() + forMs
  takeTurn = () => (performance.now() < end && isWithinPace() ? machineTimeUs() : undefined)
  startIdle()
  await sleep(forMs)
}

/**
 * Events fall due however long answers take. One that finds no connection free keeps the time at which it was due, so
 * that a server's stall shows in the latency of all who had to wait. Resolves with how many still waited at the end.
 */
async function sendAtRate(forMs: number, ratePerS: number): Promise<number> {
  const due: number[] = []
  const start = performance.now()
  let issued = 0
  takeTurn = () => due.shift()
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - start) {
    const stamp = machineTimeUs()
    for (; issued < (elapsedMs * ratePerS) / 1_000; issued++) due.push(stamp)
    startIdle()
    await sleep(TICK_MS)
  }
  return due.splice(0).length
}

function startIdle(): void {
  const free = idle.splice(0)
  for (const connection of free) next(connection)
}

function next(connection: Connection): void {
  const stamp = takeTurn()
  if (stamp === undefined) {
    idle.push(connection)
    return
  }
  connection.busy = true
  connection.stampUs = stamp
  owed += given.pace?.copies ?? 0
  connection.request.write(eventId(++sequence, stamp), connection.idOffset, 'latin1')
  connection.socket.write(connection.request)
}

function receive(connection: Connection, chunk: Buffer): void {
  // Before it closes a connection that was idle for long, a server may say 408: no event is answered by that.
  if (!connection.busy) return
  connection.received += chunk.toString('latin1')
  const answer = readAnswer(connection.received)
  if (!answer) return
  connection.received = ''
  connection.busy = false
  count(answer, connection)
  if (answer.status === 503) setTimeout(next, REFUSED_PAUSE_MS, connection)
  else next(connection)
}

/** Undefined while a part of the answer is missing. All servers of the bench say how long their answers are. */
function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = /content-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`an answer without a length: ${text.slice(0, end)}`)
  if (text.length < end + 4 + Number(length)) return undefined
  const status = Number(text.slice(9, 12))
  return { status, saysWhen: status === 503 && /\r\nretry-after: *\d+/i.test(text) }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
