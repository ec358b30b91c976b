// The promise of ordered triggers, watched as requests come in: of one key there is one unsettled event at a time, and
// each event comes for the first time after all that were accepted before it were taken.
import type { Attempt, Run } from './attempts.ts'
import type { Published } from './ledger.ts'

/** A key of one reader. */
interface Lane {
  /** All of the key's events before it are taken, or were never accepted. */
  doneBefore: number
  lastFirst: number
  open: { readonly sequence: number; readonly attempt: Attempt } | undefined
}

export interface OrderWatch {
  publish(published: Published): void
  /** Returns what is wrong with it. */
  arrive(reader: string, published: Published, attempt: Attempt, isFirst: boolean): readonly string[]
}

/** `isTaken`: whether the event was taken by the reader. */
export function watchOrder(isTaken: (reader: string, id: string) => boolean): OrderWatch {
  /** By key: published one after the other, so what came of one is known once there is a next. */
  const events = new Map<string, Published[]>()
  const lanes = new Map<string, Lane>()

  function laneOf(name: string): Lane {
    const lane = lanes.get(name) ?? { doneBefore: 0, lastFirst: -1, open: undefined }
    lanes.set(name, lane)
    return lane
  }

  function missingBefore(reader: string, key: string, lane: Lane, sequence: number): Published | undefined {
    const list = events.get(key) ?? []
    for (; lane.doneBefore < sequence; lane.doneBefore++) {
      const event = list[lane.doneBefore]
      if (event?.outcome === 'accepted' && !isTaken(reader, event.id)) return event
    }
    return undefined
  }

  return {
    publish(published) {
      if (published.key === undefined) return
      const list = events.get(published.key) ?? []
      events.set(published.key, list)
      list[published.sequence] = published
    },

    arrive(reader, { key, sequence }, attempt, isFirst) {
      if (key === undefined) return []
      const where = `${reader}, key ${key}`
      const wrong: string[] = []
      const lane = laneOf(where)
      const { open } = lane
      if (open && isRunning(open.attempt, attempt.run))
        wrong.push(`${where}: ${sequence} came while ${open.sequence} ran`)
      lane.open = { sequence, attempt }
      if (!isFirst) return wrong
      if (sequence < lane.lastFirst) wrong.push(`${where}: ${sequence} came for the first time after ${lane.lastFirst}`)
      lane.lastFirst = Math.max(lane.lastFirst, sequence)
      const missing = missingBefore(reader, key, lane, sequence)
      if (missing) wrong.push(`${where}: ${sequence} came before ${missing.sequence} was taken`)
      return wrong
    },
  }
}

function isRunning(attempt: Attempt, run: Run): boolean {
  return attempt.run === run && attempt.answeredAt === undefined && attempt.givenUpAt === undefined
}
