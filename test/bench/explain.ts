// What filters of all dialects cost, what it costs to remember for `tidings why`, and how soon that answers.
import { asBoolean } from '../../src/filter/cesql/cast.ts'
import { compileCesql } from '../../src/filter/cesql/compile.ts'
import { parseCesql } from '../../src/filter/cesql/parser.ts'
import { compileTriggerFilter, type FilterManifest } from '../../src/filter/dialects.ts'
import { createMatcher, type Matcher } from '../../src/filter/matcher.ts'
import { SMALL } from './e2e.ts'
import { EVENT_TYPE } from './event.ts'
import type { Context, Part, PartResult } from './part.ts'
import { type Rig, startRig } from './program.ts'
import { microseconds, milliseconds, row, times } from './report.ts'
import { compiled, costPerEvent, inRounds, loadOf } from './rounds.ts'
import { median } from './stats.ts'
import { IN_FLIGHT, startSink } from './traffic.ts'
import { attributesFromWire, matchingUs } from './triggers.ts'

export const explain: Part = {
  name: 'explain',
  about: 'CESQL, 1,000 triggers of all dialects, and what tidings why costs and how soon it answers',
  async run(context) {
    const parts = [await filters(context), await remembering(context), await answering(context)]
    return {
      rows: parts.flatMap(({ rows }) => rows),
      ledger: parts.flatMap(({ ledger }) => ledger),
      notes: parts.flatMap(({ notes = [] }) => notes),
    }
  },
}

/** Some ten nodes, and the same by hand. */
const EXPRESSION = `type = '${EVENT_TYPE}' AND source LIKE '/shops/%' AND NOT (id = 'none') AND EXISTS subject`
const byHand = (attributes: Readonly<Record<string, string | undefined>>): boolean =>
  attributes['type'] === EVENT_TYPE &&
  (attributes['source']?.startsWith('/shops/') ?? false) &&
  attributes['id'] !== undefined &&
  attributes['id'] !== 'none' &&
  attributes['subject'] !== undefined

async function filters({ rounds }: Context): Promise<PartResult> {
  const compiledCesql = compileCesql(parseCesql(EXPRESSION))
  const cesql = (attributes: Readonly<Record<string, string>>): boolean => asBoolean(compiledCesql(attributes)) === true
  const mixed = mixedMatcher()
  const samples = await inRounds(rounds, async () => ({
    hand: filterNs(byHand),
    cesql: filterNs(cesql),
    mixed: matchingUs(mixed, 5),
  }))
  return {
    rows: [
      row(
        'CESQL of ten nodes / the same by hand',
        samples.map((sample) => sample.cesql / sample.hand),
        times,
        { must: 4 },
      ),
      row(
        'matching alone, 1,000 triggers of all dialects, 5 match',
        samples.map((sample) => sample.mixed),
        microseconds,
        { must: 60 },
      ),
    ],
    ledger: [],
  }
}

const EVENTS = 20_000
const REPEATS = 10

/** Of events whose texts were seen before, so that only the filter is measured. */
function filterNs(matches: (attributes: Readonly<Record<string, string>>) => boolean): number {
  const events = Array.from({ length: EVENTS }, (_, i) => attributesFromWire(i))
  const slices = Array.from({ length: REPEATS }, () => {
    let passed = 0
    const startedAt = performance.now()
    for (const attributes of events) if (matches(attributes)) passed++
    const ns = ((performance.now() - startedAt) * 1e6) / EVENTS
    if (passed !== EVENTS) throw new Error(`${passed} of ${EVENTS} events pass`)
    return ns
  })
  return median(slices)
}

/** 300 exact, 300 prefix, 200 any or all, 200 CESQL. One of the first four groups, and one more of CESQL, match. */
function mixedMatcher(): Matcher<number> {
  const matcher = createMatcher<number>()
  const kinds: readonly (readonly [count: number, filter: (type: string, i: number) => FilterManifest])[] = [
    [300, (type) => ({ exact: { type } })],
    [300, (type) => ({ prefix: { type } })],
    [100, (type, i) => ({ any: [{ exact: { type } }, { exact: { type: `other.${i}` } }] })],
    [100, (type) => ({ all: [{ prefix: { source: '/' } }, { not: { exact: { id: 'none' } } }, { exact: { type } }] })],
    [100, (type) => ({ cesql: `type = '${type}' AND NOT (id = 'none')` })],
    [100, (type, i) => ({ cesql: `LENGTH(type) = ${1_000 + i} AND type LIKE '%${type}%' OR id = 'none.${i}'` })],
  ]
  let id = 0
  for (const [count, filter] of kinds) {
    for (let i = 0; i < count; i++) {
      const type = i === 0 ? EVENT_TYPE : `com.example.bench.idle.${i}`
      matcher.set(String(id), compileTriggerFilter({ filters: [filter(type, i)] }), id)
      id++
    }
  }
  return matcher
}

