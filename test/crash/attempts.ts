// Every request to a subscriber or dead letter sink, and how often an event may come to one: once for each time that it is
// stored, and once more for each kill and each outage that found it in flight or only just settled.
import type { Published } from './ledger.ts'
import { type Outage, outagesIn } from './outages.ts'
import type { Reader } from './readers.ts'

/** One process of the program, from its start to its end. */
export interface Run {
  readonly round: number
  /** `stopped`: in order, so that all that settled is on record. */
  end: 'killed' | 'stopped'
  /** By the driver's clock; Infinity before. */
  endedAt: number
  /** The longest that a publisher waited for its answer: as slow were disk and machine. */
  slowestMs: number
  /** Requests that came from it. */
  arrivals: number
}

export interface Attempt {
  readonly run: Run
  readonly arrivedAt: number
  answeredAt: number | undefined
  /** It was given up by whoever made it, before it was answered. */
  givenUpAt: number | undefined
  isTaken: boolean
}

/** A place is where requests come to: the path of a subscriber or sink, and `#` with the id of a replay that they are of. */
export function pathOf(place: string): string {
  return place.split('#', 1)[0] ?? place
}

export interface Attempts {
  readonly count: number
  at(place: string, id: string): readonly Attempt[]
  add(place: string, id: string, attempt: Attempt): void
  /** All places that anything came to. */
  places(): Iterable<string>
  ids(place: string): Iterable<string>
  takenAt(place: string, id: string): number
  /** How often an event may be taken at a place. Once all runs have ended. */
  mostAt(place: string, event: Published): number
  /** What happened to an event at a place, in milliseconds before the end of each run. */
  story(place: string, id: string): string
}

export interface AttemptsOptions {
  readonly readerAt: (place: string) => Reader | undefined
  readonly published: ReadonlyMap<string, Published>
  readonly saveIntervalMs: number
  readonly outages: readonly Outage[]
  /** How often it is stored in the log that a reader reads; undefined where that is not known. */
  readonly timesStored: (reader: Reader, id: string) => number | undefined
}

/** What a save needs beyond its interval, and how much longer that may be than what a publisher waits for. */
const SAVE_MS = 300
const SLOWER = 3
/** An answer so shortly before an orderly end may not have been seen. */
const UNSEEN_MS = 100

export function openAttempts(options: AttemptsOptions): Attempts {
  const { readerAt, published, saveIntervalMs, outages } = options
  /** Of each place, by event. */
  const places = new Map<string, Map<string, Attempt[]>>()
  let count = 0

  function at(place: string, id: string): readonly Attempt[] {
    return places.get(place)?.get(id) ?? []
  }

  /** Ends of runs, and outages, that explain that what was attempted then is attempted once more. */
  function explainedAt(place: string, id: string): number {
    const causes = new Set<Run | Outage>()
    for (const { run, arrivedAt, answeredAt, givenUpAt } of at(place, id)) {
      const unsavedMs = saveIntervalMs + SAVE_MS + SLOWER * run.slowestMs
      const unseenMs = run.end === 'killed' ? unsavedMs : UNSEEN_MS
      if (answeredAt === undefined || answeredAt > run.endedAt - unseenMs) causes.add(run)
      const endedAt = answeredAt ?? givenUpAt ?? run.endedAt
      for (const outage of outagesIn(outages, arrivedAt, endedAt + unsavedMs)) causes.add(outage)
    }
    return causes.size
  }

  function mostAt(place: string, event: Published): number {
    return copiesFor(place, event) * (1 + explainedAt(place, event.id))
  }

  /** How often it may have been sent there: stored more than once, or by a reader that was served it more than once. */
  function copiesFor(place: string, event: Published): number {
    const reader = readerAt(place)
    const stored = reader?.name === pathOf(place) ? options.timesStored(reader, event.id) : undefined
    return Math.max(sentTo(place, event, reader), stored ?? 1)
  }

  function sentTo(place: string, event: Published, reader: Reader | undefined): number {
    const before = reader?.after ?? (reader?.sink === place ? reader.name : undefined)
    if (before !== undefined) return mostAt(before, event)
    const { replyTo } = event
    const asked = replyTo && published.get(replyTo.id)
    return asked ? mostAt(replyTo.place, asked) : 1
  }

  return {
    get count() {
      return count
    },
    at,
    add(place, id, attempt) {
      count++
      const attempts = places.get(place) ?? new Map<string, Attempt[]>()
      places.set(place, attempts)
      const ofEvent = attempts.get(id)
      if (ofEvent) ofEvent.push(attempt)
      else attempts.set(id, [attempt])
    },
    places: () => places.keys(),
    ids: (place) => places.get(place)?.keys() ?? [],
    takenAt: (place, id) => at(place, id).filter(({ isTaken }) => isTaken).length,
    mostAt,
    story(place, id) {
      const told = at(place, id).map(({ run, arrivedAt, answeredAt, givenUpAt, isTaken }) => {
        const beforeEnd = (time: number): string => `-${Math.round(run.endedAt - time)}`
        const how = answeredAt === undefined ? 'given up' : isTaken ? 'taken' : 'refused'
        const end = answeredAt ?? givenUpAt ?? run.endedAt
        return `round ${run.round} (${run.end}) ${beforeEnd(arrivedAt)}, ${how} ${beforeEnd(end)}`
      })
      return told.join('; ')
    },
  }
}
