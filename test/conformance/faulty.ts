// A log that counts what is asked of it and fails on command, around any backend's: so that the fan-out's answers to a
// lost lane, a failing disk or a killed process are tested on every backend, although memory never has them.
import type { EventLog, LaneId, OwnedLane, Position } from '../../src/channel/log.ts'
import { EventingError } from '../../src/core/errors.ts'

export type Verb = 'append' | 'createCursor' | 'dropCursor' | 'lanes' | 'read' | 'save' | 'trim'

export interface Save {
  /** Ids of the records that were written. */
  readonly put: readonly string[]
  readonly covered: readonly string[]
}

export interface Faults {
  /** Calls that were made, failed ones included. For `read`: readers started, not batches. */
  calls(verb: Verb): number
  /** Readers open now, and the most there were at once. */
  readonly openReaders: number
  readonly mostReaders: number
  /** Entries that the log handed out, to whichever reader. */
  readonly entriesRead: number
  /** Every save that was stored, in order. */
  readonly saves: readonly Save[]
  /** The next calls of this verb reject; for `read`, the next batch of any open reader does too. */
  fail(verb: Verb, error: Error, times?: number): void
  /** Forgets the failures that nothing has met yet. */
  heal(): void
  /** From now on every call of this verb waits for the promise. */
  delay(verb: Verb, until: Promise<void>): void
  /** Another process takes the lanes: their signals abort, saves reject with LANE_LOST, until `regainLanes`. */
  loseLanes(): void
  /** Another process is to own all lanes: this one may end what runs, and save it, before it does. */
  handOverLanes(): void
  regainLanes(): void
  /** Someone cut the lane from outside: all before `start` is gone. */
  cutBefore(lane: LaneId, start: Position): void
  /** The process dies: nothing more reaches the store, nothing is answered, and the lanes are free for the next. */
  crash(): void
}

export function unavailable(): EventingError {
  return new EventingError('LOG_UNAVAILABLE', 'the log does not answer', { retryable: true })
}

export function withFaults(inner: EventLog): { readonly log: EventLog; readonly faults: Faults } {
  const calls = new Map<Verb, number>()
  const failures = new Map<Verb, Error[]>()
  const delays = new Map<Verb, Promise<void>>()
  const cuts = new Map<LaneId, Position>()
  const saves: Save[] = []
  const death = new AbortController()
  let tenure = new AbortController()
  let term = new AbortController()
  let regained = Promise.resolve()
  let regain = (): void => {}
  let openReaders = 0
  let mostReaders = 0
  let entriesRead = 0

  async function enter(verb: Verb): Promise<void> {
    calls.set(verb, (calls.get(verb) ?? 0) + 1)
    await delays.get(verb)
    if (death.signal.aborted) await never()
    throwFailure(verb)
  }

  function throwFailure(verb: Verb): void {
    const error = failures.get(verb)?.shift()
    if (error) throw error
  }

  async function* read(lane: LaneId, from: Position, signal: AbortSignal) {
    await enter('read')
    const start = cuts.get(lane) ?? from
    if (from < start) throw new EventingError('POSITION_GONE', `lane ${lane} starts at ${start}`)
    mostReaders = Math.max(mostReaders, ++openReaders)
    try {
      for await (const batch of inner.read(lane, from, AbortSignal.any([signal, death.signal]))) {
        throwFailure('read')
        entriesRead += batch.entries.length
        yield batch
      }
    } finally {
      openReaders--
    }
    if (death.signal.aborted) await never()
  }

  async function serveTenures(lane: OwnedLane, serve: (lane: OwnedLane) => Promise<void>): Promise<void> {
    const ended = AbortSignal.any([lane.signal, death.signal])
    for (;;) {
      await Promise.race([regained, aborted(ended)])
      if (ended.aborted) return
      const lost = AbortSignal.any([ended, tenure.signal])
      const signal = AbortSignal.any([lost, term.signal])
      await Promise.race([serve(tenured(lane, signal, lost)), aborted(death.signal)])
      await aborted(signal)
    }
  }

  function tenured(lane: OwnedLane, signal: AbortSignal, lost: AbortSignal): OwnedLane {
    return {
      id: lane.id,
      signal,
      lost,
      cursors: () => lane.cursors(),
      async save(change) {
        await enter('save')
        if (lost.aborted) throw new EventingError('LANE_LOST', `lane ${lane.id} has a newer owner`)
        await lane.save(change)
        saves.push({ put: [...change.put.keys()], covered: change.covered })
      },
      async trim(before) {
        await enter('trim')
        await lane.trim(before)
      },
      onExpired: (told) => lane.onExpired(told),
    }
  }

  const log: EventLog = {
    async append(event, room) {
      await enter('append')
      return inner.append(event, room)
    },
    async createCursor(id, start) {
      await enter('createCursor')
      return inner.createCursor(id, start)
    },
    async dropCursor(id) {
      await enter('dropCursor')
      return inner.dropCursor(id)
    },
    async lanes() {
      await enter('lanes')
      const lanes = await inner.lanes()
      return lanes.map((lane) => ({ ...lane, start: Math.max(lane.start, cuts.get(lane.id) ?? lane.start) }))
    },
    positionAt: (lane, start) => inner.positionAt(lane, start),
    own: (serve, signal) => inner.own((lane) => serveTenures(lane, serve), AbortSignal.any([signal, death.signal])),
    read,
    end: (lane) => inner.end(lane),
    size: () => inner.size(),
  }

  const faults: Faults = {
    calls: (verb) => calls.get(verb) ?? 0,
    get openReaders() {
      return openReaders
    },
    get mostReaders() {
      return mostReaders
    },
    get entriesRead() {
      return entriesRead
    },
    saves,
    fail(verb, error, times = 1) {
      failures.set(verb, [...(failures.get(verb) ?? []), ...Array.from({ length: times }, () => error)])
    },
    heal: () => failures.clear(),
    delay: (verb, until) => void delays.set(verb, until),
    loseLanes() {
      const lost = tenure
      tenure = new AbortController()
      regained = new Promise((resolve) => {
        regain = resolve
      })
      lost.abort(new EventingError('LANE_LOST', 'another process owns the lanes'))
    },
    handOverLanes() {
      const handedOver = term
      term = new AbortController()
      regained = new Promise((resolve) => {
        regain = resolve
      })
      handedOver.abort(new EventingError('LANE_LOST', 'another process is to own the lanes'))
    },
    regainLanes: () => regain(),
    cutBefore: (lane, start) => void cuts.set(lane, start),
    crash: () => death.abort(new EventingError('LANE_LOST', 'the process is gone')),
  }
  return { log, faults }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
