// The events of a CronJobSource, a kind that upstream has removed; schedule.ts and the delivery are the PingSource's.
import type { Event } from '../core/event.ts'
import { isDeeperThan, jsonParts, MAX_DEPTH } from '../http/json-text.ts'
import { SCHEDULED_ATTRIBUTE, type SourceIdentity, type Tick, tickAttributes, timeText } from './tick.ts'

export interface CronJob extends SourceIdentity {
  readonly data?: string
}

/**
 * The event of one tick. Its data are always JSON: the object that the manifest's text is, its members sorted by name, and
 * otherwise `{"body": text}`, for an empty text too.
 * @see knative/eventing v0.13.0 pkg/adapter/cronjobevents/adapter.go
 */
export function cronJobEvent(cronJob: CronJob, tick: Tick): Event {
  const { data: text = '' } = cronJob
  const attributes = {
    ...tickAttributes(cronJob, 'cronjobsources', tick),
    type: 'dev.knative.cronjob.event',
    datacontenttype: 'application/json',
    [SCHEDULED_ATTRIBUTE]: timeText(tick.scheduledAt),
  }
  const data = Buffer.from(sortedObject(text) ?? JSON.stringify({ body: text }))
  return { attributes, data, headers: [], arrivedAt: tick.now }
}

/** Values stand as they were written, so that no number loses digits. Of members with one name the last counts. */
function sortedObject(text: string): string | undefined {
  if (!isJsonObject(text)) return undefined
  const members = new Map(jsonParts(text).map(({ name, start, end }) => [name, text.slice(start, end)]))
  const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
}

function isJsonObject(text: string): boolean {
  if (isDeeperThan(text, MAX_DEPTH)) return false
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
