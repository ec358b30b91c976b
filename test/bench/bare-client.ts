// What one delivery costs with nothing around it: undici's dispatch of one event, again and again.
import { type Dispatcher, Pool } from 'undici'
import { options, serve } from './child.ts'
import { eventData, eventHeaders, eventId } from './event.ts'
import { bareClientSchema, type Send, sendSchema } from './protocol.ts'

const { port, payload, inFlight } = options(bareClientSchema)
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: inFlight, pipelining: 1 })
const body = eventData(payload)
/** As many as the program sends: the event's, its arrival time, and what a subscriber is told. */
const headers = [
  ...eventHeaders(eventId(0, 0)),
  ...['ce-knativearrivaltime', '2026-01-02T03:04:05.678Z'],
  ...['prefer', 'reply'],
  ...['kn-namespace', 'default'],
]

serve({}, sendSchema, run)

/** Keeps `inFlight` requests under way for the time given; resolves with their number when the last is answered. */
async function run({ forMs }: Send): Promise<unknown> {
  const end = performance.now() + forMs
  let accepted = 0
  const chain = (done: () => void, failed: (error: Error) => void): void => {
    const handler: Dispatcher.DispatchHandler = {
      onConnect: () => undefined,
      onHeaders: () => true,
      onData: () => true,
      onComplete: () => {
        accepted++
        // undici frees the connection in a setImmediate of its own: one turn later the next request finds it free.
        setImmediate(next)
      },
      onError: failed,
    }
    const next = (): void => {
      if (performance.now() >= end) return done()
      pool.dispatch({ method: 'POST', path: '/bare', headers, body }, handler)
    }
    next()
  }
  await Promise.all(Array.from({ length: inFlight }, () => new Promise<void>(chain)))
  return { accepted, refused: {}, withoutRetryAfter: 0, broken: 0, unsent: 0 }
}
