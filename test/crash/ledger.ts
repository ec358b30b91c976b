// What was published, what was answered to it, and what came of it at whom, through all the lives of a program that is
// killed again and again. It says at the end what is missing, what came though nobody sent it, what came out of order,
// and what came more often than kills explain.
import { watchOrder } from './order.ts'
import { ANSWER, type Reader } from './readers.ts'

/** One process of the program, from its start to its end. */
export interface Run {
  readonly round: number
  /** `stopped`: in order, so that all that settled is on record. */
  end: 'killed' | 'stopped'
  /** By the driver's clock; Infinity before. */
  endedAt: number
  /** The longest that a publisher waited for its answer: as slow were disk and machine. */
  slowestMs: number
}

export interface Published {
  readonly id: string
  readonly target: string
  readonly type: string
  readonly key: string | undefined
  /** Of its key, whose events are published one after the other. */
  readonly sequence: number
  readonly round: number
  readonly body: Buffer
  /** The delivery that it is the reply to. */
  readonly replyTo: { readonly place: string; readonly id: string } | undefined
  /** `unknown`: no answer came; it may be stored or not. */
  outcome: 'unknown' | 'accepted' | 'refused'
}

/** A request to a subscriber or a dead letter sink. */
export interface Attempt {
  readonly run: Run
  readonly arrivedAt: number
  answeredAt: number | undefined
  /** It was given up by whoever made it, before it was answered. */
  givenUpAt: number | undefined
  isTaken: boolean
}

export interface Tally {
  readonly accepted: number
  readonly refused: number
  readonly unknown: number
  /** Requests that subscribers and dead letter sinks were sent. */
  readonly attempts: number
  /** Of these, and of dead letters kept: those that were taken, and those that had been taken before. */
  readonly taken: number
  readonly repeated: number
  /** Repetitions that the kills would have explained: what was in flight, and what had settled just before. */
  readonly explained: number
}

export interface Ledger {
  publish(published: Published): void
  /** A reader answers an event with another one. */
  reply(place: string, id: string, target: string): Published
  /** Undefined for an event that this place should never have been sent; that is noted. */
  arrive(place: string, id: string, run: Run, body: Buffer): Attempt | undefined
  /** The reader may miss what is published in this round. */
  absent(reader: string, round: number): void
  /** With the ids of events in the dead-letter logs, by the reader that they failed for. Once all runs have ended. */
  judge(deadLetters: ReadonlyMap<string, readonly string[]>): {
    readonly wrong: readonly string[]
    readonly tally: Tally
  }
}

const MOST_TOLD = 30
/** What a save needs beyond its interval, and how much longer that may be than what a publisher waits for. */
const SAVE_MS = 300
const SLOWER = 3
/** An answer so shortly before an orderly end may not have been seen. */
const UNSEEN_MS = 100

