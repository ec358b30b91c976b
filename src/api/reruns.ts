// Routes for what a Trigger is told to do with events of its Broker's log: be handed them again, or do without them; and
// for the replays and redrives that go on.
import type express from 'express'
import type { Admin } from '../runtime/admin.ts'
import { keyOf } from '../store/resource-store.ts'
import { idsField, rateField, readFields, timeField, yesField } from './fields.ts'
import { parameter, refuse } from './requests.ts'

const REPLAY = { from: timeField, until: timeField, ratePerSecond: rateField, dryRun: yesField }
const SKIP = { ids: idsField, until: timeField, all: yesField, dryRun: yesField }

export function addRerunRoutes(app: express.Express, { triggers, reruns, resources }: Admin): void {
  function refuseUnread(namespace: string, name: string, response: express.Response): void {
    const trigger = `trigger ${namespace}/${name}`
    if (!resources.get(keyOf('eventing.knative.dev/v1', 'Trigger', namespace, name))) {
      return refuse(response, 404, `no ${trigger}`)
    }
    refuse(response, 409, `${trigger} reads no log: its broker is not there`)
  }

  app.post('/tidings/v1/triggers/:namespace/:name/replay', async (request, response) => {
    const [namespace, name] = [parameter(request, 'namespace'), parameter(request, 'name')]
    const asked = readFields(request.body, REPLAY, checkRange)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const { from: fromMs = 0, until: untilMs, ratePerSecond, dryRun: isDry = false } = asked.fields
    const replayed = await triggers.replay(namespace, name, {
      fromMs,
      ...(untilMs !== undefined && { untilMs }),
      ...(ratePerSecond !== undefined && { ratePerSecond }),
      isDry,
    })
    if (!replayed) return refuseUnread(namespace, name, response)
    response.json({ namespace, name, ...replayed })
  })

  app.post('/tidings/v1/triggers/:namespace/:name/skip', async (request, response) => {
    const [namespace, name] = [parameter(request, 'namespace'), parameter(request, 'name')]
    const asked = readFields(request.body, SKIP, checkSkip)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const { ids, until: untilMs, dryRun: isDry = false } = asked.fields
    const skipped = await triggers.skip(namespace, name, {
      ...(ids !== undefined && { ids }),
      ...(untilMs !== undefined && { untilMs }),
      isDry,
    })
    if (!skipped) return refuseUnread(namespace, name, response)
    response.json({ namespace, name, skipped: skipped.count })
  })

  app.get('/tidings/v1/reruns', (_request, response) => {
    response.json({ reruns: reruns.list() })
  })

  app.post('/tidings/v1/reruns/:id/cancel', async (request, response) => {
    const id = parameter(request, 'id')
    const rerun = reruns.list().find((each) => each.id === id)
    if (!rerun) return refuse(response, 404, `no replay or redrive ${id}`)
    const isCancelled = await reruns.cancel(id)
    if (!isCancelled) return refuse(response, 409, `${rerun.kind} ${id} has ended already`)
    response.json({ id, kind: rerun.kind, cancelled: true })
  })
}

function checkRange({ from, until }: { readonly from?: number; readonly until?: number }): string | undefined {
  if (from === undefined) return `from: expected ${timeField.expected}`
  return until === undefined || from < until ? undefined : 'until: expected a time after from'
}

interface SkipFields {
  readonly ids?: readonly string[]
  readonly until?: number
  readonly all?: boolean
}

function checkSkip({ ids, until, all = false }: SkipFields): string | undefined {
  const isNarrowed = ids !== undefined || until !== undefined
  if (all && isNarrowed) return 'expected all, or what narrows it down, got both'
  return all || isNarrowed ? undefined : 'expected ids, until, or "all": true'
}
