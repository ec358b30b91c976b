// What triggers that do not match cost an event that passes them by.

import { compileTriggerFilter } from '../../src/filter/dialects.ts'
import { createMatcher, type Matcher } from '../../src/filter/matcher.ts'
import { SMALL } from './e2e.ts'
import { EVENT_TYPE, eventHeaders, eventId } from './event.ts'
import type { Context, Part } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { microseconds, row, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf } from './rounds.ts'
import { median } from './stats.ts'
import { IN_FLIGHT, type Sink, startSink } from './traffic.ts'

export const manyTriggers: Part = {
  name: 'triggers',
  about: '1, 100 and 10,000 triggers of which one matches',
  async run(context) {
    const sink = await startSink(context.fleet)
    const one = await startWith(context, sink, 1)
    const hundred = await startWith(context, sink, 100)
    const tenThousand = await startWith(context, sink, 10_000)
    const matcher = matcherOf(10_000)
    for (const rig of [one, hundred, tenThousand]) await compiled(loadOf(rig))
    const samples = await inRounds(context.rounds, async () => ({
      one: await costPerEvent(loadOf(one)),
      hundred: await costPerEvent(loadOf(hundred)),
      tenThousand: await costPerEvent(loadOf(tenThousand)),
      matching: matchingUs(matcher),
    }))
    const against = (value: (sample: (typeof samples)[number]) => number): number[] =>
      samples.map((sample) => value(sample) / sample.one)
    return {
      rows: [
        row(
          '1 trigger: end to end',
          samples.map(({ one }) => one),
          microseconds,
        ),
        row(
          '100 triggers, one matching / 1 trigger',
          against(({ hundred }) => hundred),
          times,
        ),
        row(
          '10,000 triggers, one matching / 1 trigger',
          against(({ tenThousand }) => tenThousand),
          times,
          { must: 1.15 },
        ),
        row(
          'matching alone, 10,000 triggers',
          samples.map(({ matching }) => matching),
          microseconds,
          { must: 1 },
        ),
      ],
      ledger: await Promise.all([one, hundred, tenThousand].map((rig) => rig.ledger())),
    }
  },
}

function startWith(context: Context, sink: Sink, total: number): Promise<Rig> {
  return startRig(context, {
    name: `triggers-${total}`,
    triggers: { total, matching: 1 },
    sink,
    payload: SMALL,
    underWay: 2 * IN_FLIGHT,
  })
}

function matcherOf(total: number): Matcher<number> {
  const matcher = createMatcher<number>()
  for (let i = 0; i < total; i++) {
    const type = i === 0 ? EVENT_TYPE : `com.example.bench.idle.${i}`
    matcher.set(String(i), compileTriggerFilter({ filter: { attributes: { type } } }), i)
  }
  return matcher
}

const SLICES = 10
const SLICE_EVENTS = 10_000

/**
 * Microseconds for one event that `perEvent` match. Texts are new in every event, as they come from the wire: looking one up
 * has to hash it first.
 */
export function matchingUs(matcher: Matcher<number>, perEvent = 1): number {
  const found: number[] = []
  const slices = Array.from({ length: SLICES }, () => {
    const events = Array.from({ length: SLICE_EVENTS }, (_, i) => attributesFromWire(i))
    const startedAt = performance.now()
    for (const attributes of events) matcher.match(attributes, found)
    return ((performance.now() - startedAt) * 1_000) / SLICE_EVENTS
  })
  const expected = perEvent * SLICES * SLICE_EVENTS
  if (found.length !== expected) throw new Error(`${found.length} matches instead of ${expected}`)
  return median(slices)
}

export function attributesFromWire(sequence: number): Readonly<Record<string, string>> {
  const headers = eventHeaders(eventId(sequence, 0))
  const attributes: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (name.startsWith('ce-')) attributes[name.slice(3)] = Buffer.from(headers[i + 1] ?? '').toString('latin1')
  }
  return attributes
}
