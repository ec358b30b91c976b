// What was published, what was answered to it, and what came of it at whom, through all the lives of a program that is
// killed again and again. It says at the end what is missing, what came though nobody sent it, what came out of order,
// and what came more often than kills explain.
import { type Attempt, openAttempts, pathOf, type Run } from './attempts.ts'
import type { Contents } from './contents.ts'
import { watchOrder } from './order.ts'
import { type Outage, outagesIn } from './outages.ts'
import { ANSWER, BROKER_B, type Reader } from './readers.ts'
import { judgeStorage, type StorageTally } from './storage.ts'

export interface Published {
  readonly id: string
  readonly target: string
  readonly type: string
  readonly key: string | undefined
  /** Of its key, whose events are published one after the other. */
  readonly sequence: number
  readonly round: number
  readonly askedAt: number
  readonly body: Buffer
  /** The delivery that it is the reply to. */
  readonly replyTo: { readonly place: string; readonly id: string } | undefined
  /** `unknown`: no answer came; it may be stored or not. */
  outcome: 'unknown' | 'accepted' | 'refused'
  /** Infinity where no answer came. */
  answeredAt: number
}

export interface Replay {
  readonly reader: string
  /** From this round on. */
  readonly fromRound: number
  /** What was accepted by then has to come; undefined when the order was not answered, so that nothing has to. */
  readonly musts: readonly string[] | undefined
  /** What was published after that may not come. */
  readonly answeredAt: number
}

export interface Tally extends StorageTally {
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
  /** `replay`: its id, when it came once more. Undefined for what should never have come; that is noted. */
  arrive(place: string, id: string, run: Run, body: Buffer, replay: string | undefined): Attempt | undefined
  /** The reader may miss what is published in this round. */
  absent(reader: string, round: number): void
  /** What a reader wants, and is accepted by now, from a round on. */
  acceptedFor(reader: string, fromRound: number): readonly string[]
  /** Whatever else may become of these, they have to be taken in the end: they are redriven. */
  redriven(reader: string, ids: readonly string[]): void
  replayed(id: string, replay: Replay): void
  /** What keeps the events is not whole now. */
  disturbed(outage: Outage): void
  /** Of what was accepted, and must be seen to be taken, something was not yet. */
  isWaiting(): boolean
  /** Once all runs have ended. */
  judge(contents: Contents): {
    readonly wrong: readonly string[]
    readonly tally: Tally
  }
}

const MOST_TOLD = 30
/** In what is told of an event that was accepted and is missing. */
const LOST = 'LOST'

