// What the events of all sources with a schedule share: who they are, and which tick of it.
import { createHash } from 'node:crypto'
import type { Attributes } from '../core/event.ts'

/** One firing of a source's schedule. Both are epoch milliseconds. */
export interface Tick {
  /** What the schedule says. */
  readonly scheduledAt: number
  /** When the event is made, after jitter and all that came in between. */
  readonly now: number
}

export interface SourceIdentity {
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

/** RFC 3339 text of what the schedule says. An extension attribute; `time` is when the event was made. */
export const SCHEDULED_ATTRIBUTE = 'scheduledtime'

/** For `time` and the extension. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

/** The attributes of a tick's event, but for its type and what is said of its data. `plural` is the kind's. */
export function tickAttributes({ uid, namespace, name }: SourceIdentity, plural: string, tick: Tick): Attributes {
  return {
    specversion: '1.0',
    id: tickId(uid, tick.scheduledAt),
    source: `/apis/v1/namespaces/${namespace}/${plural}/${name}`,
    time: timeText(tick.now),
  }
}

/** Namespace of the ids below: an arbitrary UUID that must never change. */
const NAMESPACE = Buffer.from('7246715697b84754b7206962b33e1401', 'hex')

/**
 * The same for the same tick of the same source, whoever fires it and how often: so consumers can tell doubles.
 * @see RFC 9562 section 5.5, UUID version 5
 */
function tickId(uid: string, scheduledAt: number): string {
  const hash = createHash('sha1')
    .update(NAMESPACE)
    .update(`${uid}/${timeText(scheduledAt)}`)
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
}
