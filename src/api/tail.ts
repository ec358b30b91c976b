// A viewer of what goes on at a Broker: JSON lines without end. Who is slow misses lines, and is told how many.
import type express from 'express'
import { createClock } from '../core/clock.ts'
import type { Admin } from '../runtime/admin.ts'
import { TAIL_OUTCOMES, type TailFilter, type TailOutcome } from '../runtime/tail.ts'
import { parameter, refuse } from './requests.ts'

const CHECK_MS = 1_000
/** So that a viewer notices when nobody is there any more, and whoever is between does not end the connection. */
const CHECKS_PER_SIGN = 10

export function addTailRoutes(app: express.Express, admin: Admin): void {
  const clock = createClock()
  let viewers = 0

  app.get('/tidings/v1/tail/:namespace/:broker', (request, response) => {
    const filter = filterOf(request)
    if (typeof filter === 'string') return refuse(response, 400, filter)
    const { viewers: most, viewerBytes } = admin.tailLimits()
    if (viewers >= most) {
      return refuse(response, 503, `${most} are looking already: end one of them, or raise the setting explain.viewers`)
    }
    const [namespace, broker] = [parameter(request, 'namespace'), parameter(request, 'broker')]
    let dropped = 0

    function write(line: unknown): void {
      if (response.writableLength > viewerBytes) {
        dropped++
        return
      }
      if (dropped > 0) response.write(`${JSON.stringify({ dropped })}\n`)
      dropped = 0
      response.write(`${JSON.stringify(line)}\n`)
    }

    const watch = admin.watch(namespace, broker, filter, write)
    if (!watch) return refuse(response, 404, `no broker ${namespace}/${broker}`)
    // Whoever asks for headers only reads no lines, and may keep the connection for what it asks next.
    if (request.method === 'HEAD') {
      watch.stop()
      return void response.status(200).end()
    }
    viewers++
    response.status(200).type('application/x-ndjson')
    response.flushHeaders()
    let checks = 0
    let next = clock.after(CHECK_MS, check)
    function check(): void {
      if (watch?.isOver()) return void response.end()
      if (++checks % CHECKS_PER_SIGN === 0) write({})
      next = clock.after(CHECK_MS, check)
    }
    response.once('close', () => {
      viewers--
      next.cancel()
      watch.stop()
    })
  })
}

/** What is wrong with it, in words. */
function filterOf({ query }: express.Request): TailFilter | string {
  const { type, source, trigger, outcome } = query
  for (const [name, value] of Object.entries(query)) {
    if (!NAMES.includes(name)) return `unknown parameter ${name}: expected one of ${NAMES.join(', ')}`
    if (typeof value !== 'string') return `${name}: expected it once`
  }
  if (outcome !== undefined && !TAIL_OUTCOMES.includes(outcome as TailOutcome)) {
    return `outcome: expected one of ${TAIL_OUTCOMES.join(', ')}`
  }
  return { ...texts({ type, source, trigger }), ...(outcome !== undefined && { outcome: outcome as TailOutcome }) }
}

const NAMES: readonly string[] = ['type', 'source', 'trigger', 'outcome']

function texts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
