// The events of a PingSource. When they are made is schedule.ts; where they go is the delivery's matter.
import type { Event } from '../core/event.ts'
import { SCHEDULED_ATTRIBUTE, type SourceIdentity, type Tick, tickAttributes, timeText } from './tick.ts'

/** What a PingSource sends, as its manifest says. Of `data` and `dataBase64` at most one is set. */
export interface Ping extends SourceIdentity {
  readonly contentType?: string
  readonly data?: string
  /** Valid base64, with padding. */
  readonly dataBase64?: string
  /** `ceOverrides.extensions`: none of them names an attribute of the specification. */
  readonly extensions?: Readonly<Record<string, string>>
}

/**
 * The event of one tick. Without data it has no content type either. Overrides may replace the extension that says when it
 * was due, and nothing else.
 * @see knative/eventing pkg/adapter/mtping/runner.go
 */
export function pingEvent(ping: Ping, tick: Tick): Event {
  const data = dataOf(ping)
  const contentType = data && ping.contentType ? { datacontenttype: ping.contentType } : {}
  const attributes = {
    [SCHEDULED_ATTRIBUTE]: timeText(tick.scheduledAt),
    ...lowerCased(ping.extensions ?? {}),
    ...tickAttributes(ping, 'pingsources', tick),
    type: 'dev.knative.sources.ping',
    ...contentType,
  }
  return { attributes, data, headers: [], arrivedAt: tick.now }
}

function dataOf({ data, dataBase64 }: Ping): Buffer | undefined {
  if (data) return Buffer.from(data)
  return dataBase64 ? Buffer.from(dataBase64, 'base64') : undefined
}

function lowerCased(extensions: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(extensions).map(([name, value]) => [name.toLowerCase(), value]))
}