export function openLedger(readers: () => readonly Reader[], saveIntervalMs: number): Ledger {
  const published = new Map<string, Published>()
  /** Of each place, by event. */
  const places = new Map<string, Map<string, Attempt[]>>()
  const absences = new Map<string, Set<number>>()
  const wrong: string[] = []
  const order = watchOrder((reader, id) => attemptsAt(reader, id).some(({ isTaken }) => isTaken))

  function attemptsAt(place: string, id: string): readonly Attempt[] {
    return places.get(place)?.get(id) ?? []
  }

  function addAttempt(place: string, id: string, attempt: Attempt): void {
    const at = places.get(place) ?? new Map<string, Attempt[]>()
    places.set(place, at)
    const attempts = at.get(id)
    if (attempts) attempts.push(attempt)
    else at.set(id, [attempt])
  }

  function readerAt(place: string): Reader | undefined {
    return readers().find(({ name }) => name === place) ?? readers().find(({ sink }) => sink === place)
  }

  /** What happened to an event at a place, in milliseconds before the end of each run. */
  function story(place: string, id: string): string {
    const told = attemptsAt(place, id).map(({ run, arrivedAt, answeredAt, givenUpAt, isTaken }) => {
      const beforeEnd = (at: number): string => `-${Math.round(run.endedAt - at)}`
      const end = answeredAt ?? givenUpAt
      const how = answeredAt === undefined ? 'given up' : isTaken ? 'taken' : 'refused'
      return `round ${run.round} (${run.end}) ${beforeEnd(arrivedAt)}, ${how} ${beforeEnd(end ?? run.endedAt)}`
    })
    return told.join('; ')
  }

  /** Runs whose end explains that what was attempted in them is attempted once more. */
  function explainedAt(place: string, id: string): number {
    const runs = new Set<Run>()
    for (const { run, answeredAt } of attemptsAt(place, id)) {
      const unsavedMs = run.end === 'killed' ? saveIntervalMs + SAVE_MS + SLOWER * run.slowestMs : UNSEEN_MS
      if (answeredAt === undefined || answeredAt > run.endedAt - unsavedMs) runs.add(run)
    }
    return runs.size
  }

  /** How often an event may be taken at a place. */
  function mostAt(place: string, event: Published): number {
    return copiesFor(place, event) * (1 + explainedAt(place, event.id))
  }

  /** How often it may have been sent there: by a reader that was served it more than once. */
  function copiesFor(place: string, event: Published): number {
    const reader = readerAt(place)
    const before = reader?.after ?? (reader?.sink === place ? reader.name : undefined)
    if (before !== undefined) return mostAt(before, event)
    const { replyTo } = event
    const asked = replyTo && published.get(replyTo.id)
    return asked ? mostAt(replyTo.place, asked) : 1
  }

  /** Where what becomes of an event at a reader can be seen, and how often it was. */
  function seen(reader: Reader, id: string, kept: ReadonlyMap<string, number>): { place: string; times: number } {
    if (reader.fate === 'in the dead-letter log') return { place: reader.name, times: kept.get(id) ?? 0 }
    const place = reader.fate === 'taken' ? reader.name : (reader.sink ?? '')
    return { place, times: attemptsAt(place, id).filter(({ isTaken }) => isTaken).length }
  }

  function tally(counts: { taken: number; repeated: number; explained: number }): Tally {
    const sent = [...published.values()].filter(({ replyTo }) => !replyTo)
    const with_ = (wanted: Published['outcome']): number => sent.filter(({ outcome }) => outcome === wanted).length
    let attempts = 0
    for (const at of places.values()) for (const { length } of at.values()) attempts += length
    return { accepted: with_('accepted'), refused: with_('refused'), unknown: with_('unknown'), attempts, ...counts }
  }

  return {
    publish(event) {
      published.set(event.id, event)
      order.publish(event)
    },

    reply(place, id, target) {
      const replyId = `${id}.${place}`
      const known = published.get(replyId)
      if (known) return known
      const reply: Published = {
        id: replyId,
        target,
        type: ANSWER,
        key: undefined,
        sequence: 0,
        round: published.get(id)?.round ?? 0,
        body: Buffer.from(replyId),
        replyTo: { place, id },
        // What it answers does not settle before the reply is stored.
        outcome: 'accepted',
      }
      published.set(replyId, reply)
      return reply
    },

    arrive(place, id, run, body) {
      const event = published.get(id)
      const reader = readerAt(place)
      if (!event || !reader || !wants(reader, event)) {
        wrong.push(`${place}: ${id} came, which ${event ? 'it does not want' : 'nobody published'}`)
        return undefined
      }
      if (event.outcome === 'refused') wrong.push(`${place}: ${id} came, which was refused`)
      if (!body.equals(event.body)) wrong.push(`${place}: ${id} came with other data than it had`)
      const arrivedAt = performance.now()
      const attempt: Attempt = { run, arrivedAt, answeredAt: undefined, givenUpAt: undefined, isTaken: false }
      const isFirst = attemptsAt(place, id).length === 0
      if (reader.isOrdered) wrong.push(...order.arrive(place, event, attempt, isFirst))
      addAttempt(place, id, attempt)
      return attempt
    },

    absent(reader, round) {
      absences.set(reader, (absences.get(reader) ?? new Set()).add(round))
    },

    judge(deadLetters) {
      const found = [...wrong]
      const counts = { taken: 0, repeated: 0, explained: 0 }
      for (const reader of readers()) {
        const kept = countsOf(deadLetters.get(reader.name) ?? [])
        for (const id of kept.keys()) {
          if (!published.has(id)) found.push(`${reader.name}: ${id} is kept, which nobody published`)
        }
        for (const event of published.values()) {
          if (!wants(reader, event)) continue
          const { place, times } = seen(reader, event.id, kept)
          const most = mostAt(place, event)
          counts.taken += times
          counts.repeated += Math.max(0, times - 1)
          counts.explained += most - 1
          if (times > most)
            found.push(`${place}: ${event.id} came ${times} times, kills explain ${most}: ${story(place, event.id)}`)
          if (times > 0 || event.outcome !== 'accepted' || absences.get(reader.name)?.has(event.round)) continue
          found.push(`${reader.name}: LOST ${event.id}: accepted in round ${event.round}, and not ${reader.fate}`)
        }
      }
      const told = found.slice(0, MOST_TOLD)
      if (found.length > told.length) told.push(`and ${found.length - told.length} more`)
      return { wrong: told, tally: tally(counts) }
    },
  }
}

function wants({ target, type, since = 0 }: Reader, event: Published): boolean {
  return event.target === target && (type === undefined || type === event.type) && event.round >= since
}

function countsOf(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
