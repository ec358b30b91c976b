// What a filter that nobody has yet would have passed of the events that a Broker's log still has.
import type { OpenBroker } from '../broker/broker.ts'
import type { Event } from '../core/event.ts'
import { compileTriggerFilter, type TriggerFilterSpec } from '../filter/dialects.ts'

export interface FilterTrial {
  /** Events that were asked about: the last ones, as many as there are. */
  readonly asked: number
  readonly matched: number
  /** RFC 3339, of the first and the last of them; null when there are none. */
  readonly from: string | null
  readonly to: string | null
  /** Those that it passes, oldest first; beside a Trigger those that only one of the two passes. */
  readonly events: readonly TriedEvent[]
}

export interface TriedEvent {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly arrivedAt: string
  /** Whether the filter that is tried passes it. */
  readonly matches: boolean
}

export interface TrialOptions {
  readonly most: number
  /** The filter of the Trigger that it is compared with. */
  readonly beside: TriggerFilterSpec | undefined
}

export async function tryFilter(
  { channel }: OpenBroker,
  spec: TriggerFilterSpec,
  { most, beside }: TrialOptions,
): Promise<FilterTrial> {
  const { matches } = compileTriggerFilter(spec)
  const live = beside && compileTriggerFilter(beside).matches
  const events = await lastOf(channel, most)
  const matched = events.filter(({ attributes }) => matches(attributes))
  const told = live ? events.filter(({ attributes }) => matches(attributes) !== live(attributes)) : matched
  return {
    asked: events.length,
    matched: matched.length,
    from: timeOf(events[0]),
    to: timeOf(events.at(-1)),
    events: told.map((event) => {
      const { id = '', source = '', type = '' } = event.attributes
      return { id, source, type, arrivedAt: timeOf(event) ?? '', matches: matches(event.attributes) }
    }),
  }
}

/** In the order in which they arrived, whatever lane they are on. */
async function lastOf(channel: OpenBroker['channel'], most: number): Promise<readonly Event[]> {
  const last: Event[] = []
  const [from, until] = [await channel.positionsAt('earliest'), await channel.positionsAt('now')]
  let lane: string | undefined
  let ofLane: Event[] = []
  for await (const { lane: current, entry } of channel.entries(from, until)) {
    if (current !== lane) {
      last.push(...ofLane.slice(-most))
      ofLane = []
      lane = current
    }
    ofLane.push({ ...entry.event, data: undefined })
    if (ofLane.length > 2 * most) ofLane = ofLane.slice(-most)
  }
  last.push(...ofLane.slice(-most))
  return last.sort((a, b) => a.arrivedAt - b.arrivedAt).slice(-most)
}

function timeOf(event: Event | undefined): string | null {
  return event ? new Date(event.arrivedAt).toISOString() : null
}
