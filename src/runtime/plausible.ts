// Whether anything is likely to send what a Trigger waits for: a hint for whoever wonders why no event comes. It informs
// only, and goes with the first event that matches (design.md section 6, `FilterPlausible`).
import type { Clock, Timer } from '../core/clock.ts'
import { implausible, isLike } from '../core/known-types.ts'
import { type Condition, conditionOf, type Finding } from '../resource/conditions.ts'
import type { Trigger } from '../resource/kinds/trigger.ts'
import type { ResourceKey } from '../store/resource-store.ts'
import type { Cursors } from './cursors.ts'
import type { TriggerState } from './triggers.ts'

const TYPE = 'FilterPlausible'

export interface PlausibleAround {
  /** Whether an event has passed the filter. */
  readonly hasMatched: boolean
  readonly recentTypes: Iterable<string>
  readonly before: readonly Condition[]
}

/** Nothing for a Trigger that was never odd: the condition is there only where there is, or was, something to say. */
export function plausibleFinding(trigger: Trigger, { hasMatched, recentTypes, before }: PlausibleAround): Finding[] {
  const type = literalTypeOf(trigger)
  const odd = hasMatched || type === undefined ? undefined : implausible(type, recentTypes)
  if (!odd) return conditionOf(before, TYPE) ? [{ type: TYPE, status: 'True' }] : []
  const message = `no known producer sends type ${type}, but there is ${odd.nearest}: is that the one?`
  return [{ type: TYPE, status: 'Unknown', reason: 'NoKnownProducer', message }]
}

/** The one type that an event must have, when the filter says so literally. */
export function literalTypeOf({ spec: { filter, filters } }: Trigger): string | undefined {
  const given =
    filters && filters.length > 0 ? filters.map((each) => exactTypeOf(each)) : [filter?.attributes?.['type']]
  return given.find((type) => type !== undefined && type !== '')
}

function exactTypeOf(filter: unknown): string | undefined {
  if (typeof filter !== 'object' || filter === null || !('exact' in filter)) return undefined
  const { exact } = filter
  return typeof exact === 'object' && exact !== null && 'type' in exact && typeof exact.type === 'string'
    ? exact.type
    : undefined
}

export interface PlausibilityOptions {
  readonly triggers: () => Iterable<TriggerState>
  readonly cursors: Pick<Cursors, 'status'>
  readonly again: (key: ResourceKey) => void
  readonly clock: Clock
}

/** Looked at together, before the event loop turns. */
const SLICE = 500
/** Comparisons of types in one look: about ten milliseconds. What is left is not made up for: it is a hint. */
const MOST_COMPARISONS = 2_000
const LOOK_MS = 1_000

/** Has those reconciled again whose hint may be another now: an event matched, or types were seen that are like theirs. */
export function startPlausibility(options: PlausibilityOptions): { stop(): void } {
  const { triggers, cursors, again, clock } = options
  let isStopped = false
  let timer: Timer | undefined

  async function look(): Promise<void> {
    const freshOf = new Map<string, readonly string[]>()
    let looked = 0
    let left = MOST_COMPARISONS
    for (const { key, broker, isOdd, literalType } of triggers()) {
      if (++looked % SLICE === 0) await new Promise(setImmediate)
      if (!broker || literalType === undefined) continue
      const fresh = freshOf.get(broker.uid) ?? broker.types.takeFresh()
      freshOf.set(broker.uid, fresh)
      if (isOdd ? hasMatched(key) : left > 0 && fresh.length > 0 && !hasMatched(key)) {
        left -= fresh.length
        if (isOdd || fresh.some((type) => isLike(literalType, type))) again(key)
      }
    }
  }

  function hasMatched(key: ResourceKey): boolean {
    const status = cursors.status(key)
    return status !== undefined && status.stats.matched + status.behind > 0
  }

  function lookLater(): void {
    if (!isStopped) timer = clock.after(LOOK_MS, () => void look().finally(lookLater))
  }

  lookLater()
  return {
    stop() {
      isStopped = true
      timer?.cancel()
    },
  }
}