export function openLedger(readers: () => readonly Reader[], saveIntervalMs: number): Ledger {
  const published = new Map<string, Published>()
  const outages: Outage[] = []
  let stored: Contents['stored']
  const attempts = openAttempts({ readerAt, published, saveIntervalMs, outages, timesStored })
  const absences = new Map<string, Set<number>>()
  const redrives: { readonly reader: string; readonly ids: readonly string[] }[] = []
  const replays = new Map<string, Replay>()
  const wrong: string[] = []
  const cameRefused = new Set<Published>()
  const order = watchOrder((reader, id) => attempts.takenAt(reader, id) > 0)

  function readerAt(place: string): Reader | undefined {
    const path = pathOf(place)
    return readers().find(({ name }) => name === path) ?? readers().find(({ sink }) => sink === path)
  }

  function timesStored({ target, after }: Reader, id: string): number | undefined {
    return stored && (stored.get(after === undefined ? target : BROKER_B)?.get(id) ?? 0)
  }

  /** The cluster may have stored it without saying so. */
  function isDoubtful({ askedAt, answeredAt }: Published): boolean {
    return outagesIn(outages, askedAt, answeredAt).length > 0
  }

  function named(name: string): Reader {
    const reader = readers().find((each) => each.name === name)
    if (!reader) throw new Error(`no reader ${name}`)
    return reader
  }

  /** Where what becomes of an event at a reader can be seen, and how often it was. */
  function seen(reader: Reader, id: string, kept: ReadonlyMap<string, number>): { place: string; times: number } {
    const place = reader.sink ?? reader.name
    const taken = attempts.takenAt(place, id)
    if (
      reader.fate === 'in the dead-letter log' ||
      (reader.fate === 'taken or in the dead-letter log' && taken === 0)
    ) {
      return { place: reader.name, times: kept.get(id) ?? 0 }
    }
    return { place, times: taken }
  }

  function judgeReader(reader: Reader, kept: ReadonlyMap<string, number>, count: Counter): string[] {
    const found: string[] = []
    for (const id of kept.keys()) {
      if (!published.has(id)) found.push(`${reader.name}: ${id} is kept, which nobody published`)
    }
    for (const event of published.values()) {
      if (!wants(reader, event)) continue
      const { place, times } = seen(reader, event.id, kept)
      // Each copy in the dead-letter log may be redriven.
      const copies = reader.fate === 'taken or in the dead-letter log' ? 1 + (kept.get(event.id) ?? 0) : 1
      found.push(...count(place, event, times, copies))
      if (times > 0 || mayMiss(reader, event)) continue
      found.push(`${reader.name}: ${LOST} ${event.id}: accepted in round ${event.round}, and not ${reader.fate}`)
    }
    return found
  }

  function judgeReplays(count: Counter): string[] {
    const found: string[] = []
    for (const place of attempts.places()) {
      const [path, id] = place.split('#')
      if (id === undefined) continue
      // Of one whose order was not answered nothing is known, but that it was given.
      const replay = replays.get(id)
      for (const eventId of attempts.ids(place)) {
        const event = published.get(eventId)
        if (!event) continue
        found.push(...count(place, event, attempts.takenAt(place, eventId)))
        if (!replay) continue
        if (replay.reader !== path) found.push(`${place}: ${eventId} came to another than was asked for`)
        if (event.round < replay.fromRound) found.push(`${place}: ${eventId} came, of before its time`)
        if (event.askedAt > replay.answeredAt) found.push(`${place}: ${eventId} came, of after its time`)
      }
    }
    for (const [id, { reader, musts = [] }] of replays) {
      for (const eventId of musts) {
        if (attempts.takenAt(`${reader}#${id}`, eventId) === 0)
          found.push(`${reader}: ${LOST} ${eventId} in replay ${id}`)
      }
    }
    return found
  }

  function judgeRedrives(): string[] {
    return redrives.flatMap(({ reader, ids }) =>
      ids
        .filter((id) => attempts.takenAt(reader, id) === 0)
        .map((id) => `${reader}: ${LOST} ${id}: redriven, and not taken: ${attempts.story(reader, id)}`),
    )
  }

  function mayMiss(reader: Reader, event: Published): boolean {
    return event.outcome !== 'accepted' || (absences.get(reader.name)?.has(event.round) ?? false)
  }

  function outcomes(): Pick<Tally, 'accepted' | 'refused' | 'unknown'> {
    const counts = { accepted: 0, refused: 0, unknown: 0 }
    for (const { replyTo, outcome } of published.values()) if (!replyTo) counts[outcome]++
    return counts
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
        askedAt: performance.now(),
        body: Buffer.from(replyId),
        replyTo: { place, id },
        // What it answers does not settle before the reply is stored.
        outcome: 'accepted',
        answeredAt: Infinity,
      }
      published.set(replyId, reply)
      return reply
    },

    arrive(path, id, run, body, replay) {
      const event = published.get(id)
      const reader = readerAt(path)
      if (!event || !reader || !wants(reader, event)) {
        wrong.push(`${path}: ${id} came, which ${event ? 'it does not want' : 'nobody published'}`)
        return undefined
      }
      if (event.outcome === 'refused') cameRefused.add(event)
      run.arrivals++
      if (!body.equals(event.body)) wrong.push(`${path}: ${id} came with other data than it had`)
      const place = replay === undefined ? path : `${path}#${replay}`
      const arrivedAt = performance.now()
      const attempt: Attempt = { run, arrivedAt, answeredAt: undefined, givenUpAt: undefined, isTaken: false }
      const isFirst = attempts.at(place, id).length === 0
      if (reader.isOrdered) wrong.push(...order.arrive(place, event, attempt, isFirst))
      attempts.add(place, id, attempt)
      return attempt
    },

    absent(reader, round) {
      absences.set(reader, (absences.get(reader) ?? new Set()).add(round))
    },

    acceptedFor(name, fromRound) {
      const reader = named(name)
      const those = [...published.values()].filter((event) => event.round >= fromRound && wants(reader, event))
      return those.filter(({ outcome }) => outcome === 'accepted').map(({ id }) => id)
    },

    redriven: (reader, ids) => void redrives.push({ reader, ids }),
    replayed: (id, replay) => void replays.set(id, replay),
    disturbed: (outage) => void outages.push(outage),

    isWaiting() {
      const visible = readers().filter(({ fate }) => fate === 'taken' || fate === 'in its dead letter sink')
      return visible.some((reader) => {
        const place = reader.sink ?? reader.name
        const isMissing = (event: Published): boolean => wants(reader, event) && attempts.takenAt(place, event.id) === 0
        return [...published.values()].some((event) => isMissing(event) && !mayMiss(reader, event))
      })
    },

    judge(contents) {
      stored = contents.stored
      const counts = { taken: 0, repeated: 0, explained: 0 }
      const count: Counter = (place, event, times, copies = 1) => {
        const most = copies * attempts.mostAt(place, event)
        counts.taken += times
        counts.repeated += Math.max(0, times - 1)
        counts.explained += most - 1
        if (times <= most) return []
        const story = attempts.story(place, event.id)
        return [`${place}: ${event.id} came ${times} times, kills explain ${most}: ${story}`]
      }
      const found: string[] = []
      for (const event of cameRefused) if (!isDoubtful(event)) found.push(`${event.id} came, which was refused`)
      for (const reader of readers()) {
        found.push(...judgeReader(reader, countsOf(contents.deadLetters.get(reader.name) ?? []), count))
      }
      found.push(...judgeRedrives(), ...judgeReplays(count))
      const storage = stored && judgeStorage(stored, published.values(), isDoubtful)
      found.push(...(storage?.wrong ?? []), ...wrong)
      // Before what only came too often.
      found.sort((a, b) => Number(b.includes(LOST)) - Number(a.includes(LOST)))
      const told = found.slice(0, MOST_TOLD)
      if (found.length > told.length) told.push(`and ${found.length - told.length} more`)
      const { storedAgain = 0, refusedAndStored = 0 } = storage ?? {}
      const tally = { ...outcomes(), attempts: attempts.count, ...counts, storedAgain, refusedAndStored }
      return { wrong: told, tally }
    },
  }
}

/** Notes how often an event came, and says so where that is too often. */
type Counter = (place: string, event: Published, times: number, copies?: number) => readonly string[]

function wants({ target, type, since = 0 }: Reader, event: Published): boolean {
  return event.target === target && (type === undefined || type === event.type) && event.round >= since
}

function countsOf(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
