// A store around another's that knows whether any answer of its server is to come.
import type { Batch, EventLog, LaneId, LogStore, Position } from '../../src/channel/log.ts'
import { restsUnless } from './support.ts'

interface Waiting {
  readonly log: EventLog
  readonly lane: LaneId
  readonly next: Position
}

let calls = 0
/** Readers that wait: at the head there is nothing to come. */
const readers = new Set<Waiting>()

/** What is asked of the store counts as under way for `atRest`. */
export function resting<T extends LogStore>(store: T): T {
  restsUnless(() => calls > 0 || [...readers].some(({ log, lane, next }) => next < log.end(lane)))
  return { ...store, open: async (...args: Parameters<LogStore['open']>) => restingLog(await store.open(...args)) }
}

function restingLog(log: EventLog): EventLog {
  return {
    ...log,
    append: (event, room) => counted(log.append(event, room)),
    createCursor: (id, start) => counted(log.createCursor(id, start)),
    dropCursor: (id) => counted(log.dropCursor(id)),
    lanes: () => counted(log.lanes()),
    positionAt: (lane, start) => counted(log.positionAt(lane, start)),
    async own(serve, signal) {
      let serving = 0
      let isCounted = true
      calls++
      /** Taking lanes up, and giving them up, is under way; serving them is not. */
      const count = (): void => {
        const isUnderWay = serving === 0 && !isOver
        if (isUnderWay === isCounted) return
        isCounted = isUnderWay
        calls += isUnderWay ? 1 : -1
      }
      let isOver = false
      const owning = log.own(async (lane) => {
        serving++
        count()
        try {
          await serve({
            ...lane,
            cursors: () => counted(lane.cursors()),
            save: (change) => counted(lane.save(change)),
            trim: (before) => counted(lane.trim(before)),
          })
        } finally {
          serving--
          count()
        }
      }, signal)
      await owning.finally(() => {
        isOver = true
        count()
      })
    },
    read: (lane, from, signal) => restingRead(log, lane, log.read(lane, from, signal)[Symbol.asyncIterator](), from),
  }
}

async function* restingRead(
  log: EventLog,
  lane: LaneId,
  batches: AsyncIterator<Batch>,
  from: Position,
): AsyncGenerator<Batch> {
  try {
    for (let next = from; ; ) {
      const waiting = { log, lane, next }
      readers.add(waiting)
      const batch = await batches.next().finally(() => readers.delete(waiting))
      if (batch.done) return
      next = batch.value.next
      yield batch.value
    }
  } finally {
    await batches.return?.()
  }
}

function counted<T>(asked: Promise<T>): Promise<T> {
  calls++
  return asked.finally(() => {
    calls--
  })
}