/** With the rings of `tidings why` and without, nobody looking. */
async function remembering(context: Context): Promise<PartResult> {
  const sink = await startSink(context.fleet)
  const start = (name: string, flags: readonly string[]): Promise<Rig> =>
    startRig(context, {
      name,
      triggers: { total: 1, matching: 1 },
      sink,
      payload: SMALL,
      underWay: 2 * IN_FLIGHT,
      flags,
    })
  const without = await start('explain-off', ['--explain.attempts', '0', '--explain.recentEvents', '0'])
  const remembers = await start('explain-on', [])
  for (const rig of [without, remembers]) await compiled(loadOf(rig))
  const samples = await inRounds(context.rounds, async () => ({
    without: await costPerEvent(loadOf(without)),
    remembers: await costPerEvent(loadOf(remembers)),
  }))
  return {
    rows: [
      row(
        'remembering for why, nobody looks / without',
        samples.map((sample) => sample.remembers / sample.without),
        times,
        { must: 1.05 },
      ),
    ],
    ledger: await Promise.all([without, remembers].map((rig) => rig.ledger())),
  }
}

const RETAINED = 100_000
const QUESTIONS = 40

async function answering(context: Context): Promise<PartResult> {
  const sink = await startSink(context.fleet)
  const rig = await startRig(context, {
    name: 'explain-why',
    triggers: { total: 10, matching: 1 },
    sink,
    payload: { dataBytes: 128 },
    channel: 'disk',
    flags: ['--channel.disk.retentionBytes', String(256 * 2 ** 20)],
    underWay: 2 * IN_FLIGHT,
  })
  let { accepted } = await rig.send(500)
  const first = await lastIds(rig)
  while (accepted < RETAINED) accepted += (await rig.send(2_000)).accepted
  const ids = [...first, ...(await lastIds(rig))]
  await checkNothingWent(rig)
  const ms: number[] = []
  for (let i = 0; i < QUESTIONS; i++) {
    const id = ids[Math.floor((i * (ids.length - 1)) / QUESTIONS)] as string
    const startedAt = performance.now()
    const response = await fetch(`${rig.program.adminUrl}/tidings/v1/why/default/default/${encodeURIComponent(id)}`)
    const { events } = (await response.json()) as { events: { triggers: unknown[] }[] }
    ms.push(performance.now() - startedAt)
    if (events[0]?.triggers.length !== 10) throw new Error(`why has no answer about ${id}`)
  }
  return {
    rows: [
      row(`why, over ${accepted} retained events: the slowest of ${QUESTIONS}`, [Math.max(...ms)], milliseconds, {
        must: 100,
      }),
      row('why: median', [median(ms)], milliseconds),
    ],
    ledger: [await rig.ledger()],
  }
}

/** Of the last 10,000 at most, oldest first: what a trial of a filter tells. */
async function lastIds({ program }: Rig): Promise<readonly string[]> {
  const response = await fetch(`${program.adminUrl}/tidings/v1/filters/default/default`, {
    method: 'POST',
    body: JSON.stringify({ filters: [{ exact: { type: EVENT_TYPE } }], last: 10_000 }),
  })
  const { events } = (await response.json()) as { events: { id: string }[] }
  return events.map(({ id }) => id)
}

/** The log is not as full of settled events as it may be, so it has all of them. */
async function checkNothingWent({ program }: Rig): Promise<void> {
  const response = await fetch(`${program.adminUrl}/tidings/v1/status`)
  const { brokers } = (await response.json()) as {
    brokers: { log: { retainedBytes: number; retentionBytes: number } }[]
  }
  const { retainedBytes = 0, retentionBytes = 0 } = brokers[0]?.log ?? {}
  if (retainedBytes > 0.95 * retentionBytes) throw new Error('the log has dropped events that were settled')
}
